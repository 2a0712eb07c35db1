"""What goes on with a sweep, from its record and what is typed."""

import shlex

import pytest

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.config.stored_sweep import sweep_arguments
from hpo_app.errors import PlanError
from hpo_app.study.sweep import SearchEntry, SweepRecord


STARTED = ("-m", "search_space=quadratic", "num_trials=10", "confirm=none", "seed=1,2")


@pytest.mark.parametrize("change", ["num_trials=20", "confirm=standard", "max_failures=1"])
def test_a_change_leaves_what_the_sweeper_proposes_as_it_was(tmp_path, change):
    SweepRecord(tmp_path, STARTED, "").write()
    whole, changes = sweep_arguments(tmp_path, ["action=resume", f"run={tmp_path}", change])
    assert whole[:-1] == ["--multirun", *STARTED[1:]]
    assert changes == (change,)


def test_how_a_sweep_is_run_takes_the_place_of_what_it_was(tmp_path):
    SweepRecord(tmp_path, (*STARTED, "hydra.launcher.at_once=1"), "").write()
    again = ["action=resume", f"run={tmp_path}", "hydra.launcher.at_once=2"]
    whole, changes = sweep_arguments(tmp_path, again)
    assert whole[1:-1] == [*STARTED[1:], "hydra.launcher.at_once=2"]
    assert changes == ()


def test_what_an_earlier_start_changed_is_not_forgotten(tmp_path):
    changed = ("num_trials=20", "max_failures=1")
    SweepRecord(tmp_path, STARTED, "", changes=changed).write()
    again = ["action=resume", f"run={tmp_path}", "num_trials=30"]
    _, changes = sweep_arguments(tmp_path, again)
    assert changes == ("max_failures=1", "num_trials=30")


def test_the_ray_that_searches_share_gets_what_is_said_of_ray(tmp_path):
    SweepRecord(tmp_path, (*STARTED, "hydra/launcher=ray"), "").write()
    again = ["action=resume", f"run={tmp_path}", "ray.num_cpus=4"]
    whole, changes = sweep_arguments(tmp_path, again)
    assert "hydra.launcher.ray.init.num_cpus=4" in whole
    assert changes == ("ray.num_cpus=4",)


@pytest.mark.parametrize(
    ("stored", "again"),
    [
        ("+hydra.sweeper.params.trusted_modules=choice([a],[b])",) * 2,
        ("+hydra.sweeper.params.storage=choice(/a,/b)",) * 2,
        ("model.app=train.py", "model.app=train.py"),
        (r"model.function=a.b:f,'c:g'", "trusted_modules=[a,c]"),
    ],
)
def test_what_a_record_says_of_code_and_places_is_typed_again(tmp_path, stored, again):
    SweepRecord(tmp_path, (*STARTED, stored), "").write()
    with pytest.raises(PlanError, match="to be typed again") as refused:
        sweep_arguments(tmp_path, ["action=resume", f"run={tmp_path}"])
    assert shlex.quote(again) in refused.value.problems[0].fix
    whole, _ = sweep_arguments(tmp_path, ["action=resume", f"run={tmp_path}", again])
    assert again in whole


@pytest.mark.parametrize("change", ["max_failures=-1", "num_trials=many", "confirm=nonsense"])
def test_a_change_that_no_search_can_take_is_refused_and_not_kept(tmp_path, change):
    search = SearchEntry(0, (*STARTED[1:-1], "seed=1"), "0")
    SweepRecord(tmp_path, STARTED, "", (search,)).write()
    with pytest.raises(PlanError) as refused:
        sweep_arguments(tmp_path, ["action=resume", f"run={tmp_path}", change])
    assert [each.set_by for each in refused.value.problems] == [f"command line: {change}"]


def test_a_folder_of_config_groups_is_typed_again_with_its_flag(tmp_path):
    SweepRecord(tmp_path, ("--config-dir", "my conf", *STARTED), "").write()
    with pytest.raises(PlanError) as refused:
        sweep_arguments(tmp_path, ["action=resume", f"run={tmp_path}"])
    (problem,) = refused.value.problems
    assert problem.key == "--config-dir"
    assert problem.fix.startswith("if it is yours, add --config-dir 'my conf', or")
    whole, _ = sweep_arguments(tmp_path, ["action=resume", f"run={tmp_path}", "-cd", "moved"])
    assert whole[1:3] == ["-cd", "moved"]


def test_what_a_record_says_that_was_changed_is_no_more_than_a_person_may(tmp_path):
    SweepRecord(tmp_path, STARTED, "", changes=("model.noise=1",)).write()
    with pytest.raises(PlanError, match="would make its trials incomparable"):
        sweep_arguments(tmp_path, ["action=resume", f"run={tmp_path}"])


def test_in_a_search_that_starts_late_the_change_counts():
    changed = ["num_trials=20", "confirm=standard"]
    plan = parse_plan(*compose_config([*STARTED[1:-1], *changed]))
    assert plan.num_trials == 20
    assert plan.confirm.is_on
