"""Who waits for a run, and for how long."""

import signal
import threading
import time

import pytest

from hpo_app.errors import PlanError, Problem
from hpo_app.signals import Interrupted, Signals
from hpo_app.tuning import supervisor as module
from hpo_app.tuning.supervisor import StuckError, Supervisor


@pytest.fixture
def told():
    return []


def test_a_function_runs_in_another_thread_and_its_result_comes_back(told):
    thread = Supervisor(Signals()).run(threading.current_thread, told.append)
    assert thread is not threading.main_thread()
    assert told == []


def test_signals_that_end_a_group_are_kept_from_what_the_function_starts(told):
    blocked = Supervisor(Signals()).run(
        lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()), told.append
    )
    assert blocked == {signal.SIGINT, signal.SIGHUP, signal.SIGUSR1}
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == set()


def test_a_signal_is_told_once_and_the_function_has_time_to_end(told):
    def run():
        signal.raise_signal(signal.SIGTERM)
        while not told:
            time.sleep(0.01)
        time.sleep(0.5)
        return signals.reason

    with Signals().held() as signals:
        assert Supervisor(signals).run(run, told.append) == "signal SIGTERM"
    assert told == ["stopping in order, signal SIGTERM; once more leaves at once"]


def test_a_function_that_does_not_end_after_a_signal_is_given_up(told, monkeypatch):
    monkeypatch.setattr(module, "_PATIENCE_S", 0.5)
    signals, ending = Signals(), threading.Event()
    signals.note(signal.SIGUSR1)
    try:
        with pytest.raises(StuckError, match="signal SIGUSR1"):
            Supervisor(signals).run(ending.wait, told.append)
    finally:
        ending.set()


def test_a_function_that_somebody_gives_up_is_not_waited_for(told):
    ending = threading.Event()
    supervisor = Supervisor(Signals())

    def wait():
        supervisor.give_up("nothing moved for 40 s")
        ending.wait()

    try:
        with pytest.raises(StuckError, match="nothing moved for 40 s"):
            supervisor.run(wait, told.append)
    finally:
        ending.set()


def test_an_error_of_ours_comes_back_and_another_one_after_a_signal_is_the_signals(told):
    def refuse():
        raise PlanError([Problem("key", "got", "expected", "fix")])

    def break_off():
        raise RuntimeError("Ray is gone")

    with pytest.raises(RuntimeError, match="Ray is gone"):
        Supervisor(Signals()).run(break_off, told.append)
    signals = Signals()
    signals.note(signal.SIGINT)
    with pytest.raises(PlanError):
        Supervisor(signals).run(refuse, told.append)
    with pytest.raises(Interrupted):
        Supervisor(signals).run(break_off, told.append)
