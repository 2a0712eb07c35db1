"""What `look` starts: an app that composes its config for some configurations, without training."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from hydra.errors import HydraException
from omegaconf.errors import OmegaConfBaseException

from hpo_app.apps.job import App
from hpo_app.apps.override_text import override_texts
from hpo_app.apps.started import app_name
from hpo_app.errors import Problem
from hpo_app.training.contract import ConfigurationError


if TYPE_CHECKING:
    from collections.abc import Sequence


def main() -> None:
    """Read configurations from the standard input, and answer with problems on the standard output.

    Either is JSON; what the app itself reads finds an end, and what it prints goes elsewhere.
    """
    asked = json.load(sys.stdin)
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    problems = _problems(asked)
    with answer:
        json.dump([asdict(problem) for problem in problems], answer)
    os._exit(0)  # Threads of the app would be waited for.


def _problems(asked: Sequence[dict[str, Any]]) -> list[Problem]:
    first = asked[0]["model"]
    try:
        app = App(app_name(first), tuple(first["overrides"]), None)
    except ConfigurationError as error:
        return list(error.problems)
    except HydraException as error:
        got = f"{first['app']} ({_text(error)})"
        fix = "correct model.config_name, model.config_path or model.overrides"
        return [Problem("model.app", got, "an app whose config composes", fix)]
    problems: dict[str, Problem] = {}
    for each in asked:
        texts = override_texts(each["model"], each["changed"])
        try:
            app.compose(override_texts(each["model"]), 0)
        except (HydraException, OmegaConfBaseException) as error:
            got = f"{', '.join(texts)} ({_text(error)})"
            expected = "parameters named like keys of the app's config, with values that it takes"
            fix = (
                "correct it, or name its key by '+model.keys={NAME: KEY}'; see python APP --cfg job"
            )
            problems.setdefault(_text(error), Problem("search_space", got, expected, fix))
            if each is asked[0]:
                break  # The others differ from it by a value.
    return list(problems.values())


def _text(error: BaseException) -> str:
    lines = [str(error), str(error.__cause__ or "")]
    return " ".join(" ".join(lines).split())


if __name__ == "__main__":
    main()
