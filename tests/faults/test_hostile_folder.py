"""A results folder from a stranger is read or refused; nothing in it runs, or leads out of it."""

import json
import os
import pickle
import subprocess
import sys
import zipfile

import pytest

from hpo_app.config.arguments import split_changes
from hpo_app.config.best import read_best
from hpo_app.config.parse import parse_plan
from hpo_app.config.stored import stored_config
from hpo_app.errors import PlanError, RunFolderError, StorageError
from hpo_app.study.files import replace_file
from hpo_app.study.folder import refuse_links
from hpo_app.study.journal import FILE_NAME, Journal
from hpo_app.study.lines import entry_of, line_of
from hpo_app.study.lock import run_lock
from hpo_app.study.replay import load_study
from hpo_app.training.checkpoint import is_whole, read_iteration, write_iteration


class Bomb:
    """What touches a file where it is unpickled."""

    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.system, (f"touch {self.marker}",)


# Every name under which Ray, Tune, Stable-Baselines3 or torch would look for a pickle.
PICKLES = (
    "tuner.pkl",
    "trainable.pkl",
    "trials/tuner.pkl",
    "trials/searcher-state-2026-01-01_00-00-00.pkl",
    "trials/search_gen_state-2026-01-01_00-00-00.json",
    "trials/experiment_state-2026-01-01_00-00-00.json",
    "trials/3/params.pkl",
    "trials/3/error.pkl",
    "trials/3/checkpoint_000001/.metadata.pkl",
    "trials/3/checkpoint_000001/dict_checkpoint.pkl",
    "trials/3/checkpoint_000001/_dict_checkpoint.pkl",
    "trials/3/checkpoint_000001/.tune_metadata",
    "trials/3/checkpoint_000001/training_state.pt",
    "trials/3/checkpoint_000001/vecnormalize.pkl",
    "trials/3/checkpoint_000001/model.zip",
)


def plant_bombs(folder, marker):
    """Put pickles wherever somebody might look for one, and make all checksums agree with them."""
    bomb = pickle.dumps(Bomb(marker))
    for name in PICKLES:
        (folder / name).write_bytes(bomb)
    with zipfile.ZipFile(folder / PICKLES[-1], "w") as archive:
        archive.writestr("data", json.dumps({"policy": {":serialized:": bomb.hex()}}))
    for checkpoint in folder.glob("trials/*/checkpoint_*"):
        (checkpoint / "state.json").write_text(json.dumps({"loss": 1.0}))
        write_iteration(checkpoint, read_iteration(checkpoint))
    path = folder / FILE_NAME
    entries = [entry_of(line) for line in path.read_bytes().splitlines(keepends=True)]
    told = [{key: value for key, value in entry.items() if key != "crc32"} for entry in entries]
    path.write_bytes(b"".join(map(line_of, told)))


READ_ALL = """
import pickle, sys
from pathlib import Path
import cloudpickle, ray.cloudpickle, torch
from hpo_app.actions import resume, train
from hpo_app.config.best import read_best
from hpo_app.config.parse import parse_plan
from hpo_app.config.stored import stored_config
from hpo_app.errors import HpoError
from hpo_app.study.folder import refuse_altered_config, refuse_links
from hpo_app.study.journal import Journal
from hpo_app.study.replay import load_study, stored_changes
from hpo_app.training.checkpoint import is_whole, read_iteration
from hpo_app.training.models import quadratic
from hpo_app.training.models.sb3_state import read_state
from hpo_app.tuning.past import Past

def refuse(*_, **__):
    raise SystemExit("something was unpickled")

def audit(event, _arguments):
    if event == "pickle.find_class":
        refuse()

loads = torch.load
torch.load = lambda *a, **k: loads(*a, **k) if k.get("weights_only") is True else refuse()
sys.addaudithook(audit)
for module in (pickle, cloudpickle, ray.cloudpickle):
    module.load = module.loads = refuse
pickle.Unpickler = pickle._Unpickler = refuse

folder = Path(sys.argv[1])
refuse_links(folder)
refuse_altered_config(folder)
print("config", parse_plan(*stored_config(folder, (), stored_changes(folder))).num_trials)
print("study", len(load_study(folder).trials))
print("best", read_best(folder / "best.yaml").criteria.objective.metric)
journal, events = Journal.reopen(folder / "journal.jsonl")
journal.close()
print("past", [restart.checkpoint.name for restart in Past(folder, events).restarts()])
for checkpoint in sorted(folder.glob("trials/*/checkpoint_*")):
    print(checkpoint.parent.name, is_whole(checkpoint), read_iteration(checkpoint))
    quadratic._load(checkpoint)
try:
    read_state(folder / "trials/3/checkpoint_000001/training_state.pt")
except HpoError as error:
    print("refused", "training_state.pt" in str(error))
print(read_state(folder / "sound.pt")["num_timesteps"])
"""


