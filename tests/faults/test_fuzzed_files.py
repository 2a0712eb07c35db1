"""Whatever became of a file, who reads it gets what was there before, less of it, or a message."""

import json
import os

import pytest

from hpo_app.config.best import read_best
from hpo_app.config.parse import parse_plan
from hpo_app.config.stored import stored_config
from hpo_app.errors import EXIT_CANNOT_LOAD, HpoError, RunFolderError
from hpo_app.study import lock
from hpo_app.study.folder import refuse_altered_config
from hpo_app.study.journal import FILE_NAME, read_events
from hpo_app.study.lock import run_lock
from hpo_app.study.replay import load_study
from hpo_app.training.checkpoint import is_whole, read_iteration
from hpo_app.training.fit_one import fit_one
from hpo_app.training.models.quadratic import train


def outcome(function, *arguments):
    """What a reader returns, or the one kind of error that is shown without a traceback."""
    try:
        return function(*arguments)
    except HpoError as error:
        return error


def test_a_damaged_journal_gives_a_part_of_its_events_or_names_the_line(run_folder, damaged):
    path = run_folder / FILE_NAME
    content = path.read_bytes()
    whole = list(read_events(path))
    ends = [content[:end] for end in range(len(content))]
    refused = partial = 0
    for damage in (*ends, *damaged(content, 2000)):
        path.write_bytes(damage)
        events = outcome(lambda: list(read_events(path)))
        study = outcome(load_study, run_folder)
        if isinstance(events, RunFolderError):
            refused += 1
            assert events.exit_code == EXIT_CANNOT_LOAD
            assert str(path) in events.problems[0].key
            assert ", line " in events.problems[0].key
            assert isinstance(study, RunFolderError)
            continue
        assert events == whole[: len(events)]
        if events:
            partial += 1
            assert len(study.trials) <= 4
            taken = sum(len(line) + 1 for line in damage.split(b"\n")[: len(events)])
            assert bool(study.note) == (taken < len(damage))
            assert not study.note or f"line {len(events) + 1}:" in study.note
    assert refused > 500
    assert partial > 500


@pytest.mark.parametrize("name", [".hydra/config.yaml", ".hydra/hydra.yaml"])
def test_a_config_that_is_not_the_one_of_the_start_is_refused(run_folder, damaged, name):
    path = run_folder / name
    content = path.read_bytes()
    refuse_altered_config(run_folder)
    for damage in damaged(content, 500):
        if damage == content:
            continue
        path.write_bytes(damage)
        with pytest.raises(RunFolderError, match="byte for byte") as caught:
            refuse_altered_config(run_folder)
        assert caught.value.problems[0].key == str(path)
    path.unlink()
    with pytest.raises(RunFolderError, match="No such file"):
        refuse_altered_config(run_folder)


@pytest.mark.parametrize("name", [".hydra/config.yaml", ".hydra/hydra.yaml"])
def test_a_damaged_config_is_a_plan_or_a_message(run_folder, damaged, name):
    path = run_folder / name
    content = path.read_bytes()
    for damage in damaged(content, 150):
        path.write_bytes(damage)
        plan = outcome(lambda: parse_plan(*stored_config(run_folder, ["num_trials=6"])))
        assert isinstance(plan, HpoError) or plan.num_trials == 6


def test_a_damaged_best_yaml_is_a_configuration_or_a_message(run_folder, damaged):
    path = run_folder / "best.yaml"
    content = path.read_bytes()
    before = read_best(path)
    ends = [content[:end] for end in range(0, len(content), 7)]
    same = 0
    for damage in (*ends, *damaged(content, 400)):
        path.write_bytes(damage)
        best = outcome(read_best, path)
        same += best == before
        assert getattr(best, "exit_code", 4) == EXIT_CANNOT_LOAD
        assert isinstance(best, RunFolderError) or best.rendered.model is not None
    assert same < 200


def test_a_damaged_checkpoint_is_never_taken_for_a_whole_one(run_folder, damaged):
    folder = run_folder / "trials/3/checkpoint_000001"
    for name in ("trial.json", "state.json"):
        content = (folder / name).read_bytes()
        for damage in (*(content[:end] for end in range(len(content))), *damaged(content, 400)):
            if damage == content:
                continue
            (folder / name).write_bytes(damage)
            outcome(read_iteration, folder)
            assert not is_whole(folder) or name == "trial.json"
        (folder / name).write_bytes(content)
    assert is_whole(folder)


