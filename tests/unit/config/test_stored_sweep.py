import pytest

from hpo_app.config.arguments import read_arguments
from hpo_app.config.stored_sweep import decided
from hpo_app.errors import PlanError, RunFolderError
from hpo_app.study.sweep import SearchEntry, SweepRecord, names_of, read_sweep


def sweep(folder, *arguments):
    searches = (SearchEntry(0, ("seed=1",), "0"), SearchEntry(1, ("seed=2",), "1"))
    SweepRecord(folder, arguments, "python -m hpo_app", searches).write()
    return folder


def resumed(folder, *typed):
    return read_arguments(["action=resume", f"run={folder}", *typed])


def test_a_sweep_goes_on_with_the_command_line_that_started_it(tmp_path):
    sweep(tmp_path, "-m", "seed=1,2", "hydra/launcher=ray", "hydra.sweep.dir=elsewhere")
    arguments, changes, folder = resumed(tmp_path)
    place = f"hydra.sweep.dir='{tmp_path}'"
    assert arguments == ["--multirun", "seed=1,2", "hydra/launcher=ray", place]
    assert (changes, folder) == ((), tmp_path)


def test_what_changes_applies_to_the_searches_and_what_is_hydras_to_the_sweep(tmp_path):
    sweep(tmp_path, "-m", "seed=1,2", "hydra.sweeper.n_trials=4")
    arguments, changes, _ = resumed(tmp_path, "num_trials=80", "hydra.sweeper.n_trials=6")
    assert changes == ("num_trials=80",)
    assert "hydra.sweeper.n_trials=6" in arguments
    assert "hydra.sweeper.n_trials=4" not in arguments


@pytest.mark.parametrize(
    "argument",
    [
        "trusted_modules=[theirs]",
        "ray.address=10.0.0.1:6379",
        "hydra.launcher.ray.init.address=10.0.0.1:6379",
        "+hydra.launcher.ray.remote.runtime_env.working_dir=/tmp",
        "hydra.sweeper.custom_search_space=theirs.run",
        "hydra.sweeper.storage=sqlite:////tmp/theirs.db",
        "hydra.sweeper.sampler._target_=theirs.Sampler",
        "+hydra.callbacks.theirs._target_=theirs.Callback",
        "hydra.searchpath=[file:///tmp/theirs]",
        "hydra/callbacks=theirs",
        "--config-dir=theirs",
    ],
)
def test_no_folder_decides_whose_code_runs_and_where(tmp_path, argument):
    sweep(tmp_path, "-m", "seed=1,2", argument)
    assert decided(["-m", "seed=1,2", argument]) == (argument,)
    with pytest.raises(PlanError, match="the folder of a sweep cannot decide it"):
        resumed(tmp_path)
    arguments, _, _ = resumed(tmp_path, argument)
    assert arguments.count(argument) == 1


def test_what_decides_the_trials_does_not_change(tmp_path):
    sweep(tmp_path, "-m", "seed=1,2")
    with pytest.raises(PlanError, match="would make its trials incomparable"):
        resumed(tmp_path, "seed=3")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"arguments": [1]}', "[" * 100_000])
def test_a_record_that_nobody_wrote_is_refused(tmp_path, text):
    (tmp_path / "sweep.json").write_text(text)
    with pytest.raises(RunFolderError, match="as hpo_app writes it"):
        read_sweep(tmp_path)


def test_a_record_is_read_as_it_was_written(tmp_path):
    record = SweepRecord(tmp_path, ("-m", "seed=1,2"), "hpo", (SearchEntry(0, ("seed=1",), "0"),))
    record.write()
    assert read_sweep(tmp_path) == record


def test_a_search_is_named_by_what_tells_it_apart():
    searches = [(0, ("preset=standard", "seed=1")), (1, ("preset=standard", "seed=2"))]
    assert names_of(searches) == {0: "0 seed=1", 1: "1 seed=2"}
    assert names_of(searches[:1]) == {0: "0 preset=standard seed=1"}


def test_a_sweep_that_is_written_down_needs_no_flag():
    assert read_arguments(["sweep=tune_the_tuner"])[0] == ["--multirun", "sweep=tune_the_tuner"]
    # As a search of such a sweep is started.
    one = ["sweep=mine", "hydra.mode=RUN"]
    assert read_arguments(one)[0] == one
    assert read_arguments(["sweep=mine", "-m"])[0] == ["sweep=mine", "-m"]
    assert read_arguments(["sweep=mine", "--cfg", "job"])[0] == ["sweep=mine", "--cfg", "job"]
