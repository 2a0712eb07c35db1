"""Training one configuration of a best.yaml: what counts, what is refused, whose fault it is."""

import pytest


@pytest.fixture
def best(tmp_path):
    """Write the best.yaml of a short training that needs no package."""
    path = tmp_path / "best.yaml"
    path.write_text(
        "objective: {metric: loss, mode: min}\nparams: {}\nprovenance: {}\ndata: {}\n"
        "model: {trainer: 'hpo_app.training.models.quadratic:train', x: 1.0, rate: 0.01,\n"
        "  depth: 5, kind: smooth, noise: 0.0, step_time_s: 0.0}\n"
        "training: {iterations: 2, checkpoint_every: 1}\n"
    )
    return path


def test_a_best_is_trained_whatever_the_config_groups_say(hpo, tmp_path, best):
    # The default groups need a package that this Python does not have.
    (tmp_path / "mine" / "model").mkdir(parents=True)
    (tmp_path / "mine" / "model" / "ppo.yaml").write_text(
        "trainer: no_such:train\nneeds: {no_such: pip install no-such}\n"
    )
    done = hpo(
        *("--config-dir", "mine", "action=train", f"best={best}", "seed=3", "resources.cpu=1"),
        *("++model.noise=0.5", "+training.iterations=3"),
    )
    assert done.returncode == 0, done.stderr
    assert "training 3 iterations with seed 3" in done.stdout


def test_overrides_that_a_best_does_not_read_are_refused_together(hpo, tmp_path, best):
    done = hpo(
        *("action=train", f"best={best}", "data=acrobot", "preset=production", "num_trials=3"),
        *("search_space=quadratic", "model.noise=0.5", "hydra.job.chdir=false"),
    )
    assert done.returncode == 2
    assert done.stderr.startswith("4 problems in the config\n")
    assert "set by    command line: preset=production" in done.stderr
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize("override", ["++model.nois=1", "~model.noise"])
def test_hydras_marks_are_understood_on_top_of_a_best(hpo, best, override):
    done = hpo("action=train", f"best={best}", override)
    assert done.returncode == 2
    assert "write model.noise=" in done.stderr
    assert "++model" not in done.stderr.replace(override, "")


def test_settings_beside_a_best_are_checked(hpo, best):
    done = hpo("action=train", f"best={best}", "seed=-1", "resources.cpu=0")
    assert done.returncode == 2
    assert done.stderr.startswith("2 problems in the config\n")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("raise RuntimeError('no data')", "RuntimeError: no data"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("trial.report({'los': 1.0})", "ReportError: The objective's metric 'loss' is not"),
        ("pass", "ReportError: The training function"),
    ],
)
def test_a_fault_of_a_training_function_is_not_called_ours(hpo, tmp_path, best, body, text):
    (tmp_path / "mine.py").write_text(f"def train(model, data, training, trial):\n    {body}\n")
    done = hpo("action=train", f"best={best}", "trusted_modules=[mine]", "model.trainer=mine:train")
    assert done.returncode == 3
    assert "Traceback" in done.stderr
    message = done.stderr.partition("1 problem in the training\n\nmodel.trainer\n")[2]
    assert text in message
    assert "report it" not in done.stderr


def test_a_setting_that_a_training_function_refuses_stays_a_mistake_in_the_config(hpo, best):
    done = hpo("action=train", f"best={best}", "model.kind=smoth")
    assert done.returncode == 2
    assert "model.kind=smooth" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "content", ["", "a: [1", "model: {trainer: os:system}", "\x00\x01", None], ids=repr
)
def test_a_best_that_is_none_is_a_message(hpo, tmp_path, content):
    path = tmp_path / "best.yaml"
    if content is not None:
        path.write_text(content)
    done = hpo("action=train", f"best={path}")
    assert done.returncode == 4
    assert "Traceback" not in done.stderr
    assert "best.yaml" in done.stderr


@pytest.mark.ray
def test_a_change_of_a_key_that_the_winner_does_not_have_gets_the_near_miss(hpo, tmp_path):
    path = tmp_path / "best.yaml"
    path.write_text(
        "objective: {metric: loss, mode: min}\nparams: {}\nprovenance: {}\n"
        "model: {trainer: t, noise: 0.0}\ndata: {}\ntraining: {iterations: 1}\n"
    )
    done = hpo("action=train", f"best={path}", "model.nois=0.5")
    assert done.returncode == 2
    assert "fix       write model.noise=0.5" in done.stderr


def test_a_best_of_somebody_else_cannot_trust_a_module(hpo, tmp_path):
    path = tmp_path / "best.yaml"
    (tmp_path / "evil.py").write_text("open('marker', 'w').close()")
    path.write_text(
        "objective: {metric: eval_reward_mean, mode: max}\nparams: {}\nprovenance: {}\n"
        "model: {trainer: 'hpo_app.training.models.ppo:train', policy: MlpPolicy, device: cpu,\n"
        "  hyperparameters: {learning_rate: 0.001, n_steps: 64, batch_size: 64, n_epochs: 1,\n"
        "    gamma: 0.9, gae_lambda: 0.9, clip_range: 0.2, ent_coef: 0.0, vf_coef: 0.5,\n"
        "    max_grad_norm: 0.5}, network: {net_arch: [8], activation: tanh}}\n"
        "data: {env_id: 'evil:X-v0', env_kwargs: {}, n_envs: 1, eval_episodes: 1,\n"
        "  normalize: {observations: false, rewards: false}, trusted_modules: [evil]}\n"
        "training: {iterations: 1, steps_per_iteration: 64, checkpoint_every: 0}\n"
    )
    done = hpo("action=train", f"best={path}")
    assert done.returncode == 2
    assert "trusted_modules=[evil] on the command line" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "marker").exists()


def test_code_in_a_best_of_somebody_else_is_not_run(hpo, tmp_path):
    path = tmp_path / "best.yaml"
    path.write_text(
        "objective: {metric: loss, mode: min}\nparams: {}\nprovenance: {}\n"
        "model: {trainer: 'os:abort'}\ndata: {}\ntraining: {iterations: 1}\n"
    )
    done = hpo("action=train", f"best={path}")
    assert done.returncode == 2
    assert "trusted_modules" in done.stderr
