"""Tuners in another Python are asked and answered as the lines of `quality/peers.py` say."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest


PEERS = Path(__file__).parents[2] / "scripts" / "benchmarks" / "peers"
ENVIRONMENTS = os.environ.get("HPO_APP_PEERS")  # As given to the benchmark's --peers.
ENTRIES = {
    "x": {"type": "uniform", "low": 0.0, "high": 1.0},
    "rate": {"type": "loguniform", "low": 1.0e-4, "high": 1.0},
    "width": {"type": "lograndint", "low": 1, "high": 64},
    "kind": {"type": "choice", "values": ["good", "bad"]},
    "size": {"type": "ordinal", "values": [0.5, 8, 32]},
}
# Looks at four trials for two iterations each, then goes on with the best; then waits for ever.
STAND_IN = f"""
import sys
sys.path.insert(0, {str(PEERS)!r})
import pipe

class StandIn:
    def __init__(self, method, space, iterations, full_trials, seed):
        self.losses, self.started, self.promoted, self.at = {{}}, 0, False, [0.8, 0.3, 0.1, 0.5]
        print("a library that talks", flush=True)

    def next(self):
        if self.started < 4:
            trial, self.started = self.started, self.started + 1
            at = self.at[trial]
            return {{"trial": trial, "params":
                    {{"size": 2, "kind": trial % 2, "x": at, "rate": 1e-3, "width": 8}}}}
        if self.promoted or len(self.losses) < 4:
            return {{}}
        self.promoted = True
        return {{"trial": self.incumbent()}}

    def report(self, trial, iteration, loss):
        self.losses[trial] = loss
        if trial == 0:
            return "STOP"
        return "PAUSE" if iteration == 2 else "CONTINUE"

    def end(self, trial, is_whole):
        assert is_whole or trial == 0
        if trial == 3:
            sys.exit("trial 3 was not to end")

    def incumbent(self):
        return min(self.losses, key=self.losses.get, default=None)

