"""What a person is told of is on disk already."""

import pytest

from hpo_app.study.journal import read_events


pytestmark = pytest.mark.ray


def test_nothing_is_told_before_it_is_safe(viewed_search, tmp_path):
    untold = []

    class Doubter:
        def changed(self, event, trial):
            known = {
                (e.name, e.fields.get("trial")) for e in read_events(tmp_path / "journal.jsonl")
            }
            if (event, trial.number) not in known:
                untold.append((event, trial.number))

        def refresh(self, elapsed_s):
            pass

        def confirms(self, so_far):
            pass

        def notice(self, text):
            pass

    study = viewed_search(Doubter(), "num_trials=3", "training.iterations=3")
    assert len(study.trials) == 3
    assert untold == []
