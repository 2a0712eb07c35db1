"""An event with a right checksum is still only what somebody wrote."""

import json

import pytest

from hpo_app.errors import EXIT_CANNOT_LOAD, RunFolderError
from hpo_app.plan.criteria import Constraint
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.study.journal import FILE_NAME, read_events
from hpo_app.study.lines import line_of
from hpo_app.study.replay import load_study, stored_changes


OPENED = {
    "event": "opened",
    "schema": 1,
    "run_id": "r",
    "metric": "loss",
    "mode": "min",
    "space": {"x": {"type": "uniform", "low": 0, "high": 1}},
    "num_trials": 2,
    "iterations": 4,
    "seed": 0,
}
ASKED = {"event": "asked", "trial": 0, "params": {"x": 0.5}, "is_default": True, "seed": 1}
REPORTED = {"event": "reported", "trial": 0, "iteration": 1, "metrics": {"loss": 1.0}}
SAVED = {"event": "checkpointed", "trial": 0, "path": "trials/0/checkpoint_000000"}
CLONED = {"event": "cloned", "trial": 0, "source": 0, "iteration": 1, "params": {}}
ENDED = {"event": "ended", "trial": 0, "state": "failed"}
RESUMED = {"event": "resumed", "num_trials": 2}


def write(folder, *entries):
    lines = [line_of({"seq": seq, "t": 0.1 * seq, **entry}) for seq, entry in enumerate(entries)]
    (folder / FILE_NAME).write_bytes(b"".join(lines))


NONSENSE = {
    "no name": {"trial": 0},
    "name of a number": {"event": 3},
    "no time": {**REPORTED, "t": None},
    "time in words": {**REPORTED, "t": "soon"},
    "time before the start": {**REPORTED, "t": -1},
    "time without end": {**REPORTED, "t": 10**400},
    "opened twice": OPENED,
    "asked twice": ASKED,
    "asked out of turn": {**ASKED, "trial": 2},
    "asked in the billions": {**ASKED, "trial": 10**12},
    "asked with a flag for a number": {**ASKED, "trial": True},
    "asked without params": {"event": "asked", "trial": 1, "is_default": False, "seed": 1},
    "params in a list": {**ASKED, "trial": 1, "params": [1]},
    "seed of a thousand digits": {**ASKED, "trial": 1, "seed": 10**1000},
    "started by nobody": {"event": "started", "trial": 1},
    "started by a negative": {"event": "started", "trial": -1},
    "started without a trial": {"event": "started"},
    "report of nobody": {**REPORTED, "trial": 7},
    "report without the metric": {**REPORTED, "metrics": {"los": 1.0}},
    "report in words": {**REPORTED, "metrics": {"loss": "1.0"}},
    "report of a flag": {**REPORTED, "metrics": {"loss": True}},
    "report beyond all floats": {**REPORTED, "metrics": {"loss": 10**400}},
    "metrics in a list": {**REPORTED, "metrics": ["loss"]},
    "iteration zero": {**REPORTED, "iteration": 0},
    "iteration of a fraction": {**REPORTED, "iteration": 1.5},
    "iteration in the trillions": {**REPORTED, "iteration": 10**12},
    "path out of the folder": {**SAVED, "path": "../../etc"},
    "path from the root": {**SAVED, "path": "/etc"},
    "path through a dot": {**SAVED, "path": "trials/./0"},
    "path with a null": {**SAVED, "path": "trials/\0"},
    "path of nothing": {**SAVED, "path": ""},
    "path of a number": {**SAVED, "path": 3},
    "path without end": {**SAVED, "path": "a" * 300},
    "clone of nobody": {**CLONED, "source": 9},
    "clone of a state elsewhere": {**CLONED, "checkpoint": "trials/../../x"},
    "end in an unknown state": {**ENDED, "state": "praised"},
    "end in a state that is none": {**ENDED, "state": "running"},
    "end in no state": {**ENDED, "state": None},
    "error in a mapping": {**ENDED, "error": {"a": 1}},
    "resumed with no number": {"event": "resumed"},
    "resumed with one change": {**RESUMED, "changes": "num_trials=3"},
    "resumed with changes of numbers": {**RESUMED, "changes": [3]},
    "closed without a reason": {"event": "closed"},
    "continued elsewhere": {
        "event": "continued", "trial": 0, "checkpoint": "~/x/..", "iteration": 1,
    },
    "nested without end": {"event": "later", "value": json.loads("[" * 100 + "]" * 100)},
}  # fmt: skip


