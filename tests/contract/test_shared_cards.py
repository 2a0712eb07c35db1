"""Trials share cards and memory as the plan counts them, on cards that a real Ray was told of."""

from __future__ import annotations

import os
from collections import Counter

import pytest

from hpo_app.plan.memory import free_memory_gb
from hpo_app.study.replay import load_study


pytestmark = [pytest.mark.ray, pytest.mark.slow]

SOAK = pytest.mark.soak

RUN = [
    "search_space=quadratic", "model.trainer=sharing:train", "trusted_modules=[sharing]",
    "training.iterations=1", "training.checkpoint_every=0", "ray.num_cpus=6", "hydra.run.dir=run",
]  # fmt: skip


@pytest.fixture
def shared(hpo, tmp_path, monkeypatch):
    """Run a search of which so many trials train at once; return how many trained on which card."""
    from pathlib import Path

    trainers = Path(__file__).parents[1] / "trainers"
    monkeypatch.setenv("PYTHONPATH", f"{trainers}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")

    def run(at_once, *overrides):
        done = hpo(*RUN, f"+model.at_once={at_once}", *overrides)
        assert done.returncode == 0, done.stdout + done.stderr
        found = [trial.reports[-1].metrics for trial in load_study(tmp_path / "run").trials]
        most = max(
            sum(other["began"] <= trial["began"] < other["ended"] for other in found)
            for trial in found
        )
        assert most == at_once
        return Counter(int(trial["card"]) for trial in found)

    return run


@pytest.mark.parametrize(
    ("share", "cards", "at_once", "on"),
    [
        pytest.param(0.25, 1, 4, {0: 4}, id="four on a card"),
        pytest.param(0.4, 1, 2, {0: 4}, id="two on a card, and the others wait", marks=SOAK),
        pytest.param(0.4, 2, 4, {0: 2, 1: 2}, id="two on each of two cards", marks=SOAK),
    ],
)
def test_as_many_trials_train_at_once_as_cards_have_room_for(shared, share, cards, at_once, on):
    limits = (f"resources.gpu={share}", f"ray.num_gpus={cards}")
    assert shared(at_once, "num_trials=4", *limits) == on


@SOAK
def test_ray_says_which_cards_are_whose(shared, monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "3,5")
    assert shared(2, "num_trials=2", "resources.gpu=1", "ray.num_gpus=2") == {3: 1, 5: 1}


@SOAK
def test_as_many_trials_train_at_once_as_there_is_memory_for(shared):
    hint = f"resources.memory_gb={free_memory_gb() / 2.5:.3f}"
    assert shared(2, "num_trials=4", hint) == {-1: 4}
