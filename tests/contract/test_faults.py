"""A trial that goes wrong is put on record, and nothing else."""

import itertools
import json

import pytest

from hpo_app.analysis.best import best_trial
from hpo_app.study.journal import read_events
from hpo_app.study.records import TrialState
from hpo_app.study.replay import load_study


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


@pytest.mark.parametrize(
    ("scheduler", "consequence"),
    [
        ("pbt", "the population is a random search"),
        ("hyperband", "pauses begins anew"),
        ("asha", None),
    ],
)
def test_trials_without_checkpoints_are_spoken_of_where_a_scheduler_needs_them(
    faulty_search, capsys, scheduler, consequence
):
    faulty_search("keeps_nothing", f"scheduler={scheduler}", "num_trials=4")
    told = capsys.readouterr().out
    assert told.count("trials keep no checkpoints") == (consequence is not None)
    assert consequence is None or consequence in told


def test_trials_with_checkpoints_are_not_spoken_of(faulty_search, capsys):
    faulty_search("goes_down", "scheduler=pbt", "num_trials=4")
    assert "checkpoint" not in capsys.readouterr().out


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
    events = list(read_events(study.folder / "journal.jsonl"))
    (failed_s,) = (e.at_s for e in events if e.name == "retried" and e.fields["trial"] == 0)
    again_s = min(r.at_s for r in study.trials[0].reports if r.at_s > failed_s)
    assert 1 < again_s - failed_s < 10


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
    assert len(study.trials) < 100


def test_workers_are_reused_and_trials_have_seeds_of_their_own(faulty_search):
    study = faulty_search("environment", "num_trials=10", "training.iterations=1")
    metrics = [trial.reports[-1].metrics for trial in study.trials]
    assert len({values["pid"] for values in metrics}) == 2
    assert len({values["seed"] for values in metrics}) == 10
    assert {values["cpus"] for values in metrics} == {1}


@pytest.mark.parametrize("function", ["fails_above", "dies", "always_fails"])
def test_a_run_folder_holds_no_pickle(faulty_search, function):
    study = faulty_search(function, "num_trials=8", "scheduler=asha")
    assert study.in_state(TrialState.FAILED)
    names = [path.name for path in study.folder.rglob("*") if path.is_file()]
    assert not [name for name in names if name.endswith((".pkl", ".pickle"))]
    assert not [name for name in names if name.startswith(("experiment_state", "search_gen"))]


def test_of_trials_that_ended_only_the_best_keeps_its_last_checkpoint(search):
    study = search("num_trials=3")
    left = list((study.folder / "trials").glob("*/checkpoint_*"))
    assert left == [study.folder / best_trial(study).checkpoint]


def test_a_population_copies_and_keeps_what_may_be_copied(search):
    study = search("scheduler=pbt", "num_trials=6", "training.iterations=8")
    assert any(trial.clones for trial in study.trials)
    assert len(list((study.folder / "trials").glob("*/checkpoint_*"))) == 1
    for trial in study.trials:
        assert all(trial.iterations >= clone.iteration for clone in trial.clones)
        assert trial.iterations == 8


def test_a_slow_member_copies_a_checkpoint_that_is_long_past(faulty_search, tmp_path):
    study = faulty_search(
        "unequal",
        "scheduler=pbt",
        "scheduler.perturbation_interval=8",
        "num_trials=4",
        "training.iterations=32",
        "resources.cpu=0.5",
        f"+model.folder={tmp_path}",
    )
    assert study.in_state(TrialState.FAILED) == []
    assert any(trial.clones for trial in study.trials)


def test_a_report_is_in_the_journal_before_the_clone_that_followed_from_it(search):
    study = search("scheduler=pbt", "num_trials=6", "training.iterations=8")
    events = list(read_events(study.folder / "journal.jsonl"))
    places = [place for place, event in enumerate(events) if event.name == "cloned"]
    assert places
    for place in places:
        assert events[place - 1].name == "reported"
        assert events[place - 1].fields["trial"] == events[place].fields["trial"]
        source = events[place].fields["source"]
        assert events[place].fields["checkpoint"].startswith(f"trials/{source}/checkpoint_")
        assert events[place].fields["iteration"] < 8
    saved = [event for event in events if event.name == "checkpointed"]
    assert {event.fields["iteration"] for event in saved} == set(range(1, 9))
    assert not any(trial.is_untried for trial in study.trials)


LONG = ["scheduler.perturbation_interval=7", "training.iterations=8"]


