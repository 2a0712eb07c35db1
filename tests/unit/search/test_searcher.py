"""The searcher proposes the default first, and tells Optuna what really happened."""

import statistics

import optuna
import pytest
from optuna.trial import TrialState as OptunaState

from hpo_app.errors import PlanError, RunFolderError
from hpo_app.plan.criteria import Constraint, Criteria
from hpo_app.plan.read_space import read_space
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.search.engine import Outcome
from hpo_app.search.optuna_engine import OptunaEngine
from hpo_app.search.searcher import Searcher
from hpo_app.study.earlier import EarlierTrial
from hpo_app.study.journal import Event
from hpo_app.study.records import Report, TrialState


LOSS = Criteria((Objective("loss", Mode.MIN),))


def make(sampler=None, **fields):
    space, problems = read_space({"x": {"type": "uniform", "low": -5, "high": 5, **fields}})
    assert problems == []
    engine = OptunaEngine(space, LOSS, sampler or optuna.samplers.RandomSampler(seed=1))
    return Searcher(space, engine)


def outcome(state, curve):
    return Outcome(state, [Report(iteration, {"loss": loss}, 0.0) for iteration, loss in curve])


def test_trial_0_is_the_default_configuration():
    searcher = make(default=2.0)
    assert searcher.ask() == (0, {"x": 2.0}, True)
    number, params, is_default = searcher.ask()
    assert (number, is_default) == (1, False)
    assert params["x"] != 2.0


def test_without_a_default_trial_0_is_drawn():
    assert make().ask()[2] is False


class FarOut(optuna.samplers.RandomSampler):
    """A sampler of a person's own that does not look at the bounds."""

    def sample_independent(self, *_):
        return 99.0


def test_a_proposal_outside_of_the_space_is_refused_and_not_trained():
    with pytest.raises(PlanError) as caught:
        make(FarOut()).ask()
    (problem,) = caught.value.problems
    assert (problem.key, problem.got) == ("search_alg", "x=99.0 for trial 0")


def test_the_same_seed_proposes_the_same():
    first, second = make(), make()
    assert [first.ask() for _ in range(5)] == [second.ask() for _ in range(5)]


@pytest.mark.parametrize(
    ("state", "curve", "told", "value"),
    [
        pytest.param(
            TrialState.FINISHED, [(1, 3.0), (2, 2.0)], OptunaState.COMPLETE, 2.0, id="finished"
        ),
        pytest.param(TrialState.STOPPED, [(1, 3.0)], OptunaState.PRUNED, 3.0, id="stopped"),
        pytest.param(TrialState.INTERRUPTED, [(1, 3.0)], OptunaState.PRUNED, 3.0, id="cut off"),
        pytest.param(TrialState.FAILED, [(1, 3.0)], OptunaState.FAIL, None, id="failed"),
        pytest.param(TrialState.INTERRUPTED, [], OptunaState.FAIL, None, id="nothing reported"),
    ],
)
def test_optuna_is_told_the_truth(state, curve, told, value):
    searcher = make()
    number, _, _ = searcher.ask()
    assert searcher.tell(number, outcome(state, curve)) == told.name
    (trial,) = searcher._engine._study.get_trials()
    assert trial.state is told
    assert trial.value == value
    assert trial.intermediate_values == dict(curve)


def test_a_gaussian_process_learns_from_trials_that_were_stopped():
    # Optuna's leaves out all but whole trials. Of these there is none here.
    searcher = make(optuna.samplers.GPSampler(seed=0, n_startup_trials=6))
    xs = []
    for _ in range(12):
        number, params, _ = searcher.ask()
        xs.append(params["x"])
        told = searcher.tell(number, outcome(TrialState.STOPPED, [(1, (xs[-1] - 1.5) ** 2)]))
        assert told == "COMPLETE"
    assert max(abs(x - 1.5) for x in xs[-3:]) < 0.5
    searcher.learn([EarlierTrial("before", 0, TrialState.STOPPED, {"x": 1.0}, ((1, 0.25),))])
    assert searcher._engine._study.get_trials()[-1].state is OptunaState.COMPLETE


def test_a_model_proposes_better_points_than_its_random_start():
    searcher = make(optuna.samplers.TPESampler(seed=0))
    losses = []
    for _ in range(40):
        number, params, _ = searcher.ask()
        loss = (params["x"] - 1.5) ** 2
        losses.append(loss)
        searcher.tell(number, outcome(TrialState.FINISHED, [(1, loss)]))
    assert statistics.median(losses[-10:]) < statistics.median(losses[:10])


