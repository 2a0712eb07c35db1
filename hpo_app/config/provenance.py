"""From a dotted key to the override or file that set it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from omegaconf import OmegaConf

from hpo_app.config.overrides import key_parts, read_override


if TYPE_CHECKING:
    from pathlib import Path

    from hpo_app.config.compose import Origin

_GLOBAL = re.compile(r"^#\s*@package\s+_global_\s*$", re.MULTILINE)
_REFERENCE = re.compile(r"\$\{(\w+)\}")
_UNSURE = "?"


class _File(NamedTuple):
    """One YAML file: its keys as they stand in the composed config, and what it is made of."""

    name: str
    content: Any
    defaults: list[Any]

    def defines(self, key: str) -> bool:
        node = self.content
        for part in key_parts(key):
            if not isinstance(node, dict) or part not in node:
                return False
            node = node[part]
        return True

    def choice(self, group: str) -> str | None:
        """Return what the file's defaults list chooses of a group, or None if it does not."""
        for entry in self.defaults:
            for name, choice in entry.items() if isinstance(entry, dict) else ():
                bare = str(name).removeprefix("override ").lstrip("/").split("@", maxsplit=1)[0]
                if bare == group:
                    return str(choice)
        return None


def set_by(key: str, origin: Origin) -> str:
    """Return what set `key`: the last override that did, else the file that wins.

    Args:
        key: Dotted key, for example `search_space.lr.low`, or a group.
        origin: What Hydra remembers of the composition.

    Returns:
        For example `command line: num_trials=0` or `preset/standard.yaml`; empty if nothing
        that is known set it, or if that is not sure.
    """
    plain = key.split("[", maxsplit=1)[0]
    found = _override(plain, origin)
    if not found:
        found = _chosen_by(plain, origin) if plain in origin.choices else _file(plain, origin)
    return "" if found == _UNSURE else found


def _override(key: str, origin: Origin) -> str:
    for text in reversed(origin.overrides):
        name = read_override(text).key
        # An override of a whole group says which file is read; the values are the file's.
        if key == name or (name not in origin.choices and key.startswith(f"{name}.")):
            return f"{origin.said_in}: {text}"
    return ""


def _file(key: str, origin: Origin) -> str:
    preset = origin.choices.get("preset", "None")
    group = key.partition(".")[0]
    choice = origin.choices.get(group, "None")
    return (
        _among_bases("preset", preset, key, origin)
        or _among_bases(group, choice, key, origin)
        or _among_bases("", "config", key, origin)
    )


def _among_bases(group: str, choice: str, key: str, origin: Origin) -> str:
    """Return which file of a group set `key`: the chosen one, or one that it is built on."""
    file = _read(group, choice, origin)
    if file is None:
        return ""
    bases = [entry for entry in file.defaults if isinstance(entry, str)]
    own = [file.name] if file.defines(key) else []
    if not group or bases in ([], ["_self_"]):
        return own[0] if own else ""
    # The entry that comes last wins; without _self_ that is the file itself.
    order = bases if "_self_" in bases else [*bases, "_self_"]
    for entry in reversed(order):
        found = own[0] if own and entry == "_self_" else ""
        if entry != "_self_":
            found = _of_base(group, entry, key, origin)
        if found:
            return found
    return ""


def _of_base(group: str, entry: str, key: str, origin: Origin) -> str:
    base = _read(group, entry, origin)
    if base is None or any(isinstance(item, str) and item != "_self_" for item in base.defaults):
        return _UNSURE
    return base.name if base.defines(key) else ""


def _chosen_by(group: str, origin: Origin) -> str:
    """Return which defaults list chose a group: that of the preset, of the model or the base."""
    for of, choice in (("preset", origin.choices.get("preset")), ("", "config")):
        file = _read(of, choice or "None", origin)
        chosen = file.choice(group) if file else None
        if file is None or chosen is None:
            continue
        reference = _REFERENCE.fullmatch(chosen)
        return set_by(reference.group(1), origin) if reference else file.name
    model = _read("model", origin.choices.get("model", "None"), origin)
    return model.name if model and model.choice(group) else ""


def _read(group: str, choice: str, origin: Origin) -> _File | None:
    name = f"{group}/{choice}.yaml" if group else f"{choice}.yaml"
    path = next((folder / name for folder in origin.sources if (folder / name).is_file()), None)
    return None if path is None else _File(name, *_parts(path, group))


def _parts(path: Path, group: str) -> tuple[Any, list[Any]]:
    content: Any = OmegaConf.to_container(OmegaConf.load(path), resolve=False)
    defaults = content.get("defaults") if isinstance(content, dict) else None
    is_global = not group or _GLOBAL.search(path.read_text(encoding="utf-8"))
    keys = content if is_global else {group: content}
    return keys, defaults if isinstance(defaults, list) else []
