"""A process that dies, or a disk that fills up, at every boundary of a write: old or new."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from hpo_app.study.journal import Journal, read_events


ROOT = Path(__file__).parents[2]
FULL = 5
WRITE_JOURNAL = """
import sys
from pathlib import Path
from hpo_app.errors import StorageError
from hpo_app.study.journal import Journal

def safely(step):
    # A full disk has room again the next time.
    try:
        return step()
    except StorageError as error:
        assert "No space left" in str(error)
        print("full", flush=True)
        return step()

opened = dict(
    schema=1, run_id="r", metric="loss", mode="min", space={}, num_trials=3, iterations=1, seed=0
)
journal = safely(lambda: Journal.create(Path(sys.argv[1])))
journal.append("opened", **opened)
for number in range(3):
    safely(journal.sync)
    print(f"safe {3 * number + 1}", flush=True)
    journal.append("asked", trial=number, params={}, is_default=False, seed=number)
    journal.append("started", trial=number)
    journal.append("ended", trial=number, state="failed", error="x" * 300)
safely(journal.sync)
journal.close()
print("safe 10", flush=True)
"""
REPLACE = """
import sys
from pathlib import Path
from hpo_app.study.files import replace_file

try:
    replace_file(Path(sys.argv[1]), "new" * 2000)
    print("safe 1", flush=True)
except OSError as error:
    assert error.errno == 28
    print("full", flush=True)
"""
FAULTS = [
    *[(point, action) for point in ("write", "fsync", "folder") for action in ("kill", "full")],
    ("write", "tear"),
]


def run_with_fault(program, path, fault):
    """Run a program that fails at one place; return what it called safe, and whether it failed."""
    done = subprocess.run(
        [sys.executable, "-S", "-c", program, str(path)],
        env={"HPO_FAILPOINT": fault, "PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode in (0, -signal.SIGKILL), done.stderr
    words = done.stdout.split()
    safe = [int(word) for word in words if word.isdigit()]
    return max(safe, default=0), done.returncode != 0 or "full" in words


@pytest.mark.parametrize(("point", "action"), FAULTS)
def test_every_event_that_was_called_safe_is_in_the_journal(tmp_path, point, action):
    run_with_fault(WRITE_JOURNAL, tmp_path / "whole.jsonl", "write:99:kill")
    whole = [(event.name, event.fields) for event in read_events(tmp_path / "whole.jsonl")]
    assert len(whole) == 10
    hits = 0
    for count in range(1, 50):
        path = tmp_path / f"{count}.jsonl"
        safe, is_hit = run_with_fault(WRITE_JOURNAL, path, f"{point}:{count}:{action}")
        if not is_hit:
            break
        hits += 1
        events = [(event.name, event.fields) for event in read_events(path)]
        assert events == whole[: len(events)]
        assert len(events) >= safe
        assert action != "full" or len(events) == 10
        if events:
            go_on(path, len(events))
    # One journal is made, and written four times.
    assert hits == (1 if point == "folder" else 4)


def go_on(path, num_events):
    journal, events = Journal.reopen(path)
    assert len(events) == num_events
    journal.append("closed", reason="all 3 trials ended")
    journal.close()
    *_, last = read_events(path)
    assert (last.seq, last.name) == (num_events, "closed")


@pytest.mark.parametrize(("point", "action"), [*FAULTS, ("rename", "kill"), ("rename", "full")])
def test_a_file_that_is_replaced_is_the_old_one_or_the_new_one(tmp_path, point, action):
    path = tmp_path / "file"
    hits = 0
    for count in range(1, 50):
        path.write_text("old")
        safe, is_hit = run_with_fault(REPLACE, path, f"{point}:{count}:{action}")
        content = path.read_text()
        assert content in ("old", "new" * 2000)
        assert not safe or content != "old"
        if not is_hit:
            break
        hits += 1
        # A process that lives takes its draft with it.
        assert action != "full" or [item.name for item in tmp_path.iterdir()] == ["file"]
    assert hits == 1
