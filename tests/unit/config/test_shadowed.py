"""A file of a person's own that has the name of one of ours is never passed over in silence."""

import pytest

from hpo_app.config.compose import compose_config, conf_dir
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError


@pytest.fixture
def parsed(tmp_path):
    """Parse a plan beside config groups of one's own, `{path: text}`."""

    def parse(files, *overrides):
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
        return parse_plan(*compose_config(["search_space=quadratic", *overrides], tmp_path))

    return parse


def test_a_choice_that_would_be_ours_instead_is_refused(parsed, tmp_path):
    with pytest.raises(PlanError) as caught:
        parsed({"preset/standard.yaml": "num_trials: 7\n"}, "preset=standard")
    (problem,) = caught.value.problems
    assert problem.key == "preset"
    assert str(tmp_path / "preset" / "standard.yaml") in problem.got
    assert problem.fix == "rename your file to standard_mine.yaml, and write preset=standard_mine"
    assert problem.set_by == "command line: preset=standard"


def test_a_copy_of_ours_and_a_name_of_ones_own_are_fine(parsed):
    assert parsed({"preset/mine.yaml": "# @package _global_\nnum_trials: 7\n"}, "preset=mine")
    assert parsed({"preset/extensive.yaml": "num_trials: 7\n"}).num_trials == 20  # Not chosen.
    text = (conf_dir() / "preset" / "quick_test.yaml").read_text()
    assert parsed({"preset/quick_test.yaml": text}, "preset=quick_test").num_trials == 5
