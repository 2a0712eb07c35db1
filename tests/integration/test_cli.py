"""What a person types, and what comes back: message and exit code of a real process."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml


TRAINERS = Path(__file__).parents[1] / "trainers"
QUICK = ["search_space=quadratic", "preset=quick_test"]


@pytest.fixture
def hpo(tmp_path):
    """Run `python -m hpo_app` in an empty folder."""

    def run(*arguments, timeout_s=120):
        return subprocess.run(
            [sys.executable, "-m", "hpo_app", *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )

    return run


def run_folder(tmp_path):
    (folder,) = (tmp_path / "outputs").glob("*/*")
    return folder


def test_a_misspelt_key_and_choice_are_named_together_with_the_near_miss(hpo, tmp_path):
    done = hpo("preset=standrd", "num_trails=3", "search_space.gamma.low=2")
    assert done.returncode == 2
    assert done.stderr.startswith("3 problems in the config\n")
    assert "fix       write preset=standard\n" in done.stderr
    assert "fix       write num_trials=3\n" in done.stderr
    assert "set by    command line: search_space.gamma.low=2\n" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "outputs").exists()


def test_a_wrong_value_leaves_no_folder_behind(hpo, tmp_path):
    done = hpo(*QUICK, "num_trials=0")
    assert done.returncode == 2
    assert done.stderr == (
        "1 problem in the config\n"
        "\n"
        "num_trials\n"
        "  got       0\n"
        "  expected  a whole number of at least 1\n"
        "  set by    command line: num_trials=0\n"
        "  fix       set num_trials=1\n"
    )
    assert list((tmp_path / "outputs").glob("*/*")) == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param(["search_space=pppo"], "write search_space=ppo", id="search space"),
        pytest.param(["scheduler=ahsa"], "write scheduler=asha", id="scheduler"),
        pytest.param(["action=optimise"], "set action=optimize", id="action"),
        pytest.param(["search_space.gama.low=0"], "write search_space.gamma", id="nested key"),
        pytest.param(
            ["search_space=quadratic", "data=acrobot"], "data", id="data of another model"
        ),
        pytest.param(["=3"], "=3", id="no key"),
        pytest.param(["model.device=[1"], "model.device", id="no such grammar"),
    ],
)
def test_a_mistake_is_a_message_with_exit_code_2(hpo, arguments, text):
    done = hpo(*arguments)
    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("action", ["plan", "optimize"])
def test_resources_that_never_fit_are_refused_at_once(hpo, action):
    done = hpo(*QUICK, f"action={action}", "resources.cpu=9999", timeout_s=30)
    assert done.returncode == 5
    assert "resources.cpu" in done.stderr
    assert "expected  at most" in done.stderr


def test_a_plan_says_what_would_run_and_runs_nothing(hpo, tmp_path):
    done = hpo("action=plan", "preset=extensive", "ray.num_cpus=2")
    assert done.returncode == 0
    words = " ".join(done.stdout.split())
    assert "200 of up to 16 iterations" in words
    assert "200 members take turns of 2 iterations" in words
    assert "3200 iterations in all" in words
    assert "learning_rate=0.0003" in words
    assert list((tmp_path / "outputs").glob("*/*")) == []


def test_the_resolved_config_shows_the_defaults(hpo):
    done = hpo("--cfg", "job", "--resolve")
    config = yaml.safe_load(done.stdout)
    assert config["params"]["learning_rate"] == 0.0003
    assert config["model"]["hyperparameters"]["learning_rate"] == 0.0003
    assert done.stderr == ""


def test_help_reads_like_a_manual_page(hpo):
    done = hpo("--help")
    assert done.returncode == 0
    for heading in ("NAME", "SYNOPSIS", "DESCRIPTION", "EXAMPLES", "GROUPS", "Exit codes"):
        assert heading in done.stdout
    assert "$APP_CONFIG_GROUPS" not in done.stdout


@pytest.mark.ray
def test_a_search_leaves_a_folder_whose_winner_trains(hpo, tmp_path):
    done = hpo(*QUICK, "search_alg=optuna", "scheduler=asha")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    folder = run_folder(tmp_path)
    command = done.stdout.splitlines()[-1]
    assert (
        command == f"python -m hpo_app action=train best={folder.relative_to(tmp_path)}/best.yaml"
    )
    names = {path.name for path in folder.iterdir()}
    assert {
        ".hydra", "best.yaml", "environment.json", "journal.jsonl", "report", "summary.json",
        "trials", "trials.csv",
    } <= names  # fmt: skip
    assert (folder / "report" / "index.html").is_file()
    rows = list(csv.DictReader((folder / "trials.csv").open()))
    assert len(rows) == 5
    summary = json.loads((folder / "summary.json").read_text())
    assert "higher" in done.stdout or "lower" in done.stdout

    trained = hpo(*command.split()[3:])
    assert trained.returncode == 0, trained.stderr
    # The same formula without noise: the winner trains to the value that it won with.
    assert f"loss {summary['best']['value']:.4g} after training" in trained.stdout


@pytest.mark.ray
def test_the_winner_can_be_trained_with_changes(hpo, tmp_path):
    hpo(*QUICK)
    best = next((tmp_path / "outputs").glob("*/*/best.yaml"))
    done = hpo("action=train", f"best={best}", "training.iterations=7", "model.noise=0.5", "seed=3")
    assert done.returncode == 0, done.stderr
    assert "[7/7]" in done.stdout


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


@pytest.mark.ray
def test_a_persons_own_groups_and_function_join_ours(hpo, tmp_path):
    for group, name, text in (
        (
            "search_space",
            "mine",
            "# Mine.\nx: {type: uniform, low: 0.0, high: 4.0, default: 4.0}\n",
        ),
        (
            "model",
            "mine",
            "# Mine.\ndefaults:\n  - /training@_global_.training: curve\n"
            "  - /objective@_global_.objective: loss\n  - _self_\n"
            "trainer: my_code.train:train\nx: ${params.x}\n",
        ),
    ):
        (tmp_path / "my_conf" / group).mkdir(parents=True)
        (tmp_path / "my_conf" / group / f"{name}.yaml").write_text(text)
    (tmp_path / "my_code").mkdir()
    (tmp_path / "my_code" / "train.py").write_text(
        "def train(model, data, training, trial):\n"
        "    for _ in range(trial.iteration, training['iterations']):\n"
        "        trial.report({'loss': (model['x'] - 1) ** 2})\n"
    )
    arguments = ["--config-dir", "my_conf", "search_space=mine", "preset=quick_test"]
    refused = hpo(*arguments)
    assert refused.returncode == 2
    assert "add 'trusted_modules=[my_code]'" in refused.stderr
    done = hpo(*arguments, "trusted_modules=[my_code]")
    assert done.returncode == 0, done.stderr
    assert "lower than the default configuration (9)" in " ".join(done.stdout.split())


@pytest.mark.ray
def test_failed_trials_are_counted_in_the_exit_code(hpo, tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TRAINERS))
    done = hpo(*QUICK, "trusted_modules=[faulty]", "model.trainer=faulty:fails_above")
    assert done.returncode == 3
    assert "is too high" in done.stdout
    errors = [row["error"] for row in csv.DictReader((run_folder(tmp_path) / "trials.csv").open())]
    assert any("ValueError" in error for error in errors)


@pytest.mark.ray
@pytest.mark.parametrize(("name", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_signal_ends_a_run_in_order(tmp_path, name, code):
    import signal
    import time

    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "hpo_app"),
            *("search_space=quadratic", "num_trials=100", "model.step_time_s=0.05"),
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not any(
        "ended" in path.read_text() for path in tmp_path.glob("outputs/*/*/journal.jsonl")
    ):
        assert time.monotonic() < deadline
        time.sleep(0.2)
    process.send_signal(getattr(signal, name))
    out, err = process.communicate(timeout=20)
    assert process.returncode == code, err
    assert f"signal {name}" in out.lower() or name.lower() in out.lower()
    summary = json.loads((run_folder(tmp_path) / "summary.json").read_text())
    assert summary["stop_reason"] == f"signal {name}"
    assert (run_folder(tmp_path) / "best.yaml").is_file()
