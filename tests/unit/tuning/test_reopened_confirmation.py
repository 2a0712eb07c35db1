"""A confirmation that was cut off, and how the next start takes it up."""

import pytest

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.study.fresh import FIRST_FRESH, Fresh, Kind, Race
from hpo_app.study.journal import FILE_NAME, Journal
from hpo_app.study.records import TrialState
from hpo_app.tuning.confirming import Confirming
from hpo_app.tuning.engines import make_engine
from hpo_app.tuning.opening import open_journal, opened_fields
from hpo_app.tuning.recorder import Recorder
from hpo_app.tuning.runner import _searcher
from hpo_app.tuning.store import Store


RACE = {
    "contenders": [1],
    "default": 0,
    "trainings": 6,
    "first_seeds": 1,
    "claim_seeds": 3,
    "most_claim_seeds": 3,
    "has_replay": True,
    "most_contenders": 1,
    "share": 0.4,
}


class Notes(list):
    def changed(self, event, trial):
        pass

    def refresh(self, elapsed_s):
        pass

    def confirms(self, so_far):
        pass

    def notice(self, text):
        self.append(text)


def plan_of(*overrides):
    given = ["search_space=quadratic", "num_trials=2", "training.iterations=1", *overrides]
    return parse_plan(*compose_config(given))


@pytest.fixture
def reopened(tmp_path):
    """Reopen a run of two trials that was cut off while best.yaml was trained once more."""
    notes, written = Notes(), []

    def events(journal, number, event, fields, state):
        journal.append(event, trial=number, **fields)
        if state == "finished":
            journal.append("reported", trial=number, iteration=1, metrics={"loss": 1.0})
        journal.append("ended", trial=number, state=state, told=None)

    def reopen(*overrides, first=("confirm=standard", "confirm.contenders=1")):
        plan = plan_of(*first)
        journal = Journal.create(tmp_path / FILE_NAME)
        journal.append("opened", **opened_fields(plan, Store(tmp_path), {}, ()))
        for number in (0, 1):
            params = {"x": float(number), "rate": 1e-3, "depth": 3, "kind": "rough"}
            fields = {"params": params, "is_default": not number}
            events(journal, number, "asked", {**fields, "seed": number}, "finished")
        journal.append("raced", **RACE)
        wanted = [(of, "claim", place) for place in range(3) for of in (1, 0)]
        for at, (of, kind, place) in enumerate([*wanted, (1, "replay", 0)]):
            fields = {"of": of, "kind": kind, "place": place, "typed": place, "seed": 50 + place}
            state = "interrupted" if kind == "replay" else "finished"
            events(journal, FIRST_FRESH + at, "repeated", fields, state)
        journal.close()
        plan = plan_of(*(overrides or first))
        with open_journal(tmp_path, resumes=True) as (again, store, past):
            searcher = _searcher(plan, make_engine(plan), notes)
            searcher.replay(past.events, past.study)
            recorder = Recorder(plan, store, again, searcher, notes)
            recorder.confirming.write_best = written.append
            facts = {"num_trials": plan.num_trials, "changes": [], "facts": {}}
            recorder.reopen(past, set(), {**facts, "confirms": plan.confirm.is_on})
            return recorder, written

    return reopen


def test_a_replay_that_goes_on_has_the_best_yaml_of_the_winner_again(reopened):
    recorder, written = reopened()
    restart = recorder.next_restart()
    assert restart.record.fresh.kind is Kind.REPLAY
    assert [study.winner for study in written] == [1]


def test_without_a_confirmation_no_fresh_training_is_taken_up(reopened):
    recorder, written = reopened("confirm=none", "num_trials=4")
    assert recorder.num_restarts == 0
    assert recorder.next_restart() is None
    assert not written
    assert recorder.study().fresh[-1].state is TrialState.RUNNING


def test_no_trial_is_asked_for_where_the_time_of_the_search_is_over(reopened):
    on = ("confirm=standard", "confirm.contenders=1", "num_trials=4")
    recorder, _ = reopened(*on, "time_budget_s=1e-9")
    assert "the rest was for the confirmation" in recorder.ending.search_end
    assert recorder.study().race is not None


def test_with_time_left_the_search_goes_on(reopened):
    on = ("confirm=standard", "confirm.contenders=1", "num_trials=4")
    recorder, _ = reopened(*on, "time_budget_s=3600")
    assert not recorder.ending.search_end


def test_that_all_are_out_of_the_race_is_said_once(make_trial, make_study):
    plan, notes, written = plan_of("confirm=standard", "confirm.contenders=2"), Notes(), []
    failed = {"state": TrialState.FAILED, "typed_seed": 7}
    fresh = [
        make_trial(FIRST_FRESH + at, fresh=Fresh(of, Kind.RACE, 0), **failed)
        for at, of in enumerate((1, 0))
    ]
    race = Race((1, 0), 0, 8, 1, 3, 3, most_contenders=2, share=0.4)
    study = make_study(make_trial(0, [2.0]), make_trial(1, [1.0]), fresh=tuple(fresh), race=race)
    confirming = Confirming(plan, notes.notice)
    for _ in range(3):
        assert confirming.next(lambda: study, lambda event, **_: written.append(event), 0.0)
    assert written == ["repeated"] * 3
    assert notes == ["out of the race after 1 fresh seed: trial 1 and trial 0"]
