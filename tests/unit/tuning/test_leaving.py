"""A run that Ray does not give back is left, whatever else fails."""

import pytest

from hpo_app.errors import EXIT_RESOURCES
from hpo_app.tuning.runner import _leave


class Left(BaseException):
    """In place of the end of the process."""


class StuckRecorder:
    """A recorder whose disk is full."""

    @property
    def signals(self):
        return self

    def close(self):
        raise OSError("disk full")

    def leave(self, code):
        raise Left(code)


def test_a_journal_that_cannot_be_closed_keeps_nobody_waiting(tmp_path, capsys):
    with pytest.raises(Left, match=str(EXIT_RESOURCES)):
        _leave(StuckRecorder(), tmp_path)("nothing moved for 40 s")
    assert "nothing moved for 40 s" in capsys.readouterr().err
