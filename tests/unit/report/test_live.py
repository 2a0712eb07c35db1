"""What a person sees of a run while it lasts."""

import io

import pytest
from hypothesis import given, strategies as st
from rich.console import Console

from hpo_app.analysis.best import best_trial
from hpo_app.plan.criteria import Constraint
from hpo_app.plan.run_plan import Mode, Objective
from hpo_app.report.live import LiveView, PlainView, Progress, make_view
from hpo_app.study.fresh import FreshSoFar
from hpo_app.study.records import TrialState


def console_of(width=100, *, is_terminal=False):
    return Console(file=io.StringIO(), width=width, force_terminal=is_terminal, highlight=False)


def shown(console):
    return console.file.getvalue()


@pytest.fixture
def progress(make_study):
    return Progress(make_study().criteria, num_trials=4, iterations=3)


outcomes = st.lists(
    st.tuples(
        st.lists(st.sampled_from([0.1, 0.2, 0.3]), min_size=1, max_size=3),
        st.sampled_from(TrialState),
    ),
    max_size=6,
)


@given(outcomes=outcomes)
def test_the_best_on_the_way_is_the_best_at_the_end(make_study, make_trial, outcomes):
    trials = [
        make_trial(number, values, state=state) for number, (values, state) in enumerate(outcomes)
    ]
    study = make_study(*trials, iterations=3)
    progress = Progress(study.criteria, len(trials), study.iterations)
    for number, (values, _) in enumerate(outcomes):
        progress.update(make_trial(number, values[:1], state=TrialState.RUNNING))
    for trial in trials:
        progress.update(trial)
    assert progress.best == best_trial(study)


def test_of_a_confirmation_it_says_how_far_it_is_and_how_long_it_takes(progress, make_trial):
    console = console_of(400)
    view = PlainView(progress, console)
    view.changed("ended", make_trial(0, [0.5, 0.4, 0.3]))
    view.confirms(FreshSoFar(3, 11, None))
    view.refresh(40.0)
    view.confirms(FreshSoFar(5, 11, 90.0))
    view.refresh(80.0)
    before, after = shown(console).splitlines()[-2:]
    assert "confirmation: 3 of 11 trainings at most" in before
    assert "40 s gone, time left not known yet" in before
    assert "confirmation: 5 of 11 trainings at most" in after
    assert "1 min 20 s gone, about 1 min 30 s left at most" in after


def test_when_the_best_fails_the_next_best_takes_its_place(progress, make_trial, make_failed_trial):
    progress.update(make_trial(0, [0.5], state=TrialState.RUNNING))
    progress.update(make_trial(1, [0.1], state=TrialState.RUNNING))
    assert progress.best.number == 1
    progress.update(make_failed_trial(1, "Boom: no"))
    assert progress.best.number == 0


def test_a_pipe_gets_a_line_per_trial_and_the_best_in_full_only_when_it_changes(
    progress, make_trial
):
    console = console_of(width=40)
    with PlainView(progress, console) as view:
        view.changed("ended", make_trial(0, [0.5, 0.4, 0.3]))
        view.changed("ended", make_trial(1, [0.9, 0.9, 0.9]))
        view.changed("reported", make_trial(2, [0.9], state=TrialState.RUNNING))
    first, second = shown(console).splitlines()
    assert first.startswith("[1/4] trial 0 finished after 3 iterations")
    assert "=" in first.split("best so far")[1]
    assert second.startswith("[2/4] trial 1 finished")
    assert "=" not in second.split("best so far")[1]


def test_a_failed_trial_is_said_with_its_error_and_its_log(progress, make_failed_trial):
    console = console_of()
    with PlainView(progress, console) as view:
        view.changed("ended", make_failed_trial(3, "Traceback\n  File x\nKeyError: 'y'"))
    assert "trial 3 failed: KeyError: 'y' (see trials/3/log.txt)" in shown(console)


