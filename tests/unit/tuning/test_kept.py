"""The newest two checkpoints stay, and whatever is in use."""

import pytest

from hpo_app.tuning.kept import KeptCheckpoints


@pytest.fixture
def folders(tmp_path):
    made = [tmp_path / f"checkpoint_{index:06d}" for index in range(5)]
    for folder in made:
        folder.mkdir()
    return made


def test_the_newest_two_stay(folders):
    kept = KeptCheckpoints(lambda _: False)
    for folder in [*folders, folders[-1]]:
        kept.add(0, str(folder))
    assert [folder.exists() for folder in folders] == [False, False, False, True, True]


def test_one_in_use_stays_until_nobody_needs_it(folders):
    in_use = {str(folders[1])}
    kept = KeptCheckpoints(in_use.__contains__)
    for folder in folders[:4]:
        kept.add(0, str(folder))
    assert [folder.exists() for folder in folders[:4]] == [False, True, True, True]
    in_use.clear()
    kept.add(0, str(folders[4]))
    assert [folder.exists() for folder in folders] == [False, False, False, True, True]


def test_those_of_an_earlier_start_count(folders):
    kept = KeptCheckpoints(lambda _: False)
    kept.take_over(0, folders[0].parent)
    kept.add(0, str(folders[4]))
    assert [folder.exists() for folder in folders] == [False, False, False, True, True]
