"""Every search algorithm keeps to conditions and rules, from the plan to the results."""

import importlib.util

import pandas as pd
import pytest
import yaml

from hpo_app.config.best import read_best
from hpo_app.config.compose import compose_config, conf_dir
from hpo_app.config.parse import parse_plan
from hpo_app.config.render import render
from hpo_app.search.engine import Outcome
from hpo_app.search.prior import prior_draws
from hpo_app.search.searcher import Searcher
from hpo_app.study.records import Report, TrialState
from hpo_app.study.replay import load_study
from hpo_app.training.models.quadratic import _end
from hpo_app.tuning.engines import make_engine


SEARCHES = sorted(path.stem for path in (conf_dir() / "search_alg").glob("*.yaml"))
BESIDE = {"bohb": ["scheduler=bohb"], "grid": ["num_trials=400", "search_alg.points=3"]}
# A grid whole, and Gaussian processes only as long as it takes them to propose something.
COUNTS = {"grid": 28, "optuna_gp": 14, "ax": 11}


def plan_of(search_alg, *overrides):
    text = (conf_dir() / "search_alg" / f"{search_alg}.yaml").read_text(encoding="utf-8")
    needs = yaml.safe_load(text).get("needs", {})
    missing = [name for name in needs if importlib.util.find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    typed = ["search_space=branches", f"search_alg={search_alg}", "seed=3"]
    return parse_plan(*compose_config([*typed, *BESIDE.get(search_alg, []), *overrides]))


def loss_of(plan, params):
    model = render(plan.template, params).model
    return _end(model, model["kind"])


def ask_and_tell(plan, count):
    searcher = Searcher(
        plan.space,
        make_engine(plan),
        seed=plan.seed,
        repeats=False,
        prior_trials=plan.prior_trials,
    )
    found = []
    for _ in range(count):
        number, params, _ = searcher.ask()
        loss = loss_of(plan, params)
        searcher.tell(number, Outcome(TrialState.FINISHED, (Report(1, {"loss": loss}, 0.0),)))
        found.append((loss, params))
    return found


@pytest.mark.parametrize("search_alg", SEARCHES)
def test_a_search_gives_active_parameters_only_and_beats_the_default(search_alg):
    plan = plan_of(search_alg)
    found = ask_and_tell(plan, COUNTS.get(search_alg, 25))
    trees = {tuple(params) for _, params in found}
    deep = ("y", "rate", "is_deep", "depth")
    assert trees <= {deep[:3], deep, (*deep, "kind")}
    assert len(trees) > 1
    for _, params in found:
        assert abs(params["y"]) + params.get("depth", 0) <= 8
        assert ("depth" in params) == params["is_deep"]
        assert ("kind" in params) == (params.get("depth") in {4, 5, 6})
    texts = [str(params) for _, params in found]
    assert len(set(texts)) == len(texts)
    assert found[0][1] == {"y": 1.0, "rate": 1e-3, "is_deep": False}
    assert min(loss for loss, _ in found) < 0.7 * found[0][0]


@pytest.mark.parametrize("search_alg", [name for name in SEARCHES if name != "grid"])
def test_the_first_trials_are_drawn_around_the_default_whatever_searches_then(search_alg):
    priors = ["+search_space.y.prior=0.02", "+search_space.rate.prior=0.02", "prior_trials=5"]
    plan = plan_of(search_alg, *priors)
    found = [params for _, params in ask_and_tell(plan, 8)]
    assert found[1:6] == prior_draws(plan.space, plan.seed, 5)
    assert all(abs(params["y"] - 1.0) < 1.0 for params in found[:6])
    assert all(abs(params["y"] - 1.0) > 0.0 for params in found[1:])
    assert any(abs(params["y"] - 1.0) > 1.0 for params in found[6:]) or search_alg != "random"


@pytest.mark.ray
@pytest.mark.slow
def test_a_run_from_plan_to_training(hpo, tmp_path):
    shown = hpo("search_space=branches", "action=plan")
    assert "depth only where is_deep=true" in shown.stdout
    assert "kind only where depth=4 or 5 or 6 and is_deep=true" in shown.stdout
    assert "cheap: abs(y) + depth <= 8" in shown.stdout
    assert "of random configurations keep the rules" in shown.stdout
    few = ["num_trials=12", "training.iterations=2", "search_alg=optuna", "hydra.run.dir=run"]
    done = hpo("search_space=branches", *few)
    assert done.returncode == 0, done.stderr
    study = load_study(tmp_path / "run")
    assert {len(trial.params) for trial in study.trials} >= {3, 4}
    frame = pd.read_csv(tmp_path / "run" / "trials.csv")
    is_deep = frame["params.is_deep"].astype(str) == "True"
    assert list(frame["params.depth"].notna()) == list(is_deep)
    best = read_best(tmp_path / "run" / "best.yaml")
    assert best.rendered.model["depth"] == best.params.get("depth", 1)
    again = hpo("action=train", "best=run/best.yaml")
    assert again.returncode == 0, again.stderr


@pytest.mark.ray
@pytest.mark.parametrize("scheduler", ["pbt", pytest.param("pb2", marks=pytest.mark.soak)])
def test_a_population_keeps_to_conditions_and_rules(search, scheduler):
    study = search(
        f"scheduler={scheduler}",
        "scheduler.perturbation_interval=1",
        "num_trials=4",
        "training.iterations=6",
        "+search_space.depth.when={kind: [smooth, flat]}",
        "+search_space.depth.otherwise=1",
        "+search_space.require.cheap='abs(x) + depth <= 9'",
    )
    changed = [clone.params for trial in study.trials for clone in trial.clones]
    assert changed
    for params in (*changed, *(trial.own_params or trial.params for trial in study.trials)):
        assert ("depth" in params) == (params["kind"] != "rough")
        assert abs(params["x"]) + params.get("depth", 0) <= 9
