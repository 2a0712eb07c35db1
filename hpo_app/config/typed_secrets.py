"""From a command line to the secrets that stand on it, before Hydra writes down what was typed."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from hpo_app.config.secrets import ENV_SET, SAMPLED, is_plain, plain_secret
from hpo_app.errors import Problem
from hpo_app.redaction import HIDDEN, is_secret, redact, secrets_in


if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hpo_app.config.overrides import Override


def typed_secrets(overrides: Iterable[Override]) -> list[Problem]:
    """Return a problem for each secret on the command line, by its key or as a variable's value."""
    found = [problem for override in overrides for problem in _typed(override)]
    return list({problem.key: problem for problem in found}.values())


def _typed(override: Override) -> Iterator[Problem]:
    set_by = f"command line: {override.mark}{override.key}={HIDDEN}"
    if override.root not in SAMPLED:
        for key, text in secrets_in(_value_of(override), override.key):
            if is_plain(text) or key.startswith(ENV_SET):
                yield plain_secret(key, set_by)
    for name, value in os.environ.items():
        # The shell puts it there: model.key=$MY_TOKEN
        if is_secret(name) and redact(value) == HIDDEN and value in override.text:
            expected = "the name of the variable: what is typed stays in the run folder"
            fix = f"write '{override.key}=${{oc.env:{name}}}', with the quotes"
            yield Problem(override.key, f"the value of {name}", expected, fix, set_by)


def _value_of(override: Override) -> Any:
    try:
        parsed = OverridesParser.create().parse_override(override.text)
    except HydraException:
        return override.value
    return override.value if parsed.is_sweep_override() else parsed.value()
