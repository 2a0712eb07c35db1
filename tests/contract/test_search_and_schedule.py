"""The promises of every search algorithm with every scheduler that goes with it."""

import pytest

from hpo_app.analysis.best import best_trial
from hpo_app.config.compose import conf_dir
from hpo_app.study.records import TrialState
from hpo_app.study.replay import load_study


pytestmark = pytest.mark.ray

PAIRS = [
    (search_alg.stem, scheduler.stem)
    for search_alg in sorted((conf_dir() / "search_alg").glob("*.yaml"))
    for scheduler in sorted((conf_dir() / "scheduler").glob("*.yaml"))
    # A plan rule refuses these.
    if scheduler.stem != "pbt" or search_alg.stem == "random"
]
ids = ["-".join(pair) for pair in PAIRS]


@pytest.mark.parametrize(("search_alg", "scheduler"), PAIRS, ids=ids)
class TestEveryPair:
    def test_a_study_ends_and_beats_the_default(self, search, search_alg, scheduler):
        study = search(f"search_alg={search_alg}", f"scheduler={scheduler}", "num_trials=12")
        states = {trial.state for trial in study.trials}
        assert states <= {TrialState.FINISHED, TrialState.STOPPED}
        assert [trial.number for trial in study.trials] == list(range(12))
        assert study.stop_reason == "all 12 trials ended"
        # The default's loss after 27 iterations without a clone, from the formula.
        default = 1.455
        assert best_trial(study).value("loss") < default
        assert load_study(study.folder) == study

    def test_the_same_seed_gives_the_same_study_at_one_worker(self, search, search_alg, scheduler):
        def curves():
            study = search(
                f"search_alg={search_alg}",
                f"scheduler={scheduler}",
                "num_trials=6",
                "training.iterations=6",
                "resources.max_concurrent_trials=1",
                "model.noise=0.1",
            )
            return [
                (trial.params, trial.seed, trial.state, trial.curve("loss"))
                for trial in study.trials
            ]

        assert curves() == curves()

    def test_a_failing_trial_does_not_stop_the_others(self, faulty_search, search_alg, scheduler):
        study = faulty_search(
            "fails_above", f"search_alg={search_alg}", f"scheduler={scheduler}", "num_trials=6"
        )
        failed = study.in_state(TrialState.FAILED)
        assert 0 < len(failed) < 6
        assert all(trial.params["x"] > 1 for trial in failed)
        assert all("is too high" in trial.error for trial in failed)
        assert "ValueError" in failed[0].error
        assert study.stop_reason == "all 6 trials ended"

    def test_a_nan_is_a_failure_and_never_wins(self, faulty_search, search_alg, scheduler):
        study = faulty_search(
            "reports_nan", f"search_alg={search_alg}", f"scheduler={scheduler}", "num_trials=4"
        )
        assert [trial.number for trial in study.in_state(TrialState.FAILED)] == [1]
        assert best_trial(study).number != 1
