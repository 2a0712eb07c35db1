"""The error on record is the one of the last attempt, in plain words."""

import pytest

from hpo_app.tuning.attempts import kind_of, plain_error
from hpo_app.tuning.error_text import packed


TRACE = 'Traceback:\n  File "mine.py", line 3, in train\nRuntimeError: \x1b[31mfirst\x1b[0m fault'
RAISED = f"ray::Wrapper.train() (pid=1)\n\x1b[36m{packed(TRACE)}\x1b[39m"
DIED = """The actor died unexpectedly before finishing this task.
\tclass_name: Wrapper
The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR Worker exit \
detail: End of file. Some common causes include: (1) the process was killed by the OOM killer
"""
LOW = """1 worker(s) were killed due to the node running low on memory. \
Memory on the node (IP: 1.2.3.4) was 1.78GB used / 23.54GB limit (0.075712)
OOM kill reason: Memory usage 1911603200B exceeded threshold
"""
OTHER = "Could not recover from checkpoint as it does not exist."


def test_a_traceback_is_recorded_without_colours_and_without_rays_words():
    assert plain_error(RAISED) == TRACE.replace("\x1b[31m", "").replace("\x1b[0m", "")


def test_a_worker_that_vanished_is_not_explained_by_guesses():
    head, line = plain_error(DIED).splitlines()
    assert head.endswith("detail: End of file.")
    assert line.startswith("The worker vanished without a word")


def test_a_crash_is_told_by_the_log():
    log = "iteration 1\nFatal Python error: Segmentation fault\n\nThread 0x0001:\n"
    error = plain_error(DIED, log).splitlines()[-1]
    assert error == "The worker crashed in compiled code: Segmentation fault."


def test_a_kill_for_want_of_memory_says_how_much_was_used():
    error = plain_error(LOW).splitlines()
    assert error[-1].endswith("ran low on memory: 1.78GB of 23.54GB were used.")
    assert "resources.max_concurrent_trials" in error[0]


def test_another_error_is_recorded_as_ray_wrote_it():
    assert plain_error(OTHER) == OTHER


def test_errors_that_differ_in_numbers_are_of_one_kind():
    assert kind_of("ValueError: lr=0.1") == kind_of("ValueError: lr=0.25")
    assert kind_of("ValueError: lr=0.1") != kind_of("TypeError: lr=0.1")


NODE_DIED = """The actor died unexpectedly before finishing this task.
The actor died because its node has died. Node Id: 0a1b"""
OUT_OF_REACH = """The actor 0a1b is unavailable: The actor is temporarily unavailable: RpcError: \
RPC error: recvmsg:Connection reset by peer rpc_code: 14."""


@pytest.mark.parametrize("text", [NODE_DIED, OUT_OF_REACH])
def test_a_worker_lost_with_its_node_is_told_from_one_that_crashed(text):
    log = "Fatal Python error: Aborted\n"
    assert plain_error(text, log).splitlines()[-1] == "The worker was lost with its node."
