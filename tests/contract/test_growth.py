"""A run of thousands of trials stays bounded in bytes and file handles."""

import os
import resource

import pytest

from hpo_app.study.disk import size_of


class Measured:
    """A view that counts what the driver holds open, and the run holds on disk."""

    def __init__(self, folder, at):
        self.seen = {}
        self._folder = folder
        self._at = at
        self._ended = 0

    def changed(self, event, _trial):
        self._ended += event == "ended"
        if event == "ended" and self._ended in self._at:
            number_of_fds = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - counted, not read
            checkpoints = list(self._folder.glob("trials/*/checkpoint_*"))
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            self.seen[self._ended] = (
                number_of_fds, size_of(self._folder), len(checkpoints), memory
            )  # fmt: skip

    def refresh(self, elapsed_s):
        pass

    def notice(self, text):
        pass


@pytest.mark.ray
@pytest.mark.soak
@pytest.mark.timeout(600)
def test_two_thousand_trials_leave_what_two_hundred_leave_but_for_records(
    viewed_search, tmp_path, record_property
):
    view = Measured(tmp_path, at=(200, 2000))
    quick = ["training.iterations=3", "checkpoints.keep_best=3"]
    viewed_search(view, "num_trials=2000", *quick)
    for number, seen in view.seen.items():
        fds, size, checkpoints, memory = seen
        record_property(f"at {number} trials", f"{fds} fds, {size} bytes, {memory} kB")
        assert checkpoints <= 3 + 2 * 3
    few, many = view.seen[200], view.seen[2000]
    assert many[0] <= few[0] + 5
    # Journal and log: so much a trial, and nothing that grows faster.
    assert many[1] / 2000 <= few[1] / 200 * 1.05
    assert many[1] / 2000 < 4000
