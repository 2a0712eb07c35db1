"""Each trial starts in the same state, whatever the one before it left in its worker."""

import json

import pytest


pytestmark = pytest.mark.ray

TRAINER = ["model.trainer=messy:finds_and_leaves_a_mess", "trusted_modules=[messy]"]


def test_every_trial_of_a_worker_finds_the_same_state(search, tmp_path):
    pytest.importorskip("torch")
    study = search(
        *TRAINER,
        "num_trials=6",
        "training.iterations=1",
        f"+model.folder={tmp_path}",
    )
    assert study.stop_reason == "all 6 trials ended"
    found = [json.loads((tmp_path / f"{trial.number}.json").read_text()) for trial in study.trials]
    by_worker = {}
    for trial in found:
        by_worker.setdefault(trial["pid"], []).append(trial)
    assert max(len(trials) for trials in by_worker.values()) > 1
    for trials in by_worker.values():
        for trial in trials[1:]:
            for what in ("environment", "folder", "arguments", "import_path", "filters", "threads"):
                assert trial[what] == trials[0][what], what
    assert {trial["threads"] for trial in found} == {1}
    # Random numbers depend on the seed of the trial, and on nothing else.
    draws = {tuple(trial["draws"]) for trial in found}
    assert len(draws) == 6
    again = search(
        *TRAINER,
        "num_trials=6",
        "training.iterations=1",
        "resources.max_concurrent_trials=1",
        f"+model.folder={tmp_path}",
    )
    assert [trial.seed for trial in again.trials] == [trial.seed for trial in study.trials]
    texts = [(tmp_path / f"{trial.number}.json").read_text() for trial in again.trials]
    assert [json.loads(text)["draws"] for text in texts] == [t["draws"] for t in found]
