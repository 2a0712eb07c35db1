"""How a run ends that is told to: by signals, closed terminals and pipes, and a Ray that breaks."""

import contextlib
import fcntl
import json
import os
import pty
import shlex
import signal
import subprocess
import sys
import termios
import time
import uuid
from pathlib import Path

import pytest

from hpo_app.study.journal import read_events
from hpo_app.study.records import TrialState
from hpo_app.study.replay import load_study


TRAINERS = Path(__file__).parents[1] / "trainers"
RUN = ["search_space=quadratic", "hydra.run.dir=run", "trusted_modules=[faulty]"]
SLOW = [*RUN, "model.trainer=faulty:sleeps", "training.iterations=4"]
RESULTS = ["best.yaml", "report/index.html", "summary.json", "trials.csv"]
PROMISED_S = 20


class Process:
    """A `python -m hpo_app` in a session of its own, whose descendants are known by a mark."""

    def __init__(self, folder, *arguments, **streams):
        self.folder = folder
        self._mark = f"HPO_TEST={uuid.uuid4().hex}"
        name, value = self._mark.split("=")
        path = os.pathsep.join([str(TRAINERS), os.environ.get("PYTHONPATH", "")])
        piped = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "hpo_app", *arguments],
            cwd=folder,
            env={**os.environ, name: value, "PYTHONPATH": path},
            text=True,
            start_new_session=True,
            preexec_fn=_begin,  # noqa: PLW1509 - no thread here holds a lock that it needs
            **{**piped, **streams},
        )

    def wait_for(self, event):
        """Wait until the journal tells of an event."""
        journal = self.folder / "run" / "journal.jsonl"
        self.wait_until(
            lambda: journal.exists() and f'"event":"{event}"' in journal.read_text(), event
        )

    def wait_until(self, is_so, what):
        deadline = time.monotonic() + 60
        while not is_so():
            assert self.popen.poll() is None, self.popen.communicate()
            assert time.monotonic() < deadline, f"no {what} after a minute"
            time.sleep(0.02)

    def handles_signals(self):
        for line in Path(f"/proc/{self.popen.pid}/status").read_text().splitlines():
            if line.startswith("SigCgt"):
                return int(line.split()[1], 16) & 1 << (signal.SIGHUP - 1) != 0
        return False

    def send(self, number):
        self.popen.send_signal(number)

    def send_to_group(self, number):
        os.killpg(self.popen.pid, number)

    def ends(self, within_s=PROMISED_S):
        """Return exit code, stdout and stderr; fail if it takes longer than promised."""
        out, err = self.popen.communicate(timeout=within_s)
        return self.popen.returncode, out, err

    def living(self):
        """Return `{pid: name}` of what it started, and what that started, and is still there."""
        found = {}
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if self._mark.encode() in (folder / "environ").read_bytes():
                    found[int(folder.name)] = (folder / "comm").read_text().strip()
        found.pop(self.popen.pid, None)
        return found

    def all_gone(self, within_s):
        deadline = time.monotonic() + within_s
        while self.living() and time.monotonic() < deadline:
            time.sleep(0.1)
        return not self.living()


def _begin():
    # What a test runner in the background ignores would be ignored here, too.
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    if os.isatty(0):
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # The session's own: told when it is closed.


@pytest.fixture
def start(tmp_path):
    """Start `python -m hpo_app`; kill what a test leaves behind."""
    started = []

    def run(*arguments, **streams):
        started.append(Process(tmp_path, *arguments, **streams))
        return started[-1]

    yield run
    for process in started:
        process.popen.kill()
        process.popen.wait()
        for pid in process.living():
            with contextlib.suppress(OSError):
                os.kill(pid, signal.SIGKILL)


def written(folder):
    return [name for name in RESULTS if (folder / "run" / name).is_file()]


