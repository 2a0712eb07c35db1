"""A plan is shown fast, because what it does without is not imported."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize("preset", ["quick_test", "standard", "extensive"])
def test_a_plan_imports_neither_ray_nor_numpy_nor_torch(tmp_path, preset):
    command = [sys.executable, "-X", "importtime", "-m", "hpo_app", "action=plan"]
    done = subprocess.run(
        [*command, f"preset={preset}"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    imported = {line.rpartition("|")[2].strip() for line in lines if "|" in line}
    assert "hpo_app.actions.plan_rows" in imported
    assert not imported & {"ray", "numpy", "torch", "optuna", "pandas"}