def test_nothing_that_reads_a_run_folder_unpickles_anything(run_folder, tmp_path):
    from hpo_app.training.models.sb3_state import write_state

    marker = tmp_path / "marker"
    plant_bombs(run_folder, marker)
    empty = {"fixed": {}, "parameters": {}, "counters": {}, "normalization": {}, "replay": {}}
    write_state({**empty, "num_timesteps": 7}, run_folder / "sound.pt")
    done = subprocess.run(
        [sys.executable, "-c", READ_ALL, str(run_folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:3] == ["config 4", "study 4", "best loss"]
    assert lines[3] == "past ['checkpoint_000001']"
    assert lines[-2:] == ["refused True", "7"]
    assert not marker.exists()


@pytest.mark.parametrize("kind", ["pickle", "old torch", "compressed", "torch script", "empty zip"])
def test_a_state_of_any_other_kind_is_refused(tmp_path, kind):
    import torch

    from hpo_app.training.models.sb3_state import read_state

    marker, path = tmp_path / "marker", tmp_path / "state.pt"
    state = {"fixed": Bomb(marker)}
    if kind == "pickle":
        path.write_bytes(pickle.dumps(state))
    elif kind == "old torch":
        torch.save({"fixed": {}}, path, _use_new_zipfile_serialization=False)
    elif kind == "torch script":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/constants.pkl", pickle.dumps(state))
            archive.writestr("archive/data.pkl", pickle.dumps(state))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            names = ["archive/data/0"] if kind == "compressed" else []
            for name in names:
                archive.writestr(name, bytes(2**24))
    with pytest.raises(RunFolderError, match="training state that this trainer wrote"):
        read_state(path)
    assert not marker.exists()


LINKS = {
    "the journal": (FILE_NAME, "/etc/passwd"),
    "the config": (".hydra/config.yaml", "/etc/passwd"),
    "a log": ("trials/3/log.txt", "../../../victim"),
    "Hydra's log": ("run.log", "../victim"),
    "the lock": (".lock", "../victim"),
    "the report": ("report", ".."),
    "a checkpoint": ("trials/3/checkpoint_000009", "/etc"),
    "a state": ("trials/3/checkpoint_000001/state.json", "/dev/zero"),
    "a link to nothing": ("x", "/no/such"),
}


@pytest.mark.parametrize(("name", "target"), LINKS.values(), ids=LINKS)
def test_a_link_out_of_the_folder_is_refused_before_anything_is_opened(run_folder, name, target):
    (run_folder.parent / "victim").write_text("precious")
    path = run_folder / name
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    with pytest.raises(RunFolderError, match="a link to") as caught:
        refuse_links(run_folder)
    assert caught.value.problems[0].key == str(path)
    (run_folder / FILE_NAME).touch()
    with pytest.raises(RunFolderError):
        split_changes(["action=resume", f"run={run_folder}"])
    assert (run_folder.parent / "victim").read_text() == "precious"


def test_a_link_inside_the_folder_is_let_be(run_folder):
    (run_folder / "latest").symlink_to("trials/3")
    (run_folder.parent / "shortcut").symlink_to(run_folder)
    refuse_links(run_folder)
    refuse_links(run_folder.parent / "shortcut")
    assert len(load_study(run_folder.parent / "shortcut").trials) == 4


def test_nothing_is_read_or_written_through_a_link(run_folder):
    victim = run_folder.parent / "victim"
    victim.write_text("precious")
    for name in (".lock", FILE_NAME, f".best.yaml.{os.getpid()}.tmp", "best.yaml"):
        (run_folder / name).unlink(missing_ok=True)
        (run_folder / name).symlink_to(victim)
    with pytest.raises(StorageError, match="symbolic links"), run_lock(run_folder):
        pass
    with pytest.raises(RunFolderError, match="a symbolic link, which is not followed"):
        load_study(run_folder)
    with pytest.raises(RunFolderError, match="a symbolic link, which is not followed"):
        Journal.reopen(run_folder / FILE_NAME)
    replace_file(run_folder / "best.yaml", "new")
    assert (run_folder / "best.yaml").read_text() == "new"
    assert victim.read_text() == "precious"


def test_a_checkpoint_with_a_link_or_a_pipe_in_it_is_not_whole(run_folder):
    checkpoint = run_folder / "trials/3/checkpoint_000001"
    assert is_whole(checkpoint)
    (checkpoint / "state.json").rename(run_folder / "state.json")
    (checkpoint / "state.json").symlink_to(run_folder / "state.json")
    assert not is_whole(checkpoint)
    (checkpoint / "state.json").unlink()
    (run_folder / "state.json").rename(checkpoint / "state.json")
    assert is_whole(checkpoint)
    os.mkfifo(checkpoint / "pipe")
    assert not is_whole(checkpoint)


def rewrite(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_a_folder_cannot_trust_code_by_itself(run_folder):
    rewrite(run_folder / ".hydra/config.yaml", "trusted_modules: []", "trusted_modules: [os]")
    rewrite(
        run_folder / ".hydra/hydra.yaml",
        "    - num_trials=4",
        "    - num_trials=4\n    - trusted_modules=[os]",
    )
    typed = "trusted_modules=[os]"
    for earlier in ((), (typed,)):
        with pytest.raises(PlanError, match="a file cannot trust any code"):
            parse_plan(*stored_config(run_folder, (), earlier))
    assert parse_plan(*stored_config(run_folder, [typed])).trusted_modules == ("os",)


def test_a_folder_cannot_choose_the_cluster(run_folder):
    rewrite(run_folder / ".hydra/config.yaml", "address: local", "address: evil.example:6379")
    for earlier in ((), ("ray.address=evil.example:6379",)):
        with pytest.raises(PlanError, match="a run folder cannot choose the cluster"):
            stored_config(run_folder, (), earlier)
    for address in ("local", "mine:6379"):
        config, _ = stored_config(run_folder, [f"ray.address={address}"])
        assert config.ray.address == address


def test_a_winner_reads_nothing_of_this_machine(run_folder, monkeypatch):
    monkeypatch.setenv("CANARY", "secret")
    rewrite(run_folder / "best.yaml", "trainer:", "leak: ${oc.env:CANARY}\n  trainer:")
    with pytest.raises(RunFolderError, match="an interpolation") as caught:
        read_best(run_folder / "best.yaml")
    assert "secret" not in str(caught.value)


def test_what_a_stranger_wrote_is_inert_in_tables_and_report(run_folder):
    from hpo_app.analysis.tables import write_trials_csv
    from hpo_app.report.document import write_report

    bad = "</script><script>alert(1)</script>"
    path = run_folder / FILE_NAME
    path.unlink()
    journal = Journal.create(path)
    opened = {
        "run_id": bad,
        "metric": bad,
        "mode": "max",
        "space": {bad: {"low": "=1", "type": bad}},
    }
    facts = {bad: {bad: [bad]}, "n": 10**300}
    journal.append(
        "opened", schema=1, **opened, num_trials=10**9, iterations=10**9, seed=0, facts=facts
    )
    for number, value in enumerate(
        ("=cmd|'/c calc'!A0", "+1", "-1+1", "@x", "\t=1", [1e308], 10**300)
    ):
        journal.append("asked", trial=number, params={bad: value}, is_default=True, seed=0)
        for iteration in (1, 10**9):
            metrics = {bad: 1e308 * (-1) ** number, "=1": 5e-324}
            journal.append("reported", trial=number, iteration=iteration, metrics=metrics)
        journal.append(
            "ended", trial=number, state="failed" if number > 4 else "finished", error=bad
        )
    journal.close()
    study = load_study(run_folder)
    write_trials_csv(study, run_folder / "trials.csv")
    page = write_report(study, run_folder, command=bad, train_command=bad).read_text()
    # The data, and the script that reads it; both are ours.
    assert page.count("<script") == 2
    assert "<script>alert" not in page
    assert page.count("</script>") == 2
    cells = (run_folder / "trials.csv").read_text().replace("\n", ",").split(",")
    assert not [cell for cell in cells if cell.lstrip('"').startswith(("=", "+", "@", "\t"))]


@pytest.mark.ray
def test_a_run_with_bombs_in_its_folder_goes_on_and_sets_off_none(run_folder, tmp_path):
    marker = tmp_path / "marker"
    plant_bombs(run_folder, marker)
    done = subprocess.run(
        [sys.executable, "-m", "hpo_app", "action=resume", f"run={run_folder}", "ray.num_cpus=1"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr  # Trial 2 had failed before.
    assert not marker.exists()
    (last,) = [trial for trial in load_study(run_folder).trials if trial.number == 3]
    assert last.iterations == 3
    log = (run_folder / "trials/3/log.txt").read_text()
    assert "goes on after iteration 2" in log