@pytest.mark.ray
def test_after_ctrl_c_the_results_are_there_and_the_printed_command_goes_on(start, tmp_path):
    process = start(*SLOW, "num_trials=4")
    process.wait_for("reported")
    process.send_to_group(signal.SIGINT)
    code, out, err = process.ends()
    assert (code, err) == (130, "")
    assert "stopping in order, signal SIGINT; once more leaves at once" in out
    assert written(tmp_path) == RESULTS
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["stop_reason"] == "signal SIGINT"
    assert process.all_gone(within_s=5)
    command = out.splitlines()[-1]
    assert command == "python -m hpo_app action=resume run=run 'trusted_modules=[faulty]'"
    again = start(*shlex.split(command)[3:])
    code, _, err = again.ends(within_s=60)
    assert (code, err) == (0, "")
    study = load_study(tmp_path / "run")
    assert len(study.in_state(TrialState.FINISHED)) == 4


@pytest.mark.ray
@pytest.mark.soak
def test_a_closed_terminal_ends_a_run_in_order_whatever_its_trials_do(start, tmp_path):
    ours, theirs = pty.openpty()
    process = start(
        "search_space=quadratic",
        "hydra.run.dir=run",
        "trusted_modules=[faulty]",
        "model.trainer=faulty:deaf",
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    process.wait_for("reported")
    os.close(ours)
    assert process.ends()[0] == 143
    assert written(tmp_path) == RESULTS
    study = load_study(tmp_path / "run")
    assert study.stop_reason == "signal SIGHUP"
    assert {trial.state for trial in study.trials} == {TrialState.INTERRUPTED}
    assert process.all_gone(within_s=5)


@pytest.mark.ray
def test_a_second_signal_leaves_at_once_with_the_journal_intact(start, tmp_path):
    process = start(*RUN, "model.trainer=faulty:deaf")
    process.wait_for("reported")
    process.send(signal.SIGUSR1)
    time.sleep(0.5)
    process.send(signal.SIGUSR1)
    code, _, err = process.ends(within_s=3)
    assert (code, err) == (143, "")
    study = load_study(tmp_path / "run")
    assert any(trial.reports for trial in study.trials)
    assert study.stop_reason == ""
    assert process.all_gone(within_s=5)


@pytest.mark.ray
def test_a_signal_while_results_are_written_lets_them_be_written(start, tmp_path):
    process = start(*RUN, "model.trainer=faulty:stops_early", "num_trials=2")
    process.wait_for("closed")
    process.send(signal.SIGTERM)
    code, out, err = process.ends()
    assert (code, err) == (143, "")
    assert written(tmp_path) == RESULTS
    assert load_study(tmp_path / "run").stop_reason == "all 2 trials ended"
    assert "action=resume" not in out


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_while_the_config_is_composed_leaves_nothing(start, tmp_path, number, code):
    process = start("search_space=quadratic")
    process.wait_until(process.handles_signals, "handler")
    process.send(number)
    assert process.ends() == (code, "", "interrupted before the first trial\n")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.ray
@pytest.mark.parametrize("number", [signal.SIGTERM])
def test_a_signal_while_ray_starts_leaves_nothing(start, tmp_path, number):
    process = start(*RUN)
    process.wait_until(lambda: "gcs_server" in process.living().values(), "gcs_server")
    process.send(number)
    code, _, err = process.ends()
    assert (code, err) == (143, "interrupted before the first trial\n")
    assert list(tmp_path.iterdir()) == []
    assert process.all_gone(within_s=5)


@pytest.mark.ray
def test_a_run_whose_output_nobody_reads_ends_as_ever_and_so_does_its_report(
    start, tmp_path, monkeypatch
):
    process = start(*RUN, "model.trainer=faulty:stops_early", "num_trials=2")
    process.popen.stdout.close()
    process.popen.stdout = None
    assert process.ends(within_s=60) == (0, None, "")
    assert written(tmp_path) == RESULTS
    for name in RESULTS:
        (tmp_path / "run" / name).unlink()
    journal = (tmp_path / "run" / "journal.jsonl").read_bytes()
    # There is nothing left to run, so nothing to start Ray for.
    monkeypatch.setenv("RAY_TMPDIR", str(tmp_path / "ray"))
    again = start("action=resume", "run=run", "trusted_modules=[faulty]")
    assert again.ends()[::2] == (0, "")
    assert written(tmp_path) == RESULTS
    assert (tmp_path / "run" / "journal.jsonl").read_bytes() == journal
    assert not (tmp_path / "ray").exists()


@pytest.mark.ray
def test_a_run_that_loses_its_ray_says_so_and_can_go_on(start, tmp_path):
    process = start(*SLOW)
    process.wait_for("reported")
    (pid,) = [pid for pid, name in process.living().items() if name == "gcs_server"]
    os.kill(pid, signal.SIGKILL)
    code, out, err = process.ends()
    assert code == 5
    assert "got       gcs_server, a process of Ray itself, has ended\n" in err
    assert "then type python -m hpo_app action=resume run=run 'trusted_modules=[faulty]'\n" in err
    assert "Traceback" not in out + err
    assert written(tmp_path) == RESULTS
    assert load_study(tmp_path / "run").in_state(TrialState.FAILED) == []
    assert process.all_gone(within_s=5)


@pytest.mark.ray
@pytest.mark.soak
def test_a_run_that_loses_an_agent_of_ray_leaves_in_time_and_can_go_on(start, tmp_path):
    # Ray ends its trials and then this process, a moment after the agent.
    process = start(*SLOW)
    process.wait_for("reported")
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_text() for pid in process.living()}
    pid = next(pid for pid, command in commands.items() if "agent" in command.lower())
    os.kill(pid, signal.SIGKILL)
    code, out, err = process.ends()
    assert code == 5
    assert "a process of Ray itself, has ended\n" in err
    assert "then type python -m hpo_app action=resume run=run 'trusted_modules=[faulty]'\n" in err
    assert "Traceback" not in out + err
    assert load_study(tmp_path / "run").in_state(TrialState.FAILED) == []
    assert process.all_gone(within_s=5)