def earlier_trials(optimum, count=30):
    xs = [-4.9 + 9.8 * place / (count - 1) for place in range(count)]
    return [
        EarlierTrial("before", number, TrialState.FINISHED, {"x": x}, ((1, (x - optimum) ** 2),))
        for number, x in enumerate(xs)
    ]


@pytest.mark.parametrize("optimum", [-3.0, 3.0])
def test_a_model_that_learnt_of_earlier_trials_proposes_near_their_best(optimum):
    searcher = make(optuna.samplers.TPESampler(seed=0), default=0.0)
    searcher.learn(earlier_trials(optimum))
    assert searcher.ask() == (0, {"x": 0.0}, True)
    proposed = [searcher.ask()[1]["x"] for _ in range(8)]
    assert abs(statistics.median(proposed) - optimum) < 1


def test_a_trial_that_was_stopped_before_is_told_as_our_own_are():
    searcher = make()
    curve = ((1, 3.0), (2, 2.5))
    searcher.learn([EarlierTrial("before", 4, TrialState.STOPPED, {"x": 1.0}, curve)])
    number, _, _ = searcher.ask()
    searcher.tell(number, outcome(TrialState.STOPPED, curve))
    known, own = searcher._engine._study.get_trials()
    assert (known.state, known.value, known.intermediate_values) == (
        own.state, own.value, own.intermediate_values
    )  # fmt: skip
    assert known.params == {"x": 1.0}
    assert number == 0


def test_a_sampler_that_learnt_is_replayed_from_the_journal_alone(make_study):
    learnt = earlier_trials(3.0, count=12)
    whole = make(optuna.samplers.TPESampler(seed=5))
    whole.learn(learnt)
    first = whole.ask()
    fields = {"learned": [trial.to_fields() for trial in learnt]}
    asked = {"trial": 0, "params": first[1]}
    events = [Event(0, 0.0, "opened", fields), Event(1, 0.0, "asked", asked)]
    again = make(optuna.samplers.TPESampler(seed=5))
    assert again.replay(events, make_study()) == 0
    assert [again.ask() for _ in range(3)] == [whole.ask() for _ in range(3)]


@pytest.mark.parametrize("params", [{}, {"x": 50.0}, {"x": 1.0, "y": 1.0}], ids=repr)
def test_a_journal_with_other_parameters_than_the_space_is_refused(make_study, params):
    learned = EarlierTrial("before", 4, TrialState.STOPPED, params, ((1, 3.0),)).to_fields()
    asked = {"trial": 0, "params": params}
    for event in (
        Event(0, 0.0, "opened", {"learned": [learned]}),
        Event(1, 0.0, "asked", asked),
    ):
        with pytest.raises(RunFolderError, match="trial"):
            make().replay([event], make_study())


@pytest.mark.parametrize(
    ("params", "words"),
    [
        pytest.param({"x": 1.0, "deep": True}, "no y", id="an active parameter is missing"),
        pytest.param({"x": 1.0, "deep": False, "y": 0.0}, "y=0.0", id="an inactive one is there"),
        pytest.param({"x": -1.0, "deep": False}, "not x > 0", id="a rule is broken"),
    ],
)
def test_a_journal_against_conditions_or_rules_is_refused(make_study, params, words):
    span = {"type": "uniform", "low": -5, "high": 5}
    entries = {
        "x": span,
        "deep": {"type": "choice", "values": [False, True]},
        "y": {**span, "when": {"deep": True}},
        "require": {"positive": "x > 0"},
    }
    space, _ = read_space(entries)
    engine = OptunaEngine(space, LOSS, optuna.samplers.RandomSampler(seed=1))
    event = Event(0, 0.0, "asked", {"trial": 0, "params": params})
    with pytest.raises(RunFolderError, match=words):
        Searcher(space, engine).replay([event], make_study())


CHEAP = Criteria(LOSS.objectives, (Constraint("cost", max=0.1), Constraint("loss", min=-9.0)))


def judged_outcome(loss, cost, state=TrialState.FINISHED):
    return Outcome(state, [Report(1, {"loss": loss, "cost": cost}, 0.0)])


