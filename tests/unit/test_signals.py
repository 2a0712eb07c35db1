"""What a process does with the signals it is told."""

import signal
import subprocess
import sys
import time

import pytest

from hpo_app.signals import HANDLED, Ended, Interrupted, Signals


def test_a_signal_is_noted_and_ends_what_is_under_way_only_where_it_may():
    with Signals().held() as signals:
        with signals.raised(), signals.noted():
            signal.raise_signal(signal.SIGTERM)
        assert (signals.reason, signals.exit_code) == ("signal SIGTERM", 143)
        with pytest.raises(Interrupted), signals.raised():
            pytest.fail("it came before, and still counts")


def test_a_signal_ends_what_is_under_way():
    with Signals().held() as signals:
        with signals.raised(), pytest.raises(KeyboardInterrupt, match="SIGINT"):
            signal.raise_signal(signal.SIGINT)
        assert signals.exit_code == 130


def test_whoever_had_the_signals_gets_them_back():
    before = [signal.getsignal(number) for number in HANDLED]
    with Signals().held():
        assert [signal.getsignal(number) for number in HANDLED] != before
    assert [signal.getsignal(number) for number in HANDLED] == before


def test_a_signal_that_is_ignored_from_the_start_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Signals().held() as signals:
            signals.hold_on()
            signal.raise_signal(signal.SIGHUP)
        assert signals.number is None
    finally:
        signal.signal(signal.SIGHUP, before)


def test_signals_that_somebody_else_took_are_taken_again():
    with Signals().held() as signals:
        signal.signal(signal.SIGUSR1, signal.SIG_DFL)
        signals.hold_on()
        signal.raise_signal(signal.SIGUSR1)
    assert signals.reason == "signal SIGUSR1"


def test_the_second_signal_leaves_at_once_with_its_own_code():
    script = (
        "import signal, sys\n"
        "from hpo_app.signals import Signals\n"
        "with Signals().held() as signals:\n"
        "    signals.before_leaving = lambda: sys.stderr.write('cleared')\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    signal.raise_signal(signal.SIGTERM)\n"
        "    sys.stderr.write('went on')\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (143, b"cleared")


def test_one_signal_that_comes_twice_at_once_is_one():
    with Signals(leaves=False).held():
        # As where `timeout --foreground` passes on what its whole group is told.
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGTERM)
        time.sleep(0.2)
        with pytest.raises(Interrupted):
            signal.raise_signal(signal.SIGTERM)


def test_python_code_that_lets_an_interruption_through_ends_with_its_code_and_no_traceback():
    script = "import sys\nfrom hpo_app.signals import Ended\nraise Ended(int(sys.argv[1]))\n"
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        arguments = [sys.executable, "-c", script, str(int(number))]
        done = subprocess.run(arguments, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (code, b"")
    with pytest.raises(KeyboardInterrupt, match="SIGTERM"):
        raise Ended(signal.SIGTERM)