@pytest.mark.ray
@pytest.mark.soak
def test_a_signal_to_every_process_of_the_run_counts_no_trial_as_failed(start, tmp_path):
    # What `timeout`, systemd and batch systems do.
    process = start(*SLOW)
    process.wait_for("reported")
    process.send_to_group(signal.SIGTERM)
    code, out, err = process.ends()
    assert (code, err) == (143, "")
    assert "Go on with this run:" in out
    assert written(tmp_path) == RESULTS
    assert "failed" not in {
        event.fields.get("state") for event in read_events(tmp_path / "run" / "journal.jsonl")
    }
    assert process.all_gone(within_s=20)


@pytest.mark.ray
@pytest.mark.soak
def test_a_trial_that_lets_no_thread_run_delays_the_end_no_further(start, tmp_path):
    process = start(*RUN, "model.trainer=faulty:holds_the_interpreter")
    process.wait_for("reported")
    process.send(signal.SIGINT)
    assert process.ends()[0] == 130
    assert written(tmp_path) == RESULTS
    assert process.all_gone(within_s=5)


@pytest.mark.ray
@pytest.mark.soak
def test_nothing_is_left_of_a_run_that_was_killed(start):
    process = start(*RUN, "model.trainer=faulty:deaf")
    process.wait_for("reported")
    time.sleep(5)  # Ray's agents outlive it longest, and come last.
    assert {"gcs_server", "raylet", "ray::DashboardA"} <= {*process.living().values()}
    process.send(signal.SIGKILL)
    process.popen.wait(timeout=5)
    assert process.all_gone(within_s=120)


@pytest.mark.ray
@pytest.mark.soak
def test_of_several_runs_none_is_started_after_a_signal(start, tmp_path):
    process = start(*SLOW, "--multirun", "seed=1,2", "hydra.sweep.dir=run")
    first = tmp_path / "run" / "0"
    journal = first / "journal.jsonl"
    process.wait_until(lambda: journal.exists() and "reported" in journal.read_text(), "report")
    process.send(signal.SIGINT)
    code, out, err = process.ends()
    assert (code, err) == (130, "")
    assert out.count("starting Ray") == 1
    assert [name for name in RESULTS if (first / name).is_file()] == RESULTS
    assert not (tmp_path / "run" / "1").exists()
