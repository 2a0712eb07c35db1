"""What the disks cannot take is said before anything starts, all at once and with numbers."""

import os
import sys
import tempfile
from pathlib import Path

import pytest

from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.errors import EXIT_RESOURCES, ResourceError
from hpo_app.tuning.preflight import disk_row, need_of, refuse_at_start
from hpo_app.tuning.temp_folder import LONGEST, ray_temp_folder


def plan_of(*overrides):
    return parse_plan(*compose_config(["search_space=quadratic", *overrides]))


@pytest.fixture(autouse=True)
def _no_ray_yet(monkeypatch):
    """As in a process that has started no Ray: another test may have."""
    monkeypatch.setitem(sys.modules, "ray", None)


@pytest.fixture
def temporary(monkeypatch):
    """Make a folder the one for temporary files."""

    def use(folder):
        monkeypatch.delenv("RAY_TMPDIR", raising=False)
        monkeypatch.setenv("TMPDIR", str(folder))
        monkeypatch.setattr(tempfile, "tempdir", None)

    yield use
    tempfile.tempdir = None


@pytest.mark.parametrize(
    ("overrides", "slots", "number"),
    [
        pytest.param(["num_trials=20"], 2, 2 * 2 + 2 + 1, id="two at once and the best"),
        pytest.param(["num_trials=2", "checkpoints.keep_best=9"], 4, 2 * 2 + 2 + 2, id="few"),
        pytest.param(["num_trials=8", "scheduler=pbt"], 2, 2 * 8 + 2 + 1, id="all members"),
        pytest.param(["training.checkpoint_every=0"], 2, 0, id="none"),
    ],
)
def test_the_checkpoints_of_a_run_are_counted(overrides, slots, number):
    assert need_of(plan_of(*overrides), slots).num_checkpoints == number


def test_a_plan_says_what_the_disk_has_and_what_a_run_needs(tmp_path):
    text = disk_row(plan_of("num_trials=2000"), tmp_path, 2)
    assert " free of " in text
    assert "33 MB for journal, logs and report, and up to 7 checkpoints" in text


@pytest.fixture
def short():
    """Make a folder whose path is short enough for sockets."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder)


def test_full_disks_and_too_few_cpus_are_said_together(small_disk, temporary, short):
    outputs, temp = small_disk("1m", name="outputs"), short / "temp"
    temp.symlink_to(small_disk("2m", name="temp"))
    temporary(temp)
    with pytest.raises(ResourceError) as refused:
        refuse_at_start(plan_of("resources.cpu=9999"), outputs / "run")
    assert refused.value.exit_code == EXIT_RESOURCES
    problems = {problem.key: problem for problem in refused.value.problems}
    assert list(problems) == ["resources.cpu", f"disk of {outputs}/run", f"disk of {temp}/ray"]
    assert problems[f"disk of {outputs}/run"].got == "1.0 MB free of 1.0 MB"
    assert problems[f"disk of {outputs}/run"].expected.startswith("at least 2.3 MB: ")
    assert problems[f"disk of {temp}/ray"].got == "2.1 MB free of 2.1 MB"
    assert "set TMPDIR to a folder on another disk" in problems[f"disk of {temp}/ray"].fix


def test_a_run_that_goes_on_needs_room_for_checkpoints_of_the_size_that_it_has(small_disk):
    disk = small_disk("12m")
    state = disk / "trials" / "0" / "checkpoint_000000"
    state.mkdir(parents=True)
    (state / "weights").write_bytes(bytes(6_000_000))
    with pytest.raises(ResourceError, match=r"12 MB for checkpoints") as refused:
        refuse_at_start(plan_of("ray.num_cpus=2"), disk)
    assert len(refused.value.problems) == 1


def test_a_folder_that_cannot_be_written_is_refused(small_disk):
    disk = small_disk("9m", "ro")
    with pytest.raises(ResourceError, match="Read-only file system") as refused:
        refuse_at_start(plan_of(), disk / "run")
    assert refused.value.problems[0].key == f"{disk}/run"


def test_nothing_is_in_the_way_of_an_ordinary_run(tmp_path):
    refuse_at_start(plan_of(), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_ray_keeps_its_files_where_the_person_wants_them(temporary, short):
    temporary(short)
    assert ray_temp_folder() == (short / "ray", "")


def test_a_temporary_folder_that_ray_cannot_spell_is_replaced(temporary, short):
    (short / "ü").mkdir()
    temporary(short / "ü")
    folder, note = ray_temp_folder()
    assert folder.is_relative_to("/tmp")
    assert note.endswith(f"{short}/ü/ray has letters that Ray cannot read")


def test_a_temporary_folder_too_long_for_sockets_is_replaced_and_the_person_told(
    tmp_path, temporary
):
    long = tmp_path / ("x" * (119 - len(str(tmp_path))))
    long.mkdir()
    temporary(long)
    folder, note = ray_temp_folder()
    assert len(os.fsencode(folder)) <= LONGEST
    assert note == (
        f"Ray keeps its files in {folder}: {long}/ray has 124 bytes, "
        f"and sockets in it leave room for {LONGEST}"
    )


def test_a_temporary_folder_that_cannot_be_written_is_replaced_and_the_person_told(temporary):
    temporary("/proc")
    folder, note = ray_temp_folder()
    assert folder != Path("/proc/ray")
    assert note.startswith(f"Ray keeps its files in {folder}: ")
