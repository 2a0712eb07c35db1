"""A run folder that a person names: nothing of theirs is removed or written over."""

import pytest


QUICK = ["search_space=quadratic", "preset=quick_test"]


@pytest.mark.parametrize("arguments", [["action=plan"], ["num_trials=0"], ["resources.cpu=9999"]])
@pytest.mark.parametrize("folder", [".", "mine", "mine/deeper"])
def test_a_run_that_never_began_leaves_a_persons_files_alone(hpo, tmp_path, arguments, folder):
    files = [tmp_path / "thesis.txt", tmp_path / "mine" / "data.csv"]
    (tmp_path / "mine" / "deeper").mkdir(parents=True)
    for file in files:
        file.write_text("precious")
    hpo(*QUICK, *arguments, f"hydra.run.dir={folder}")
    assert [file.read_text() for file in files] == ["precious", "precious"]
    assert not (tmp_path / folder / ".hydra").exists()


@pytest.mark.parametrize("arguments", [["action=plan"], [], ["num_trials=0"]])
def test_a_folder_that_holds_a_run_is_refused_before_anything_is_written(hpo, tmp_path, arguments):
    (tmp_path / "run" / ".hydra").mkdir(parents=True)
    (tmp_path / "run" / "journal.jsonl").write_text("the truth")
    (tmp_path / "run" / ".hydra" / "config.yaml").write_text("the config")
    done = hpo(*QUICK, *arguments, "hydra.run.dir=run")
    assert done.returncode == 2
    assert "go on with it by action=resume run=run" in done.stderr
    assert (tmp_path / "run" / "journal.jsonl").read_text() == "the truth"
    assert (tmp_path / "run" / ".hydra" / "config.yaml").read_text() == "the config"
