"""The promises of every search algorithm with every scheduler that goes with it."""

import importlib.util

import pytest
import yaml

from hpo_app.analysis.best import best_trial, rank
from hpo_app.config.compose import compose_config, conf_dir
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError
from hpo_app.study.records import TrialState
from hpo_app.study.replay import load_study
from hpo_app.tuning.past import has_memory
from hpo_app.tuning.runner import _scheduler


pytestmark = pytest.mark.ray


def settings(group):
    files = sorted((conf_dir() / group).glob("*.yaml"))
    return {path.stem: yaml.safe_load(path.read_text(encoding="utf-8")) for path in files}


SEARCHES, SCHEDULERS = settings("search_alg"), settings("scheduler")


def goes_with(search_alg, scheduler):
    search, schedule = SEARCHES[search_alg], SCHEDULERS[scheduler]
    if schedule["population"] and search["model_based"]:
        return False
    return (
        search.get("pairs_with", scheduler) == scheduler
        and schedule.get("pairs_with", search_alg) == search_alg
    )


def marks(*chosen):
    """Skip what this Python has no package for; the extras that are no part of `dev`."""
    needs = [package for settings in chosen for package in settings.get("needs", {})]
    missing = [package for package in needs if importlib.util.find_spec(package) is None]
    return [pytest.mark.skip(reason=f"needs {', '.join(missing)}")] if missing else []


def rarely(search_alg, scheduler):
    """Leave out, unless asked for, pairs whose parts are both in another pair."""
    is_cover = scheduler in {"asha", "bohb"} or search_alg == "random"
    return [] if is_cover else [pytest.mark.soak]


ALL = [(search_alg, scheduler) for search_alg in SEARCHES for scheduler in SCHEDULERS]
PAIRS = [
    pytest.param(
        *pair,
        id="-".join(pair),
        marks=[*marks(SEARCHES[pair[0]], SCHEDULERS[pair[1]]), *rarely(*pair)],
    )
    for pair in ALL
    if goes_with(*pair)
]
REFUSED = [pytest.param(*pair, id="-".join(pair)) for pair in ALL if not goes_with(*pair)]

# A grid of three values is small enough to be tried whole, and holds a point near the best one.
_GRID = (
    "search_alg.points=3",
    "search_space.x.low=-3.5",
    "search_space.x.high=6.5",
    *(f"~search_space.{name}" for name in ("rate", "depth", "kind")),
    *("model.rate=0.01", "model.depth=5", "model.kind=smooth"),
)


def chosen(search_alg, scheduler):
    grid = _GRID if search_alg == "grid" else ()
    return (f"search_alg={search_alg}", f"scheduler={scheduler}", *grid)


def count_of(search_alg, scheduler):
    """Return how many trials are enough; members of a population that take turns cost seconds."""
    if search_alg == "grid":
        return 4
    return 5 if SCHEDULERS[scheduler]["population"] else 10


@pytest.fixture
def parabola(search):
    """Search over a parabola that some trials do not survive."""

    def run(function, *overrides):
        trainer = f"model.trainer=faulty:{function}"
        # Nine draws of any algorithm hold a better point.
        fixed = ("trusted_modules=[faulty]", "training.iterations=4", "search_space.x.default=-1.5")
        return search(trainer, *fixed, *overrides)

    return run


def slow_to_repeat(pair):
    """Leave out what takes fifty seconds, and what the other population shows as well."""
    return pytest.param(*pair.values, id=pair.id, marks=[*pair.marks, pytest.mark.soak])


REPEATED = [slow_to_repeat(pair) if pair.values[1] == "pb2" else pair for pair in PAIRS]


class TestEveryPair:
    @pytest.mark.parametrize(("search_alg", "scheduler"), REPEATED)
    def test_it_beats_the_default_and_a_seed_repeats_it(self, parabola, search_alg, scheduler):
        def run():
            one = "resources.max_concurrent_trials=1"
            count = f"num_trials={count_of(search_alg, scheduler)}"
            study = parabola("goes_down", *chosen(search_alg, scheduler), count, one)
            assert study.default is not None
            # The default ends at 9, and a quarter that is left of the height.
            assert best_trial(study).value("loss") < 9
            assert best_trial(study).iterations == 4
            return [
                (trial.params, trial.seed, trial.state, trial.curve("loss"))
                for trial in study.trials
            ]

        assert run() == run()

    @pytest.mark.parametrize(("search_alg", "scheduler"), PAIRS)
    def test_it_survives_a_failing_trial_and_a_nan(self, parabola, search_alg, scheduler):
        count = count_of(search_alg, scheduler)
        study = parabola(
            "fails_and_reports_nan", *chosen(search_alg, scheduler), f"num_trials={count}"
        )
        assert [trial.number for trial in study.trials] == list(range(count))
        assert study.is_complete
        assert [trial.number for trial in study.in_state(TrialState.FAILED)] == [1, 2]
        assert "trial 1 fails" in study.trials[1].error
        assert "nan" in study.trials[2].error
        others = [trial.state for trial in study.trials if trial.number not in {1, 2}]
        assert set(others) <= {TrialState.FINISHED, TrialState.STOPPED}
        assert TrialState.FINISHED in others
        assert load_study(study.folder) == study


@pytest.mark.parametrize(("search_alg", "scheduler"), REFUSED)
def test_a_pair_that_cannot_work_is_refused_with_the_reason(search_alg, scheduler):
    with pytest.raises(PlanError) as refused:
        parse_plan(*compose_config(["search_space=quadratic", *chosen(search_alg, scheduler)]))
    reasons = [problem for problem in refused.value.problems if "because" in problem.expected]
    assert {problem.key for problem in reasons} & {"search_alg", "scheduler"}


@pytest.mark.parametrize("name", SCHEDULERS)
def test_what_a_scheduler_says_of_its_memory_is_true(name):
    search_alg = SCHEDULERS[name].get("pairs_with", "random")
    if marks(SEARCHES[search_alg], SCHEDULERS[name]):
        pytest.skip("needs a package")
    plan = parse_plan(*compose_config(["search_space=quadratic", *chosen(search_alg, name)]))
    assert has_memory(_scheduler(plan)) is plan.scheduler.has_memory


def test_a_grid_larger_than_asked_for_is_refused_and_a_smaller_one_says_that_it_ended(search):
    with pytest.raises(PlanError, match="at least 4"):
        search(*chosen("grid", "fifo"), "num_trials=3")
    study = search(*chosen("grid", "fifo"), "num_trials=50", "training.iterations=1")
    assert study.stop_reason == "all 3 configurations of the grid were tried"
    assert study.num_trials == 4
    assert [trial.params["x"] for trial in study.trials] == [0.0, -3.5, 1.5, 6.5]


def test_means_of_last_reports_are_what_the_sampler_learns_from(search):
    settings = ["search_alg=optuna", "model.noise=3.0", "num_trials=24", "training.iterations=6"]
    one = "resources.max_concurrent_trials=1"
    single, mean, again = (
        search(*settings, one, f"average_reports={count}") for count in (1, 3, 3)
    )
    params = [[trial.params for trial in study.trials] for study in (single, mean, again)]
    # The first are random, and the later ones follow from what it was told.
    assert params[0][:10] == params[1][:10]
    assert params[0] != params[1]
    assert params[1] == params[2]
    assert mean.criteria.averaged == 3
    ends = {t.number: sum(v for _, v in t.curve("loss")[-3:]) / 3 for t in mean.trials}
    assert rank(mean)[0].number == min(ends, key=ends.get)
