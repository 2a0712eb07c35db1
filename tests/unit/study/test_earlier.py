"""Of earlier runs, those trials count that measured the same number; the others have a reason."""

import json
import shutil
from types import MappingProxyType

import pytest

from hpo_app.actions.plan import plan_rows
from hpo_app.config.compose import compose_config
from hpo_app.config.parse import parse_plan
from hpo_app.errors import EXIT_CANNOT_LOAD, EXIT_CONFIG, HpoError, PlanError, RunFolderError
from hpo_app.report.sentences import earlier_sentence
from hpo_app.study.earlier import EarlierTrial, read_earlier
from hpo_app.study.journal import Journal
from hpo_app.study.records import TrialState


SOUND = {"x": 1.0, "rate": 0.01, "depth": 2, "kind": "smooth"}


@pytest.fixture
def plan_of():
    """Build the plan of a run over the quadratic space."""

    def build(*overrides, warm_start=()):
        fixed = ["search_space=quadratic", "search_alg=optuna", "training.iterations=3"]
        names = ",".join(f"'{name}'" for name in warm_start)
        return parse_plan(*compose_config([*fixed, f"warm_start=[{names}]", *overrides]))

    return build


@pytest.fixture
def earlier_run(tmp_path, plan_of):
    """Write the journal of an earlier run: `(params, state, values)` of each trial."""

    def write(name, *trials, others=MappingProxyType({}), **changes):
        plan = plan_of()
        folder = tmp_path / name
        folder.mkdir()
        journal = Journal.create(folder / "journal.jsonl")
        opened = {
            "schema": 1,
            "run_id": name,
            "metric": "loss",
            "mode": "min",
            "space": plan.space_entries,
            "num_trials": len(trials),
            "iterations": 3,
            "seed": 0,
            "facts": {"choices": dict(plan.choices)},
        }
        journal.append("opened", **{**opened, **changes})
        for number, (params, state, values) in enumerate(trials):
            journal.append("asked", trial=number, params=params, is_default=False, seed=0)
            for iteration, value in enumerate(values, start=1):
                metrics = {changes.get("metric", "loss"): value, **others}
                journal.append("reported", trial=number, iteration=iteration, metrics=metrics)
            if state:
                journal.append("ended", trial=number, state=state, told="")
        journal.close()
        return str(folder)

    return write


def test_a_trial_counts_with_what_is_active_now_and_keeps_the_rules(earlier_run, plan_of):
    today = ("+search_space.depth.when={kind: smooth}", "+search_space.require.a='x < 3'")
    rough = {"x": 1.0, "rate": 0.01, "kind": "rough"}
    trials = [SOUND, rough, {**SOUND, "kind": "rough"}, {**SOUND, "x": 4.0}, {**rough, "x": 3.0}]
    folder = earlier_run("before", *((params, "finished", [1.0]) for params in trials))
    (run,) = read_earlier(plan_of(*today, warm_start=[folder]))
    assert [trial.params for trial in run.taken] == [SOUND, rough, rough]
    assert run.left_out == {"against today's rules": (3, 4)}


def test_finished_and_stopped_trials_are_taken_with_their_last_report(earlier_run, plan_of):
    folder = earlier_run(
        "before", (SOUND, "finished", [3.0, 2.0, 1.0]), ({**SOUND, "x": 2.0}, "stopped", [4.0])
    )
    (run,) = read_earlier(plan_of(warm_start=[folder]))
    assert run.taken == (
        EarlierTrial("before", 0, TrialState.FINISHED, SOUND, ((3, 1.0),)),
        EarlierTrial("before", 1, TrialState.STOPPED, {**SOUND, "x": 2.0}, ((1, 4.0),)),
    )
    assert run.left_out == {}


