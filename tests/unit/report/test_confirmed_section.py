"""What the report says beside the table of trainings with fresh seeds."""

from dataclasses import replace

import pytest

from hpo_app.report.confirmed_section import confirmed_sections
from hpo_app.study.fresh import FIRST_FRESH, Fresh, Kind


RACE = "The race chose the winner"
EARLIER = "Some are of an earlier confirmation with other trials or settings."


@pytest.fixture
def said(confirmed_study, make_trial):
    """Write the section of a study whose trials 1 and 2 have raced, with these contenders now."""

    def write(*contenders, raced=(1, 2)):
        study = confirmed_study()
        race = [
            make_trial(FIRST_FRESH + 50 + of, [0.5], fresh=Fresh(of, Kind.RACE, 0)) for of in raced
        ]
        of = replace(study.race, contenders=contenders)
        (section,) = confirmed_sections(replace(study, race=of, fresh=(*race, *study.fresh)))
        return str(section)

    return write


def test_a_race_is_told_where_there_was_one(said):
    text = said(2, 1)
    assert RACE in text
    assert EARLIER not in text
    alone = said(2, raced=())
    assert RACE not in alone
    assert EARLIER not in alone


def test_trainings_of_an_earlier_race_are_told_from_those_of_this_one(said):
    assert EARLIER in said(2)
    assert RACE not in said(2)
    assert EARLIER in said(2, 0)
