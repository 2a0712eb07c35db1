"""Settings that mind the noise, and where they cannot."""

import pytest

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError


def problems_of(*overrides):
    with pytest.raises(PlanError) as caught:
        parse_plan(*compose_config(overrides))
    return {problem.key: problem for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (
            ["training.iterations=3"],
            "trainings that tell their noise: of 4 iterations, or repeated",
        ),
        (["scheduler=pbt"], "false, because members of a population change their values"),
        (["objectives=[{metric: loss, mode: min},{metric: cost, mode: min}]"], "no one best value"),
    ],
    ids=["too short", "population", "several objectives"],
)
def test_a_search_that_cannot_tell_when_it_is_done_is_not_to_end_then(overrides, expected):
    problems = problems_of("search_space=quadratic", "stop.when_done=true", *overrides)
    assert expected in problems["stop.when_done"].expected


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (["average_reports=9", "training.iterations=8"], "at most 8, the reports of a trial"),
        (["average_reports=2", "scheduler=pbt"], "members of a population change their values"),
        (
            ["average_reports=2", "objectives=[{metric: loss, mode: min},{metric: c, mode: min}]"],
            "1 with several objectives",
        ),
        (["average_reports=0"], "a whole number of at least 1"),
    ],
    ids=["too many", "population", "several objectives", "none"],
)
def test_a_mean_of_reports_needs_reports_that_are_alike(overrides, expected):
    problems = problems_of("search_space=quadratic", *overrides)
    assert expected in problems["average_reports"].expected


def test_repeated_trainings_tell_the_noise_of_short_ones():
    both = ["stop.when_done=true", "training.iterations=3", "repeat_duplicates=true"]
    assert parse_plan(*compose_config(["search_space=quadratic", *both])).stop.when_done
