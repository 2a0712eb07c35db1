from __future__ import annotations

import pytest

from hpo_app.analysis.lineage import Stretch
from hpo_app.plots.pbt_lineage import Copy, draw, pbt_lineage
from hpo_app.study.records import Clone, TrialState


SPACE = {"lr": {"type": "uniform"}, "width": {"type": "choice", "values": [8, 16]}}


@pytest.fixture
def population(make_study, make_trial, make_failed_trial):
    """Trial 1 goes on from trial 0 at iteration 2, trial 2 from trial 1 at iteration 4."""
    first = {"lr": 0.1, "width": 8}
    second, third = {"lr": 0.2, "width": 8}, {"lr": 0.4, "width": 8}
    own = make_trial(1, [9.0, 8.0]).reports
    return make_study(
        make_trial(0, [5.0, 4.0, 3.5, 3.4, 3.3, 3.2], params=first),
        make_trial(
            1,
            [9.0, 8.0, 3.0, 2.0, 1.5, 1.4],
            params=second,
            own_params={"lr": 0.9, "width": 8},
            own_reports=own,
            clones=(Clone(0, 2, second, at_s=2.5),),
        ),
        make_trial(
            2,
            [9.0, 8.0, 7.0, 6.0, 1.0, 0.5],
            params=third,
            own_params={"lr": 0.8, "width": 8},
            own_reports=make_trial(2, [9.0, 8.0, 7.0, 6.0]).reports,
            clones=(Clone(1, 4, third, at_s=4.5),),
        ),
        make_failed_trial(3),
        space=SPACE,
        iterations=6,
    )


def test_the_winning_line_goes_back_to_the_first_iteration(population):
    lineage = pbt_lineage(population)

    assert lineage.copies == (Copy(0, 1, 2), Copy(1, 2, 4))
    assert lineage.winning == (
        Stretch(0, 0, 2, {"lr": 0.1, "width": 8}),
        Stretch(1, 2, 4, {"lr": 0.2, "width": 8}),
        Stretch(2, 4, 6, {"lr": 0.4, "width": 8}),
    )
    assert [(s.start, s.end) for s in lineage.stretches if s.member == 2] == [(0, 4), (4, 6)]
    assert lineage.failed == ((3, 0),)
    assert lineage.changed == ("lr",)


def test_a_panel_for_the_members_and_one_for_each_schedule(population):
    figure = draw(population)

    assert [axes.get_ylabel() for axes in figure.axes] == ["member (trial)", "lr"]
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert {"led to the best trial", "failed"} <= set(words)


def test_copies_that_lead_in_a_circle_or_nowhere_end(make_study, make_trial):
    def member(number, source):
        return make_trial(
            number,
            [1.0, 1.0],
            state=TrialState.FINISHED,
            own_params={"lr": 0.5},
            clones=(Clone(source, 1, {"lr": 0.1 + number}, at_s=1.0),),
        )

    circle = pbt_lineage(make_study(member(0, 1), member(1, 0)))
    nowhere = pbt_lineage(make_study(member(0, 7)))

    assert [stretch.member for stretch in circle.winning] == [1, 0]
    assert [stretch.member for stretch in nowhere.winning] == [0]
