"""From a composed config to the little that counts where a file holds the configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hpo_app.config.provenance import set_by
from hpo_app.config.secrets import plain_secrets
from hpo_app.config.section import Section, resolved
from hpo_app.config.trust import trust_from_a_file
from hpo_app.errors import PlanError


if TYPE_CHECKING:
    from omegaconf import DictConfig

    from hpo_app.config.compose import Origin
    from hpo_app.errors import Problem


@dataclass(frozen=True)
class RunSettings:
    """How a configuration is trained that does not come from the config groups.

    Attributes:
        seed: Seed of the training.
        cpu: CPUs, and with them threads, that it may use.
        trusted_modules: Packages of the person's own that it may name code from.
    """

    seed: int
    cpu: float
    trusted_modules: tuple[str, ...]


def parse_settings(config: DictConfig, origin: Origin) -> RunSettings:
    """Return seed, CPUs and trusted modules of a composed config, and look at nothing else.

    Raises:
        PlanError: With everything that is wrong with them.
    """
    problems: list[Problem] = []
    read = ("seed", "resources", "trusted_modules")
    values = {key: resolved(config, key, problems) for key in read}
    root = Section("", values, problems)
    settings = RunSettings(
        seed=root.whole("seed", least=0, otherwise=0),
        cpu=Section("resources", values.get("resources"), problems).number("cpu", above=0),
        trusted_modules=root.texts("trusted_modules"),
    )
    problems += trust_from_a_file(settings.trusted_modules, origin)
    problems += plain_secrets(config)
    if problems:
        raise PlanError([replace(item, set_by=set_by(item.key, origin)) for item in problems])
    return settings
