"""From configs that are parts of a larger one to configs that stand alone.

Under `@hydra.main` a person hands over `cfg.model`, in which `${epochs}` means a key of all of
`cfg`. That key is not in the config of a run, so its value takes the place of the reference. What
refers to a part that is handed over as well goes on to refer to it, and follows what is sampled.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig, OmegaConf


if TYPE_CHECKING:
    from collections.abc import Mapping

# A reference to a key. Resolvers have a colon, and stay: `oc.env` may stand for a secret.
_REFERENCE = re.compile(r"(?<!\\)\$\{\s*(\.*)([^\s:${}\\]+)\s*\}")
_DEEPEST = 20  # References that go round would have no end.
_ABSENT = object()


def standing_alone(configs: Mapping[str, Any]) -> dict[str, Any]:
    """Return configs in which no reference leads to what only the larger config holds.

    Args:
        configs: By their key in the config of a run, as `{"model": cfg.network}`. What is no
            DictConfig stays as it is.
    """
    parts = {
        name: config
        for name, config in configs.items()
        if isinstance(config, DictConfig) and isinstance(_plain(config), dict)
    }
    return {**configs, **{name: _alone(part, parts) for name, part in parts.items()}}


def _alone(config: DictConfig, parts: Mapping[str, DictConfig]) -> Any:
    root = config._get_root()
    siblings = {
        name: part for name, part in parts.items() if part is config or part._get_root() is root
    }
    larger = _Larger(_plain(root), {_path_of(part): name for name, part in siblings.items()})
    return larger.followed(_plain(config), _path_of(config))


def _plain(config: Any) -> Any:
    return OmegaConf.to_container(config, resolve=False)


def _path_of(config: Any) -> tuple[str, ...]:
    return _steps(str(config._get_full_key(None)))


def _steps(key: str) -> tuple[str, ...]:
    return tuple(step for step in re.split(r"[.\[\]]", key) if step)


@dataclass(frozen=True)
class _Larger:
    """The larger config.

    Attributes:
        root: All of it as plain values, with the references in them.
        names: What its parts are called in the config of a run, by their paths.
    """

    root: Any
    names: Mapping[tuple[str, ...], str]

    def followed(self, value: Any, at: tuple[str, ...], depth: int = 0) -> Any:
        """Return the value that stands at a path, with what its references lead to."""
        if isinstance(value, dict):
            return {key: self.followed(item, (*at, str(key)), depth) for key, item in value.items()}
        if isinstance(value, list):
            return [self.followed(item, (*at, str(i)), depth) for i, item in enumerate(value)]
        if not isinstance(value, str) or depth > _DEEPEST:
            return value
        whole = _REFERENCE.fullmatch(value)
        if whole:
            return self._target(whole, at, depth)
        text = _REFERENCE.sub(lambda found: str(self._target(found, at, depth)), value)
        # A reference inside of another may have been the name of its key.
        is_new = text != value and _REFERENCE.fullmatch(text)
        return self.followed(text, at, depth + 1) if is_new else text

    def _target(self, found: re.Match[str], at: tuple[str, ...], depth: int) -> Any:
        """Return what a reference leads to; the reference itself where that is no key."""
        dots, path = len(found[1]), _steps(found[2])
        if dots:  # One means the section that it stands in, each further one the section around.
            path = (*at[: max(0, len(at) - dots)], *path)
        value = self._at(path)
        if value is _ABSENT:
            return found[0]
        for outer, name in self.names.items():
            if path[: len(outer)] == outer and len(path) > len(outer):
                return f"${{{'.'.join((name, *path[len(outer) :]))}}}"
        return self.followed(value, path, depth + 1)

    def _at(self, path: tuple[str, ...]) -> Any:
        value = self.root
        for step in path:
            if isinstance(value, dict):
                value = value.get(step, _ABSENT)
            elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
                value = value[int(step)]
            else:
                return _ABSENT
        return value
