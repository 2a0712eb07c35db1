"""A trial that goes wrong is put on record, and nothing else."""

import pytest

from hpo_app.study.records import TrialState


pytestmark = pytest.mark.ray


@pytest.mark.parametrize(
    ("function", "text"),
    [
        pytest.param("reports_nan", "nan", id="not a number"),
        pytest.param("reports_infinity", "inf", id="infinity"),
        pytest.param("reports_none", "None", id="None"),
        pytest.param("reports_text", "0.3", id="text"),
        pytest.param("dies", "died", id="leaves without a word"),
        pytest.param("leaves", "SystemExit: 0", id="calls exit"),
    ],
)
def test_one_bad_trial_fails_and_the_others_finish(faulty_search, function, text):
    study = faulty_search(function, "num_trials=4", "training.iterations=2")
    (failed,) = study.in_state(TrialState.FAILED)
    assert failed.number == 1
    assert text in failed.error
    assert len(study.in_state(TrialState.FINISHED)) == 3


def test_a_misspelt_metric_says_what_was_reported(faulty_search):
    study = faulty_search("misspells", "num_trials=1")
    (trial,) = study.trials
    assert trial.state is TrialState.FAILED
    assert "accuracy" in trial.error
    assert "los" in trial.error


def test_a_trial_without_a_report_is_a_failure(faulty_search):
    study = faulty_search("reports_nothing", "num_trials=1")
    assert "returned without a report" in study.trials[0].error


def test_a_run_whose_first_trials_fail_alike_ends_early_and_says_why(faulty_search):
    study = faulty_search("always_fails", "num_trials=30")
    assert study.stop_reason.startswith("the first 3 trials failed alike: RuntimeError: no data")
    assert len(study.trials) < 8


def test_a_failed_trial_is_started_again_from_its_checkpoint(faulty_search, tmp_path, monkeypatch):
    study = faulty_search(
        "fails_once_anywhere",
        "num_trials=2",
        "max_failures=1",
        f"+model.folder={tmp_path}",
    )
    for trial in study.trials:
        assert trial.state is TrialState.FINISHED
        assert trial.retries == 1
        assert [report.iteration for report in trial.reports] == [1, 2, 3, 4]
        assert [report.metrics["resumed"] for report in trial.reports] == [0, 0, 1, 1]


def test_what_a_trial_prints_goes_to_its_log(faulty_search, capfd):
    study = faulty_search("speaks", "num_trials=2")
    for trial in study.trials:
        log = (study.folder / "trials" / str(trial.number) / "log.txt").read_text()
        assert "printed" in log
        assert "logged" in log
        assert "written below Python" in log
    assert capfd.readouterr().out == ""


def test_the_time_budget_ends_a_run_with_what_it_has(faulty_search):
    study = faulty_search("sleeps", "num_trials=100", "time_budget_s=4")
    assert study.stop_reason == "the time budget of 4 s was used up"
    assert study.in_state(TrialState.RUNNING) == []
    assert len(study.in_state(TrialState.INTERRUPTED)) <= 2
    assert study.duration_s < 10


def test_workers_are_reused_and_trials_have_seeds_of_their_own(faulty_search):
    study = faulty_search("environment", "num_trials=10", "training.iterations=1")
    metrics = [trial.reports[-1].metrics for trial in study.trials]
    assert len({values["pid"] for values in metrics}) == 2
    assert len({values["seed"] for values in metrics}) == 10
    assert {values["cpus"] for values in metrics} == {1}


def test_a_run_folder_holds_no_pickle(search):
    study = search("num_trials=3", "scheduler=asha")
    names = [path.name for path in study.folder.rglob("*") if path.is_file()]
    assert not [name for name in names if name.endswith((".pkl", ".pickle"))]
    assert not [name for name in names if name.startswith(("experiment_state", "search_gen"))]


def test_old_checkpoints_are_removed(search):
    study = search("num_trials=2")
    folders = list((study.folder / "trials" / "0").glob("checkpoint_*"))
    assert len(folders) == 2
    assert study.folder / study.trials[0].checkpoint in folders


def test_a_population_keeps_three_checkpoints_and_copies(search):
    study = search("scheduler=pbt", "num_trials=6", "training.iterations=8")
    assert any(trial.clones for trial in study.trials)
    for trial in study.trials:
        assert len(list((study.folder / "trials" / str(trial.number)).glob("checkpoint_*"))) == 3
        assert all(trial.iterations >= clone.iteration for clone in trial.clones)
        assert trial.iterations == 8
