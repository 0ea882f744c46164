"""Numbers and words of a policy file: what is accepted, and which way each lets more be known.

A direction stands beside every field, so that two policies can be compared rule by rule. Where two values cannot be
ordered, every change counts as loosening: someone has to look at it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeAlias


class Mode(StrEnum):
    DP = "dp"
    OFFICIAL = "official"


class Change(StrEnum):
    """What another value does to the protection."""

    LOOSENS = "loosens"
    TIGHTENS = "tightens"
    NEITHER = "neither"


@dataclass(frozen=True, slots=True)
class Direction:
    """judge: what it does to go from one accepted value to another. reason: a clause for people, true both ways."""

    judge: Callable[[Any, Any], Change]
    reason: str


Check: TypeAlias = Callable[[Any], bool]
BOTH = (Mode.DP, Mode.OFFICIAL)
OFFICIAL = (Mode.OFFICIAL,)


@dataclass(frozen=True, slots=True)
class Field:
    """One number or word of a table. unless: another key of the table and the word there with which this one has no
    meaning and is unknown.
    """

    key: str
    accepts: str
    check: Check
    direction: Direction
    modes: tuple[Mode, ...] = BOTH
    unless: tuple[str, str] | None = None


def lower_loosens(reason: str) -> Direction:
    return Direction(lambda a, b: _ordered(b, a), reason)


def higher_loosens(reason: str) -> Direction:
    return Direction(_ordered, reason)


def later_loosens(words: tuple[str, ...], reason: str) -> Direction:
    """Words from the tightest to the loosest."""
    return Direction(lambda a, b: _ordered(words.index(a), words.index(b)), reason)


def any_change_loosens(reason: str) -> Direction:
    """Values that cannot be ordered."""
    return Direction(lambda a, b: Change.NEITHER if a == b else Change.LOOSENS, reason)


def neither(reason: str) -> Direction:
    """Values on which no protection depends."""
    return Direction(lambda a, b: Change.NEITHER, reason)


def whole(key: str, low: int, high: int, direction: Direction, modes: tuple[Mode, ...] = BOTH) -> Field:
    return Field(key, f"a whole number from {low} to {high}", is_whole(low, high), direction, modes)


def number(key: str, above: str, most: str, direction: Direction, modes: tuple[Mode, ...] = BOTH) -> Field:
    return Field(key, f"a number above {above} and at most {most}", _between(above, most), direction, modes)


def fraction(key: str, most: int, direction: Direction) -> Field:
    """At most six decimals, since it is compared in whole numbers."""
    inside = _between("0", str(most))
    accepts = f"a number above 0 and at most {most}, with six decimals at most"
    return Field(key, accepts, lambda v: inside(v) and round(Decimal(v), 6) == v, direction, OFFICIAL)


def word(key: str, words: tuple[str, ...], direction: Direction, modes: tuple[Mode, ...] = OFFICIAL) -> Field:
    *first, last = (f"'{w}'" for w in words)
    accepts = f"{', '.join(first)} or {last}" if first else last
    return Field(key, accepts, lambda v: isinstance(v, str) and v in words, direction, modes)


def is_whole(low: int, high: int) -> Check:
    return lambda v: isinstance(v, int) and not isinstance(v, bool) and low <= v <= high


def _between(low: str, high: str) -> Check:
    def check(value: Any) -> bool:
        if not isinstance(value, int | Decimal) or isinstance(value, bool):
            return False
        return Decimal(value).is_finite() and Decimal(low) < value <= Decimal(high)

    return check


def _ordered(before: Any, after: Any) -> Change:
    if before == after:
        return Change.NEITHER
    return Change.LOOSENS if before < after else Change.TIGHTENS
