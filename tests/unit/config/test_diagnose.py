"""What Hydra refuses, with what to type instead."""

import pytest

from hpo_app.config.compose import compose_config
from hpo_app.config.diagnose import COMPOSITION_ERRORS, diagnose
from hpo_app.config.parse import parse_plan
from hpo_app.errors import PlanError


@pytest.mark.parametrize(
    ("typed", "fix"),
    [
        ("search_space.x.prior=0.1", "write '+search_space.x.prior=0.1'"),
        ("search_space.depth.when.kind=smooth", "write '+search_space.depth.when.kind=smooth'"),
        ('search_space.require.a="x<3"', "write '+search_space.require.a=\"x<3\"'"),
        ("+search_space.require.a=x <= 3", "write '+search_space.require.a=\"x <= 3\"'"),
        ("+search_alg.n_startup_trials=2", "write search_alg.n_startup_trials=2"),
    ],
)
def test_a_key_that_is_added_gets_its_plus_and_its_quotes(typed, fix):
    overrides = ["search_space=quadratic", "search_alg=optuna", typed]
    with pytest.raises(COMPOSITION_ERRORS) as refused:
        compose_config(overrides)
    problems = diagnose(overrides, refused.value).problems
    assert [problem.fix.split(":")[0] for problem in problems] == [fix]


@pytest.fixture
def dotted(tmp_path):
    """A person's own groups: a search space whose names hold dots, and a model over it."""
    texts = {
        "search_space/net.yaml": "net.lr: {type: uniform, low: 0.0, high: 1.0, default: 0.5}\n"
        "net.width: {type: randint, low: 1, high: 9, default: 3}\n",
        "search_space/null_key.yaml": "null: {type: uniform, low: 0.0, high: 1.0}\n",
        "model/net.yaml": "defaults:\n  - quadratic\n  - _self_\nx: ${params.net.lr}\n"
        "rate: 0.1\ndepth: ${params.net.width}\nkind: rough\n",
    }
    for name, text in texts.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def problems_with(folder, *overrides, space="net"):
    typed = [f"search_space={space}", *overrides]
    try:
        parse_plan(*compose_config(typed, folder))
    except PlanError as error:
        return error.problems
    except COMPOSITION_ERRORS as error:
        return diagnose(typed, error, folder).problems
    return ()


def test_a_name_with_dots_is_reached_with_backslashes(dotted):
    typed = [
        "search_space=net",
        r"search_space.net\.lr.high=0.7",
        r"+search_space.net\.lr.prior=0.1",
    ]
    plan = parse_plan(*compose_config(typed, dotted))
    assert plan.space["net.lr"].high == 0.7
    assert dict(plan.space.priors) == {"net.lr": 0.1}
    left = [r"~search_space.net\.width", "model.depth=3", "search_space=net"]
    assert list(parse_plan(*compose_config(left, dotted)).space) == ["net.lr"]


@pytest.mark.parametrize(
    ("override", "fix"),
    [
        ("search_space.net.lr.high=0.7", r"write 'search_space.net\.lr.high=0.7'"),
        ("~search_space.net.lr", r"write '~search_space.net\.lr'"),
        (
            "+search_space.net.lr.prior=0.1",
            r"write its dots after backslashes, 'search_space.net\.lr', or rename one of them",
        ),
        (r"search_space.net\.lr.hihg=0.7", r"write 'search_space.net\.lr.high=0.7'"),
        (r"search_space.net\.lr.low='a'", r"write it as 'search_space.net\.lr.low=0.1'"),
        (
            r"search_space.net\.lr.low='0.2'",
            r"write it without quotes, 'search_space.net\.lr.low=0.2'",
        ),
        ("model.x=0", r"use it there, or leave it out with '~search_space.net\.lr'"),
    ],
)
def test_what_a_message_says_to_type_for_a_name_with_dots_works(dotted, override, fix):
    assert fix in [problem.fix for problem in problems_with(dotted, override)]


