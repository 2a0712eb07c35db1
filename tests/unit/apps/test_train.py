"""What a failing app is said to have failed by."""

import subprocess
import sys
from pathlib import Path

import pytest


APP = """
import hydra
from omegaconf import OmegaConf

@hydra.main(version_base=None)
def main(cfg):
    hydra.utils.instantiate({"_target_": "fractions.Fraction", "numerator": 1, "denominator": 0})

main()
"""
START = """
import sys
from hpo_app.apps.train import train
from hpo_app.training.fit_one import LocalTrial

model = {"app": "app.py", "overrides": [], "values": {"x": 1}, "keys": {"x": sys.argv[1]}}
train({**model, "returns": "value"}, {}, {"iterations": 1}, LocalTrial("value", 0, 1))
"""


@pytest.mark.parametrize(
    ("key", "said", "unsaid"),
    [("+x", "ZeroDivisionError", "model.overrides"), ("x", "model.overrides", "ZeroDivisionError")],
)
def test_an_object_that_fails_is_no_matter_of_the_overrides(
    tmp_path: Path, key: str, said: str, unsaid: str
) -> None:
    (tmp_path / "app.py").write_text(APP)
    command = [sys.executable, "-c", START, key]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert said in done.stderr
    assert unsaid not in done.stderr
