"""States that are kept apart are found through the run folder, and the winner comes home."""

import json
import os

import pytest

from hpo_app.errors import PlanError
from hpo_app.study.events import EventCheck
from hpo_app.training.checkpoint import ITERATION_FILE, is_whole, write_iteration
from hpo_app.tuning.opening import open_journal
from hpo_app.tuning.store import Store, new_key, store_of


@pytest.fixture
def apart(tmp_path):
    """A run folder, and a store beside it."""
    folder = tmp_path / "run"
    folder.mkdir()
    return store_of(folder, str(tmp_path / "shared"), "run-1")


@pytest.fixture
def saved(apart, tmp_path):
    """A state that a worker has kept, as the run folder knows it."""
    kept = tmp_path / "shared" / "run-1" / "trials" / "0" / "checkpoint_000000"
    kept.mkdir(parents=True)
    (kept / "weights").write_bytes(bytes(1000))
    write_iteration(kept, 3)
    state = apart.local(str(kept))
    apart.note(state)
    return state


def test_the_run_folder_holds_what_a_state_says_of_itself_and_no_more(apart, saved):
    assert saved == apart.folder / "trials" / "0" / "checkpoint_000000"
    assert [path.name for path in saved.iterdir()] == [ITERATION_FILE]
    assert json.loads((saved / ITERATION_FILE).read_bytes())["iteration"] == 3
    assert apart.size(saved) > 1000
    assert apart.of_ray(saved).path == apart.kept(saved)


def test_a_state_of_which_a_file_is_missing_is_not_whole(apart, saved, tmp_path):
    assert apart.is_whole(saved)
    (tmp_path / "shared/run-1/trials/0/checkpoint_000000/weights").unlink()
    assert not apart.is_whole(saved)


def test_the_winner_comes_home_whole(apart, saved):
    assert not is_whole(saved)
    apart.bring_home(saved)
    assert is_whole(saved)


def test_what_is_removed_is_gone_in_both_places(apart, saved, tmp_path):
    apart.remove(saved)
    assert list(tmp_path.rglob("checkpoint_*")) == []
    apart.remove(saved)


def test_logs_come_home_and_what_tune_left_goes(apart, saved, tmp_path):
    apart.log_path("0").write_text("iteration 1\n")
    (tmp_path / "shared/run-1/trials/.validate_storage_marker").touch()
    (tmp_path / "shared/run-1/trials/experiment_state-1.json").touch()
    apart.bring_logs(["0", "7"])
    apart.clear()
    assert (apart.folder / "trials/0/log.txt").read_text() == "iteration 1\n"
    assert [path.name for path in (tmp_path / "shared/run-1/trials").iterdir()] == ["0"]


def test_every_folder_gives_a_key_that_a_journal_may_hold(tmp_path):
    for name in ("12-30-00-ab", "ü b.c", "x" * 200, "."):
        key = new_key(tmp_path / name)
        assert new_key(tmp_path / name) != key
        assert EventCheck().problem("opened", {**OPENED, "kept_as": key}) is None
    for name in ("..", "a/b", "", 3):
        assert EventCheck().problem("opened", {**OPENED, "kept_as": name})


OPENED = {
    "schema": 1, "run_id": "r", "metric": "loss", "mode": "min", "space": {}, "num_trials": 1,
    "iterations": 1, "seed": 0,
}  # fmt: skip


@pytest.mark.parametrize(("before", "now"), [("shared", ""), ("", "shared")])
def test_a_run_keeps_its_states_where_it_began_to(tmp_path, before, now):
    with open_journal(tmp_path, resumes=False, storage=before) as (journal, store, _):
        kept = {"kept_as": store.key} if store.key else {}
        journal.append("opened", **OPENED, **kept)
        journal.sync()
    with (
        pytest.raises(PlanError, match=r"storage\n  got       (null|shared)\n"),
        open_journal(tmp_path, resumes=True, storage=now),
    ):
        pass
    with open_journal(tmp_path, resumes=True, storage=before) as (_, again, past):
        assert again.key == store.key
        assert past.store is again


def test_a_run_does_not_go_on_where_nothing_of_it_is_kept(tmp_path):
    with open_journal(tmp_path, resumes=False, storage="shared") as (journal, store, _):
        journal.append("opened", **OPENED, kept_as=store.key)
        journal.sync()
    (tmp_path / "trials" / "0" / "checkpoint_000000").mkdir(parents=True)
    with (
        pytest.raises(PlanError, match=f"shared, which has no {store.key}\n"),
        open_journal(tmp_path, resumes=True, storage="shared"),
    ):
        pass


def test_a_run_without_a_storage_touches_nothing_else(tmp_path):
    store = Store(tmp_path)
    state = tmp_path / "trials" / "0" / "checkpoint_000000"
    assert store.local(str(state)) == state
    assert store.kept(state) == os.fspath(state)
    assert store.for_tune == {"storage_path": str(tmp_path)}
