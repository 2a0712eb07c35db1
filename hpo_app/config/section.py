"""From the keys of one section to typed values, with what is wrong put on record."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from hpo_app.errors import Problem
from hpo_app.plan.search_space import is_number
from hpo_app.plan.wording import as_typed


if TYPE_CHECKING:
    from omegaconf import DictConfig

UNREADABLE = "?"
# More of anything than a run can have; what counts up to it can be looped over and stored.
_MOST = 10**9
# What a message proposes: a value that makes sense, and not only one that is allowed.
_EXAMPLES: dict[str, float] = {
    "num_trials": 20,
    "time_budget_s": 3600,
    "trial_timeout_s": 3600,
    "stall_timeout_s": 3600,
    "training.iterations": 16,
    "max_same_failures": 3,
    "checkpoints.budget_gb": 10,
    "report.every_s": 60,
    "confirm.share": 0.4,
    "stop.target": 475,
    "stop.plateau": 15,
    "ray.num_cpus": 4,
    "resources.max_concurrent_trials": 4,
    "resources.memory_gb": 2,
}
_NAMES = {"baseline": "outputs/DATE/TIME/best.yaml", "warm_start": "outputs/DATE/TIME"}


class Section:
    """Reads the keys of one section; a wrong value is put on record and replaced by a sound one."""

    def __init__(self, name: str, values: Any, problems: list[Problem]) -> None:
        self._prefix = f"{name}." if name else ""
        self._problems = problems
        self._values: dict[str, Any] = values if isinstance(values, dict) else {}
        if not isinstance(values, dict):
            self._problem(name, values, "a section with keys", "remove the override")

    def _problem(self, key: str, got: object, expected: str, fix: str) -> None:
        self._problems.append(Problem(key, as_typed(got), expected, fix))

    def below(self, key: str) -> Section:
        """Return the section under a key."""
        return Section(self._prefix + key, self.get(key), self._problems)

    def has(self, key: str) -> bool:
        """Return whether the section has a key, be it null."""
        return key in self._values

    def get(self, key: str) -> Any:
        """Return the value as it stands."""
        return self._values.get(key)

    def number(self, key: str, *, above: float = -math.inf, least: float = -math.inf) -> float:
        """Return a finite number; a sound one where it is none."""
        value = self.get(key)
        if is_number(value) and value > above and value >= least:
            return float(value)
        bound = f" of at least {least:g}" if least > -math.inf else ""
        bound = f" above {above:g}" if above > -math.inf else bound
        full = self._prefix + key
        otherwise = max(above + 1, least, 0.0)
        fix = f"write a number, for example {full}={_EXAMPLES.get(full, otherwise):g}"
        self._problem(full, value, f"a number{bound}", fix)
        return otherwise

    def whole(self, key: str, *, least: int, otherwise: int, most: int = _MOST) -> int:
        """Return a whole number; `otherwise` where it is none."""
        value = self.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        full = self._prefix + key
        is_long = isinstance(value, int) and value > most
        bounds = f"from {least} to {most}" if is_long else f"of at least {least}"
        expected = f"a whole number {bounds}"
        fix = f"write a whole number, for example {full}={_EXAMPLES.get(full, max(least, 1))}"
        self._problem(full, value, expected, fix)
        return otherwise

    def optional_whole(self, key: str, *, least: int, most: int = _MOST) -> int | None:
        """Return a whole number, or None for null."""
        if self.get(key) is None:
            return None
        return self.whole(key, least=least, otherwise=least, most=most)

    def optional_number(self, key: str, *, above: float = -math.inf) -> float | None:
        """Return a number, or None for null."""
        return None if self.get(key) is None else self.number(key, above=above)

    def flag(self, key: str, *, otherwise: bool | None = None) -> bool:
        """Return true or false; `otherwise` where it is missing; false where it is neither."""
        value = self.get(key)
        if value is None and otherwise is not None:
            return otherwise
        if not isinstance(value, bool):
            full = self._prefix + key
            self._problem(full, value, "true or false", f"set {full}=false")
        return value is True

    def text(self, key: str) -> str:
        """Return a name; `UNREADABLE` where there is none."""
        value = self.get(key)
        if isinstance(value, str) and value:
            return value
        self._problem(self._prefix + key, value, "a name", "give one")
        return UNREADABLE

    def optional_text(self, key: str) -> str:
        """Return a name; empty where there is none."""
        return "" if self.get(key) is None else self.text(key)

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a list of names; none where it is no list."""
        value = self.get(key)
        value = [] if value is None else value
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        full = self._prefix + key
        self._problem(
            full, value, "a list of names", f"set '{full}=[{_NAMES.get(full, 'my_package')}]'"
        )
        return ()


def resolved(config: DictConfig, key: str, problems: list[Problem]) -> Any:
    """Return one section as plain values; None where an interpolation in it leads nowhere."""
    try:
        value = config[key]
        return OmegaConf.to_container(value, resolve=True) if OmegaConf.is_config(value) else value
    except OmegaConfBaseException as error:
        text = str(error).splitlines()[0]
        full = str(getattr(error, "full_key", "") or key)
        expected = "an interpolation that can be resolved"
        problems.append(Problem(full, text, expected, "correct the key"))
        return None