@pytest.mark.parametrize(
    ("trial", "reason"),
    [
        pytest.param((SOUND, "failed", [1.0]), "failed", id="failed"),
        pytest.param((SOUND, "interrupted", [1.0]), "not trained to the end", id="cut off"),
        pytest.param((SOUND, "", [1.0]), "not trained to the end", id="killed in mid-training"),
        pytest.param((SOUND, "finished", []), "without a report", id="nothing reported"),
        pytest.param(
            ({**SOUND, "x": 99.0}, "finished", [1.0]),
            "with x outside today's values",
            id="value outside the range",
        ),
        pytest.param(
            ({**SOUND, "kind": "spiral", "depth": 0}, "finished", [1.0]),
            "with depth and kind outside today's values",
            id="two values outside",
        ),
    ],
)
def test_a_trial_that_does_not_count_is_left_out_with_its_reason(
    earlier_run, plan_of, trial, reason
):
    folder = earlier_run("before", (SOUND, "finished", [1.0]), trial)
    (run,) = read_earlier(plan_of(warm_start=[folder]))
    assert run.left_out == {reason: (1,)}
    assert [taken.number for taken in run.taken] == [0]
    expected = f"1 of 2 trials of {folder} taken; left out: trial 1 {reason}"
    assert earlier_sentence(run) == expected
    assert run.facts == {"taken": 1, "left_out": {reason: [1]}, "differing": []}


def test_what_trials_are_judged_by_besides_is_taken_too_and_its_lack_is_a_reason(
    earlier_run, plan_of
):
    plain = earlier_run("plain", (SOUND, "finished", [1.0]))
    costly = earlier_run("costly", (SOUND, "finished", [1.0]), others={"cost": 3.0, "size": 9.0})
    bounded = "+constraints.cost.max=1"
    with pytest.raises(PlanError) as caught:
        read_earlier(plan_of(bounded, warm_start=[plain]))
    assert caught.value.problems[0].got == f"{plain}: 1 without cost"
    (run,) = read_earlier(plan_of(bounded, warm_start=[costly]))
    assert run.taken[0].others == {"cost": 3.0}
    assert EarlierTrial.from_fields(run.taken[0].to_fields()) == run.taken[0]


def test_a_trial_that_a_population_changed_is_left_out(earlier_run, plan_of, tmp_path):
    folder = earlier_run("before", (SOUND, "finished", [1.0]), (SOUND, "", [2.0]))
    journal, _ = Journal.reopen(tmp_path / "before" / "journal.jsonl")
    journal.append("cloned", trial=1, source=0, iteration=1, params=SOUND)
    journal.append("reported", trial=1, iteration=2, metrics={"loss": 1.0})
    journal.append("ended", trial=1, state="finished", told="")
    journal.close()
    (run,) = read_earlier(plan_of(warm_start=[folder]))
    assert run.left_out == {"with parameters that changed on the way": (1,)}


def test_a_value_between_two_steps_of_today_is_left_out(earlier_run, plan_of):
    step = ["search_space.x.type=quniform", "+search_space.x.q=0.5"]
    on, off = ({**SOUND, "x": x} for x in (1.5, 1.4))
    folder = earlier_run("before", (on, "finished", [1.0]), (off, "finished", [1.0]))
    (run,) = read_earlier(plan_of(*step, warm_start=[folder]))
    assert run.left_out == {"with x outside today's values": (1,)}


@pytest.mark.parametrize(
    ("changes", "got", "expected"),
    [
        pytest.param({"metric": "score"}, "score, min", "loss, min", id="metric"),
        pytest.param({"mode": "max"}, "loss, max", "loss, min", id="mode"),
        pytest.param({"iterations": 9}, "9 iterations", "3, as here", id="fidelity"),
        pytest.param({"facts": {"choices": {"model": "ppo"}}}, "ppo", "quadratic", id="model"),
    ],
)
def test_a_run_that_cannot_be_compared_is_refused(earlier_run, plan_of, changes, got, expected):
    folder = earlier_run("before", (SOUND, "finished", [1.0]), **changes)
    with pytest.raises(PlanError) as caught:
        read_earlier(plan_of(warm_start=[folder]))
    (problem,) = caught.value.problems
    assert problem.key == "warm_start[0]"
    assert got in problem.got
    assert expected in problem.expected
    assert "leave it out" in problem.fix


