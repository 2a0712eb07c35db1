"""The processes that a Ray of our own consists of."""

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hpo_app.tuning.processes import RayProcesses


pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


@pytest.fixture
def children():
    """Start processes, and reap them in the end."""
    started = []

    def start(*command):
        started.append(subprocess.Popen(command))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def has_ended(number):
    stat = Path(f"/proc/{number}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"


def test_what_was_started_is_ended_with_its_children_and_nothing_else_is(children, tmp_path):
    other = children("sleep", "100")
    ray = RayProcesses()
    with ray.starting():
        parent = children("sh", "-c", f"sleep 100 & echo $! > {tmp_path}/child; wait")
        while not (tmp_path / "child").exists() or not (tmp_path / "child").read_text():
            time.sleep(0.01)
    child = int((tmp_path / "child").read_text())
    later = children("sleep", "100")
    # It is known although it has lost the parent that it could be found by.
    ray.let_go()
    parent.kill()
    parent.wait()
    assert not has_ended(child)
    ray.end()
    assert has_ended(child)
    assert [other.poll(), later.poll()] == [None, None]


def test_none_is_left_where_a_killed_process_takes_a_moment_to_go(tmp_path):
    # The system gives its memory back before it is gone: a tenth of a second for this much.
    hog = f"held = bytearray(2**29); open({str(tmp_path / 'there')!r}, 'w').close(); input()"
    ray = RayProcesses()
    with ray.starting():
        process = subprocess.Popen([sys.executable, "-c", hog], stdin=subprocess.PIPE)
        while not (tmp_path / "there").exists():
            time.sleep(0.01)
    ray.end()
    gone = has_ended(process.pid)
    process.communicate()
    assert gone


def test_a_process_that_ray_cannot_do_without_is_missed_until_it_is_let_go(children, tmp_path):
    (tmp_path / "raylet").symlink_to(shutil.which("sleep"))
    ray = RayProcesses()
    assert ray.lost() == ""
    with ray.starting():
        raylet = children(str(tmp_path / "raylet"), "100")
        monitor = children("sleep", "100")
        time.sleep(0.1)
    monitor.kill()
    monitor.wait()
    assert ray.lost() == ""
    raylet.kill()
    time.sleep(0.1)
    assert ray.lost() == "raylet"
    ray.let_go()
    assert ray.lost() == ""
