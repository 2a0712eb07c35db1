"""How long a trial has trained does not count what it waited."""

from hpo_app.tuning.training_time import TrainingTime


def warm():
    return TrainingTime(num_workers=0, limit_s=0.0)


def test_the_wait_of_the_first_workers_for_each_other_is_not_training():
    times = TrainingTime(num_workers=2, limit_s=15.0)
    times.started(0, 1.0)
    times.passed(4.0)
    assert times.trained_s(0, 4.0) == 0
    times.started(1, 5.0)
    assert times.trained_s(0, 7.0) == times.trained_s(1, 7.0) == 2


def test_workers_that_do_not_come_are_not_waited_for_without_end():
    times = TrainingTime(num_workers=2, limit_s=15.0)
    times.started(0, 1.0)
    times.passed(16.0)
    assert times.trained_s(0, 20.0) == 4


def test_the_limit_begins_with_the_first_start_however_late():
    times = TrainingTime(num_workers=2, limit_s=15.0)
    times.passed(50.0)
    times.started(0, 60.0)
    times.passed(70.0)
    assert times.trained_s(0, 70.0) == 0
    times.passed(75.0)
    assert times.trained_s(0, 78.0) == 3


def test_the_wait_before_a_new_attempt_is_not_training():
    times = warm()
    times.started(0, 1.0, wait_s=4.0)
    assert times.trained_s(0, 3.0) == 0
    assert times.trained_s(0, 7.0) == 2


def test_the_turns_of_an_attempt_add_up_and_pauses_do_not_count():
    times = warm()
    times.started(0, 0.0)
    times.paused(0, 3.0)
    assert times.training == []
    times.started(0, 10.0)
    assert times.trained_s(0, 12.0) == 5


def test_a_new_attempt_starts_at_nought():
    times = warm()
    times.started(0, 0.0)
    times.ended(0)
    times.started(0, 10.0)
    assert times.trained_s(0, 12.0) == 2


def test_silence_is_counted_from_the_last_report():
    times = warm()
    times.started(0, 0.0)
    times.reported(0, 4.0)
    assert times.silent_s(0, 9.0) == 5
    assert times.trained_s(0, 9.0) == 9
