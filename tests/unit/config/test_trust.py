"""No file trusts code by itself, whichever section it says so in and however it gets there."""

import pytest

from hpo_app.config.best import BestConfig, read_best, write_best
from hpo_app.config.compose import Origin
from hpo_app.config.render import Rendered, render, with_typed_trust
from hpo_app.config.trust import trust_beside_the_list, typed_function
from hpo_app.plan.criteria import Criteria
from hpo_app.plan.run_plan import Mode, Objective


@pytest.mark.parametrize("part", ["model", "data"])
@pytest.mark.parametrize("claimed", [["evil"], "evil", "${params.x}", "${training.evil}"])
def test_a_list_of_its_own_is_refused_in_both_sections(part: str, claimed: object) -> None:
    problems = list(trust_beside_the_list({part: {"trusted_modules": claimed}}))
    assert [problem.key for problem in problems] == [f"{part}.trusted_modules"]
    for plain in ("${trusted_modules}", []):
        assert not list(trust_beside_the_list({part: {"trusted_modules": plain}}))


def test_a_section_that_comes_from_elsewhere_brings_no_trust() -> None:
    hidden = {"env_id": "evil:Env-v0", "trusted_modules": ["evil"]}
    template = {"model": {}, "data": "${training.hidden}", "training": {"hidden": hidden}}
    assert not list(trust_beside_the_list(template))
    rendered = with_typed_trust(render(template, {}), ("mine",))
    assert rendered.data == {"env_id": "evil:Env-v0", "trusted_modules": ["mine"]}
    assert rendered.model == {}


@pytest.mark.parametrize("value", ["mine.net:train", r"mine.net\:train", "'mine:train'"])
def test_a_function_is_trusted_as_it_is_typed_or_as_a_sweep_writes_it(value: str) -> None:
    override = f"model.function={value}"
    assert typed_function(Origin((override,))) == ("mine",)
    assert typed_function(Origin((override,), typed=())) == ()


def test_a_best_yaml_trusts_nothing_by_itself(tmp_path) -> None:
    claimed = {"trusted_modules": ["evil"]}
    rendered = Rendered({"trainer": "x:y", **claimed}, dict(claimed), {})
    best = BestConfig(rendered, Criteria((Objective("loss", Mode.MIN),)), {}, {})
    write_best(tmp_path / "best.yaml", best, ())
    for trusted in ((), ("mine",)):
        found = read_best(tmp_path / "best.yaml", trusted_modules=trusted).rendered
        assert found.model["trusted_modules"] == list(trusted)
        assert found.data["trusted_modules"] == list(trusted)
