"""The wheel: it carries conf/, and runs from a folder that has nothing of the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest


pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built with the build backend of this environment."""
    folder = tmp_path_factory.mktemp("wheel")
    python("-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel's content and no other package."""
    folder = tmp_path_factory.mktemp("installed")
    python("-m", "pip", "install", "--no-deps", "--no-index", "--target", str(folder), str(wheel))
    return folder


def test_the_wheel_holds_every_config_file(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert "hpo_app/conf/config.yaml" in names
    assert {name for name in names if name.endswith(".yaml")} == {
        f"hpo_app/{file.relative_to(ROOT).as_posix()}" for file in (ROOT / "conf").rglob("*.yaml")
    }


def test_the_wheel_holds_the_whole_package_and_nothing_beside_it(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    beside_conf = {name for name in names if not name.startswith("hpo_app/conf/")}
    assert {name for name in beside_conf if ".dist-info/" not in name} == {
        file.relative_to(ROOT).as_posix()
        for package in ("hpo_app", "hydra_plugins")
        for file in (ROOT / package).rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }


def test_the_installed_wheel_composes_its_own_config(installed: Path, tmp_path: Path) -> None:
    env = {"PYTHONPATH": str(installed)}
    used = python("-c", "import hpo_app; print(hpo_app.__file__)", cwd=tmp_path, **env)
    assert Path(used.strip()).is_relative_to(installed)

    config = python("-m", "hpo_app", "--cfg", "job", cwd=tmp_path, **env)
    assert "objective:" in config
    assert list(tmp_path.iterdir()) == []

    searched = python("-m", "hpo_app", "--info", "searchpath", cwd=tmp_path, **env)
    assert str(ROOT) not in searched


def python(*arguments: str, cwd: Path = ROOT, **env: str) -> str:
    """Run this Python and return what it printed; fail with all of its output."""
    run = subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, f"{arguments} left with {run.returncode}\n{run.stdout}{run.stderr}"
    return run.stdout