@pytest.mark.parametrize(
    ("scheduler", "more"), [("fifo", []), ("asha", []), ("pbt", LONG)], ids=["fifo", "asha", "pbt"]
)
def test_no_more_trials_train_at_once_than_may(faulty_search, tmp_path, scheduler, more):
    study = faulty_search(
        "overlaps",
        f"scheduler={scheduler}",
        "num_trials=3",
        "resources.max_concurrent_trials=1",
        f"+model.folder={tmp_path}",
        *more,
    )
    assert study.in_state(TrialState.FAILED) == []
    lines = (tmp_path / "intervals.txt").read_text().splitlines()
    spans = sorted((float(line.split()[2]), float(line.split()[3])) for line in lines)
    assert all(first[1] <= second[0] for first, second in itertools.pairwise(spans))


def test_a_population_takes_turns_where_not_all_fit(faulty_search, tmp_path):
    faulty_search(
        "overlaps",
        "scheduler=pbt",
        "num_trials=4",
        "resources.max_concurrent_trials=1",
        f"+model.folder={tmp_path}",
    )
    rows = [line.split()[:2] for line in (tmp_path / "intervals.txt").read_text().splitlines()]
    # All have trained for one interval of two before the first trains on.
    assert [int(number) for number, _ in rows[:8]] == [0, 0, 1, 1, 2, 2, 3, 3]


def test_a_trial_that_takes_its_time_to_leave_costs_no_other_trial(faulty_search):
    study = faulty_search(
        "lingers", "scheduler=asha", "num_trials=3", "resources.max_concurrent_trials=1"
    )
    assert study.in_state(TrialState.FAILED) == []
    assert study.stop_reason == "all 3 trials ended"


def test_a_trial_whose_worker_cannot_be_reused_starts_in_another_one(faulty_search):
    study = faulty_search(
        "never_leaves", "scheduler=asha", "num_trials=4", "resources.max_concurrent_trials=1"
    )
    assert study.in_state(TrialState.FAILED) == []
    assert study.stop_reason == "all 4 trials ended"
    names = [event.name for event in read_events(study.folder / "journal.jsonl")]
    assert "continued" in names


def test_the_error_of_the_last_attempt_is_recorded(faulty_search, tmp_path):
    study = faulty_search(
        "dies_the_second_time", "num_trials=1", "max_failures=1", f"+model.folder={tmp_path}"
    )
    (trial,) = study.trials
    assert "The worker vanished without a word" in trial.error
    assert len(trial.error.splitlines()) == 2
    events = read_events(study.folder / "journal.jsonl")
    (retried,) = [event for event in events if event.name == "retried"]
    assert retried.fields["error"].endswith("RuntimeError: first fault")


def test_a_trainer_may_stop_by_itself(faulty_search):
    study = faulty_search("stops_early", "num_trials=2")
    assert len(study.in_state(TrialState.FINISHED)) == 2


def test_the_log_of_a_trial_tells_what_it_did(search):
    study = search("num_trials=1", "training.iterations=3")
    (trial,) = study.trials
    head = f"trial 0, seed {trial.seed}, parameters {json.dumps(trial.params)}"
    assert (study.folder / "trials" / "0" / "log.txt").read_text().splitlines() == [
        head,
        *[
            f"iteration {report.iteration}: loss {report.metrics['loss']:.6g}, "
            f"cost {report.metrics['cost']:.6g}"
            for report in trial.reports
        ],
    ]


def test_the_log_of_a_failed_trial_has_its_traceback_once(faulty_search):
    study = faulty_search("always_fails", "num_trials=1")
    log = (study.folder / "trials" / "0" / "log.txt").read_text()
    assert log.count("RuntimeError: no data in folder 0") == 1
    assert log.count("Traceback") == 1
    assert "ray" not in log


def test_a_view_that_fails_does_not_end_the_search(viewed_search, caplog):
    class BrokenView:
        def changed(self, *_):
            raise RuntimeError("no such terminal")

        def refresh(self, *_):
            raise RuntimeError("no such terminal")

    study = viewed_search(BrokenView(), "num_trials=2")
    assert len(study.in_state(TrialState.FINISHED)) == 2
    assert caplog.text.count("the live view failed") == 1


def test_a_run_that_breaks_off_says_so(viewed_search, tmp_path):
    class Leaves:
        def changed(self, event, _trial):
            if event == "reported":
                raise KeyboardInterrupt("unplugged")

        def refresh(self, elapsed_s):
            pass

    with pytest.raises(KeyboardInterrupt):
        viewed_search(Leaves(), "num_trials=4")
    study = load_study(tmp_path)
    assert study.stop_reason == "the run broke off: KeyboardInterrupt: unplugged"
    assert study.in_state(TrialState.RUNNING) == []
    names = [path.name for path in (tmp_path / "trials").iterdir()]
    assert not [name for name in names if name.startswith(("experiment_state", "."))]
