"""The error on record is the one of the last attempt, in plain words."""

from hpo_app.tuning.attempts import kind_of, last_error
from hpo_app.tuning.trainable import ERROR_BEGINS, ERROR_ENDS


RAISED = f"""Failure # 1 (occurred at 2026-11-24_03-00-00)
ray::Wrapper.train() (pid=1)
{ERROR_BEGINS}
Traceback (most recent call last):
  File "mine.py", line 3, in train
RuntimeError: \x1b[31mfirst\x1b[0m fault
{ERROR_ENDS}
"""
DIED = """Failure # 2 (occurred at 2026-11-24_03-00-09)
The actor died unexpectedly before finishing this task.
\tclass_name: Wrapper
The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR
"""
OTHER = """Failure # 1 (occurred at 2026-11-24_03-00-09)
Could not recover from checkpoint as it does not exist.
"""


def test_a_traceback_is_recorded_without_colours_and_without_rays_words():
    assert last_error(RAISED) == (
        "Traceback (most recent call last):\n"
        '  File "mine.py", line 3, in train\n'
        "RuntimeError: first fault"
    )


def test_a_worker_that_died_later_is_not_blamed_on_an_earlier_error():
    assert last_error(RAISED + DIED) == (
        "The worker died without an error of its own: killed, or crashed in compiled code.\n"
        "The actor is dead because its worker process has died. Worker exit type: SYSTEM_ERROR"
    )


def test_another_error_is_recorded_as_ray_wrote_it():
    assert last_error(OTHER) == "Could not recover from checkpoint as it does not exist."


def test_errors_that_differ_in_numbers_are_of_one_kind():
    assert kind_of("ValueError: lr=0.1") == kind_of("ValueError: lr=0.25")
    assert kind_of("ValueError: lr=0.1") != kind_of("TypeError: lr=0.1")
