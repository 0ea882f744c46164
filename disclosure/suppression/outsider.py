"""What anybody can deduce from a table alone, without knowing the truth: an interval for each number that it hides.

Shown cells have bounds that differ by their rounding; hidden ones are from 0. The interval is that of the linear
program, so what it contains is possible for an attacker who does not know that counts are whole; one who does may know
more. A wide interval is therefore no proof of protection (`audit` has that, and needs the data); a narrow one is
disclosed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from disclosure.cube import Dimension
from disclosure.suppression.equations import equations
from disclosure.suppression.highs import Program
from disclosure.tables import Flags, Floats, Integers


def deduced(dimensions: Sequence[Dimension], lower: Integers, upper: Integers, wanted: Flags) -> tuple[Floats, Floats]:
    """Least and greatest values of the wanted cells, in row-major order. All arrays have the shape of the dimensions.

    Raises Infeasible where no table is within the bounds, CannotProtect where the solver gives up.
    """
    every = np.ones(lower.shape, np.bool_)
    program = Program(equations(dimensions, every), lower.ravel(), upper.ravel())
    ends = np.array(
        [[_end(program, place, sign, lower.size) for sign in (-1, 1)] for place in np.flatnonzero(wanted).tolist()]
    )
    return ends.reshape(-1, 2)[:, 0], ends.reshape(-1, 2)[:, 1]


def _end(program: Program, place: int, sign: int, size: int) -> float:
    costs = np.zeros(size)
    costs[place] = sign
    return float(program.maximise(costs)[place])