@pytest.mark.parametrize(
    ("override", "source"),
    [
        (r"search_space.net\.lr.low=2", r"command line: search_space.net\.lr.low=2"),
        (r"search_space.net\.lr.high=-1", "search_space/net.yaml"),
    ],
)
def test_it_is_known_what_set_a_name_with_dots(dotted, override, source):
    assert {problem.set_by for problem in problems_with(dotted, override)} == {source}


def test_a_key_that_is_null_is_named_with_its_file_and_nothing_else(dotted):
    (problem,) = problems_with(dotted, space="null_key")
    assert problem.got == "search_space/null_key.yaml has a key that is null"
    assert problem.fix.startswith('put it in quotes, "null":')


@pytest.mark.parametrize(
    ("override", "got", "fix"),
    [
        ("prior_trials=5", "5", "add +search_space.x.prior=0.1, or leave it out"),
        ("prior_trials=null", "null", "write a whole number, for example prior_trials=1"),
        ("num_trials='5'", "'5' (text)", "write a whole number, for example num_trials=20"),
        ("to=csv", "csv", "leave it out, or set action=export"),
        ("output=somewhere", "somewhere", "leave it out, or set action=report"),
        ("search_space.depth.default=99", "99", "move the default, or widen the bounds"),
    ],
)
def test_what_would_have_no_effect_is_named(override, got, fix):
    (problem,) = problems_with(None, override, space="quadratic")
    assert (problem.got, problem.fix) == (got, fix)


@pytest.mark.parametrize(
    ("override", "fix"),
    [
        ("constraints.cost.max=3", "add it: +constraints.cost.max=3"),
        (
            "objectives={loss: min, cost: min}",
            "write 'objectives=[{metric: NAME, mode: min}, {metric: NAME, mode: max}]'",
        ),
    ],
)
def test_what_a_person_adds_is_shown_as_it_is_to_be_typed(override, fix):
    (problem,) = problems_with(None, override, space="quadratic")
    assert problem.fix == fix


def test_a_default_off_the_steps_is_told_of_them():
    bounds = ["search_space.depth.low=1", "search_space.depth.high=9"]
    steps = ["search_space.depth.type=qrandint", "+search_space.depth.q=2"]
    typed = [*bounds, *steps, "search_space.depth.default=4"]
    (problem,) = problems_with(None, *typed, space="quadratic")
    assert problem.expected == "a whole number from 1 to 9 in steps of 2"


def test_a_search_space_of_ones_own_beside_a_model_is_no_second_mistake(dotted):
    # Without the model, the space would name one of its own name.
    (dotted / "search_space" / "lone.yaml").write_text("x: {type: uniform, low: 0, high: 1}\n")
    model = ["model=quadratic", "model.rate=0.1", "model.depth=3", "model.kind=rough"]
    (problem,) = problems_with(dotted, *model, "nmu_trials=3", space="lone")
    assert problem.key == "nmu_trials"


def test_a_value_outside_of_hydras_grammar_is_told_its_quotes(dotted):
    (problem,) = problems_with(dotted, "model=net", "output=mein Ordner/\u00fc")
    assert problem.fix == "put the value in quotes, those in quotes of the shell: 'output=\"…\"'"


def test_a_parameter_of_another_type_is_merged_into_the_one_that_is_there():
    typed = "search_space.depth={type: qrandint, low: 0, high: 9, q: 3}"
    (problem,) = problems_with(None, typed, space="quadratic")
    assert problem.fix == f"write '++{typed}', which keeps what it does not name"
    assert problems_with(None, f"++{typed}", space="quadratic") == ()


def test_a_path_is_no_training_function(dotted):
    model = ["model=function", "model.function=my_pkg/train.py:train"]
    (problem,) = problems_with(dotted, *model)
    assert problem.fix == "write it like my_package.train:train"
