"""Everything that a check looks at: the numbers that were sent, the truth, and what speaks against showing a cell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from datasets.official.cells import earlier
from datasets.official.released import ReleasedCells
from datasets.output_check.against import Against, against_beside, against_counts
from datasets.output_check.numbers import Cells, Recomputed
from datasets.output_check.placed import Placed
from disclosure.aggregates import Aggregate
from disclosure.policy import Policy
from disclosure.tables import Flags, Secret


class Look(Secret):
    """counts: of the cube; beside: of numbers beside it. hidden: counts that the table keeps back in so many words;
    shown: those that its numbers tell of.
    """

    def __init__(
        self, placed: Sequence[Placed], recomputed: Recomputed, before: Sequence[ReleasedCells], policy: Policy
    ) -> None:
        """Raises CannotProtect where a rule's evidence is not to be had."""
        past = earlier(recomputed.table, before)
        self.placed, self.recomputed, self.policy = placed, recomputed, policy
        self.counts = against_counts(recomputed, past, policy)
        self.beside = against_beside(recomputed, self.counts, past, policy)
        self.hidden = self._flags(lambda p: p.tells.itself and not p.sent.shown)
        self.shown = self._flags(lambda p: p.sent.shown) & ~self.hidden

    def _flags(self, wanted: Callable[[Placed], bool]) -> Flags:
        found = np.zeros(self.recomputed.table.shape, np.bool_)
        for placed in filter(wanted, self.placed):
            found.flat[self.cells(placed)] = True
        return found

    def shown_beside(self, aggregate: Aggregate) -> Flags:
        found = np.zeros(self.recomputed.table.shape[:-1], np.bool_)
        for placed in self.placed:
            if placed.sent.shown and aggregate in placed.tells.beside:
                found.flat[self.recomputed.places[placed.row]] = True
        return found

    def cells(self, placed: Placed) -> Cells:
        """Counts that a number tells of."""
        return self.recomputed.cells(placed.row, placed.tells)

    def tells_any(self, placed: Placed, cells: Flags) -> bool:
        return bool(cells.flat[self.cells(placed)].any())

    def behind(self, placed: Placed) -> Iterator[tuple[Against, Cells]]:
        """What a number tells of, table by table."""
        yield self.counts, self.cells(placed)
        for aggregate in placed.tells.beside:
            yield self.beside[aggregate], self.recomputed.places[[placed.row]]

    def standing(self, aggregate: Aggregate | None) -> Mapping[int, list[int]]:
        """Cell (of the counts, or of numbers beside them) → places of the hidden numbers that stand for it."""
        found: dict[int, list[int]] = defaultdict(list)
        for i, placed in enumerate(self.placed):
            if placed.sent.shown:
                continue
            if aggregate is None and placed.tells.itself:
                found[int(self.cells(placed)[0])].append(i)
            elif aggregate in placed.tells.beside:
                found[int(self.recomputed.places[placed.row])].append(i)
        return found
