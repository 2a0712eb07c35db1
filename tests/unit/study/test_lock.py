"""A run folder has one writer, and fifty runs that start at once have fifty folders."""

import concurrent.futures
import errno
import fcntl
import json
import multiprocessing
import os
import socket
import subprocess
import sys
import time

import pytest

from hpo_app.errors import RunFolderError
from hpo_app.study.lock import claimed, is_held_by_another, run_lock


HOLD = """
import sys, time
from pathlib import Path
from hpo_app.study.lock import run_lock
with run_lock(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def without_locks(_file, _operation):
    """Stand in for a network file system that knows no locks."""
    raise OSError(errno.ENOLCK, "No locks available")


@pytest.fixture
def other(tmp_path):
    """Another process that holds `tmp_path`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def owner(pid=1, host="elsewhere", birth="1"):
    content = {"pid": pid, "host": host, "started_at": "2026-11-25T08:00:00+00:00", "birth": birth}
    return json.dumps(content)


def test_a_second_start_is_told_who_writes_there_and_since_when(other, tmp_path):
    with pytest.raises(RunFolderError) as refused, run_lock(tmp_path):
        pass
    (problem,) = refused.value.problems
    assert problem.key == str(tmp_path)
    assert problem.got.startswith(f"process {other.pid} on {socket.gethostname()} since 20")
    assert is_held_by_another(tmp_path)


def test_who_has_locked_it_and_not_written_its_name_yet_is_waited_for(tmp_path):
    path = tmp_path / ".lock"
    path.write_text(owner(pid=2**22 + 1, host=socket.gethostname()))  # Of one that died.
    with path.open("r+") as file, concurrent.futures.ThreadPoolExecutor() as pool:
        fcntl.flock(file, fcntl.LOCK_EX)
        refused = pool.submit(run_lock(tmp_path).__enter__)
        time.sleep(0.2)
        assert not refused.done()
        path.write_text(owner(pid=7))
        (problem,) = refused.exception(timeout=10).problems
    assert problem.got.startswith("process 7 on elsewhere since ")


def test_a_folder_that_is_being_left_is_waited_for(tmp_path):
    path = tmp_path / ".lock"
    with path.open("w") as file, concurrent.futures.ThreadPoolExecutor() as pool:
        fcntl.flock(file, fcntl.LOCK_EX)
        mine = run_lock(tmp_path)
        held = pool.submit(mine.__enter__)
        time.sleep(0.2)
        path.unlink()
        assert held.result(timeout=10) == ""
        mine.__exit__(None, None, None)
    assert not path.exists()


def test_who_never_writes_its_name_is_another_process(tmp_path):
    with (tmp_path / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(RunFolderError) as refused:
            run_lock(tmp_path).__enter__()
    assert refused.value.problems[0].got == "another process"


def test_the_lock_of_a_process_that_was_killed_holds_nobody_up(other, tmp_path):
    other.kill()
    other.wait()
    assert (tmp_path / ".lock").exists()
    with run_lock(tmp_path) as note:
        assert note == ""
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_says_locked_and_is_not_holds_nobody_up(tmp_path):
    (tmp_path / ".lock").write_text(owner(pid=os.getppid(), host=socket.gethostname()))
    with run_lock(tmp_path) as note:
        assert note == ""


@pytest.mark.parametrize("content", ["", "{", "[]", '"x"', "\x00" * 9])
def test_a_damaged_lock_file_holds_nobody_up(tmp_path, content):
    (tmp_path / ".lock").write_text(content)
    with run_lock(tmp_path):
        assert json.loads((tmp_path / ".lock").read_text())["pid"] == os.getpid()


def test_a_start_on_another_host_that_did_not_end_in_order_is_mentioned(tmp_path):
    (tmp_path / ".lock").write_text(owner())
    with run_lock(tmp_path) as note:
        assert note.startswith("process 1 on elsewhere did not leave this folder in order")


def test_a_process_may_ask_for_what_it_holds(tmp_path):
    with run_lock(tmp_path), run_lock(tmp_path):
        assert not is_held_by_another(tmp_path)
    assert not is_held_by_another(tmp_path)


def test_without_locks_a_living_process_is_respected_and_a_dead_one_is_not(tmp_path):
    with run_lock(tmp_path, without_locks):
        assert [path.name for path in tmp_path.iterdir()] == [".lock-owner"]
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".lock-owner").write_text(owner(pid=2**22 + 1, host=socket.gethostname()))
    with run_lock(tmp_path, without_locks):
        pass
    mine = json.loads(owner(pid=os.getpid(), host=socket.gethostname()))
    birth = open(f"/proc/{os.getpid()}/stat").read().rpartition(")")[2].split()[19]  # noqa: PTH123, SIM115
    (tmp_path / ".lock-owner").write_text(json.dumps({**mine, "birth": birth}))
    with pytest.raises(RunFolderError, match=rf"process {os.getpid()} on"):
        run_lock(tmp_path, without_locks).__enter__()
    # The number is the same, but it was given to another process since.
    (tmp_path / ".lock-owner").write_text(json.dumps({**mine, "birth": "1"}))
    with run_lock(tmp_path, without_locks):
        pass


def test_without_locks_another_host_may_still_write_and_the_way_out_is_named(tmp_path):
    (tmp_path / ".lock-owner").write_text(owner())
    with pytest.raises(RunFolderError, match="on elsewhere since") as refused:
        run_lock(tmp_path, without_locks).__enter__()
    assert refused.value.problems[0].fix.endswith(f"if it is gone, remove {tmp_path}/.lock-owner")


def test_a_folder_that_came_to_nothing_is_taken_away_and_a_persons_own_stays(tmp_path):
    with claimed(tmp_path / "new" / "run"):
        assert (tmp_path / "new" / "run" / ".lock").exists()
    assert not (tmp_path / "new" / "run").exists()
    (tmp_path / "mine").mkdir()
    with claimed(tmp_path / "mine"):
        pass
    assert (tmp_path / "mine").exists()


def _take(folder, barrier, results, flock):
    barrier.wait()
    try:
        with run_lock(folder, *flock):
            results.put("held")
            barrier.wait()
    except RunFolderError:
        results.put("refused")
        barrier.wait()


@pytest.mark.parametrize("flock", [(), (without_locks,)], ids=["locks", "no locks"])
def test_of_twenty_that_want_a_folder_at_once_one_gets_it(tmp_path, flock):
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(20), context.Queue()
    arguments = (tmp_path, barrier, results, flock)
    processes = [context.Process(target=_take, args=arguments) for _ in range(20)]
    for process in processes:
        process.start()
    got = sorted(results.get(timeout=30) for _ in processes)
    for process in processes:
        process.join(timeout=30)
    assert got == ["held"] + ["refused"] * 19
