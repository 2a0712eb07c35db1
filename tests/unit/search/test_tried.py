"""A configuration is trained once, unless a person wants it otherwise."""

import optuna
import pytest

from hpo_app.plan.criteria import Criteria
from hpo_app.plan.read_space import read_space
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.search.engine import Exhausted, Outcome
from hpo_app.search.optuna_engine import OptunaEngine
from hpo_app.search.searcher import Searcher
from hpo_app.search.tried import Tried
from hpo_app.study.journal import Event
from hpo_app.study.records import Report, TrialState


SMALL = {
    "units": {"type": "choice", "values": [32, 64, [64, 64]], "default": 32},
    "depth": {"type": "randint", "low": 1, "high": 2},
    "rate": {"type": "quniform", "low": 0.0, "high": 0.5, "q": 0.25},
}


def make(sampler=None, *, repeats=False, entries=SMALL):
    space, problems = read_space(entries)
    assert problems == []
    sampler = sampler or optuna.samplers.TPESampler(seed=1, n_startup_trials=2)
    engine = OptunaEngine(space, Criteria((Objective("loss", Mode.MIN),)), sampler)
    return Searcher(space, engine, seed=7, repeats=repeats)


def run(searcher, count, states=(TrialState.FINISHED,)):
    """Ask and tell as one worker would; the loss is lowest where all is small."""
    asked = []
    for _ in range(count):
        number, params, _ = searcher.ask()
        asked.append(params)
        loss = params["depth"] + params["rate"] + len(str(params["units"]))
        state = states[number % len(states)]
        searcher.tell(number, Outcome(state, [Report(1, {"loss": loss}, 0.0)]))
    return asked


@pytest.mark.parametrize("states", [[*TrialState][1:4], [TrialState.FINISHED]], ids=str)
def test_a_whole_space_is_tried_once_and_then_there_is_no_more(states):
    searcher = make()
    asked = run(searcher, 18, states)
    assert len({str(params) for params in asked}) == 18
    with pytest.raises(Exhausted, match="all 18 configurations of the search space were tried"):
        searcher.ask()


def test_a_default_is_the_step_that_differs_from_it_in_the_last_digit_only():
    tenths = {"type": "quniform", "low": 0.0, "high": 1.0, "q": 0.1, "default": 0.3}
    searcher = make(entries={"rate": tenths, "depth": {"type": "choice", "values": [1]}})
    asked = []
    for _ in range(11):
        number, params, _ = searcher.ask()
        asked.append(params["rate"])
        loss = {"loss": params["rate"]}
        searcher.tell(number, Outcome(TrialState.FINISHED, [Report(1, loss, 0.0)]))
    assert sorted(asked) == pytest.approx([tenth / 10 for tenth in range(11)])
    with pytest.raises(Exhausted, match="all 11 configurations"):
        searcher.ask()


@pytest.mark.parametrize("default", [0.1, 0.25])
def test_a_default_between_two_steps_takes_no_place_of_them(default):
    steps = {"type": "quniform", "low": 0.0, "high": 1.0, "q": 0.25, "default": default}
    searcher = make(entries={"rate": steps, "depth": {"type": "choice", "values": [1]}})
    asked = []
    for _ in range(5 + (default == 0.1)):
        number, params, _ = searcher.ask()
        asked.append(params["rate"])
        loss = {"loss": params["rate"]}
        searcher.tell(number, Outcome(TrialState.FINISHED, [Report(1, loss, 0.0)]))
    assert sorted({*asked} - {0.1}) == [0.0, 0.25, 0.5, 0.75, 1.0]
    with pytest.raises(Exhausted, match=f"all {len(asked)} configurations"):
        searcher.ask()


def test_a_person_can_have_them_tried_again():
    asked = run(make(repeats=True), 30)
    assert len({str(params) for params in asked}) < 30


