"""What a person reads."""

import pickle

from hpo_app.errors import PlanError, Problem, listed, near_miss


def test_all_problems_stand_in_one_message():
    error = PlanError(
        [
            Problem("a.low", "0", "a positive number", "raise it", "command line: a.low=0"),
            Problem("b", "()", "at least one option", "add one"),
        ]
    )
    assert str(error) == (
        "2 problems in the config\n"
        "\n"
        "a.low\n"
        "  got       0\n"
        "  expected  a positive number\n"
        "  set by    command line: a.low=0\n"
        "  fix       raise it\n"
        "\n"
        "b\n"
        "  got       ()\n"
        "  expected  at least one option\n"
        "  fix       add one"
    )


def test_an_error_from_another_process_has_its_problems():
    error = PlanError([Problem("a", "0", "a positive number", "raise it")], "the sweep")
    again = pickle.loads(pickle.dumps(error))
    assert (again.problems, str(again)) == (error.problems, str(error))
    assert str(again).startswith("1 problem in the sweep\n\na\n")


def test_a_near_miss_is_near():
    assert near_miss("num_trails", ["num_trials", "seed"]) == "num_trials"
    assert near_miss("zebra", ["num_trials", "seed"]) is None


def test_words_are_listed_as_in_a_sentence():
    assert listed([]) == ""
    assert listed(["a"]) == "a"
    assert listed(["a", "b", "c"]) == "a, b and c"
