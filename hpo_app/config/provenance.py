"""From a dotted key to the override or file that set it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from omegaconf import OmegaConf


if TYPE_CHECKING:
    from pathlib import Path

    from hpo_app.config.compose import Origin


def set_by(key: str, origin: Origin) -> str:
    """Return what set `key`: the last override that did, else the file that wins.

    Args:
        key: Dotted key, for example `search_space.lr.low`.
        origin: What Hydra remembers of the composition.

    Returns:
        For example `command line: num_trials=0` or `preset/standard.yaml`; empty if nothing
        that is known set it.
    """
    plain = key.split("[", maxsplit=1)[0]
    return _override(plain, origin) or _file(plain, origin)


def _override(key: str, origin: Origin) -> str:
    for override in reversed(origin.overrides):
        name = override.lstrip("+~").split("=", maxsplit=1)[0].split("@", maxsplit=1)[0]
        # An override of a whole group is named by the file that it chose.
        if name in origin.choices:
            continue
        if key == name or key.startswith(f"{name}.") or name.startswith(f"{key}."):
            return f"command line: {override}"
    return ""


def _file(key: str, origin: Origin) -> str:
    preset = origin.choices.get("preset", "None")
    group, _, rest = key.partition(".")
    choice = origin.choices.get(group, "None")
    for name, inner in (
        (f"preset/{preset}.yaml", key),
        (f"{group}/{choice}.yaml", rest),
        ("config.yaml", key),
    ):
        for folder in origin.sources:
            if _defines(folder / name, inner):
                return name
    return ""


def _defines(path: Path, key: str) -> bool:
    if not path.is_file():
        return False
    content = OmegaConf.load(path)
    missing = object()
    return key == "" or OmegaConf.select(content, key, default=missing) is not missing