def test_what_still_trains_is_not_proposed_again():
    searcher = make()
    asked = [searcher.ask()[1] for _ in range(18)]
    assert len({str(params) for params in asked}) == 18


def test_the_engine_is_told_of_a_duplicate_what_became_of_it_before():
    searcher = make(optuna.samplers.RandomSampler(seed=3))
    run(searcher, 12)
    told = searcher._engine._study.get_trials()
    assert len(told) > 12
    by_params = {}
    for trial in told:
        by_params.setdefault(str(trial.params), set()).add(trial.value)
    assert all(len(values) == 1 for values in by_params.values())


def test_an_engine_that_insists_is_left_for_a_random_draw():
    class Stubborn(optuna.samplers.RandomSampler):
        def sample_independent(self, _study, _trial, _name, distribution):
            return distribution.low if hasattr(distribution, "low") else distribution.choices[0]

    asked = run(make(Stubborn()), 10)
    assert len({str(params) for params in asked}) == 10


def test_an_engine_that_waits_though_nothing_is_open_is_left_for_a_random_draw():
    class Waiting:
        """Proposes nothing before it has heard of three trials that it did not propose."""

        def __init__(self):
            self.heard = 0

        def propose(self, _number):
            return {"units": 64, "depth": 2, "rate": 0.5} if self.heard > 2 else None

        def impose(self, _number, _params): ...

        def tell(self, _number, _outcome):
            self.heard += 1

    space, _ = read_space(SMALL)
    searcher = Searcher(space, Waiting(), seed=7, repeats=False)
    assert searcher.ask()[0] == 0
    assert searcher.ask() is None  # The default still trains: it is right to wait.
    done = Outcome(TrialState.FINISHED)
    for number in range(3):
        searcher.tell(number, done)
        asked = searcher.ask()
        assert asked[0] == number + 1
        assert space.keeps(asked[1])
    assert asked[1] == {"units": 64, "depth": 2, "rate": 0.5}


def test_the_same_path_is_taken_when_a_run_goes_on(make_study):
    whole = make()
    asked = run(whole, 9)
    events, records = [], []
    from hpo_app.study.records import TrialRecord

    for number, params in enumerate(asked):
        loss = params["depth"] + params["rate"] + len(str(params["units"]))
        reports = (Report(1, {"loss": loss}, 0.0),)
        records.append(
            TrialRecord(number, params, number == 0, 0, TrialState.FINISHED, reports=reports)
        )
        events.append(Event(2 * number, 0.0, "asked", {"trial": number, "params": params}))
        fields = {"trial": number, "state": "finished"}
        events.append(Event(2 * number + 1, 0.0, "ended", fields))
    again = make()
    assert again.replay(events, make_study(*records)) == 0
    assert run(again, 9) == run(whole, 9)


def test_what_was_drawn_otherwise_than_a_journal_says_does_not_count_as_tried(make_study):
    from hpo_app.study.records import TrialRecord

    # Another sampler's order of the whole space but one.
    journal = run(make(optuna.samplers.RandomSampler(seed=9)), 17)
    asked = [
        Event(number, 0.0, "asked", {"trial": number, "params": params})
        for number, params in enumerate(journal)
    ]
    records = [TrialRecord(number, params) for number, params in enumerate(journal)]
    searcher = make(optuna.samplers.RandomSampler(seed=2))
    assert searcher.replay(asked, make_study(*records)) > 0
    _, left, _ = searcher.ask()
    assert left not in journal
    with pytest.raises(Exhausted, match="all 18"):
        searcher.ask()


def test_a_space_with_one_continuous_parameter_has_no_end():
    entries = {**SMALL, "x": {"type": "uniform", "low": 0.0, "high": 1.0}}
    asked = run(make(entries=entries), 40)
    assert len({str(params) for params in asked}) == 40


