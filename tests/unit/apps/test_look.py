"""What a person's own Hydra app does not take is said before Ray starts, by the app itself."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from hpo_app.apps.look import refuse_uncomposable
from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError


APP = """
import sys
print("x" * 100_000)
assert not sys.stdin.read()
from dataclasses import dataclass, field
import hydra
from hydra.core.config_store import ConfigStore

@dataclass
class Model:
    width: int = 8
    rate: float = 1.0

@dataclass
class Config:
    model: Model = field(default_factory=Model)
    kind: str = "a"

ConfigStore.instance().store(name="config", node=Config)
ConfigStore.instance().store(group="size", name="small", node={"layers": 1})

@hydra.main(version_base=None, config_name="config")
def main(cfg):
    raise SystemExit("it was trained")

main()
"""
RATE = "+search_space.model\\.rate={type: uniform, low: 0.1, high: 9.0}"


def plan_of(folder, *space, app=APP):
    path = folder / "my app.py"
    path.write_text(app)
    others = ("x", "rate", "depth", "kind")
    bare = [f"~search_space.{name}" for name in others]
    base = ["search_space=quadratic", "model=hydra_app", *bare, f"model.app='{path}'"]
    return parse_plan(*compose_config([*base, *space]))


def refused(plan):
    with pytest.raises(PlanError) as error:
        refuse_uncomposable(plan, pytest.fail)
    return str(error.value)


def test_an_app_that_takes_everything_is_no_matter(tmp_path: Path) -> None:
    kind = "+search_space.kind={type: choice, values: [a, 'b c', 'd,e']}"
    width = "+search_space.wide={type: randint, low: 1, high: 9}"
    keys = "+model.keys={wide: model.width}"
    refuse_uncomposable(plan_of(tmp_path, RATE, kind, width, keys), pytest.fail)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (["+search_space.rat={type: uniform, low: 0.0, high: 1.0}"], "override 'rat'"),
        # The default is a whole number, and the config takes no other.
        (
            ["+search_space.model\\.width={type: uniform, low: 1, high: 9, default: 8.0}"],
            "could not be converted to Integer",
        ),
        (
            [
                "+search_space.size={type: choice, values: [small, smal]}",
                "+model.keys={size: +size}",
            ],
            "Could not find 'size/smal'",
        ),
        ([RATE, "model.config_name=cofig"], "Cannot find primary config 'cofig'"),
        ([RATE, "model.overrides=['modle.rate=1']"], "modle"),
    ],
)
def test_what_does_not_compose_is_refused(tmp_path: Path, changes: list[str], said: str) -> None:
    text = refused(plan_of(tmp_path, *changes))
    assert said in text
    assert "1 problem" in text


def test_a_file_that_hands_nothing_over_is_refused(tmp_path: Path) -> None:
    assert "@hydra.main" in refused(plan_of(tmp_path, RATE, app="import hydra\n"))


def test_what_breaks_an_app_is_left_to_its_trials(tmp_path: Path) -> None:
    refuse_uncomposable(plan_of(tmp_path, RATE, app="import hydra\n1 / 0\n"), pytest.fail)


def test_an_app_that_takes_long_is_not_waited_for(tmp_path: Path) -> None:
    started = "import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; "
    app = f"{started}time.sleep(987)'])\nimport hydra\n"
    said: list[str] = []
    began = time.monotonic()
    refuse_uncomposable(plan_of(tmp_path, RATE, app=app), said.append, longest_s=3.0)
    assert time.monotonic() - began < 30
    assert "within 3 s" in said[0]
    assert "sleep(987)" not in _processes()


def _processes() -> str:
    return subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout


def test_the_command_line_starts_no_ray_for_it(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP)
    (tmp_path / "search_space").mkdir()
    (tmp_path / "search_space" / "mine.yaml").write_text("rat: {type: uniform, low: 0, high: 1}\n")
    started = [sys.executable, "-m", "hpo_app", "--config-dir", ".", "search_space=mine"]
    for more in ([], ["action=plan"]):
        done = subprocess.run(
            [*started, "model=hydra_app", "model.app=app.py", *more],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 2
        assert "Could not override 'rat'" in done.stderr
        assert "starting Ray" not in done.stdout
    assert not list(tmp_path.glob("outputs/*/*"))
