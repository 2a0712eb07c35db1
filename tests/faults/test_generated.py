"""Whatever is generated: a sound config runs and is read back the same, any other is a message."""

import tempfile
from pathlib import Path

from hypothesis import Phase, example, given, settings, strategies as st

from hpo_app.config.arguments import split_changes
from hpo_app.config.compose import compose_config
from hpo_app.config.diagnose import COMPOSITION_ERRORS, diagnose
from hpo_app.config.overrides import overrides_in
from hpo_app.config.parse import parse_plan
from hpo_app.config.render import render
from hpo_app.config.stored import CHANGEABLE, stored_config
from hpo_app.errors import EXIT_CANNOT_LOAD, EXIT_CONFIG, HpoError
from hpo_app.plan.read_space import read_space
from hpo_app.study.journal import FILE_NAME, Journal, read_events
from hpo_app.study.records import TrialState
from hpo_app.study.replay import load_study


# The same examples every time. To shrink one takes minutes where each composes a config.
FEW = settings(
    max_examples=20, deadline=None, derandomize=True, phases=[Phase.explicit, Phase.generate]
)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,8}", fullmatch=True)
FINITE = st.floats(-1e9, 1e9)
POSITIVE = st.floats(1e-9, 1e9)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | FINITE | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)


@st.composite
def bounded(draw, word, numbers):
    low, high = sorted((draw(numbers), draw(numbers)))
    return {"type": word, "low": low, "high": high}


@st.composite
def stepped(draw, word, numbers):
    low, q, count = draw(numbers), draw(st.integers(1, 9)), draw(st.integers(1, 50))
    return {"type": word, "low": low, "high": low + q * count, "q": q}


@st.composite
def chosen(draw, word):
    values = draw(
        st.lists(JSON, min_size=1, max_size=5, unique_by=lambda value: (type(value), repr(value)))
    )
    return {"type": word, "values": values}


@st.composite
def normal(draw):
    return {"type": "normal", "mean": draw(st.floats(-1e3, 1e3)), "sd": draw(st.floats(1e-3, 1e3))}


ENTRIES = st.one_of(
    bounded("uniform", FINITE),
    bounded("loguniform", POSITIVE),
    bounded("randint", st.integers(-1000, 1000)),
    bounded("lograndint", st.integers(1, 10**6)),
    stepped("quniform", st.integers(-50, 50)),
    stepped("qloguniform", st.integers(1, 50)),
    stepped("qrandint", st.integers(-50, 50)),
    chosen("choice"),
    chosen("ordinal"),
    normal(),
)
SPACES = st.dictionaries(NAMES, ENTRIES, min_size=1, max_size=4)
POSITIONS = st.floats(0.0, 1.0)


@settings(FEW, max_examples=30)
@given(SPACES, POSITIONS)
def test_a_sound_space_is_a_plan_whose_samples_stay_inside_and_are_rendered(entries, position):
    config, origin = compose_config(["search_space=quadratic"])
    model = {
        "trainer": config.model.trainer,
        **{f"of_{name}": f"${{params.{name}}}" for name in entries},
    }
    params = "${hpo.defaults:${search_space}}"
    changed = {**config, "search_space": entries, "model": model, "params": params}
    plan = parse_plan(as_composed(changed), origin)
    assert list(plan.space) == list(entries)
    params = {name: plan.space[name].at(position) for name in plan.space}
    assert all(plan.space[name].contains(value) for name, value in params.items())
    rendered = render(plan.template, params)
    assert {name: rendered.model[f"of_{name}"] for name in params} == params


def as_composed(content):
    from omegaconf import OmegaConf

    from hpo_app.config.render import literal

    space = literal(content["search_space"])
    return OmegaConf.create({**content, "search_space": space})


@settings(FEW, max_examples=100)
@given(SPACES, st.lists(st.tuples(POSITIONS, st.sampled_from(TrialState), FINITE), max_size=5))
def test_what_a_journal_was_told_is_what_the_study_tells(entries, trials):
    space, problems = read_space(entries)
    assert problems == []
    with tempfile.TemporaryDirectory() as name:
        journal = Journal.create(Path(name, FILE_NAME))
        opened = {"schema": 1, "run_id": "r", "metric": "m", "mode": "max", "space": entries}
        journal.append("opened", **opened, num_trials=5, iterations=1, seed=0)
        told = []
        for number, (position, state, value) in enumerate(trials):
            params = {name: space[name].at(position) for name in space}
            asked = {"trial": number, "params": params, "is_default": False, "seed": number}
            journal.append("asked", **asked)
            journal.append("reported", trial=number, iteration=1, metrics={"m": value})
            if state is not TrialState.RUNNING:
                journal.append("ended", trial=number, state=state.value)
            told.append((number, params, number, state, [(1, value)]))
        journal.close()
        study = load_study(Path(name))
        again, events = Journal.reopen(Path(name, FILE_NAME))
        again.close()
        assert events == list(read_events(Path(name, FILE_NAME)))
    assert study.space == entries
    assert told == [
        (trial.number, trial.params, trial.seed, trial.state, trial.curve("m"))
        for trial in study.trials
    ]


WORDS = st.sampled_from(
    ["search_space", "model.x", "num_trials", "scheduler", "seed", "ray.address", "run", "best",
     "action", "search_space.x.low", "preset", "hydra.run.dir", "trusted_modules", "data", "params",
     "resources.cpu", "model", "training.iterations", "objective.mode", "~model.noise", "+", "++a"]
)  # fmt: skip
VALUES = st.sampled_from(
    ["3", "-1", "1e999", "nan", "[1", "{a", "${", "${params.x}", "${oc.env:NO_SUCH}", "null", "'",
     "train", "resume", "ppo", "quadratic", "asha", "..", "{_target_: os.system}", "[[[[",
     "9" * 400, "${a:${b}}", "a: b", "&a [*a]", "!!python/object:a {}", "\t", "\N{CAT FACE}", "@x"]
) | st.text(max_size=12).filter(lambda text: "\0" not in text)  # fmt: skip
OVERRIDES = st.lists(
    st.tuples(WORDS, VALUES).map("=".join) | st.text(max_size=8), min_size=1, max_size=3
)


@FEW
@given(OVERRIDES)
@example(["+="])
@example(["best=${params.x}", "best=${"])
def test_any_override_is_a_plan_or_a_message(overrides):
    outcome = planned(overrides)
    if isinstance(outcome, HpoError):
        assert outcome.problems
        assert outcome.exit_code in (EXIT_CONFIG, EXIT_CANNOT_LOAD)


def planned(overrides):
    """Return the plan of a command line, or the error that is shown for it."""
    try:
        texts = [item.text for item in overrides_in(split_changes(overrides)[0])]
    except HpoError as error:
        return error
    try:
        return parse_plan(*compose_config(texts))
    except HpoError as error:
        return error
    except COMPOSITION_ERRORS as error:
        return diagnose(texts, error)


@FEW
@given(st.sampled_from(CHANGEABLE), VALUES)
@example("time_budget_s", "9" * 400)
@example("trusted_modules", "{_target_: os.system}")
def test_any_change_of_a_stored_run_is_a_plan_or_a_message(recorded, key, value):
    outcome = continued(recorded, f"{key}={value}")
    if isinstance(outcome, HpoError):
        assert outcome.problems
        assert outcome.exit_code == EXIT_CONFIG


def continued(folder, change):
    try:
        return parse_plan(*stored_config(folder, [change]))
    except HpoError as error:
        return error
