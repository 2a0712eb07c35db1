"""What rules say of a config, said to a person who wrote Python."""

import pytest

from hpo_app.api.words import Words, in_words
from hpo_app.errors import PlanError, Problem, ResourceError


WORDS = Words("optimize", {"scheduler": "asha", "search_alg": "grid"}, {"stop.target"})


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("set search_alg=optuna, or random", "set search_alg='optuna', or random"),
        ("lower resources.cpu to 4", "lower resources_per_trial.cpu to 4"),
        ("set objective.metric=loss instead", "set metric='loss' instead"),
        (
            r"or set 'search_space.net\.lr.type=uniform'",
            "or set param_space['net.lr']['type'] = 'uniform'",
        ),
        (
            "set scheduler.max_t=81, or raise training.iterations",
            "set scheduler={'name': 'asha', 'max_t': 81}, or raise training_config.iterations",
        ),
        ("write +constraints.loss.max=20", "write constraints={'loss': {'max': 20}}"),
        ("add lr: {type: uniform, low: 1.0e-5}", "add 'lr': {'type': 'uniform', 'low': 1e-05}"),
        ("true or false", "True or False"),
        (
            "add 'trusted_modules=[my_package]' on the command line",
            "add trusted_modules=['my_package']",
        ),
        ("with search_space.require.a=null", "with param_space['require']['a'] = None"),
        # What is no word of ours stays as it is.
        ("write ${params.lr}", "write ${params.lr}"),
        ("one of the values ['null', True]", "one of the values ['null', True]"),
        ("a function of hpo_app.training.models", "a function of hpo_app.training.models"),
        ("at most high=3", "at most high=3"),
        ("action=resume ray.address=auto", "action=resume ray.address=auto"),
    ],
)
def test_a_sentence_is_said_in_python(ours, theirs):
    assert WORDS.text(ours) == theirs


def test_who_set_it_is_an_argument_or_nobody():
    def said(set_by, key="seed", words=WORDS):
        return words.problem(Problem(key, "3", "4", "5", set_by)).set_by

    assert said("optimize(): search_alg=optun") == "optimize(search_alg='optun')"
    assert said("config.yaml") == ""
    assert said("scheduler/asha.yaml") == "scheduler='asha'"
    assert said("config.yaml", key="stop.target") == ""
    resumed = Words("resume", typed=("num_trials=0",))
    assert said("command line: num_trials=0", words=resumed) == "resume(num_trials=0)"
    assert said("command line: seed=1", words=resumed) == "the start of the run: seed=1"


def test_an_error_stays_of_its_kind_and_names_the_call():
    problem = Problem("resources.cpu", "9", "at most 2", "lower resources.cpu to 2")
    refused = in_words(ResourceError([problem]), WORDS)
    assert isinstance(refused, ResourceError)
    assert str(refused).startswith("1 problem in the resources\n\nresources_per_trial.cpu")
    assert "in the arguments of optimize()" in str(in_words(PlanError([problem]), WORDS))
