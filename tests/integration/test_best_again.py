"""A winner trains again as it is: by its path, from a person's own groups, and by its schedule."""

import json
import re
import shutil

import pytest
from omegaconf import OmegaConf


pytestmark = pytest.mark.ray

PBT = ["scheduler=pbt", "search_alg=random", "scheduler.perturbation_interval=2"]


def value_of(folder, metric="loss"):
    return json.loads((folder / "evaluation.json").read_text())[metric]


def trained(hpo, tmp_path, name, *arguments, metric="loss", **options):
    done = hpo("action=train", f"hydra.run.dir={name}", *arguments, **options)
    assert done.returncode == 0, done.stderr
    return value_of(tmp_path / name, metric), done.stdout


def test_a_copy_of_best_yaml_is_a_choice_of_a_persons_own_conf(hpo, tmp_path):
    settings = ["num_trials=4", "training.iterations=3", "model.noise=0.3", "hydra.run.dir=run"]
    assert hpo("search_space=quadratic", *settings).returncode == 0
    (tmp_path / "my_conf" / "model").mkdir(parents=True)
    shutil.copy(tmp_path / "run" / "best.yaml", tmp_path / "my_conf" / "model" / "tuned.yaml")
    by_path, _ = trained(hpo, tmp_path, "a", "best=run/best.yaml", "seed=5")
    mine = ["--config-dir", "my_conf", "model=tuned"]
    by_name, _ = trained(hpo, tmp_path, "b", *mine, "seed=5")
    assert by_name == by_path
    # It takes overrides as any other model does.
    changed, _ = trained(hpo, tmp_path, "c", *mine, "seed=5", "model.noise=0.0")
    assert changed != by_path
    # And it is searched anew where a person says over what.
    again = hpo(
        *mine,
        "num_trials=2",
        "model.depth=${params.depth}",
        "+search_space.depth={type: randint, low: 1, high: 9, default: 5}",
        "hydra.run.dir=again",
    )
    assert again.returncode == 0, again.stderr
    assert list(OmegaConf.load(tmp_path / "again" / "best.yaml").params) == ["depth"]


def test_a_populations_winner_is_trained_by_its_schedule_to_the_same_value(hpo, tmp_path):
    settings = ["num_trials=6", "training.iterations=8", "hydra.run.dir=run"]
    # Which member copies which depends on who is first, so not every population's winner has.
    for seed in range(3, 9):
        shutil.rmtree(tmp_path / "run", ignore_errors=True)
        run = hpo("search_space=quadratic", *PBT, *settings, f"seed={seed}")
        assert run.returncode == 0, run.stderr
        if (tmp_path / "run" / "schedule.yaml").exists():
            break
    best = OmegaConf.load(tmp_path / "run" / "best.yaml")
    steps = OmegaConf.load(tmp_path / "run" / "schedule.yaml").steps
    assert len(steps) > 1
    assert steps[0].iteration == 0
    assert steps[-1].params == best.params
    # Without noise the value depends on the values and on the state that they came through.
    value, said = trained(hpo, tmp_path, "again", "best=run/best.yaml")
    assert value == best.provenance.loss
    assert len(re.findall(r"after iteration \d+: ", said)) == len(steps)
    # The last values alone lead elsewhere.
    alone = OmegaConf.load(tmp_path / "run" / "best.yaml")
    del alone.provenance["schedule"]
    OmegaConf.save(alone, tmp_path / "alone.yaml")
    assert trained(hpo, tmp_path, "other", "best=alone.yaml")[0] != value
    # A best.yaml that was copied without it says what is missing.
    shutil.copy(tmp_path / "run" / "best.yaml", tmp_path / "lonely.yaml")
    refused = hpo("action=train", "best=lonely.yaml")
    assert refused.returncode == 4
    assert "schedule.yaml" in refused.stderr


@pytest.mark.soak
def test_a_population_of_ppo_agents_is_trained_by_its_schedule(hpo, tmp_path):
    pytest.importorskip("stable_baselines3")
    small = ["training.iterations=4", "training.steps_per_iteration=256", "data.eval_episodes=2"]
    run = hpo(
        *("search_space=ppo", *PBT, *small, "num_trials=4", "seed=1", "hydra.run.dir=run"),
        *("scheduler.perturbation_interval=1",),
        timeout_s=500,
    )
    assert run.returncode == 0, run.stderr
    steps = OmegaConf.load(tmp_path / "run" / "schedule.yaml").steps
    rates = [step.model.hyperparameters.learning_rate for step in steps]
    assert len(set(rates)) > 1
    metric = "eval_reward_mean"
    value, said = trained(hpo, tmp_path, "a", "best=run/best.yaml", metric=metric, timeout_s=300)
    assert "by schedule.yaml" in said
    assert said.count("eval_reward_mean") >= 4
    # One seed, one outcome: what changes on the way changes nothing about that.
    assert (
        trained(hpo, tmp_path, "b", "best=run/best.yaml", metric=metric, timeout_s=300)[0] == value
    )
