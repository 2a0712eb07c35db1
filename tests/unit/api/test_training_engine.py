"""Which functions train, and what they are called."""

import functools

import pytest

from hpo_app import HPOptimizer, TrainingEngine
from hpo_app.config.trainer import is_unnamed


def whole(model, _data, training, trial):
    trial.report({"loss": model["x"] * training["iterations"]})


def scaled(model, _data, _training, trial, by=1.0):
    trial.report({"loss": by * model["x"]})


doubled = functools.partial(scaled, by=2.0)


class Trainer:
    def __call__(self, _model, _data, _training, trial):
        trial.report({"loss": 1.0})

    def fit(self, _model, _data, _training, trial):
        trial.report({"loss": 2.0})


def test_one_configuration_is_trained_by_a_function_or_by_name():
    assert TrainingEngine(whole).fit({"x": 2}, training={"epochs": 3}, metric="loss") == [
        {"loss": 6.0}
    ]
    named = {"trainer": f"{__name__}:whole", "x": 2}
    engine = TrainingEngine(trusted_modules=[__name__])
    assert engine.fit(named, training={"iterations": 1}, metric="loss") == [{"loss": 2.0}]


def test_a_trainer_finds_what_its_engine_trusts_whatever_the_config_says():
    seen = []

    def look(model, _data, _training, trial):
        seen.append(model["trusted_modules"])
        trial.report({"loss": 1.0})

    config = {"trusted_modules": ["theirs"]}
    TrainingEngine(look, trusted_modules="mine").fit(
        config, training={"iterations": 1}, metric="loss"
    )
    assert seen == [["mine"]]


def test_only_what_a_module_holds_has_a_name_to_look_up():
    assert TrainingEngine(whole).name == f"{__name__}:whole"
    assert TrainingEngine(doubled).name.endswith("doubled") or is_unnamed(
        TrainingEngine(doubled).name
    )
    others = [functools.partial(scaled, by=3.0), Trainer(), Trainer().fit, lambda *_: None]
    for train in others:
        assert is_unnamed(TrainingEngine(train).name), train


def test_what_takes_something_else_is_refused_at_once():
    with pytest.raises(TypeError, match=r"train\(model, data, training, trial\)"):
        TrainingEngine(lambda _config: None)
    with pytest.raises(TypeError, match="takes a function"):
        TrainingEngine(3)
    assert HPOptimizer(whole).training_engine.train is whole


def test_an_empty_run_is_not_another_one(make_study, make_trial):
    from hpo_app.api.results import Results

    optimizer = HPOptimizer()
    optimizer.results = Results(make_study(make_trial(0, [1.0])))
    empty = Results(make_study())
    assert optimizer.analyze_results(empty)["num_trials"] == 0
    assert optimizer.analyze_results()["num_trials"] == 1
