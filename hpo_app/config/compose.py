"""From overrides to a composed config: where `conf/` is, and how Hydra is called."""

from __future__ import annotations

import contextlib
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import OmegaConf, open_dict

from hpo_app.config.resolvers import register_resolvers


if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from omegaconf import DictConfig

CONFIG_NAME = "config"
_ONE_AT_A_TIME = threading.Lock()


@dataclass(frozen=True)
class Origin:
    """What Hydra remembers of a composition.

    Attributes:
        overrides: What was typed, without the overrides of Hydra itself.
        choices: `{group: choice}`.
        sources: Folders that YAML files came from, in the order in which they are searched.
        said_in: Where the overrides were said, for messages.
        typed: Those of the overrides that a person typed at this start; None for all. What a run
            folder says of an earlier start may be made up.
    """

    overrides: tuple[str, ...] = ()
    choices: Mapping[str, str] = field(default_factory=dict)
    sources: tuple[Path, ...] = ()
    said_in: str = "command line"
    typed: tuple[str, ...] | None = None


def conf_dir() -> Path:
    """Return the folder of our config groups: inside a wheel's package, beside a checkout's."""
    package = Path(__file__).resolve().parent.parent
    inside = package / "conf"
    return inside if inside.is_dir() else package.parent / "conf"


def compose_config(
    overrides: Sequence[str] = (), config_dir: Path | None = None
) -> tuple[DictConfig, Origin]:
    """Compose the config outside of Hydra's command line.

    Args:
        overrides: In Hydra's grammar, for example `["preset=standard", "num_trials=20"]`.
        config_dir: A person's own config groups, searched after ours.

    Returns:
        The config without its `hydra` node, and where its values came from.
    """
    register_resolvers()
    extra = [f"hydra.searchpath=[file://{config_dir.resolve()}]"] if config_dir else []
    with _beside_another_hydra(), initialize_config_dir(str(conf_dir())):
        config = compose(CONFIG_NAME, [*overrides, *extra], return_hydra_config=True)
    origin = _origin(config.hydra, overrides)
    with open_dict(config):
        del config["hydra"]
    return config, origin


@contextlib.contextmanager
def _beside_another_hydra() -> Iterator[None]:
    """Let Hydra compose where it is in use: in an app of a person's own, or in another thread.

    It keeps its state once per process, and refuses a second one.
    """
    with _ONE_AT_A_TIME:
        state = GlobalHydra.instance()
        outer = state.hydra
        state.clear()
        try:
            yield
        finally:
            GlobalHydra.instance().hydra = outer


def hydra_origin() -> Origin:
    """Return the origin of the config that `hydra.main` handed over."""
    hydra = HydraConfig.get()
    # Unresolved: an override may hold an interpolation, which is nothing to Hydra's own node.
    typed: Any = OmegaConf.to_container(hydra.overrides.task, resolve=False)
    return _origin(hydra, [str(text) for text in typed])


def hydra_folder() -> Path:
    """Return the run folder that Hydra made."""
    return Path(HydraConfig.get().runtime.output_dir)


def hydra_env_set() -> dict[Any, Any]:
    """Return what Hydra is to put into the environment of this process."""
    return dict(HydraConfig.get().job.env_set)


def _origin(hydra: Any, overrides: Sequence[str]) -> Origin:
    choices = OmegaConf.to_container(hydra.runtime.choices)
    sources = hydra.runtime.get("config_sources") or []
    folders = [Path(source.path) for source in sources if source.schema == "file"]
    named = {str(group): str(choice) for group, choice in dict(choices).items()}  # type: ignore[arg-type]
    return Origin(tuple(overrides), named, (*folders, conf_dir()))
