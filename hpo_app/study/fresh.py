"""Trainings with seeds that the search never saw: who was trained, with which of them, and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, NamedTuple


if TYPE_CHECKING:
    from hpo_app.plan.run_plan import Confirm

# Fresh trainings are numbered from here, so that a search that is made longer goes on counting.
FIRST_FRESH = 100_000_000


class Kind(str, Enum):
    """What a fresh training is for.

    Attributes:
        RACE: To choose the winner.
        CLAIM: To say what the winner and the default configuration are worth, with seeds that
            choose nobody.
        REPLAY: To see that best.yaml leads to the value of the claim again, with the same seed.
    """

    RACE = "race"
    CLAIM = "claim"
    REPLAY = "replay"


class Fresh(NamedTuple):
    """One training of a configuration with a seed that no search saw.

    Attributes:
        of: Number of the trial whose configuration it is.
        kind: What it is for; each kind has seeds of its own, but a replay has those of the claim.
        place: Which of these seeds, from 0; the same for every configuration.
    """

    of: int
    kind: Kind
    place: int


class FreshSoFar(NamedTuple):
    """How far the trainings with fresh seeds are, for a person who waits.

    Attributes:
        num_ended: How many have ended.
        most: How many there will be, at most: who can no longer win is dropped.
        seconds_left: What they will take, at most; None while that is not known.
    """

    num_ended: int
    most: int
    seconds_left: float | None


@dataclass(frozen=True)
class Race:
    """Who is trained anew, and what that may cost.

    Attributes:
        contenders: Numbers of the trials, the best of the search first.
        default: Number of the trial of the default configuration; None if there is none.
        trainings: How many trainings race and claim may take together.
        first_seeds: Seeds that every contender is trained with before any is dropped.
        claim_seeds: Seeds that are held back for the claim, at least.
        most_claim_seeds: Seeds that are held back, at most: where the race leaves some over.
        has_replay: Whether best.yaml is trained once more at the end.
        most_contenders: How many contenders were asked for.
        share: What it was asked to take of the run.
        baselines: Numbers of the trials of configurations that a person brought along, and of
            whoever won an earlier race; they are among the contenders, and claimed beside the
            winner as the default is.
        narrows: Whether the best go on alone where the trainings run short. Journals from before
            have no such word, and what they tell of was decided without.
    """

    contenders: tuple[int, ...]
    default: int | None
    trainings: int
    first_seeds: int
    claim_seeds: int
    most_claim_seeds: int
    has_replay: bool = False
    most_contenders: int = 0
    share: float = 0.0
    baselines: tuple[int, ...] = ()
    narrows: bool = False

    @property
    def others(self) -> tuple[int, ...]:
        """Numbers of the trials that the winner is measured by, each once."""
        default = () if self.default is None else (self.default,)
        return tuple(dict.fromkeys((*default, *self.baselines)))

    @property
    def num_claims(self) -> int:
        """How many configurations are claimed, at most: those beside the winner may win, too."""
        return len(self.others) + any(number not in self.others for number in self.contenders)

    def is_by(self, confirm: Confirm) -> bool:
        """Return whether it was made by these settings; a replay that it has besides is no harm."""
        ours = (self.most_contenders, self.first_seeds, self.claim_seeds, self.share)
        lacks_replay = confirm.has_replay and not self.has_replay
        return not lacks_replay and ours == (
            confirm.contenders,
            confirm.first_seeds,
            confirm.claim_seeds,
            confirm.share,
        )

    def to_fields(self) -> dict[str, Any]:
        """Return it as the journal has it."""
        lists = {"contenders": list(self.contenders), "baselines": list(self.baselines)}
        return {**vars(self), **lists}

    @classmethod
    def from_fields(cls, fields: Any) -> Race:
        """Return what `to_fields` was made of."""
        known = {name: fields[name] for name in cls.__dataclass_fields__ if name in fields}
        lists = {name: tuple(fields.get(name, ())) for name in ("contenders", "baselines")}
        return cls(**{**known, **lists})


def is_fresh(number: int) -> bool:
    """Return whether a number is that of a fresh training, and not of a trial of the search."""
    return number >= FIRST_FRESH


def place_of(number: int) -> str:
    """Return the name of a trial's folder below `trials`."""
    return f"confirm-{number - FIRST_FRESH}" if is_fresh(number) else str(number)


def name_of(number: int) -> str:
    """Return how a trial is called in a sentence."""
    return f"confirmation {number - FIRST_FRESH}" if is_fresh(number) else f"trial {number}"
