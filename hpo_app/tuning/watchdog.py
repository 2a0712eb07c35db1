"""From silence to a word: trials that take too long end, and a run that stands still says why.

Tune's loop looks after its trials every tenth of a second, and so does the watchdog. Where the loop
itself waits for a worker, a thread looks in its place.
"""

from __future__ import annotations

import contextlib
import math
import threading
import time
from typing import TYPE_CHECKING, Any

import ray
from ray.tune import Callback

from hpo_app.tuning.silence import lost_control, span, why_silent
from hpo_app.tuning.training_time import TrainingTime
from hpo_app.tuning.warmup import LIMIT_S as WARM_UP_S


if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hpo_app.plan.run_plan import RunPlan
    from hpo_app.tuning.attempts import AttemptedTrial
    from hpo_app.tuning.recorder import Recorder

STALLED = "nothing moved for"
LOST = "Ray's control process"
# A worker writes down where it is when the time is over, and is given a moment to do so.
_LAST_WORDS_S = 1.0
# A long iteration is no news; that all trials wait for resources may be the end of it.
_FIRST_WORD_S = 600.0
_FIRST_WORD_OF_WAITING_S = 60.0
_LOOK_S = 0.5
_LOOP_LATE_S = 3.0
# More than Tune takes to end its workers.
_LOOP_LOST_S = 25.0
# Where a control process is started anew, it is so within seconds. Ray itself gives up after a
# minute, by ending the driver where it stands.
_KNOCK_EVERY_S = 5.0
_LOST_S = 20.0


class Watchdog(Callback):
    """Ends trials that train longer than they may, and tells why a run stands still.

    Attributes:
        recorder: Told when the run is to end.
        notice: Told what a person should know at once.
    """

    def __init__(
        self,
        plan: RunPlan,
        recorder: Recorder,
        num_workers: int,
        notice: Callable[[str], None],
        give_up: Callable[[str], None],
    ) -> None:
        now = time.monotonic()
        self._trial_limit_s = plan.trial_timeout_s
        self._stall_limit_s = plan.stall_timeout_s
        self.recorder = recorder
        self.notice = notice
        self._give_up = give_up
        # Twice, because a worker comes some seconds after Tune has said that its trial started.
        self._times = TrainingTime(num_workers, 2 * WARM_UP_S)
        self._trials: dict[int, AttemptedTrial] = {}
        self._killed: set[int] = set()
        self._stuck: list[Any] = []
        self._knock_at, self._lost_at = now + _KNOCK_EVERY_S, math.inf
        self._moved_at = self._looped_at = now
        self._told_s = 0.0
        self._lock = threading.Lock()

    # What Tune tells.

    def on_trial_start(self, *_: Any, trial: Any, **__: Any) -> None:
        """A worker took the trial."""
        with self._lock:
            self._move()
            self._times.started(_number(trial), self._moved_at, trial.config.get("wait_s", 0.0))

    def on_trial_result(self, *_: Any, trial: Any, **__: Any) -> None:
        """The trial reported."""
        with self._lock:
            self._move()
            self._times.reported(_number(trial), self._moved_at)

    def on_trial_complete(self, *_: Any, trial: Any, **__: Any) -> None:
        """The trial ended well."""
        self._end(trial)

    def on_trial_error(self, *_: Any, trial: Any, **__: Any) -> None:
        """The trial failed."""
        self._end(trial)

    def on_trial_recover(self, *_: Any, trial: Any, **__: Any) -> None:
        """The attempt failed, and another will follow."""
        self._end(trial)

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Tune's loop has come round."""
        now = time.monotonic()
        with self._lock:
            self._looped_at = now
            # Tune has let go of them by now, and would wait for their next report.
            self._kill_stuck()
            held = self.recorder.alive.held
            self._trials = {no: trial for no, trial in held.items() if not trial.is_finished()}
            for number, trial in self._trials.items():
                if trial.status == trial.PAUSED:
                    self._times.paused(number, now)
            self._look(now)

    def _move(self) -> None:
        self._moved_at, self._told_s = time.monotonic(), 0.0

    def _end(self, trial: Any) -> None:
        with self._lock:
            self._move()
            self._times.ended(_number(trial))
            self._killed.discard(_number(trial))

    # What it does by itself.

    @contextlib.contextmanager
    def watching(self) -> Iterator[None]:
        """Look also while Tune's loop does not come round."""
        over = threading.Event()
        thread = threading.Thread(target=self._watch, args=(over,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def _watch(self, over: threading.Event) -> None:
        while not over.wait(_LOOK_S):
            now = time.monotonic()
            self._knock(now)
            if now - self._looped_at > _LOOP_LATE_S:
                with self._lock:
                    # What the loop waits for is one of them.
                    self._kill_stuck()
                    self._look(now)
            is_ours = self.recorder.stop_reason.startswith((STALLED, LOST))
            if is_ours and now - self._looped_at > _LOOP_LOST_S:
                self._give_up(self.recorder.stop_reason)

    def _knock(self, now: float) -> None:
        if now < self._knock_at:
            return
        self._knock_at = now + _KNOCK_EVERY_S
        address = lost_control()
        if not address:
            self._lost_at = math.inf
        elif self._lost_at > now:
            self._lost_at = now
            self.notice(f"Ray's control process at {address} does not answer any more")
        elif now - self._lost_at >= _LOST_S:
            self.recorder.request_stop(f"{LOST} at {address} has died")

    def _kill_stuck(self) -> None:
        while self._stuck:
            ray.kill(self._stuck.pop())

    def _look(self, now: float) -> None:
        self._times.passed(now)
        self._end_overdue(now)
        self._speak_of_silence(now)

    def _end_overdue(self, now: float) -> None:
        limit_s = self._trial_limit_s
        if limit_s is None:
            return
        for number, worker in self._at_work():
            is_late = self._times.trained_s(number, now) >= limit_s + _LAST_WORDS_S
            if is_late and number not in self._killed:
                self._killed.add(number)
                self._trials[number].ended_because = _overdue(limit_s)
                ray.kill(worker)

    def _at_work(self) -> Iterator[tuple[int, Any]]:
        for number in self._times.training:
            trial = self._trials.get(number)
            if trial is not None and trial.temporary_state.ray_actor is not None:
                yield number, trial.temporary_state.ray_actor

    def _speak_of_silence(self, now: float) -> None:
        silent_s = now - self._moved_at
        limit_s = self._stall_limit_s or math.inf
        first_s = _FIRST_WORD_S if self._times.training else _FIRST_WORD_OF_WAITING_S
        next_s = max(2 * self._told_s, min(first_s, limit_s / 2))
        if self.recorder.stop_reason or silent_s < min(next_s, limit_s):
            return
        self._told_s = silent_s
        text = f"{STALLED} {span(silent_s)}: {why_silent(self._trials, self._times, now)}"
        if silent_s >= limit_s:
            self._stuck = [worker for _, worker in self._at_work()]
            self.recorder.request_stop(text)
        else:
            self.notice(text)


def _overdue(limit_s: float) -> str:
    return (
        "Its log ends with where it was when the time was over. If that was honest work, raise "
        "trial_timeout_s.\n"
        f"The trial trained for longer than trial_timeout_s={limit_s:g}, and its worker was killed."
    )


def _number(trial: Any) -> int:
    return int(trial.trial_id)
