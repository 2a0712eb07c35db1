"""The winner is the one that is better on fresh seeds, and what is claimed can be believed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest

from hpo_app.analysis.best import best_trial
from hpo_app.analysis.claim import claim_of
from hpo_app.analysis.claim_words import NO_GAIN
from hpo_app.study.fresh import Kind
from hpo_app.study.records import TrialState
from hpo_app.study.replay import load_study


pytestmark = pytest.mark.ray

CONFIRM = ["confirm=standard", "confirm.contenders=3", "confirm.share=0.7"]
SHORT = ["training.iterations=3", "num_trials=8"]


def of(function):
    return [f"model.trainer=confirmable:{function}", "trusted_modules=[confirmable]"]


def fresh_of(study):
    return [trial.fresh for trial in study.fresh]


def test_a_lucky_trial_loses_to_a_steady_one_and_the_claim_says_so(search):
    study = search(*of("lucky"), *SHORT, *CONFIRM)
    assert best_trial(study.searched).number == 3
    won = best_trial(study)
    claim = claim_of(study)
    assert won.number != 3
    racing = [trial for trial in study.trials if trial.number in study.race.contenders]
    assert won.params["depth"] == max(trial.params["depth"] for trial in racing)
    assert claim.winner.trial == won.number
    assert claim.is_significant or claim.gain <= 0
    assert study.is_complete
    # No training of the search had one of the seeds, and race and claim share none.
    seeds = {kind: {t.seed for t in study.fresh if t.fresh.kind is kind} for kind in Kind}
    assert not seeds[Kind.RACE] & seeds[Kind.CLAIM]
    assert not (seeds[Kind.RACE] | seeds[Kind.CLAIM]) & {trial.seed for trial in study.trials}
    # At each place all are trained with the same one.
    assert all(
        len({t.seed for t in study.fresh if t.fresh[1:] == place}) == 1
        for place in {fresh[1:] for fresh in fresh_of(study)}
    )


def test_where_all_are_equal_no_gain_is_claimed(search):
    study = search(*of("equal"), *SHORT, *CONFIRM)
    claim = claim_of(study)
    assert not claim.is_significant
    assert NO_GAIN in " ".join(claim.sentences)


@pytest.mark.parametrize("scheduler", ["asha", "hyperband", "median_stopping"])
def test_no_scheduler_cuts_a_confirmation(search, scheduler):
    study = search(f"scheduler={scheduler}", "model.noise=0.5", *SHORT, *CONFIRM)
    assert study.winner is not None
    assert {trial.iterations for trial in study.fresh} == {3}
    assert {trial.state for trial in study.fresh} == {TrialState.FINISHED}
    assert len(study.trials) == 8


def test_a_target_ends_the_search_and_not_its_confirmation(search):
    study = search(*of("equal"), *SHORT, *CONFIRM, "stop.target=2.0")
    assert "reached the target" in study.stop_reason
    assert len(study.trials) < 8
    assert study.winner is not None


def test_who_fails_with_fresh_seeds_is_not_the_winner(search):
    study = search(*of("fails_when_fresh"), *SHORT, *CONFIRM, "+data.fragile=1")
    assert study.winner is not None
    best = min(study.trials, key=lambda trial: trial.params["depth"])
    assert best.params["depth"] != 1 or study.winner != best.number
    assert not study.in_state(TrialState.FAILED)  # Only fresh trainings did.


@pytest.fixture
def hpo(tmp_path):
    """Run `python -m hpo_app`; signal it once its journal tells of so many fresh trainings."""

    def run(*arguments, signalled=None, at=0):
        process = subprocess.Popen(
            [sys.executable, "-m", "hpo_app", *arguments],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 240
        while signalled is not None and process.poll() is None:
            assert time.monotonic() < deadline
            journal = tmp_path / "run" / "journal.jsonl"
            if journal.exists() and journal.read_bytes().count(b'"repeated"') >= at:
                os.kill(process.pid, signalled)
                break
            time.sleep(0.01)
        out, err = process.communicate(timeout=240)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    return run


def dump(study):
    """Everything of a study's trainings that does not depend on the clock."""
    return [
        (t.number, t.fresh, t.params, t.seed, t.state, t.curve("loss"))
        for t in (*study.trials, *study.fresh)
    ]