def test_a_trial_goes_on_from_no_checkpoint_but_its_own(run_folder, damaged):
    from hpo_app.tuning.past import Past

    newest, older = (run_folder / f"trials/3/checkpoint_00000{place}" for place in (1, 0))
    events = list(read_events(run_folder / FILE_NAME))

    def restart():
        (restart,) = Past(run_folder, events).restarts()
        return restart

    assert restart().checkpoint == newest
    content = (newest / "trial.json").read_bytes()
    for damage in damaged(content, 200):
        if damage != content:
            (newest / "trial.json").write_bytes(damage)
            assert restart().checkpoint == older
            assert "checkpoint_000001" in restart().note
    (newest / "trial.json").write_bytes(content)
    # Of the same iteration, and whole: only the journal knows that it is another trial's.
    other = run_folder / "trials/2/checkpoint_000001"
    other.rename(run_folder / "aside")
    newest.rename(other)
    (run_folder / "aside").rename(newest)
    assert is_whole(newest)
    assert restart().checkpoint == older


def test_a_state_that_cannot_be_read_is_a_message(run_folder, damaged):
    folder = run_folder / "trials/3/checkpoint_000000"
    config = read_best(run_folder / "best.yaml").rendered
    content = (folder / "state.json").read_bytes()
    ends = [content[:end] for end in range(len(content))]
    nonsense = [b'{"loss": NaN}', b'{"loss": true}', b'{"loss": 1e999}', b"[" * 100_000]
    huge = b'{"loss": %s}' % (b"9" * 4000)
    for damage in (*ends, *nonsense, huge, *damaged(content, 200)):
        (folder / "state.json").write_bytes(damage)
        options = {"metric": "loss", "seed": 0, "checkpoint": folder}
        reports = outcome(lambda: fit_one(train, *config, **options))  # noqa: B023 - called at once
        if isinstance(reports, RunFolderError):
            assert "state.json" in reports.problems[0].key
        else:
            assert len(reports) == 2


def test_a_lock_that_holds_nonsense_still_says_that_the_folder_is_taken(
    run_folder, damaged, monkeypatch
):
    with run_lock(run_folder):
        monkeypatch.setattr(lock, "_held", set())  # As another process, which holds nothing.
        path = run_folder / ".lock"
        for damage in damaged(path.read_bytes(), 100):
            path.write_bytes(damage)
            with (
                pytest.raises(RunFolderError, match="no other process writes in"),
                run_lock(run_folder),
            ):
                pass


@pytest.mark.parametrize("size", [2**30, 2**33], ids=["1 GB", "8 GB"])
def test_a_huge_hole_takes_no_memory(run_folder, size):
    import resource

    checkpoint = run_folder / "trials/3/checkpoint_000001"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for name in (".hydra/config.yaml", "best.yaml", "trials/3/checkpoint_000001/trial.json"):
        os.truncate(run_folder / name, size)
    assert isinstance(outcome(stored_config, run_folder), RunFolderError)
    assert isinstance(outcome(read_best, run_folder / "best.yaml"), RunFolderError)
    assert not is_whole(checkpoint)
    if size == 2**30:
        os.truncate(run_folder / FILE_NAME, size)
        assert "are no whole event" in load_study(run_folder).note
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 200_000  # KiB: a few lines of the greatest length, and not the file.


def test_a_pipe_in_the_place_of_a_file_keeps_nobody_waiting(run_folder):
    for name in (FILE_NAME, ".hydra/config.yaml", "trials/3/checkpoint_000001/state.json"):
        (run_folder / name).unlink()
        os.mkfifo(run_folder / name)
    assert "no regular file" in str(outcome(load_study, run_folder))
    assert "no regular file" in str(outcome(stored_config, run_folder))
    assert not is_whole(run_folder / "trials/3/checkpoint_000001")


def test_two_files_in_each_others_place_are_refused(run_folder):
    config, hydra = (run_folder / ".hydra" / name for name in ("config.yaml", "hydra.yaml"))
    one, other = config.read_bytes(), hydra.read_bytes()
    config.write_bytes(other)
    hydra.write_bytes(one)
    assert "2 problems" in str(outcome(refuse_altered_config, run_folder))
    assert isinstance(outcome(stored_config, run_folder), RunFolderError)
    (run_folder / FILE_NAME).write_bytes((run_folder / "best.yaml").read_bytes())
    assert "line 1" in str(outcome(load_study, run_folder))
    (run_folder / "best.yaml").write_text(json.dumps({"python": "3"}))
    assert isinstance(outcome(read_best, run_folder / "best.yaml"), RunFolderError)
