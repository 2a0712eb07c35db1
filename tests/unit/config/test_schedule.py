"""The schedule of a population's winner: written beside best.yaml, believed only as that is."""

import pytest

from hpo_app.config.best import BestConfig
from hpo_app.config.render import Rendered
from hpo_app.config.schedule import SCHEDULE, Step, read_schedule, write_schedule
from hpo_app.errors import PlanError, RunFolderError
from hpo_app.plan.criteria import Criteria
from hpo_app.plan.run_plan import Mode, Objective


OF_RUN = {"run_id": "run-1", "trial": 2}


def rendered(lr):
    return Rendered({"trainer": "a:b", "lr": lr}, {}, {"iterations": 6, "checkpoint_every": 1})


def step(iteration, lr):
    return Step(iteration, {"lr": lr}, rendered(lr), {"trial": iteration, "trial_seed": 7})


STEPS = (step(0, 0.1), step(2, 0.2), step(4, 0.4))
CRITERIA = Criteria((Objective("loss", Mode.MIN),))
BEST = BestConfig(rendered(0.4), CRITERIA, {"lr": 0.4}, {**OF_RUN, "schedule": SCHEDULE})


@pytest.fixture
def written(tmp_path):
    """Write these steps, and return the path of the best.yaml beside them."""

    def write(steps=STEPS, of_run=OF_RUN):
        write_schedule(tmp_path / SCHEDULE, steps, of_run, ["what came through ${x}"])
        return tmp_path / "best.yaml"

    return write


def test_what_is_written_is_read_again(written):
    assert read_schedule(written(), BEST) == STEPS


def test_a_winner_of_one_configuration_has_none(tmp_path):
    alone = BestConfig(rendered(0.4), CRITERIA, {"lr": 0.4}, OF_RUN)
    assert read_schedule(tmp_path / "best.yaml", alone) == ()


def test_changes_are_made_to_every_step(written):
    found = read_schedule(written(), BEST, ["model.lr=0.7"])
    assert [step.rendered.model["lr"] for step in found] == [0.7] * 3
    with pytest.raises(PlanError, match=r"write model.lr=1"):
        read_schedule(written(), BEST, ["model.lrr=1"])


def test_a_shorter_training_goes_through_as_many_steps_as_it_has(written):
    short = BestConfig(
        Rendered({}, {}, {"iterations": 4}), CRITERIA, {}, {**OF_RUN, "schedule": SCHEDULE}
    )
    assert [step.iteration for step in read_schedule(written(), short)] == [0, 2]


def test_a_schedule_that_is_missing_or_of_another_winner_is_named(written, tmp_path):
    with pytest.raises(RunFolderError, match="copy it too"):
        read_schedule(tmp_path / "best.yaml", BEST)
    with pytest.raises(RunFolderError, match="the schedule of trial 2 of run run-1"):
        read_schedule(written(of_run={"run_id": "run-9", "trial": 2}), BEST)


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        (STEPS[1:], "iterations from 0 on"),
        ((STEPS[0], STEPS[2], STEPS[1]), "each higher than the one before"),
        ((), "iterations from 0 on"),
        ((STEPS[0], STEPS[1]._replace(iteration="2")), "iteration: 2"),
        ((Step(0, {}, Rendered({"lr": "${oc.env:HOME}"}, {}, {}), {}),), "an interpolation"),
    ],
    ids=["without a start", "out of order", "empty", "text", "reads the environment"],
)
def test_what_cannot_be_is_refused(written, steps, text):
    path = written(steps)
    if "oc.env" in str(steps):
        file = path.with_name(SCHEDULE)
        file.write_text(file.read_text().replace("\\${", "${"))
    with pytest.raises(RunFolderError, match=text):
        read_schedule(path, BEST)


def test_no_file_trusts_code_by_itself(written):
    trusting = Rendered({"trusted_modules": ["evil"]}, {}, {"iterations": 6})
    found = read_schedule(written((STEPS[0]._replace(rendered=trusting),)), BEST)
    assert found[0].rendered.model["trusted_modules"] == []
