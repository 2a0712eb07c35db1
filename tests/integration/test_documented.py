"""What README and scripts/hpo_example.py show works as it is written."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest

from hpo_app.analysis.best import best_trial
from hpo_app.config.best import BestConfig, write_best
from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.config.render import render
from hpo_app.errors import PlanError
from hpo_app.study.replay import load_study


ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# Of a run of the reader's own, or a question to Hydra.
_NEEDS_MORE = ("outputs/DATE", "multirun/DATE", "--help", "action=list", "action=export")


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def block_with(language, text):
    (block,) = (block for block in blocks(language) if text in block)
    return block


def commands():
    text = "\n".join(blocks("sh")).replace("\\\n", " ")
    starts = re.compile(r"^\S*scripts/run |^python -m hpo_app ")
    lines = (line for line in text.splitlines() if starts.search(line))
    return [line for line in lines if not any(more in line for more in _NEEDS_MORE)]


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """The reader's own folder, as the README has it written."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HUB_TOKEN", "not for anybody")
    for language in ("python", "yaml"):
        for block in blocks(language):
            name = re.match(r"# (my_\w+/\S+)\n", block)
            if name:
                path = tmp_path / name.group(1)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block)
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "train.py").write_text("import hydra\n")  # The reader's own Hydra app.
    monkeypatch.syspath_prepend(str(tmp_path))
    plan = parse_plan(*compose_config(["search_space=ppo"]))  # A winner that the reader has kept.
    params = plan.space.defaults
    best = BestConfig(render(plan.template, params), plan.criteria, params, {"run_id": "a"})
    (tmp_path / "my_conf" / "model").mkdir(parents=True, exist_ok=True)
    write_best(tmp_path / "my_conf" / "model" / "tuned.yaml", best, ["The winner."])
    return tmp_path


@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_readme_is_a_plan(mine, command):
    arguments = [text for text in shlex.split(command, comments=True)[1:] if text != "-m"]
    arguments = [text for text in arguments if text not in ("hpo_app", "--cfg", "job", "--resolve")]
    config_dir = mine / "my_conf" if "--config-dir" in arguments else None
    overrides = [text for text in arguments if text not in ("--config-dir", "my_conf")]
    if " -m search_space=" in command:  # A sweep: the first search of it.
        overrides = [text.partition(",")[0] for text in overrides]
    assert problems_in(overrides, config_dir) == []


def test_the_function_of_the_readme_is_searched_from_a_folder_with_nothing_of_ours(mine, hpo):
    trainer = mine / "my_pkg" / "train.py"
    note = "with open('imports.txt', 'a') as file:\n    print(os.getpid(), file=file)\n"
    trainer.write_text(f"import os\n{trainer.read_text()}\n\n{note}")
    (command,) = (line for line in commands() if "model=function" in line)
    run = ["num_trials=8", "ray.num_cpus=2", "hydra.run.dir=run"]
    done = hpo(*shlex.split(command)[1:], *run)
    assert done.returncode == 0, done.stderr
    study = load_study(mine / "run")
    assert [len(trial.reports) for trial in study.trials] == [9] * 8
    # Two workers at most, and this command itself, which looks the function up.
    assert len(set((mine / "imports.txt").read_text().split())) <= 3
    best = min(study.trials, key=lambda trial: abs(trial.params["x"] - 3.0))
    assert best_trial(study).number == best.number

    longer = hpo("action=resume", "run=run", "num_trials=9", "trusted_modules=[my_pkg]")
    assert longer.returncode == 0, longer.stderr
    trained = hpo("action=train", "best=run/best.yaml", "trusted_modules=[my_pkg]")
    assert trained.returncode == 0, trained.stderr


def problems_in(overrides, config_dir):
    """What is wrong, but for packages that this Python lacks."""
    try:
        parse_plan(*compose_config(overrides, config_dir))
    except PlanError as error:
        return [item for item in error.problems if "is not installed" not in item.got]
    return []


@pytest.mark.ray
def test_the_python_of_the_readme_runs_as_it_stands(local_ray, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # As in a script: the function of the first block is of the module that is running.
    scope = {"__name__": "__main__"}
    exec(block_with("python", "optimizer.optimize("), scope)
    exec(block_with("python", "HPOVisualizer().create_summary_report"), scope)
    assert len(scope["results"]) == 30
    assert (tmp_path / "my_report" / "report" / "index.html").exists()


@pytest.fixture(scope="module")
def examples():
    spec = importlib.util.spec_from_file_location(
        "hpo_example", ROOT / "scripts" / "hpo_example.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


EXAMPLES = re.findall(
    r"^        (\w+),$", (ROOT / "scripts/hpo_example.py").read_text(), re.MULTILINE
)


@pytest.mark.ray
@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_runs(local_ray, tmp_path, monkeypatch, examples, name):
    monkeypatch.chdir(tmp_path)
    assert examples.main([name]) == 0


def test_every_example_is_run(examples):
    assert list(examples.EXAMPLES) == EXAMPLES
    assert examples.main(["nonsense"]) == 2