pipe.serve(StandIn)
"""


def curve(params, _seed=0):
    end = params["x"] + (params["kind"] == "bad") + params["size"] / 100
    return [end + 1 / (1 + iteration) for iteration in range(9)]


@pytest.fixture
def task(quality):
    return quality("tasks").Task("test/line", ENTRIES, 9, curve, lambda p: curve(p)[-1])


@pytest.fixture
def stand_in(quality, task, tmp_path):
    """Start a tuner of the standard library alone: a process of its own, as the others are."""

    def start(text=STAND_IN):
        script = tmp_path / "stand_in.py"
        script.write_text(text)
        return quality("peers").Peer("stand-in", [sys.executable, str(script)], task, 0, 8)

    return start


def test_a_paused_trial_waits_and_goes_on_from_where_it_was(quality, task, stand_in):
    vars(task)["frozen"] = (0.0, 1.0, 1.0)
    budgets = [0.5, 3.5, 9.5, 12.0]
    found = quality("simulator").simulate(stand_in(), task, workers=2, budgets=budgets, seed=0)
    # Trial 0 is stopped after one iteration, 1 to 3 pause after two. All have reported at 3: then
    # the best of them, 2, takes the worker that is idle, and ends at 10.
    assert [len(trial.reports) for trial in found.trials] == [1, 2, 9, 2]
    assert [trial.is_over for trial in found.trials] == [True, False, True, False]
    wanted = {"x": 0.1, "rate": 1e-3, "width": 8, "kind": "good", "size": 32}
    assert [trial.params for trial in found.trials][2] == wanted
    assert list(wanted) == list(ENTRIES) == list(found.trials[2].params)
    assert found.incumbents == [None, wanted, wanted, wanted]


def test_a_promotion_costs_the_iterations_that_are_left(quality, task, stand_in):
    vars(task)["frozen"] = (0.0, 1.0, 1.0)
    heard = []
    tuner = stand_in()
    report = tuner.on_report
    tuner.on_report = lambda trial, at, loss: (
        heard.append((trial.number, at)) or report(trial, at, loss)
    )
    quality("simulator").simulate(tuner, task, workers=2, budgets=[9.5], seed=0)
    # It went on at 3, so that all but its last iteration are over.
    assert [each for each in heard if each[0] == 2][2:] == [(2, at) for at in range(3, 9)]


def test_what_we_would_hand_back_is_kept_beside_what_the_tuner_does(quality, task, stand_in):
    vars(task)["frozen"] = (0.0, 1.0, 1.0)
    tuner = stand_in(STAND_IN.replace("return min(self.losses", "return max(self.losses"))
    found = quality("simulator").simulate(tuner, task, workers=2, budgets=[3.5], seed=0)
    assert found.incumbents[0]["kind"] == "bad"
    assert tuner.by_our_rule[0]["kind"] == "good"


def test_a_tuner_ends_with_the_one_that_asks_it(stand_in):
    tuner = stand_in()
    process = tuner._process
    assert process.poll() is None
    del tuner
    gc.collect()
    assert process.poll() == 0


def test_a_tuner_that_dies_leaves_its_last_words(quality, stand_in):
    tuner = stand_in()
    trial = tuner.next_trial()
    with pytest.raises(quality("peers").PeerError) as caught:
        tuner.on_end(quality("simulator").SimulatedTrial(3, trial.params), is_whole=True)
    assert str(caught.value) == (
        "stand-in ended with code 1 when asked end:\na library that talks\ntrial 3 was not to end\n"
    )


def test_an_absent_environment_is_named_with_what_makes_it(quality, tmp_path):
    there = tmp_path / "smac" / "bin"
    there.mkdir(parents=True)
    (there / "python").touch()
    assert quality("peers").absent(tmp_path, ["smac"]) == ""
    assert quality("peers").absent(tmp_path, ["smac", "dyhpo", "mobster"]) == (
        "syne-tune\n"
        f"  got       no Python at {tmp_path}/syne-tune/bin/python\n"
        "  expected  an environment that holds it\n"
        f"  set by    --peers {tmp_path}\n"
        f"  fix       python3.11 -m venv {tmp_path}/syne-tune && "
        f"{tmp_path}/syne-tune/bin/pip install 'syne-tune[gpsearchers]==0.14.2' 'numpy<2' "
        f"'pandas<3'; then --peers {tmp_path}"
    )


def test_the_script_refuses_a_peer_without_an_environment_before_it_runs_anything(tmp_path):
    script = PEERS.parent / "search_quality.py"
    results = tmp_path / "results.jsonl"
    command = [sys.executable, str(script), "--methods", "smac", "--results", str(results)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr.startswith("smac\n  got       no Python at ")
    assert "pip install 'smac==2.4.1'; then --peers peers" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.soak
@pytest.mark.skipif(not ENVIRONMENTS, reason="HPO_APP_PEERS names no folder of environments")
@pytest.mark.parametrize("iterations", [9, 1])
@pytest.mark.parametrize("name", ["mobster", "dyhpo", "smac"])
def test_a_peer_repeats_a_run_inside_the_space(quality, name, iterations):
    tasks, simulator, peers = quality("tasks"), quality("simulator"), quality("peers")
    if not Path(ENVIRONMENTS).is_dir() or peers.absent(Path(ENVIRONMENTS), [name]):
        pytest.skip(f"no environment for {name}")

    def some(params, _seed=0):
        return curve(params)[-iterations:]

    task = tasks.Task("test/line", ENTRIES, iterations, some, lambda p: curve(p)[-1])
    make = peers.peers(Path(ENVIRONMENTS), 4)[name]

    def run(seed):
        found = simulator.simulate(make(task, seed), task, workers=2, budgets=[2.0], seed=seed)
        return [(trial.params, trial.reports) for trial in found.trials], found.incumbents

    first = run(3)
    assert first == run(3)
    assert first != run(4)
    for params, _ in first[0]:
        assert all(task.space[each].contains(params[each]) for each in ENTRIES)