def test_a_run_over_other_parameters_is_refused_with_what_would_help(earlier_run, plan_of):
    space = {name: entry for name, entry in plan_of().space_entries.items() if name != "rate"}
    params = {name: value for name, value in SOUND.items() if name != "rate"}
    others = {**space, "lr": {"type": "uniform", "low": 0, "high": 1}}
    folder = earlier_run("before", ({**params, "lr": 0.5}, "finished", [1.0]), space=others)
    with pytest.raises(PlanError) as caught:
        read_earlier(plan_of(warm_start=[folder]))
    (problem,) = caught.value.problems
    assert problem.got.endswith("a run over x, depth, kind and lr")
    assert "~search_space.rate" in problem.fix
    assert "add lr to the search space" in problem.fix


def test_a_run_of_which_nothing_counts_is_refused(earlier_run, plan_of):
    folder = earlier_run("before", (SOUND, "failed", [1.0]), (SOUND, "", []))
    with pytest.raises(PlanError) as caught:
        read_earlier(plan_of(warm_start=[folder]))
    assert caught.value.problems[0].got == f"{folder}: 1 failed and 1 not trained to the end"


def test_all_that_is_wrong_is_said_at_once(earlier_run, plan_of, tmp_path):
    sound = earlier_run("sound", (SOUND, "finished", [1.0]))
    other = earlier_run("other", (SOUND, "finished", [1.0]), mode="max", iterations=9)
    torn = earlier_run("torn", (SOUND, "finished", [1.0]))
    journal = tmp_path / "torn" / "journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(b"loss", b"lass", 1))
    folders = [sound, other, f"{tmp_path}/nowhere", torn, f"{tmp_path}/./sound"]
    with pytest.raises(RunFolderError) as caught:
        read_earlier(plan_of(warm_start=folders))
    keys = [problem.key for problem in caught.value.problems]
    assert keys == [
        f"{tmp_path}/nowhere/journal.jsonl",
        f"{journal}, line 1",
        "warm_start[1]",
        "warm_start[1]",
        "warm_start[4]",
    ]
    assert caught.value.exit_code == EXIT_CANNOT_LOAD


def test_runs_are_taken_in_the_order_in_which_they_are_named(earlier_run, plan_of):
    folders = [earlier_run(name, (SOUND, "finished", [1.0])) for name in ("b", "a")]
    runs = read_earlier(plan_of(warm_start=folders))
    assert [run.folder for run in runs] == folders


def test_what_the_journal_keeps_of_a_trial_is_the_trial(earlier_run, plan_of):
    folder = earlier_run("before", (SOUND, "stopped", [3.0, 2.5]))
    (run,) = read_earlier(plan_of(warm_start=[folder]))
    (trial,) = run.taken
    assert EarlierTrial.from_fields(json.loads(json.dumps(trial.to_fields()))) == trial


@pytest.mark.parametrize(
    ("overrides", "fix"),
    [
        pytest.param(["search_alg=random"], "or set search_alg=optuna", id="random"),
        pytest.param(
            ["search_alg=random", "scheduler=pbt"],
            "or set search_alg=optuna scheduler=asha",
            id="population",
        ),
    ],
)
def test_earlier_runs_for_a_searcher_that_never_learns_are_refused(plan_of, overrides, fix):
    with pytest.raises(HpoError) as caught:
        plan_of(*overrides, warm_start=["outputs/before"])
    (problem,) = caught.value.problems
    assert problem.key == "warm_start"
    assert "draws without a look at results" in problem.expected
    assert problem.fix.endswith(fix)
    assert caught.value.exit_code == EXIT_CONFIG


def test_the_folder_of_an_earlier_run_is_left_as_it_is(earlier_run, plan_of, tmp_path):
    folder = earlier_run("before", (SOUND, "finished", [1.0]))
    shutil.copytree(folder, tmp_path / "copy")
    read_earlier(plan_of(warm_start=[folder]))
    before, after = (tmp_path / name / "journal.jsonl" for name in ("copy", "before"))
    assert after.read_bytes() == before.read_bytes()
    assert [path.name for path in (tmp_path / "before").iterdir()] == ["journal.jsonl"]


def test_the_plan_says_what_would_be_taken(earlier_run, plan_of):
    folder = earlier_run("before", (SOUND, "finished", [1.0]), (SOUND, "failed", []))
    plan = plan_of(warm_start=[folder])
    rows = plan_rows(plan, 2, read_earlier(plan))
    assert ("warm start", f"1 of 2 trials of {folder} taken; left out: trial 1 failed") in rows
