"""What is read back of a trained agent: its own state, or a message."""

import pytest

from hpo_app.errors import RunFolderError
from hpo_app.training.fit_one import fit_one
from hpo_app.training.models.sb3 import train
from hpo_app.training.models.sb3_state import STATE_FILE, read_state, write_state


HYPERPARAMETERS = {
    "learning_rate": 1.0e-3,
    "n_steps": 32,
    "batch_size": 16,
    "n_epochs": 1,
    "gamma": 0.99,
    "gae_lambda": 0.95,
    "clip_range": 0.2,
    "ent_coef": 0.01,
    "vf_coef": 0.5,
    "max_grad_norm": 0.5,
}
MODEL = {
    "algorithm": "ppo",
    "policy": "MlpPolicy",
    "hyperparameters": HYPERPARAMETERS,
    "network": {"net_arch": [4], "activation": "tanh"},
}
DATA = {
    "env_id": "Pendulum-v1",
    "n_envs": 1,
    "env_kwargs": {},
    "normalize": {"observations": True, "rewards": True},
    "eval_episodes": 1,
}


def trained(iterations, **options):
    training = {"iterations": iterations, "steps_per_iteration": 32}
    return fit_one(train, MODEL, DATA, training, metric="eval_reward_mean", seed=0, **options)


@pytest.fixture
def saved(tmp_path):
    trained(1, folder=tmp_path / "saved")
    return tmp_path / "saved"


def outcome(path):
    try:
        return read_state(path)
    except RunFolderError as error:
        return error


def test_a_damaged_state_is_a_message(saved, damaged):
    path = saved / STATE_FILE
    content = path.read_bytes()
    ends = [content[:end] for end in range(0, len(content), 97)]
    refused = 0
    for damage in (*ends, *damaged(content, 400)):
        path.write_bytes(damage)
        state = outcome(path)
        refused += isinstance(state, RunFolderError)
        if isinstance(state, RunFolderError):
            assert state.problems[0].key == str(path)
        else:
            assert set(state) >= {"fixed", "parameters", "counters", "normalization", "replay"}
    assert refused > 200


@pytest.mark.parametrize(
    ("key", "value"),
    [
        pytest.param("fixed", None, id="no settings"),
        pytest.param("parameters", [], id="weights in a list"),
        pytest.param("num_timesteps", "many", id="steps in words"),
        pytest.param("parameters", {}, id="no weights"),
        pytest.param("parameters", {"__class__": {}}, id="another part of the agent"),
        pytest.param("normalization", {"observations.": 3}, id="no statistics"),
    ],
)
def test_a_state_that_holds_nonsense_is_a_message(saved, key, value):
    state = read_state(saved / STATE_FILE)
    write_state({**state, key: value}, saved / STATE_FILE)
    with pytest.raises(RunFolderError, match="training state that this trainer wrote"):
        trained(2, checkpoint=saved)
