"""Nothing waits for ever: trials that take too long end, and a run that stands still says why."""

import time

import pytest

from hpo_app.study.records import TrialState


pytestmark = pytest.mark.ray


class Notices:
    """A live view that keeps what it is to say at once."""

    def __init__(self):
        self.texts = []

    def changed(self, event, trial):
        pass

    def refresh(self, elapsed_s):
        pass

    def notice(self, text):
        self.texts.append(text)


@pytest.mark.parametrize("way", ["asleep", "compiled", "stopped"])
def test_a_trial_that_takes_too_long_is_ended_and_its_slot_used_again(hostile_search, way):
    study = hostile_search(
        "sits",
        "num_trials=4",
        "trial_timeout_s=1",
        "resources.max_concurrent_trials=1",
        f"+model.way={way}",
    )
    assert [trial.state.value for trial in study.trials] == [
        "finished", "failed", "finished", "finished",
    ]  # fmt: skip
    stuck = study.trials[1]
    assert stuck.error.endswith(
        "trained for longer than trial_timeout_s=1, and its worker was killed."
    )
    assert 1 < stuck.ended_s - stuck.reports[-1].at_s < 8


def test_the_log_of_a_trial_that_took_too_long_says_where_it_was(hostile_search):
    study = hostile_search("sits", "num_trials=2", "trial_timeout_s=1", "+model.way=compiled")
    log = (study.folder / "trials" / "1" / "log.txt").read_text()
    assert "Timeout" in log
    assert "in _keep_interpreter" in log


def test_a_trial_that_took_too_long_is_tried_again_if_failures_are(hostile_search, tmp_path):
    study = hostile_search(
        "sits_once",
        "num_trials=1",
        "trial_timeout_s=1",
        "max_failures=1",
        f"+model.folder={tmp_path}",
    )
    (trial,) = study.trials
    assert trial.state is TrialState.FINISHED
    assert trial.retries == 1


def test_a_run_in_which_nothing_moves_says_why_and_ends_in_order(viewed_search):
    view = Notices()
    study = viewed_search(
        view,
        *("model.trainer=hostile:sits", "trusted_modules=[hostile]", "+model.way=asleep"),
        *("num_trials=3", "training.iterations=2", "stall_timeout_s=12"),
    )
    assert study.stop_reason.startswith("nothing moved for 12 s: trial 1 trains in process ")
    assert study.stop_reason.endswith("and has not reported for 12 s")
    assert [trial.state.value for trial in study.trials] == ["finished", "interrupted", "finished"]
    # It says so before it does so.
    early = "nothing moved for 6 s: trial 1 trains in process "
    assert any(text.startswith(early) for text in view.texts)


def test_a_run_that_waits_for_resources_says_for_which(viewed_search):
    import ray

    @ray.remote(num_cpus=1)
    def hold():
        time.sleep(60)

    held = [hold.remote() for _ in range(2)]
    time.sleep(1)
    view = Notices()
    study = viewed_search(view, "num_trials=2", "stall_timeout_s=3")
    for task in held:
        ray.cancel(task, force=True)
    waiting = "trials 0 and 1 wait for a worker with 1 CPU, and of 2 CPU in Ray 0 are free"
    assert view.texts[0].endswith(waiting)
    assert study.stop_reason.endswith(waiting)
    assert len(study.in_state(TrialState.INTERRUPTED)) == 2


def test_a_training_function_that_will_not_leave_costs_no_other_trial(hostile_search):
    study = hostile_search(
        "swallows",
        "scheduler=asha",
        "num_trials=4",
        "resources.max_concurrent_trials=1",
        "+model.most=20",
    )
    assert study.in_state(TrialState.FAILED) == []
    assert study.stop_reason == "all 4 trials ended"
    assert study.duration_s < 20


@pytest.mark.soak
def test_a_training_function_that_never_leaves_costs_its_worker_and_no_other_trial(viewed_search):
    view = Notices()
    study = viewed_search(
        view,
        *("model.trainer=hostile:swallows", "trusted_modules=[hostile]", "+model.most=1000000000"),
        *("scheduler=asha", "num_trials=3", "training.iterations=4"),
        "resources.max_concurrent_trials=1",
    )
    assert study.in_state(TrialState.FAILED) == []
    assert study.stop_reason == "all 3 trials ended"
    moved = [text for text in view.texts if "is started in another worker" in text]
    assert len(moved) == 2


def test_a_trial_ends_where_it_reports_more_often_than_it_has_iterations(hostile_search):
    study = hostile_search("reports_without_end", "num_trials=2")
    for trial in study.trials:
        assert trial.state is TrialState.FINISHED
        assert [report.iteration for report in trial.reports] == [1, 2, 3, 4]
    log = (study.folder / "trials" / "0" / "log.txt").read_text()
    assert "one more than the 4 of training.iterations" in log
