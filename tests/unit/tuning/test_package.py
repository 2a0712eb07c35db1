"""What is sent to other nodes is measured before it is packed, and named if it is too large."""

from pathlib import Path

import pytest

from hpo_app.errors import ResourceError
from hpo_app.tuning import package
from hpo_app.tuning.package import here, working_dir


def write(path, size=10):
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.truncate(size)


def test_results_environments_and_what_is_ignored_do_not_count(tmp_path, monkeypatch):
    monkeypatch.setattr(package, "LARGEST", 1000)
    write(tmp_path / "train.py", 500)
    for name in (
        "outputs/run/state", ".git/objects/pack", ".venv/lib/torch.so", "sub/__pycache__/a.pyc",
        "data/big.bin", "mine/run/state", "weights.pt",
    ):  # fmt: skip
        write(tmp_path / name, 5000)
    (tmp_path / ".gitignore").write_text("data/\n")
    (tmp_path / ".rayignore").write_text("*.pt\n")
    found = working_dir(str(tmp_path), tmp_path / "mine" / "run")
    assert found["working_dir"] == str(tmp_path)
    assert "/mine/run/" in found["excludes"]


def test_code_that_is_named_as_results_are_is_sent(tmp_path, monkeypatch):
    monkeypatch.setattr(package, "LARGEST", 1000)
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "my_pkg" / "outputs" / "layers.py", 500)
    write(tmp_path / "my_pkg" / "multirun" / "grid.py", 400)
    write(tmp_path / "outputs" / "state", 5000)
    assert "/outputs/" in working_dir(".", None)["excludes"]
    write(tmp_path / "my_pkg" / "outputs" / "more.py", 500)
    with pytest.raises(ResourceError, match="my_pkg with"):
        working_dir(".", None)
    monkeypatch.chdir(tmp_path / "my_pkg")  # Its own results are where a person stands.
    assert "/my_pkg/outputs/" in working_dir("..", None)["excludes"]


def test_a_folder_that_is_too_large_is_refused_with_what_is_large_in_it(tmp_path):
    write(tmp_path / "train.py")
    write(tmp_path / "data" / "deep" / "images.bin", 200_000_000)
    with pytest.raises(ResourceError) as refused:
        working_dir(str(tmp_path), tmp_path / "outputs" / "run")
    (problem,) = refused.value.problems
    assert problem.key == "ray.working_dir"
    assert "data with 200 MB" in problem.got
    assert problem.expected == "at most 100 MB to send"
    assert "ray.working_dir=null" in problem.fix


def test_a_folder_of_very_many_files_is_refused_without_a_look_at_all_of_them(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(package, "_MOST_FILES", 5)
    for number in range(9):
        write(tmp_path / "many" / f"{number}.txt")
    with pytest.raises(ResourceError, match="or 5 files: so far many with"):
        working_dir(str(tmp_path), None)


def test_a_folder_that_is_not_there_is_refused_and_null_sends_nothing(tmp_path):
    with pytest.raises(ResourceError, match="which is no folder"):
        working_dir(str(tmp_path / "missing"), None)
    assert working_dir("", tmp_path) == {}


def test_a_path_of_the_drivers_is_looked_for_in_the_copy(tmp_path):
    copy = Path.cwd()  # Where this process has started, as a worker does in its copy.
    assert here("/driver/code/src", "/driver/code") == str(copy / "src")
    assert here("/driver/code", "/driver/code") == str(copy)
    assert here("/usr/lib/python", "/driver/code") == "/usr/lib/python"
    assert here("/driver/code/src", "") == "/driver/code/src"
