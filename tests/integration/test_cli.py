"""What a person types, and what comes back: message and exit code of a real process."""

import csv
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml


TRAINERS = Path(__file__).parents[1] / "trainers"
QUICK = ["search_space=quadratic", "preset=quick_test"]


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
        "  fix       write a whole number, for example num_trials=20\n"
    )
    assert list((tmp_path / "outputs").iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        pytest.param(["search_space=pppo"], "write search_space=ppo", id="search space"),
        pytest.param(["scheduler=ahsa"], "write scheduler=asha", id="scheduler"),
        pytest.param(["action=optimise"], "set action=optimize", id="action"),
        pytest.param(["search_space.gama.low=0"], "write search_space.gamma", id="nested key"),
        pytest.param(
            ["search_space=quadratic", "data=acrobot"],
            "the chosen model brings along; quadratic does not",
            id="data of another model",
        ),
        pytest.param(
            ["data=acrobot", "search_space=quadratic"],
            "set by    command line: data=acrobot",
            id="data of another model, named first",
        ),
        pytest.param(["params.x=3"], "set search_space.x.default", id="a sampled value"),
        pytest.param(["num_trials=four"], "for example num_trials=20", id="number in words"),
        pytest.param(["=3"], "=3", id="no key"),
        pytest.param(["--num_trials", "5"], "write num_trials=5", id="flag of another program"),
        pytest.param(["--num-trials=5"], "write num_trials=5", id="flag with a value"),
        pytest.param(["action=serve"], "or look at --help", id="no such action"),
        pytest.param(
            ["~search_space.vf_coef", "action=plan"],
            "set model.hyperparameters.vf_coef=VALUE",
            id="a parameter that is left out and still used",
        ),
        pytest.param(["model.device=[1"], "model.device", id="no such grammar"),
    ],
)
def test_a_mistake_is_a_message_with_exit_code_2(hpo, arguments, text):
    done = hpo(*arguments)
    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr


def test_a_file_to_train_that_is_no_path_is_a_message(hpo):
    result = hpo("action=train", "best=5")
    assert result.returncode == 4
    assert "best\n  got       5\n" in result.stderr


def test_a_clock_in_a_list_is_a_message(hpo):
    result = hpo(
        "search_space=quadratic", "action=plan", "scheduler=asha", "scheduler.time_attr=[a]"
    )
    assert result.returncode == 2
    assert "scheduler.time_attr" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_scheduler_that_refuses_its_arguments_is_found_before_ray_starts(
    hpo, tmp_path, monkeypatch
):
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / "ray"))
    done = hpo(*QUICK, "scheduler=asha", "+scheduler.reduction=4")
    assert done.returncode == 2
    assert "reduction" in done.stderr
    assert not (tmp_path / "ray").exists()
    assert list((tmp_path / "outputs").iterdir()) == []


@pytest.mark.parametrize("value", ["0", "1"])
def test_a_mistake_is_a_message_whatever_hydra_full_error_says(hpo, monkeypatch, value):
    monkeypatch.setenv("HYDRA_FULL_ERROR", value)
    done = hpo("scheduler=ahsa")
    assert done.returncode == 2
    assert "write scheduler=asha" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_interpolation_typed_on_the_command_line_is_left_to_the_trials(hpo):
    done = hpo("action=plan", "search_space=quadratic", "model.x=${params.x}")
    assert done.returncode == 0, done.stderr
    refused = hpo("action=plan", "search_space=quadratic", "model.noise=${params.nois}")
    assert "set by    command line: model.noise=${params.nois}\n" in refused.stderr


@pytest.mark.parametrize(
    "flags", [["--config-dir", "mine"], ["--config-dir=mine"], ["-cd", "mine"]], ids=" ".join
)
def test_groups_of_ones_own_are_known_to_the_diagnosis(hpo, tmp_path, flags):
    (tmp_path / "mine" / "preset").mkdir(parents=True)
    (tmp_path / "mine" / "preset" / "tiny.yaml").write_text("# @package _global_\nnum_trials: 2\n")
    done = hpo(*flags, *QUICK[:1], "preset=tiny", "num_trails=3")
    assert done.returncode == 2
    assert done.stderr.startswith("1 problem in the config\n")
    assert "write num_trials=3" in done.stderr


def test_a_python_without_hydra_is_told_how_to_start(tmp_path):
    done = subprocess.run(
        [sys.executable, "-S", "-m", "hpo_app"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "start hpo_app with ./scripts/run" in done.stderr
    assert len(done.stderr.splitlines()) == 1


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
    assert list((tmp_path / "outputs").iterdir()) == []


def test_the_resolved_config_shows_the_defaults(hpo):
    done = hpo("--cfg", "job", "--resolve")
    config = yaml.safe_load(done.stdout)
    assert config["params"]["learning_rate"] == 0.0003
    assert config["model"]["hyperparameters"]["learning_rate"] == 0.0003
    assert done.stderr == ""


def test_the_version_is_ours_and_that_of_what_a_run_depends_on(hpo):
    done = hpo("--version")
    assert done.returncode == 0
    assert re.fullmatch(
        r"hpo_app \S+ \(Python .*, hydra-core .*, ray .*, optuna .*\)\n", done.stdout
    )


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


def test_an_interrupt_before_the_first_trial_says_so_and_leaves_nothing(tmp_path):
    import signal
    import time

    # The training function is imported before anything is trained, and that takes its time here.
    (tmp_path / "slow.py").write_text(
        "import time\nopen('importing', 'w').close()\ntime.sleep(30)\ndef train(*given): pass\n"
    )
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "hpo_app", "action=train", "search_space=quadratic"),
            *("trusted_modules=[slow]", "model.trainer=slow:train"),
        ],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "importing").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert err == "interrupted before the first trial\n"
    assert list((tmp_path / "outputs").iterdir()) == []


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


def test_a_ray_that_does_not_start_is_no_mistake_of_ours(hpo, monkeypatch):
    # Ray reads this at its start, and ends with an error about JSON.
    monkeypatch.setenv("RAY_OVERRIDE_RESOURCES", "{")
    done = hpo("search_space=quadratic", "preset=quick_test")
    assert done.returncode == 5, done.stderr
    assert "Traceback" not in done.stderr
    assert "expected  a Ray that starts on this machine" in done.stderr
    assert "type the command again" in done.stderr


@pytest.mark.ray
@pytest.mark.soak
def test_a_run_whose_time_is_used_up_says_what_it_needs_to_go_on(hpo):
    long = ["num_trials=50", "training.iterations=4", "model.step_time_s=1"]
    done = hpo("search_space=quadratic", *long, "time_budget_s=3")
    said = " ".join(done.stdout.split())
    assert "the time budget of 3 s was used up" in said.lower()
    assert "action=resume" in said
    assert "add time_budget_s=6, or time_budget_s=null for no limit: the run has used" in said