@pytest.mark.parametrize("entry", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_refused_with_its_file_and_line(tmp_path, entry):
    write(tmp_path, OPENED, ASKED, entry)
    for reader in (load_study, stored_changes):
        with pytest.raises(RunFolderError) as caught:
            reader(tmp_path)
        (problem,) = caught.value.problems
        assert problem.key == f"{tmp_path / FILE_NAME}, line 3"
        assert len(str(problem)) < 600
        assert caught.value.exit_code == EXIT_CANNOT_LOAD


@pytest.mark.parametrize("key", [key for key in OPENED if key not in {"event", "schema"}])
@pytest.mark.parametrize("value", [None, "?", -1, [[]], {"a": 1}, 10**12], ids=repr)
def test_a_run_that_opens_with_nonsense_is_refused(tmp_path, key, value):
    if isinstance(value, str) and isinstance(OPENED[key], str) and key != "mode":
        value = {}
    if key == "seed" and value == 10**12:
        value = 0.5
    write(tmp_path, {**OPENED, key: value})
    with pytest.raises(RunFolderError, match="line 1"):
        load_study(tmp_path)


LEARNED = {"run_id": "r", "number": 0, "state": "finished", "params": {}, "curve": [[1, 1.0]]}


@pytest.mark.parametrize(
    "learned",
    [
        5,
        [1],
        [{}],
        [{**LEARNED, "state": "failed"}],
        [{**LEARNED, "state": []}],
        [{**LEARNED, "params": [1]}],
        [{**LEARNED, "curve": []}],
        [{**LEARNED, "curve": [[1]]}],
        [{**LEARNED, "curve": [[1, None]]}],
        [{**LEARNED, "curve": [["1", 1.0]]}],
        [{**LEARNED, "more": 1}],
        [{**LEARNED, "others": {"ms": "1"}}],
    ],
    ids=repr,
)
def test_a_run_that_learned_from_nonsense_is_refused(tmp_path, learned):
    write(tmp_path, {**OPENED, "learned": [LEARNED]}, ASKED)
    assert load_study(tmp_path).trials
    write(tmp_path, {**OPENED, "learned": learned}, ASKED)
    with pytest.raises(RunFolderError, match="line 1"):
        load_study(tmp_path)


BOUND = {"constraints": {"ms": {"max": 20.0}}}


@pytest.mark.parametrize(
    "constraints",
    [5, ["ms"], {"ms": 20}, {"ms": {}}, {"ms": {"most": 20}}, {"ms": {"max": None}}],
    ids=repr,
)
def test_constraints_that_are_none_are_refused(tmp_path, constraints):
    write(tmp_path, {**OPENED, **BOUND}, ASKED)
    assert load_study(tmp_path).criteria.constraints == (Constraint("ms", max=20.0),)
    write(tmp_path, {**OPENED, "constraints": constraints}, ASKED)
    with pytest.raises(RunFolderError, match="line 1"):
        load_study(tmp_path)


BOTH = {"objectives": [{"metric": "loss", "mode": "min"}, {"metric": "ms", "mode": "max"}]}


@pytest.mark.parametrize(
    "objectives",
    [5, [], ["loss"], [{"metric": "loss"}], [{"metric": 3, "mode": "min"}], {"loss": "min"}],
    ids=repr,
)
def test_objectives_that_are_none_are_refused(tmp_path, objectives):
    write(tmp_path, {**OPENED, **BOTH}, ASKED, {**REPORTED, "metrics": {"loss": 1.0, "ms": 2.0}})
    criteria = load_study(tmp_path).criteria
    assert criteria.objectives == (Objective("loss", Mode.MIN), Objective("ms", Mode.MAX))
    write(tmp_path, {**OPENED, **BOTH}, ASKED, REPORTED)
    with pytest.raises(RunFolderError, match="the metric 'ms'"):
        load_study(tmp_path)
    write(tmp_path, {**OPENED, "objectives": objectives}, ASKED)
    with pytest.raises(RunFolderError, match="line 1"):
        load_study(tmp_path)


def test_what_trials_are_judged_by_is_in_every_report_and_of_every_learned_trial(tmp_path):
    report = {**REPORTED, "metrics": {"loss": 1.0, "ms": 3.0}}
    learned = {"learned": [{**LEARNED, "others": {"ms": 4.0}}]}
    write(tmp_path, {**OPENED, **BOUND, **learned}, ASKED, report)
    assert load_study(tmp_path).trials[0].last == report["metrics"]
    write(tmp_path, {**OPENED, **BOUND}, ASKED, REPORTED)
    with pytest.raises(RunFolderError, match="the metric 'ms'"):
        load_study(tmp_path)
    write(tmp_path, {**OPENED, **BOUND, "learned": [LEARNED]}, ASKED)
    with pytest.raises(RunFolderError, match="the metric 'ms'"):
        load_study(tmp_path)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"[" * 100_000, id="nested beyond the stack"),
        pytest.param(b'{"seq":2,"t":NaN}', id="a number that JSON lacks"),
        pytest.param(b'{"seq":2,"t":%s}' % (b"9" * 100_000), id="a number of 100000 digits"),
        pytest.param(b'{"seq":2,"t":1,"event":"\xff"}', id="no UTF-8"),
        pytest.param('{"seq":2}'.encode("utf-16"), id="UTF-16"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"", id="nothing"),
    ],
)
def test_a_line_that_is_no_event_is_refused(tmp_path, body):
    import zlib

    write(tmp_path, OPENED, ASKED)
    with (tmp_path / FILE_NAME).open("ab") as file:
        file.write(b"%08x %s\n" % (zlib.crc32(body), body))
    with pytest.raises(RunFolderError, match="line 3"):
        load_study(tmp_path)


def test_an_event_of_a_later_release_may_hold_anything(tmp_path):
    write(tmp_path, OPENED, ASKED, {"event": "later", "trial": "all", "changes": 3})
    assert len(load_study(tmp_path).trials) == 1
    assert stored_changes(tmp_path) == []


def test_an_event_that_could_not_be_read_again_is_not_written():
    with pytest.raises(ValueError, match="a journal takes up to"):
        line_of({"seq": 0, "text": "x" * 2**24})


def test_an_end_that_comes_twice_does_not_make_two_trials(tmp_path):
    write(tmp_path, OPENED, ASKED, REPORTED, ENDED, {**ENDED, "state": "finished"})
    (trial,) = load_study(tmp_path).trials
    assert trial.value("loss") == 1.0


def test_the_events_of_a_real_trial_pass(tmp_path):
    write(tmp_path, OPENED, ASKED, REPORTED, SAVED, CLONED, ENDED, RESUMED)
    assert [event.seq for event in read_events(tmp_path / FILE_NAME)] == list(range(7))
