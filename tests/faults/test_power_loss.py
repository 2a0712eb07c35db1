"""The power goes between a write and its sync: what was acknowledged stays, what was not may go."""

import itertools
import random

import pytest

from hpo_app.errors import RunFolderError
from hpo_app.study.journal import Journal, read_events
from hpo_app.study.replay import load_study


SECTOR = 64  # Bytes; of a disk it would be 512, and the events of a test are as much smaller.
OPENED = {
    "schema": 1,
    "run_id": "r",
    "metric": "loss",
    "mode": "min",
    "space": {},
    "num_trials": 6,
    "iterations": 1,
    "seed": 0,
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "journal.jsonl"


def recorded_writes(path):
    """Write a journal; return its content and the length that was safe after each sync."""
    journal = Journal.create(path)
    journal.append("opened", **OPENED)
    journal.sync()
    ends = [path.stat().st_size]
    for number in range(6):
        journal.append(
            "asked", trial=number, params={"x": "y" * 9 * number}, is_default=False, seed=1
        )
        for _ in range(number % 3):
            journal.append("retried", trial=number, error="no memory")
        journal.append("ended", trial=number, state="failed", error="E")
        journal.sync()
        ends.append(path.stat().st_size)
    journal.close()
    return path.read_bytes(), ends


def scrambled(suffix, draw):
    """Return what a disk may hold of a write that it had begun: any sectors, in any state."""
    sectors = [suffix[start : start + SECTOR] for start in range(0, len(suffix), SECTOR)]
    kept = sectors[: draw.randrange(len(sectors) + 1)] if draw.random() < 0.5 else sectors
    damage = draw.choice((_zeroed, _noise, _stale))
    return b"".join(damage(part, draw) if draw.random() < 0.6 else part for part in kept)


def _zeroed(sector, _draw):
    return bytes(len(sector))


def _noise(sector, draw):
    return draw.randbytes(len(sector))


def _stale(sector, draw):
    return draw.choice((sector[::-1], b"\n" * len(sector), sector[: draw.randrange(SECTOR)]))


def test_every_acknowledged_event_outlives_a_scrambled_suffix(path):
    content, ends = recorded_writes(path)
    whole = list(read_events(path))
    draw = random.Random(7)
    num_torn = 0
    for safe, end in itertools.pairwise(ends):
        acknowledged = content[:safe].count(b"\n")
        cuts = [content[:place] for place in range(safe, end)]
        mixed = [content[:safe] + scrambled(content[safe:end], draw) for _ in range(300)]
        for damage in (*cuts, *mixed):
            path.write_bytes(damage)
            events = list(read_events(path))
            assert events == whole[: len(events)]
            assert len(events) >= acknowledged
            num_torn += bool(load_study(path.parent).note)
    assert num_torn > 1000


def test_a_torn_tail_is_moved_aside_before_the_next_event(path, tmp_path):
    content, ends = recorded_writes(path)
    draw = random.Random(8)
    for _ in range(60):
        suffix = scrambled(content[ends[3] : ends[4]], draw)
        path.write_bytes(content[: ends[3]] + suffix)
        before = list(read_events(path))
        for torn in tmp_path.glob("journal.torn-*"):
            torn.unlink()
        journal, events = Journal.reopen(path)
        assert events == before
        journal.append("closed", reason="again")
        journal.close()
        *same, last = read_events(path)
        assert same == before
        assert last.fields == {"reason": "again"}
        left = b"".join(torn.read_bytes() for torn in tmp_path.glob("journal.torn-*"))
        assert suffix.endswith(left)
        assert bool(left) == (content[: ends[3]] + suffix != b"".join(written(path, len(before))))


def written(path, count):
    return path.read_bytes().splitlines(keepends=True)[:count]


def test_no_torn_tail_is_written_over_an_earlier_one(path, tmp_path):
    for number in range(3):
        path.unlink(missing_ok=True)
        content, _ = recorded_writes(path)
        path.write_bytes(content[:-5])
        (tmp_path / "journal.torn-0").unlink(missing_ok=number == 0)
        Journal.reopen(path)[0].close()
        (tmp_path / "journal.torn-1").write_bytes(b"kept")
    assert (tmp_path / "journal.torn-1").read_bytes() == b"kept"
    assert (tmp_path / "journal.torn-0").read_bytes() == content[:-5].splitlines()[-1]


def test_a_line_that_later_ones_know_to_be_safe_is_damage_and_no_torn_tail(path):
    content, ends = recorded_writes(path)
    for place in range(ends[0], ends[-2], 3):
        path.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
        with pytest.raises(RunFolderError, match="a damaged line"):
            list(read_events(path))


def test_events_of_a_process_that_died_before_its_sync_are_synced_by_the_next(path):
    content, ends = recorded_writes(path)
    path.write_bytes(content[: ends[2]])
    journal, events = Journal.reopen(path)
    journal.append("closed", reason="R")
    journal.close()
    # The new event vouches for all before it; so they are damage from now on, if they break.
    place = ends[2] - 4
    content = path.read_bytes()
    path.write_bytes(content[:place] + b"?" + content[place + 1 :])
    with pytest.raises(RunFolderError, match=f"line {len(events)}"):
        list(read_events(path))
