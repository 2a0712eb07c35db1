"""Every search algorithm takes up a journal where it ended, and a person's own joins ours."""

import importlib.util
from types import SimpleNamespace

import pytest
import yaml

from hpo_app.config.compose import compose_config, conf_dir
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError
from hpo_app.search.engine import Outcome
from hpo_app.search.searcher import Searcher
from hpo_app.study.journal import Event
from hpo_app.study.records import Report, TrialRecord, TrialState
from hpo_app.tuning.engines import make_engine


SEARCHES = sorted(path.stem for path in (conf_dir() / "search_alg").glob("*.yaml"))
BESIDE = {"bohb": ["scheduler=bohb"], "grid": ["num_trials=100", "search_alg.points=2"]}
# What their place in the README's table says: a run that goes on starts without its model.
FORGETFUL = {"bohb"}


@pytest.fixture(params=SEARCHES)
def search_alg(request):
    text = (conf_dir() / "search_alg" / f"{request.param}.yaml").read_text(encoding="utf-8")
    needs = yaml.safe_load(text).get("needs", {})
    missing = [name for name in needs if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    return request.param


def make(search_alg):
    overrides = ["search_space=quadratic", f"search_alg={search_alg}", "seed=4"]
    plan = parse_plan(*compose_config([*overrides, *BESIDE.get(search_alg, [])]))
    return Searcher(plan.space, make_engine(plan), seed=plan.seed, repeats=False)


def loss_of(params):
    return (params["x"] - 1.5) ** 2 + abs(params["depth"] - 5)


def outcome_of(number, params):
    if number % 5 == 3:
        return Outcome(TrialState.FAILED)
    state = TrialState.STOPPED if number % 5 == 2 else TrialState.FINISHED
    return Outcome(state, (Report(1, {"loss": loss_of(params)}, 0.0),))


def ask_and_tell(searcher, count):
    """Ask two ahead, as two workers do; return the journal and the trials."""
    events, trials, asked = [], [], []

    def end(number, params):
        outcome = outcome_of(number, params)
        searcher.tell(number, outcome)
        trials.append(
            TrialRecord(number, params, state=outcome.state, reports=tuple(outcome.reports))
        )
        events.append(("ended", {"trial": number, "state": outcome.state.value}))

    for _ in range(count):
        number, params, is_default = searcher.ask()
        events.append(("asked", {"trial": number, "params": params, "is_default": is_default}))
        asked.append((number, params))
        if len(asked) == 2:
            end(*asked.pop(0))
    end(*asked.pop(0))
    return [Event(at, 0.0, *event) for at, event in enumerate(events)], trials


def test_it_draws_the_same_again_and_goes_on_as_if_it_had_never_stopped(search_alg):
    whole = make(search_alg)
    events, trials = ask_and_tell(whole, 14)
    again = make(search_alg)
    num_otherwise = again.replay(events, SimpleNamespace(trials=trials))
    assert num_otherwise == 0
    if search_alg not in FORGETFUL:
        assert [again.ask() for _ in range(3)] == [whole.ask() for _ in range(3)]


def test_what_a_journal_says_counts_where_it_draws_otherwise(search_alg):
    events, trials = ask_and_tell(make("random"), 12)
    searcher = make(search_alg)
    searcher.replay(events, SimpleNamespace(trials=trials))
    known = [trial.params for trial in trials]
    for _ in range(4):
        number, params, _ = searcher.ask()
        assert params not in known
        # Some want to hear of a trial before they propose many more.
        searcher.tell(number, outcome_of(number, params))
    assert searcher.num_asked == 16


def test_it_goes_on_proposing_after_many_trials_that_brought_nothing(search_alg):
    engine = make(search_alg)._engine
    for number in range(20):
        params = engine.propose(number)
        assert params is not None
        if number % 2:
            engine.withdraw(number)
        else:
            engine.tell(number, Outcome(TrialState.FAILED))


@pytest.mark.ray
@pytest.mark.usefixtures("local_ray")
class TestOnesOwn:
    """What a YAML in a person's own folder names."""

    @pytest.fixture
    def own(self, tmp_path, silent_view, monkeypatch):
        from hpo_app.tuning.runner import run_search

        trainers = conf_dir().parent / "tests" / "trainers"
        monkeypatch.syspath_prepend(str(trainers))

        def run(target, *overrides):
            group = tmp_path / "my_conf" / "search_alg"
            group.mkdir(parents=True)
            text = f"# Mine.\n_target_: own_search.{target}\nmodel_based: true\n"
            (group / "mine.yaml").write_text(text, encoding="utf-8")
            folder = tmp_path / "run"
            folder.mkdir()
            typed = ["search_space=quadratic", "search_alg=mine", "trusted_modules=[own_search]"]
            short = ["training.iterations=2", *overrides]
            plan = parse_plan(*compose_config([*typed, *short], tmp_path / "my_conf"))
            return run_search(plan, folder, silent_view, {})

        return run

    def test_a_sampler_of_optunas_kind_proposes(self, own):
        study = own("MiddleSampler", "num_trials=6")
        assert study.is_complete
        assert all(abs(trial.params["x"]) < 0.3 for trial in study.trials)

    @pytest.mark.parametrize(
        ("way", "got"),
        [("outside", "x=7.5, rate=7.5, depth=7.5"), ("short", "no x, no rate, no depth")],
    )
    def test_what_a_searcher_proposes_outside_of_the_space_is_refused(self, own, way, got):
        with pytest.raises(PlanError, match=got):
            own("Strange", f"+search_alg.way={way}", "num_trials=3")

    def test_a_searcher_that_raises_at_a_result_is_told_as_it_is(self, own):
        with pytest.raises(Exception, match="boom"):
            own("Strange", "+search_alg.way=raises", "num_trials=3")

    def test_that_random_draws_stand_in_for_a_searcher_is_said(self, own, capsys):
        study = own("Strange", "+search_alg.way=nothing", "num_trials=3")
        assert study.is_complete
        said = "the search algorithm proposes nothing, though no result is missing"
        assert capsys.readouterr().out.count(said) == 1

    def test_a_searcher_of_ray_tunes_kind_proposes_and_says_when_it_has_finished(self, own):
        study = own("FivePoints", "num_trials=20")
        assert study.stop_reason == "FivePoints has no more to propose"
        assert study.is_complete
        drawn = [trial.params["x"] for trial in study.trials if not trial.is_default]
        assert drawn == pytest.approx([-4.0, -2.0, 0.0, 2.0, 4.0])
        assert {trial.params["kind"] for trial in study.trials[1:]} == {"smooth"}