def engine_over(sampler, criteria, names="x"):
    space, _ = read_space({name: {"type": "uniform", "low": -5, "high": 5} for name in names})
    return OptunaEngine(space, criteria, sampler)


def test_optuna_hears_how_far_a_trial_is_beyond_each_bound():
    engine = engine_over(optuna.samplers.RandomSampler(seed=1), CHEAP)
    outcomes = [
        judged_outcome(1.0, 0.3),
        judged_outcome(1.0, 0.05, TrialState.STOPPED),
        Outcome(TrialState.FAILED),
    ]
    for number, each in enumerate(outcomes):
        engine.propose(number)
        engine.tell(number, each)
    engine.learn(EarlierTrial("r", 0, TrialState.FINISHED, {"x": 1.0}, ((9, 1.0),), {"cost": 0.2}))
    told = [trial.constraints for trial in engine._study.get_trials()]
    assert told[0] == pytest.approx({"cost max": 2.0, "loss min": -10 / 9})
    assert told[1] == pytest.approx({"cost max": -0.5, "loss min": -10 / 9})
    assert told[2] == {}
    assert told[3] == pytest.approx({"cost max": 1.0, "loss min": -10 / 9})


@pytest.mark.parametrize(
    ("sampler", "count", "wanted"),
    [
        # By chance it would be 18 of the last 60.
        pytest.param(optuna.samplers.TPESampler(seed=0), 80, 28, id="tpe"),
        pytest.param(optuna.samplers.NSGAIISampler(seed=0, population_size=10), 80, 36, id="nsga2"),
        # It sits on the bound from its first proposals on, of which each takes a second.
        pytest.param(optuna.samplers.GPSampler(seed=0, n_startup_trials=18), 22, 4, id="gp"),
    ],
)
def test_a_model_is_drawn_to_where_the_constraint_is_kept(sampler, count, wanted):
    # The loss falls to the right, and the cost allows the left third only. With one parameter
    # NSGA-II would draw at random: it mutates one in each child.
    criteria = Criteria(LOSS.objectives, (Constraint("cost", max=-2.0),))
    engine = engine_over(sampler, criteria, names="xyz")
    xs = []
    for number in range(count):
        x = engine.propose(number)["x"]
        engine.tell(number, judged_outcome(-x, x))
        xs.append(x)
    after_a_while = xs[20:] if count > 60 else xs[18:]
    assert sum(x <= -1.9 for x in after_a_while) >= wanted
    assert max(x for x in xs if x <= -1.9) > -2.4


BOTH = Criteria((Objective("loss", Mode.MIN), Objective("cost", Mode.MAX)))


def test_optuna_hears_all_objectives_of_whole_trials_and_nothing_of_others():
    engine = engine_over(optuna.samplers.NSGAIISampler(seed=1), BOTH)
    states = [TrialState.FINISHED, TrialState.STOPPED, TrialState.FAILED]
    told = []
    for number, state in enumerate(states):
        engine.propose(number)
        told.append(engine.tell(number, judged_outcome(1.0, 0.3, state)))
    for state in (TrialState.FINISHED, TrialState.STOPPED):
        engine.learn(EarlierTrial("r", 0, state, {"x": 1.0}, ((9, 2.0),), {"cost": 0.2}))
    assert told == ["COMPLETE", "FAIL", "FAIL"]
    known = [trial.values for trial in engine._study.get_trials()]
    assert known == [[1.0, 0.3], None, None, [2.0, 0.2]]
    assert [direction.name for direction in engine._study.directions] == ["MINIMIZE", "MAXIMIZE"]


@pytest.mark.parametrize(
    "sampler",
    [optuna.samplers.TPESampler(seed=0), optuna.samplers.NSGAIISampler(seed=0, population_size=10)],
    ids=["tpe", "nsga2"],
)
def test_a_model_is_drawn_to_the_front(sampler):
    # Both get worse with the distance of y and z from 0, and they pull x to -1 and to 1.
    engine = engine_over(sampler, BOTH, names="xyz")
    off = []
    for number in range(80):
        params = engine.propose(number)
        distance = abs(params["y"]) + abs(params["z"]) + max(abs(params["x"]) - 1, 0)
        loss, cost = abs(params["x"] + 1) + distance, -abs(params["x"] - 1) - distance
        engine.tell(number, judged_outcome(loss, cost))
        off.append(distance)
    # By chance it would be 6.6 in the mean.
    assert statistics.median(off[-30:]) < 4.0
