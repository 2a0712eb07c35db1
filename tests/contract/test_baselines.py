"""What a person brings along is tried first, races with the winner, and is what that is told by."""

import shutil

import pytest

from hpo_app import HPOptimizer
from hpo_app.analysis.claim import claim_of
from hpo_app.config.parse import parse_plan
from hpo_app.config.stored import stored_config
from hpo_app.report.sentences import baseline_sentences
from hpo_app.study.fresh import Kind
from hpo_app.study.journal import read_events
from hpo_app.study.replay import load_study
from hpo_app.tuning.runner import run_search


pytestmark = pytest.mark.ray

MINE = {"x": 1.4, "rate": 0.02, "depth": 5, "kind": "smooth"}
BAD = {"x": -5.0, "rate": 1e-5, "depth": 10, "kind": "flat"}
CONFIRM = ["confirm=standard", "confirm.contenders=2", "confirm.share=0.3"]
SHORT = ["training.iterations=3", "model.noise=0.2"]


@pytest.fixture
def brought(tmp_path):
    """Return the override that brings these configurations along, each from a file."""

    def named(*configurations):
        paths = []
        for at, params in enumerate(configurations):
            path = tmp_path / f"mine-{at}.yaml"
            path.write_text("".join(f"{name}: {value}\n" for name, value in params.items()))
            paths.append(f"'{path}'")
        return f"baseline=[{','.join(paths)}]"

    return named


@pytest.mark.parametrize(
    "how",
    [
        ["search_alg=random"],
        ["search_alg=optuna"],
        ["search_alg=grid", "search_alg.points=2", "num_trials=40"],
        ["scheduler=pbt", "training.iterations=6"],
        ["search_alg=optuna", "scheduler=asha"],
        ["search_alg=hyperopt"],
        ["search_alg=nevergrad"],
    ],
    ids=["random", "optuna", "grid", "pbt", "asha", "hyperopt", "nevergrad"],
)
def test_baselines_come_right_after_the_default(search, brought, how):
    settings = [*SHORT, "num_trials=5", *how, brought(MINE, BAD)]
    study = search(*settings)
    assert [trial.as_it_started.params for trial in study.trials[1:3]] == [MINE, BAD]
    assert [study.trial_of(baseline).number for baseline in study.baselines] == [1, 2]
    assert study.trials[0].is_default
    assert not study.trials[1].is_default
    # The sampler was told of them as of any trial.
    told = [e.fields for e in read_events(study.folder / "journal.jsonl") if e.name == "ended"]
    assert all(fields["told"] for fields in told)
    assert all("Baseline " in text for text in baseline_sentences(study, study.trials[1]))


def test_a_baseline_races_and_is_claimed_however_it_looked(search, brought):
    study = search(*SHORT, *CONFIRM, "num_trials=4", brought(BAD))
    assert 1 in study.race.contenders
    assert study.race.baselines == (1,)
    kinds = {kind: {f.of for t in study.fresh if (f := t.fresh).kind is kind} for kind in Kind}
    assert 1 in kinds[Kind.RACE]
    assert kinds[Kind.CLAIM] == {study.winner, 0, 1}
    (beside,) = claim_of(study).baselines
    assert beside.difference.gain > 0
    assert f"baseline {beside.source} (trial 1)" in " ".join(claim_of(study).sentences)


def test_a_baseline_can_win(search, brought):
    study = search(*SHORT, *CONFIRM, "num_trials=3", brought({**MINE, "x": 1.5, "rate": 0.01}))
    assert study.winner == 1
    assert "it won itself" in " ".join(claim_of(study).sentences)


def test_a_run_goes_on_without_the_files(local_ray, hpo, brought, tmp_path, silent_view):
    named = brought(MINE, BAD)
    # The first trial ends the run; with two workers there is another one by then, and no more.
    ends = ["num_trials=4", "stop.target=1000", "ray.num_cpus=2"]
    first = hpo("search_space=quadratic", *SHORT, *ends, named, "hydra.run.dir=run")
    assert first.returncode == 0, first.stderr
    assert len(load_study(tmp_path / "run").trials) < 3
    assert "Baseline " in first.stdout
    for path in tmp_path.glob("mine-*.yaml"):
        path.unlink()
    folder = tmp_path / "run"
    plan = parse_plan(*stored_config(folder, ["stop.target=null"]))
    assert plan.baselines == ()
    study = run_search(plan, folder, silent_view, {}, changes=["stop.target=null"])
    assert [trial.params for trial in study.trials[1:3]] == [MINE, BAD]
    assert [each.params for each in load_study(folder).baselines] == [MINE, BAD]


def test_the_winner_of_a_run_is_a_baseline_of_the_next_one(search, brought):
    before = search(*SHORT, "num_trials=3", brought(MINE))
    after = search(*SHORT, "num_trials=3", "seed=5", f"baseline=['{before.folder}']")
    assert after.trials[1].params == MINE
    assert after.baselines[0].source == str(before.folder)
    shutil.rmtree(before.folder)
    assert load_study(after.folder).trial_of(after.baselines[0]).number == 1


def test_python_brings_them_along_too(local_ray, brought, tmp_path):
    path = brought(MINE).removeprefix("baseline=['").removesuffix("']")
    results = HPOptimizer().optimize(
        "quadratic",
        num_trials=3,
        run_dir=tmp_path / "run",
        progress=False,
        baseline=[path],
        iterations=3,
    )
    assert results.study.trials[1].params == MINE
    resumed = HPOptimizer().resume(tmp_path / "run", num_trials=4, progress=False)
    assert resumed.study.baselines == results.study.baselines