@pytest.mark.parametrize("width", [40, 60, 100, 200])
def test_the_live_table_keeps_numbers_readable_at_every_width(progress, make_trial, width):
    console = console_of(width, is_terminal=True)
    with LiveView(progress, console) as view:
        view.changed("reported", make_trial(0, [0.512345], state=TrialState.RUNNING))
        view.changed("ended", make_trial(1, [0.4, 0.3, 0.2]))
        view.refresh(12.0)
        drawn = shown(console)
    assert "1/4 trials" in drawn
    assert "0.5123" in drawn
    assert "1 running, 1 finished" in drawn
    assert "best so far 0.2" in drawn


def test_a_notice_is_shown_at_once(progress):
    for view_type, is_terminal in ((PlainView, False), (LiveView, True)):
        console = console_of(is_terminal=is_terminal)
        with view_type(progress, console) as view:
            view.notice("stopping")
            assert "stopping" in shown(console)


def test_the_view_follows_the_console(progress):
    assert isinstance(make_view(progress, console_of()), PlainView)
    assert isinstance(make_view(progress, console_of(is_terminal=True)), LiveView)


def test_the_time_left_is_estimated_from_what_has_ended(progress, make_trial):
    assert progress.seconds_left(10.0) is None
    progress.update(make_trial(0, [0.3, 0.3, 0.3]))
    assert progress.seconds_left(10.0) == pytest.approx(30.0)


@pytest.mark.parametrize("is_confirmed", [False, True])
def test_that_a_confirmation_follows_is_said_beside_the_time_left(
    make_study, make_trial, is_confirmed
):
    criteria = make_study().criteria
    progress = Progress(criteria, num_trials=4, iterations=3, is_confirmed=is_confirmed)
    console = console_of(200)
    view = PlainView(progress, console)
    view.changed("ended", make_trial(0, [0.5, 0.4, 0.3]))
    view.refresh(40.0)
    rest = " left, then the confirmation; " if is_confirmed else " left; "
    assert f"40 s gone, about 2 min 00 s{rest}" in shown(console)


def test_a_best_beyond_a_constraint_is_not_called_best_without_saying_so(make_study, make_trial):
    study = make_study(constraints=(Constraint("cost", max=0.1),))
    progress, console = Progress(study.criteria, num_trials=4, iterations=3), console_of()
    view = PlainView(progress, console)
    view.changed("ended", make_trial(0, [0.5], others={"cost": 0.2}))
    assert "(trial 0, iteration 1), which does not keep cost at most 0.1 (0.2)" in shown(console)
    view.changed("ended", make_trial(1, [0.9], others={"cost": 0.1}))
    assert shown(console).splitlines()[-1].endswith("(trial 1, iteration 1): lr=0.05")


def test_with_several_objectives_the_front_so_far_is_told(make_study, make_trial):
    both = (Objective("loss", Mode.MIN), Objective("cost", Mode.MIN))
    progress = Progress(make_study(objectives=both).criteria, num_trials=4, iterations=1)
    console = console_of(200, is_terminal=True)
    view = PlainView(progress, console)
    view.changed("ended", make_trial(0, [0.5], others={"cost": 0.2}))
    view.changed("ended", make_trial(1, [0.1], others={"cost": 0.4}))
    view.changed("ended", make_trial(2, [0.6], others={"cost": 0.3}))
    lines = shown(console).splitlines()
    assert "loss 0.5 and cost 0.2; on the Pareto front: loss 0.5 to 0.5 and" in lines[0]
    assert lines[1].endswith("on the Pareto front: loss 0.1 to 0.5 and cost 0.2 to 0.4")
    assert [trial.number for trial in progress.front] == [1, 0]
    assert progress.best is None
    with LiveView(progress, console) as live:
        live.changed(
            "started", make_trial(3, [0.7], others={"cost": 0.1}, state=TrialState.RUNNING)
        )
        live.refresh(1.0)
    assert "on the Pareto front" in shown(console)
