from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest


SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "benchmarks" / "overhead.py"
CONTENDERS = ["hpo_app", "plain-tune", "plain-tune-reuse", "pool"]
NUM_COLUMNS = 10

pytestmark = [pytest.mark.ray, pytest.mark.soak, pytest.mark.timeout(900)]


def run(*arguments: str) -> str:
    command = [sys.executable, str(SCRIPT), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def cells(output: str) -> list[list[str]]:
    """Return the cells of the Markdown table, without its head."""
    lines = [line for line in output.splitlines() if line.startswith("| ")]
    return [line.strip("| ").split(" | ") for line in lines[2:]]


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, Any]]:
    """Every contender on every work, as small as it can be."""
    out = tmp_path_factory.mktemp("benchmark") / "overhead.json"
    sizes = ["--trials", "3", "--ppo-iterations", "1", "--repeats", "1"]
    output = run(*sizes, "--markdown", "--out", str(out))
    return output, json.loads(out.read_text("utf-8"))


def test_the_table_has_every_work_and_contender_with_finite_ratios(
    everything: tuple[str, dict[str, Any]],
) -> None:
    output, _ = everything
    table = cells(output)

    works = ["3 no-op trials", "3 one-second trials", "3 PPO trials of 4096 steps"]
    assert [row[:2] for row in table] == [[work, name] for work in works for name in CONTENDERS]
    assert all(len(row) == NUM_COLUMNS for row in table)
    numbers = [float(cell) for row in table for cell in row[2:]]
    assert all(math.isfinite(number) and number > 0 for number in numbers)


def test_the_record_says_where_it_was_measured_and_that_all_did_the_same_work(
    everything: tuple[str, dict[str, Any]],
) -> None:
    output, record = everything
    found = record["measurements"]

    assert record["machine"]["cpus"] >= 1
    assert all(item["measured_trials"] == item["trials"] == 3 for item in found)
    assert not any(item["error"] for item in found)
    # The same seeds, so the same agents: equal to the last bit.
    assert len({item["values_sum"] for item in found if item["work"] == "ppo"}) == 1
    assert "not the same work" not in output


def others_of_this_test() -> list[Path]:
    """Return what still runs of what this test has started (Linux only, empty elsewhere)."""
    mark = f"PYTEST_CURRENT_TEST={os.environ['PYTEST_CURRENT_TEST']}".encode()
    found = []
    for path in Path("/proc").glob("[0-9]*/environ"):
        with contextlib.suppress(OSError):
            if mark in path.read_bytes() and path.parent.name != str(os.getpid()):
                found.append(path.parent)
    return found


def test_a_contender_that_takes_too_long_is_ended_and_named() -> None:
    command = [sys.executable, str(SCRIPT), "--work", "noop", "--repeats", "1", "--limit-s", "0.2"]
    skipped = ["--skip", "hpo_app,plain-tune,plain-tune-reuse"]
    done = subprocess.run([*command, *skipped], capture_output=True, text=True, check=False)

    assert done.returncode == 1
    assert "pool, noop: was stopped after the limit of 0.2 s (--limit-s)" in done.stdout
    assert others_of_this_test() == []
