"""What is to be hidden, what an attacker knows anyway, and a pattern that hides it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from disclosure.cube import Cube
from disclosure.tables import Flags, Integers, Secret


class Method(StrEnum):
    """How secondary cells are chosen."""

    BOX = "box"
    OPTIMAL = "optimal"
    NONE = "none"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Problem(Secret):
    """All arrays have the cube's shape.

    primary: cells that a rule hides. hidden: cells that were hidden in an earlier release and must stay so. known:
    cells that an attacker knows (shown earlier, or zeros that are shown as such): hiding them protects nothing.
    floor: the least that every hidden cell is known to be: 0 where zeros are hidden too, 1 where they are shown.
    width: of a primary cell's interval, the least that an attacker's knowledge must leave.
    """

    cube: Cube
    primary: Flags
    hidden: Flags
    known: Flags
    floor: int
    width: Integers

    def __post_init__(self) -> None:
        for flags in (self.primary, self.hidden, self.known):
            if flags.dtype != np.bool_ or flags.shape != self.cube.shape:
                raise ValueError(f"want flags of {self.cube.shape}")
        if self.width.dtype != np.int64 or self.width.shape != self.cube.shape or (self.width < 1).any():
            raise ValueError(f"want int64 widths of {self.cube.shape}, from 1")
        if self.floor not in (0, 1):
            raise ValueError("a hidden cell is known to be at least 0 or at least 1")


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """hidden: all cells that are not shown, primary ones among them. certified: for each of them the width of the
    attacker's interval that a certificate proves, 0 where none does.
    """

    hidden: Flags
    certified: Integers


class CannotProtect(Exception):
    """No pattern was found that protects every primary cell. `reason` is for people and says what would pass; it names
    dimensions by their place and tells nothing of the data.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
