"""Brackets are filled, halved when all of their trials wait, and leave nobody waiting."""

import random
from collections import Counter
from types import SimpleNamespace

import pytest
from ray.tune.schedulers import TrialScheduler

from hpo_app.tuning.hyperband import BohbHyperBand, HyperBand


class Trial:
    """A trial as a scheduler sees it."""

    def __init__(self, number, iteration):
        self.trial_id, self.number, self.iteration = f"{number:06d}", number, iteration
        self.status, self.is_saving = "PENDING", False

    def is_finished(self):
        return self.status in {"ERROR", "TERMINATED"}


class Tune:
    """Tune's loop around a scheduler: makes trials where there is room, and does as it is told."""

    def __init__(self, scheduler, slots, iterations, count=40):
        self.scheduler, self.slots, self.iterations, self.count = (
            scheduler,
            slots,
            iterations,
            count,
        )
        self.trials = []
        self.search_alg = self
        self.searcher = SimpleNamespace(on_pause=lambda _: None, on_unpause=lambda _: None)
        self.source = random.Random(0)
        self.most_at_once = 0

    def is_finished(self):
        return len(self.trials) >= self.count

    @property
    def asks_no_more(self):
        return self.is_finished()

    def get_trials(self):
        return self.trials

    def stop_trial(self, trial):
        if trial.status in {"PENDING", "PAUSED"}:
            self.scheduler.on_trial_remove(self, trial)
        else:
            self.scheduler.on_trial_complete(self, trial, {})
        trial.status = "TERMINATED"

    def active(self):
        return [trial for trial in self.trials if trial.status in {"PENDING", "RUNNING"}]

    def run(self, end=lambda _: "", begins=lambda _: 0):
        """Go on until nobody can; return the trials that have not ended."""
        while True:
            while len(self.active()) + self.scheduler.num_ready < self.slots:
                if self.is_finished():
                    break
                number = len(self.trials)
                self.trials.append(Trial(number, begins(number)))
                self.scheduler.on_trial_add(self, self.trials[-1])
            chosen = self.scheduler.choose_trial_to_run(self)
            for trial in self.trials:
                if trial is chosen or trial.status == "PENDING":
                    trial.status = "RUNNING"
            running = [trial for trial in self.trials if trial.status == "RUNNING"]
            self.most_at_once = max(self.most_at_once, len(running))
            if not running:
                return [trial for trial in self.trials if not trial.is_finished()]
            self.report(self.source.choice(running), end)

    def report(self, trial, end):
        trial.iteration += 1
        if end(trial) == "fails":
            self.scheduler.on_trial_error(self, trial)
            trial.status = "ERROR"
            return
        value = random.Random(trial.number).random() + trial.iteration
        result = {"iteration": trial.iteration, "judged": value}
        decision = self.scheduler.on_trial_result(self, trial, result)
        if end(trial) == "returns" or decision == TrialScheduler.STOP:
            self.stop_trial(trial)
        elif decision == TrialScheduler.PAUSE:
            trial.status = "PAUSED"
        else:
            assert trial.iteration < self.iterations

    def reached(self):
        return Counter(trial.iteration for trial in self.trials)


def tune(slots, iterations, kind=HyperBand, **settings):
    scheduler = kind(time_attr="iteration", max_t=iterations, reduction_factor=3)
    scheduler.set_search_properties("judged", "max")
    scheduler.max_running = slots
    return Tune(scheduler, slots, iterations, **settings)


@pytest.mark.parametrize("slots", [1, 2, 8])
def test_as_many_trials_are_stopped_however_few_train_at_once(slots):
    run = tune(slots, 27)
    assert run.run() == []
    # One band, 4 of 27, 6 of 9, 12 of 3 and 18 of 27 that begin with 1: the last one is not full.
    assert run.reached() == {1: 9, 3: 14, 9: 8, 27: 9}


@pytest.mark.parametrize("kind", [HyperBand, BohbHyperBand])
def test_the_last_of_each_bracket_train_to_the_end_whatever_the_length(kind):
    run = tune(2, 16, kind=kind)
    assert run.run() == []
    assert set(run.reached()) == {1, 5, 16}


def twice_a_third(what):
    return lambda trial: what if trial.number % 3 == 1 and trial.iteration == 2 else ""


@pytest.mark.parametrize("kind", [HyperBand, BohbHyperBand])
@pytest.mark.parametrize("what", ["fails", "returns"])
@pytest.mark.parametrize("slots", [1, 2, 4, 8])
def test_nobody_waits_for_a_trial_that_fails_or_returns_between_milestones(kind, what, slots):
    run = tune(slots, 9, kind=kind, count=30)
    assert run.run(twice_a_third(what)) == []
    assert len(run.trials) == 30


@pytest.mark.parametrize("slots", [1, 4])
def test_trials_that_an_earlier_start_trained_beyond_the_next_milestones_go_on(slots):
    run = tune(slots, 27)
    assert run.run(begins=lambda number: 9 if number < 20 else 0) == []
    assert run.reached()[27] >= 9


@pytest.mark.parametrize("kind", [HyperBand, BohbHyperBand])
@pytest.mark.parametrize("slots", [1, 3])
def test_no_more_train_at_once_than_may(kind, slots):
    run = tune(slots, 27, kind=kind)
    run.run()
    assert run.most_at_once == slots


def test_a_trial_whose_end_nobody_was_told_of_holds_up_nobody():
    run = tune(2, 9, count=12)

    def vanishes(trial):
        if trial.number == 8 and trial.iteration == 1:
            trial.status = "ERROR"
        return ""

    run.run(vanishes)
    assert [trial.number for trial in run.trials if trial.status == "PAUSED"] == []
