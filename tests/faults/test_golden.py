"""Run folders of every release are read as they were meant; those of a later one are refused."""

import shutil
from pathlib import Path

import pytest

from hpo_app.config.best import read_best
from hpo_app.config.parse import parse_plan
from hpo_app.config.stored import stored_config
from hpo_app.errors import EXIT_CANNOT_LOAD, RunFolderError
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.study.folder import refuse_altered_config
from hpo_app.study.journal import FILE_NAME, Journal, read_events
from hpo_app.study.lines import entry_of, line_of
from hpo_app.study.records import Clone, TrialState
from hpo_app.study.replay import load_study, stored_changes


GOLDEN = Path(__file__).parents[1] / "golden"
RELEASES = ["0.1.0"]


def test_every_release_has_its_folders():
    assert sorted(path.name for path in GOLDEN.iterdir()) == RELEASES


@pytest.fixture(params=RELEASES)
def release(request, tmp_path):
    """A copy of the run folders that one release wrote."""
    return shutil.copytree(GOLDEN / request.param, tmp_path / "golden")


def test_a_run_that_was_killed_resumed_and_cut_off_is_read(release):
    study = load_study(release / "asha")
    assert study.objective == Objective("loss", Mode.MIN)
    assert (study.num_trials, study.iterations, study.seed) == (7, 4, 0)
    assert study.stop_reason == "the time budget of 7 s was used up"
    assert (study.duration_s, study.note) == (7.2508, "")
    assert [trial.state.value for trial in study.trials] == [
        *["finished"] * 3,
        "stopped",
        "interrupted",
    ]
    assert [trial.value("loss") for trial in study.trials] == [
        7.075892763637097,
        3.5876766889756704,
        4.523143560217134,
        6.3857326426402,
        5.116876915271458,
    ]
    assert study.default.params == {"x": 0.0, "rate": 0.001, "depth": 3, "kind": "rough"}
    assert stored_changes(release / "asha") == ["time_budget_s=7", "num_trials=7"]


def test_a_population_is_read_with_its_clones(release):
    study = load_study(release / "pbt")
    params = {"x": 4.48745683736694, "rate": 0.011910961801497026, "depth": 8, "kind": "rough"}
    clone = Clone(1, 2, params, 1.3242, "trials/1/checkpoint_000001")
    assert study.trials[0].clones == (clone,)
    assert study.trials[0].own_params["x"] == 0.0
    assert study.trials[0].curve("loss")[-1] == (4, 3.6709454859917106)
    assert {trial.state for trial in study.trials} == {TrialState.FINISHED}


@pytest.mark.parametrize(("name", "num_trials"), [("asha", 7), ("pbt", 4)])
def test_a_run_can_be_gone_on_with(release, name, num_trials):
    folder = release / name
    refuse_altered_config(folder)
    plan = parse_plan(*stored_config(folder, (), stored_changes(folder)))
    assert (plan.num_trials, plan.iterations) == (num_trials, 4)
    assert plan.space_entries == load_study(folder).space
    journal, events = Journal.reopen(folder / FILE_NAME)
    journal.append("resumed", num_trials=num_trials, changes=[])
    journal.close()
    assert len(list(read_events(folder / FILE_NAME))) == len(events) + 1


def test_a_trial_goes_on_from_its_last_checkpoint_that_is_not_ahead(release):
    from hpo_app.tuning.past import Past

    folder = release / "asha"
    (restart,) = Past(folder, list(read_events(folder / FILE_NAME))).restarts()
    assert restart.record.number == 4
    assert restart.checkpoint == folder / "trials/4/checkpoint_000002"
    assert restart.note == ""


def test_the_winner_is_read(release):
    best = read_best(release / "asha" / "best.yaml")
    assert best.provenance["loss"] == 3.5876766889756704
    assert best.rendered.model["kind"] == best.params["kind"] == "flat"


def test_a_folder_of_a_later_schema_is_refused_with_its_number(release):
    path = release / "asha" / FILE_NAME
    first, *others = path.read_bytes().splitlines(keepends=True)
    entry = entry_of(first)
    later = line_of({**entry, "schema": entry["schema"] + 1})
    path.write_bytes(b"".join([later, *others]))
    with pytest.raises(RunFolderError, match="update hpo_app") as caught:
        load_study(release / "asha")
    assert f"schema {entry['schema'] + 1}" in str(caught.value)
    assert f"schema {entry['schema']} or lower" in str(caught.value)
    assert caught.value.exit_code == EXIT_CANNOT_LOAD