ORDERED = {
    "a": {"type": "randint", "low": 0, "high": 9, "default": 0},
    "b": {"type": "randint", "low": 0, "high": 9, "default": 9},
    "c": {"type": "choice", "values": [0, 1], "when": {"a": [7, 8]}},
    "require": {"order": "a + 5 < b or a == 8"},
}


def test_a_space_with_rules_and_conditions_is_tried_whole_and_then_there_is_no_more():
    # 4 + 3 + 2 + 1 below the line, and 10 with a = 8, each with two values of c.
    searcher = make(entries=ORDERED)
    for _ in range(30):
        number, params, _ = searcher.ask()
        assert params["a"] + 5 < params["b"] or params["a"] == 8
        searcher.tell(number, Outcome(TrialState.FINISHED, [Report(1, {"loss": 1.0}, 0.0)]))
    with pytest.raises(Exhausted, match="that keeps search_space"):
        searcher.ask()


def test_what_breaks_a_rule_is_no_bad_score():
    searcher = make(optuna.samplers.RandomSampler(seed=3), entries=ORDERED)
    for _ in range(10):
        number, *_ = searcher.ask()
        searcher.tell(number, Outcome(TrialState.FINISHED, [Report(1, {"loss": 1.0}, 0.0)]))
    told = searcher._engine._study.get_trials()
    broken = [t for t in told if not searcher._space.keeps(t.params)]
    assert len(broken) > 10
    assert {trial.state for trial in broken} == {optuna.trial.TrialState.FAIL}
    assert {trial.value for trial in broken} == {None}


def test_rules_hold_also_where_configurations_may_repeat():
    searcher = make(optuna.samplers.RandomSampler(seed=3), entries=ORDERED, repeats=True)
    asked = [searcher.ask()[1] for _ in range(60)]
    assert all(searcher._space.keeps(params) for params in asked)
    assert len({str(params) for params in asked}) < 60


def test_rules_that_hardly_any_draw_keeps_are_kept_in_a_space_without_end():
    unit = {"type": "uniform", "low": 0.0, "high": 1.0}
    entries = {"x": unit, "y": unit, "require": {"near": "abs(x - y) < 0.002"}}
    asked = [make(entries=entries, repeats=repeats).ask()[1] for repeats in (False, True)]
    assert asked[0] == asked[1]
    assert abs(asked[0]["x"] - asked[0]["y"]) < 0.002


def digits(count, most, **rules):
    names = [f"d{place}" for place in range(count)]
    entries = {name: {"type": "randint", "low": 0, "high": most} for name in names}
    space, _ = read_space(entries)
    ruled, _ = read_space({**entries, "require": rules})
    assert list(ruled) == list(space)
    return ruled


def test_a_space_far_too_large_to_combine_is_tried_whole_where_its_rules_cut_it():
    # 1e12 configurations, of which the rules leave 17; no draw finds one.
    space = digits(4, 999, a="d0 >= 983", b="d1 == d0", c="d2 == d1", d="d3 == d2")
    tried = Tried(space)
    found = []
    for number in range(17):
        found.append(tried.another(number))
        # Who asks need not take it: it is not lost.
        assert tried.another(number) == found[-1]
        tried.start(number, found[-1])
    assert sorted(params["d3"] for params in found) == list(range(983, 1000))
    with pytest.raises(Exhausted, match="beside the 17 that were tried"):
        tried.another(17)


@pytest.mark.parametrize(
    "entry",
    [
        {"type": "randint", "low": 0, "high": 10**12},
        {"type": "quniform", "low": 0.0, "high": 1.0e9, "q": 1.0e-3},
        {"type": "uniform", "low": 0.0, "high": 1.0},
    ],
    ids=lambda entry: entry["type"],
)
def test_rules_that_no_draw_keeps_end_where_values_cannot_be_listed(entry):
    space, _ = read_space({"x": entry, "y": entry, "require": {"same": "x == y"}})
    with pytest.raises(Exhausted, match="no configuration that keeps"):
        Tried(space).another(0)
