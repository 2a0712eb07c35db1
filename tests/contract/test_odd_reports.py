"""What a training function reports or raises is kept, refused or cut, and never stops a run."""

import csv
import io
import os
import subprocess
import sys

import hostile
import pytest
from rich.console import Console

from hpo_app.analysis.failures import error_line
from hpo_app.analysis.tables import write_trials_csv
from hpo_app.report.document import write_report
from hpo_app.report.summary_json import write_summary
from hpo_app.report.terminal import print_summary
from hpo_app.study.records import TrialState
from hpo_app.study.replay import load_study


pytestmark = pytest.mark.ray

ALL = "max_same_failures=100"


def write_everything(study):
    """Return what a person would see of a study, in the report and in the terminal."""
    write_trials_csv(study, study.folder / "trials.csv")
    write_summary(study, study.folder / "summary.json")
    page = write_report(study, study.folder, command="c", train_command="t")
    out = io.StringIO()
    console = Console(file=out, force_terminal=True, color_system=None, width=100)
    print_summary(study, console, run_folder=study.folder, report_path=page, train_command="t")
    with (study.folder / "trials.csv").open(newline="", encoding="utf-8") as file:
        assert len(list(csv.reader(file))) == len(study.trials) + 1
    return page.read_text(encoding="utf-8"), out.getvalue()


def test_every_kind_of_number_is_taken_or_fails_its_trial_alone(hostile_search):
    count = len(hostile.KINDS)
    study = hostile_search("reports_kinds", f"num_trials={count}", "training.iterations=1", ALL)
    states = {
        name: trial.state.value for name, trial in zip(hostile.KINDS, study.trials, strict=True)
    }
    sound = list(hostile.KINDS)[: hostile.SOUND_KINDS]
    assert states == {name: "finished" if name in sound else "failed" for name in hostile.KINDS}
    assert {trial.value("loss") for trial in study.in_state(TrialState.FINISHED)} == {0.5, 3.0}
    for trial in study.in_state(TrialState.FAILED):
        assert "must be a finite number" in error_line(trial.error)
    assert study.stop_reason == f"all {count} trials ended"


def test_odd_names_and_values_are_kept_apart_or_fail_their_trial_alone(hostile_search):
    count = len(hostile.ODD_REPORTS)
    study = hostile_search("reports_oddly", f"num_trials={count}", ALL)
    trials = dict(zip(hostile.ODD_REPORTS, study.trials, strict=True))
    for name in ("sound", "names of Tune's", "lone surrogate", "long name", "control characters"):
        trial = trials.pop(name)
        assert trial.state is TrialState.FINISHED
        assert trial.reports[-1].metrics == hostile.ODD_REPORTS[name]()
        assert trial.iterations == 2
    errors = {name: error_line(trial.error) for name, trial in trials.items()}
    assert "may have 1000 characters at most; got 2000000" in errors["too long a name"]
    assert "must be a number; got 'xxx" in errors["50 MB"]
    assert "may have 1000 metrics at most; got 100001" in errors["too many"]
    assert "must be a number; got <generator" in errors["no pickle"]
    assert "something that cannot be shown (_Shy)" in errors["no repr"]
    assert load_study(study.folder) == study
    assert (study.folder / "journal.jsonl").stat().st_size < 100_000
    write_everything(study)


def test_a_storm_of_reports_is_slowed_down_and_kept(hostile_search):
    study = hostile_search("storms", "num_trials=2", "training.iterations=2000", "seed=1")
    assert [trial.iterations for trial in study.trials] == [2000, 2000]
    assert study.duration_s < 60
    size = sum(path.stat().st_size for path in study.folder.rglob("*") if path.is_file())
    assert size < 2_000_000


def test_every_error_is_kept_short_and_shown_inert(hostile_search):
    count = len(hostile.ERRORS)
    study = hostile_search("raises", f"num_trials={count}", "training.iterations=1", ALL)
    trials = dict(zip(hostile.ERRORS, study.trials, strict=True))
    assert trials.pop("sound").state is TrialState.FINISHED
    assert {trial.state for trial in trials.values()} == {TrialState.FAILED}
    assert max(len(trial.error) for trial in trials.values()) < 25_000
    lines = {name: error_line(trial.error) for name, trial in trials.items()}
    assert max(len(line) for line in lines.values()) <= 500
    assert lines["emoji"] == "ValueError: caf\xe9 \U0001f525 burnt"
    assert lines["colours"].startswith("ValueError: red")
    assert lines["megabyte"].startswith("ValueError: beginxxx")
    assert lines["no pickle"].endswith("NoPickleError: not to be pickled")
    assert "group of 2" in lines["group"]
    assert "ValueError: first member" in trials["group"].error
    assert "KeyError: 'the cause'" in trials["chain"].error
    assert lines["chain"] == "RuntimeError: the consequence"
    assert lines["interrupt"] == "KeyboardInterrupt: not from a person"
    assert load_study(study.folder) == study
    page, shown = write_everything(study)
    for text in (page, shown):
        assert "\x1b]0;" not in text
        assert "\x07" not in text
        assert "\u2028" not in text


def test_an_emoji_does_not_stop_a_run_on_a_machine_that_knows_ascii_only(tmp_path):
    ascii_only = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    trainers = os.path.dirname(hostile.__file__)  # noqa: PTH120
    path = os.pathsep.join([trainers, os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [
            *(sys.executable, "-m", "hpo_app", "search_space=quadratic", "hydra.run.dir=run"),
            *("model.trainer=hostile:raises", "trusted_modules=[hostile]", ALL),
            *("num_trials=2", "training.iterations=1"),
        ],
        cwd=tmp_path,
        env={**os.environ, **ascii_only, "PYTHONPATH": path},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 3, done.stderr.decode(errors="replace")
    study = load_study(tmp_path / "run")
    assert study.stop_reason == "all 2 trials ended"
    emoji = study.trials[list(hostile.ERRORS).index("emoji")]
    assert error_line(emoji.error) == "ValueError: caf\xe9 \U0001f525 burnt"