def test_a_confirmation_that_is_cut_off_twice_goes_on_and_best_yaml_repeats_its_value(
    hpo, search, tmp_path
):
    # One worker: with more, the order of reports is the machine's and not the seed's.
    settings = ["resources.cpu=2", "ray.num_cpus=2", "model.noise=0.3", *SHORT, *CONFIRM]
    settings += ["model.step_time_s=0.1", "scheduler=asha"]
    first = hpo(
        "search_space=quadratic", *settings, "hydra.run.dir=run", signalled=signal.SIGINT, at=3
    )
    assert first.returncode == 130, first.stderr
    assert load_study(tmp_path / "run").winner is None
    hpo("action=resume", "run=run", signalled=signal.SIGKILL, at=6)
    assert load_study(tmp_path / "run").winner is None
    last = hpo("action=resume", "run=run")
    assert last.returncode == 0, last.stderr
    study = load_study(tmp_path / "run")
    assert study.is_complete
    never_cut = search(*settings)
    # best.yaml is written by the command line only.
    replays = [t for t in study.fresh if t.fresh.kind is Kind.REPLAY]
    assert [entry for entry in dump(study) if entry[0] != replays[0].number] == dump(never_cut)
    assert study.winner == never_cut.winner
    confirmed = json.loads((tmp_path / "run" / "summary.json").read_text())["confirmed"]
    assert confirmed["replay"]["is_exact"]
    assert "Confirmed: trial" in last.stdout
    assert "to the last digit" in (tmp_path / "run" / "best.yaml").read_text()
    seed = confirmed["replay"]["seed"]
    trained = hpo("action=train", "best=run/best.yaml", f"seed={seed}", "hydra.run.dir=again")
    assert trained.returncode == 0, trained.stderr
    value = json.loads((tmp_path / "again" / "evaluation.json").read_text())["loss"]
    assert value == confirmed["replay"]["recorded"]


def test_a_longer_run_trains_anew_only_what_it_does_not_know(
    local_ray, tmp_path, silent_view, monkeypatch
):
    from hpo_app.config.compose import compose_config
    from hpo_app.config.parse import parse_plan
    from hpo_app.tuning.runner import run_search

    def plan(*changes):
        given = ["search_space=quadratic", "model.noise=0.2", *SHORT, *changes]
        return parse_plan(*compose_config(given))

    # A run without a confirmation gets one, and then more trials.
    assert run_search(plan(), tmp_path, silent_view, {}).fresh == ()
    seen = []
    monkeypatch.setattr(silent_view, "confirms", seen.append)
    once = run_search(plan(*CONFIRM), tmp_path, silent_view, {}, changes=CONFIRM)
    counts = [so_far.num_ended for so_far in seen]
    assert counts == sorted(counts)
    assert counts[-1] == len(once.fresh) <= seen[-1].most
    assert seen[0].seconds_left is None
    assert seen[-1].seconds_left is not None
    assert len(once.trials) == 8
    assert once.winner is not None
    longer = [*CONFIRM, "num_trials=16"]
    seen.clear()
    twice = run_search(plan(*longer), tmp_path, silent_view, {}, changes=longer)
    assert len(twice.trials) == 16
    assert twice.winner is not None
    assert seen[-1].num_ended == len(twice.fresh)
    assert all(len(once.fresh) <= so_far.num_ended <= so_far.most for so_far in seen)
    assert max(Counter(fresh_of(twice)).values()) == 1
    assert dump(twice)[16 : 16 + len(once.fresh)] == [e for e in dump(once) if e[1]]
