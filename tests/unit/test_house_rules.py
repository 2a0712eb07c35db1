"""The rules that no linter knows, each with the list of files that break it."""

import ast
import re
import shutil
import subprocess
from pathlib import Path

import pytest


ROOT = Path(__file__).resolve().parents[2]
MAX_LINES = 400
BANNED_NAMES = {"helper", "helpers", "misc", "util", "utils"}
DATA_SUFFIXES = {".yaml", ".yml", ".json", ".toml"}
# One letter of each stands in brackets, so that this file does not break its own rules.
LEFT_FOR_LATER = re.compile(r"\b(?:T[O]DO|F[I]XME|X[X]X)\b")
MACHINE_PATH = re.compile(r"(?<![\w.})>$~-])/(?:work|root|home|Users|opt)/")


@pytest.fixture(scope="module")
def project_files() -> list[Path]:
    """Every file that is committed or would be: what git lists and does not ignore."""
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("needs git and a checkout: the rules are about committed files")
    command = [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    files = [ROOT / name for name in listed.split("\0") if name]
    return [file for file in files if file.is_file()]


def test_no_python_file_is_longer_than_the_hard_stop(project_files: list[Path]) -> None:
    lengths = {file: len(file.read_text("utf-8").splitlines()) for file in python(project_files)}
    offenders = [f"{name(f)}: {n} lines" for f, n in lengths.items() if n > MAX_LINES]
    assert_none(offenders, f"longer than {MAX_LINES} lines; give one of its subjects its own file")


def test_no_module_is_named_after_nothing(project_files: list[Path]) -> None:
    offenders = [
        name(file)
        for file in python(project_files)
        if BANNED_NAMES & {part.lower() for part in file.relative_to(ROOT).with_suffix("").parts}
    ]
    assert_none(offenders, "named after nothing; name it after what it holds")


def test_every_config_file_starts_with_a_comment() -> None:
    offenders = [name(file) for file in yamls() if not head_comment(file)]
    assert_none(offenders, "without a comment at the top: what it is and when to choose it")


def test_every_config_file_ends_in_yaml() -> None:
    data = [file for file in (ROOT / "conf").rglob("*") if file.suffix.lower() in DATA_SUFFIXES]
    offenders = [name(file) for file in data if file.suffix != ".yaml"]
    assert_none(offenders, "invisible to Hydra, which reads .yaml only")


def test_nothing_is_left_for_later(project_files: list[Path]) -> None:
    offenders = matches(LEFT_FOR_LATER, project_files)
    assert_none(offenders, "left for later; do it, or open an issue and say it there")


def test_no_file_names_a_path_of_one_machine(project_files: list[Path]) -> None:
    offenders = matches(MACHINE_PATH, project_files)
    assert_none(offenders, "paths that exist on one machine only; make them relative or a setting")


def test_every_module_opens_with_its_docstring() -> None:
    modules = sorted((ROOT / "hpo_app").rglob("*.py"))
    offenders = [name(file) for file in modules if not opens_with_docstring(file)]
    assert_none(offenders, "without a docstring as the first statement: the label on the door")


def python(files: list[Path]) -> list[Path]:
    return [file for file in files if file.suffix == ".py"]


def yamls() -> list[Path]:
    return sorted((ROOT / "conf").rglob("*.yaml"))


def head_comment(file: Path) -> str:
    """Return the words of the comment that the file begins with, less Hydra's own directives."""
    words = []
    for line in file.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            break
        words.append(line.lstrip("# "))
    return " ".join(word for word in words if not word.startswith("@package")).strip()


def opens_with_docstring(file: Path) -> bool:
    return ast.get_docstring(ast.parse(file.read_text("utf-8"))) is not None


def matches(pattern: re.Pattern[str], files: list[Path]) -> list[str]:
    """Return `file:line: text` for each line that matches."""
    return [
        f"{name(file)}:{number}: {line.strip()}"
        for file in files
        if file.suffix != ".png"  # Any word may come up among its bytes.
        for number, line in enumerate(file.read_text("utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def assert_none(offenders: list[str], rule: str) -> None:
    assert not offenders, f"{len(offenders)} {rule}:\n  " + "\n  ".join(sorted(offenders))
