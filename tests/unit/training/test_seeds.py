from __future__ import annotations

import subprocess
import sys

from hpo_app.training.seeds import derive_seed


def test_a_seed_is_the_same_in_every_version_of_this_package() -> None:
    # Written down: a changed value changes every recorded run that is continued or repeated.
    assert derive_seed(0) == 96405916
    assert derive_seed(1, "trial", 3) == 1049465911


def test_a_seed_is_the_same_in_another_process_with_another_hash_seed() -> None:
    program = "from hpo_app.training.seeds import derive_seed; print(derive_seed(7, 'noise', 2))"
    outputs = [
        subprocess.run(
            [sys.executable, "-c", program],
            check=True,
            capture_output=True,
            text=True,
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("1", "2")
    ]

    assert outputs == [f"{derive_seed(7, 'noise', 2)}\n"] * 2


def test_seeds_stay_in_the_range_that_every_library_takes() -> None:
    seeds = [derive_seed(0, "trial", number) for number in range(5000)]

    assert all(0 <= seed < 2**31 for seed in seeds)
    # With 5000 draws from 2**31, the odds against two equal ones are 170 to 1; these are fixed.
    assert len(set(seeds)) == 5000


def test_neighbours_differ_in_about_half_of_their_bits() -> None:
    pairs = [(derive_seed(0, number), derive_seed(0, number + 1)) for number in range(1000)]
    differing = sum((one ^ other).bit_count() for one, other in pairs) / 1000

    # 15.5 of 31 bits on average, with a standard error of 0.09: 0.5 is more than five of them.
    assert abs(differing - 15.5) < 0.5


def test_borders_and_kinds_of_the_parts_count() -> None:
    paths = [("a", "bc"), ("ab", "c"), ("abc",), (1, 2), (12,), ("12",), (2, 1), ()]

    assert len({derive_seed(5, *path) for path in paths}) == len(paths)
