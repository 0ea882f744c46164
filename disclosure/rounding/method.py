"""A whole table rounded, by one of three methods."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import assert_never

import numpy as np

from disclosure.cell_key.keys import Keys, mixed
from disclosure.cube import Cube
from disclosure.rounding.controlled import Published, controlled
from disclosure.rounding.conventional import nearest
from disclosure.rounding.random import LARGEST_BASE, by_key
from disclosure.tables import Flags, Integers

_PURPOSE = b"random rounding"


class RoundingMethod(StrEnum):
    """conventional: each number to the nearest multiple. random: up or down by the keys of its records, unbiased;
    totals may differ from the sums of their parts, as they may with the nearest. controlled: all totals are sums.
    """

    CONVENTIONAL = "conventional"
    RANDOM = "random"
    CONTROLLED = "controlled"


@dataclass(frozen=True, slots=True, eq=False)
class Rounding:
    """values: int64, multiples of the base, may be published. within: every number is less than this from the truth; a
    multiple of the base, and more than the base only where controlled rounding found no other way.
    """

    values: Integers
    within: int


def rounded(
    cube: Cube,
    method: RoundingMethod,
    base: int,
    keys: Keys | None = None,
    published: Published | None = None,
) -> Rounding:
    """The table in multiples of a base of at least 2.

    keys: sums of record keys, of the cube's shape; for random rounding, and needed there. published: for controlled
    rounding, numbers to be shown again as they were. Raises CannotRound, from controlled rounding only.
    """
    if not 2 <= base <= LARGEST_BASE:
        raise ValueError(f"base: wants 2 to {LARGEST_BASE}")
    if published is not None and method is not RoundingMethod.CONTROLLED:
        raise ValueError("published: only controlled rounding takes cells as given")
    values = _values(cube, method, base, keys, published)
    return Rounding(values, base * (int(np.abs(values - cube.values).max()) // base + 1))


def _values(cube: Cube, method: RoundingMethod, base: int, keys: Keys | None, published: Published | None) -> Integers:
    match method:
        case RoundingMethod.CONVENTIONAL:
            return nearest(cube.values, base)
        case RoundingMethod.RANDOM:
            if keys is None:
                raise ValueError("keys: random rounding wants one for each cell")
            return by_key(cube.values, mixed(keys, _PURPOSE), base)
        case RoundingMethod.CONTROLLED:
            return controlled(cube, base, published)
        case _:
            assert_never(method)


def low(cube: Cube, released: Integers) -> Flags:
    """Cells that are shown as 0 and are not: the symbol `low` of the Government Statistical Service, for "rounds to 0".

    Where it is shown, 0 itself says that there is nobody: a policy that hides zeros must not show it.
    """
    hidden: Flags = (released == 0) & (cube.values != 0)
    return hidden
