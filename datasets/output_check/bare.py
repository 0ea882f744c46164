"""A table of which nothing is known but itself. What can be seen in it is judged, as though whole numbers were counts;
a person must see the rest.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from math import prod

import numpy as np

from datasets.answer import Status
from datasets.output_check.table_in import Sent
from datasets.output_check.verdict import CheckedCell, CheckedTable, Finding, Reason, finding
from disclosure.cube import Dimension
from disclosure.margins import Chain
from disclosure.policy import Policy
from disclosure.rules import ClassDisclosure, MinimumCount
from disclosure.suppression.highs import Infeasible
from disclosure.suppression.outsider import deduced
from disclosure.suppression.problem import CannotProtect

MOST_CELLS = 5_000
MOST_HIDDEN = 300
Cell = tuple[int, ...]


def check_bare(sent: Sequence[Sent], policy: Policy, why: Finding) -> CheckedTable:
    """why: no more than this is looked at."""
    columns: dict[tuple[str, str], list[Sent]] = defaultdict(list)
    for each in sent:
        columns[each.measure, each.output].append(each)
    whole: dict[Finding, None] = {why: None}
    cells: list[CheckedCell] = []
    for column in columns.values():
        found = _Column(column, policy)
        whole |= dict.fromkeys(found.of_pattern())
        cells += [CheckedCell(s.line, s.column, tuple(found.findings[i])) for i, s in enumerate(column)]
    return CheckedTable(tuple(whole), tuple(cells))


class _Column:
    """The numbers of one column as a cube, as far as they are there."""

    def __init__(self, column: Sequence[Sent], policy: Policy) -> None:
        self._column, self._policy = column, policy
        self._counts = all(s.value is None or (s.value >= 0 and not s.decimals) for s in column)
        self.findings = [list(self._of_number(s)) for s in column]
        codes = [list(dict.fromkeys(s.key[k] for s in column if s.key[k])) for k in range(len(column[0].key))]
        self._dimensions = [Dimension.of(Chain.plain(max(1, len(each)))) for each in codes]
        self._shape = tuple(dimension.size for dimension in self._dimensions)
        at = [
            {**{code: i for i, code in enumerate(each)}, "": size - 1}
            for each, size in zip(codes, self._shape, strict=True)
        ]
        self._cells: list[Cell] = [tuple(of[code] for of, code in zip(at, s.key, strict=True)) for s in column]

    def _of_number(self, sent: Sent) -> Iterator[Finding]:
        if sent.value is None or not self._counts:
            return
        rule = self._policy.rule(MinimumCount)
        if 0 < sent.value < self._policy.minimum_count or sent.status is Status.LOW:
            yield finding(Reason.SMALL)
        elif sent.value == 0 and (rule is None or rule.zeros == "hide"):
            yield finding(Reason.ZERO)

    def of_pattern(self) -> Iterator[Finding]:
        """Of the column; those of its numbers are noted with them."""
        if not self._counts:
            return
        hidden = [i for i, s in enumerate(self._column) if s.value is None and s.status is not Status.NOT_APPLICABLE]
        if prod(self._shape) > MOST_CELLS or len(hidden) > MOST_HIDDEN:
            yield finding(Reason.NOT_AUDITED)
            return
        if self._policy.rule(ClassDisclosure):
            self._full()
        if hidden:
            yield from self._narrow(hidden)

    def _full(self) -> None:
        """Parts that are the whole of their total, where the line has other parts."""
        value = {cell: s.value for cell, s in zip(self._cells, self._column, strict=True) if s.value}
        for i, cell in enumerate(self._cells):
            for axis, dimension in enumerate(self._dimensions):
                total = (*cell[:axis], dimension.size - 1, *cell[axis + 1 :])
                several = dimension.size > 2 and cell != total
                if several and cell in value and value[cell] == value.get(total):
                    self.findings[i].append(finding(Reason.FULL))
                    break

    def _narrow(self, hidden: Sequence[int]) -> Iterator[Finding]:
        wanted = np.zeros(self._shape, np.bool_)
        for i in hidden:
            wanted[self._cells[i]] = True
        base = self._policy.rounding_base
        for slack in dict.fromkeys((0, base // 2, base - 1)):
            try:
                lower, upper = deduced(self._dimensions, *self._bounds(slack), wanted)
                break
            except Infeasible:
                continue
            except CannotProtect:
                yield finding(Reason.NOT_AUDITED)
                return
        else:
            yield finding(Reason.DOES_NOT_ADD_UP)
            return
        ends = np.zeros(self._shape)
        ends[wanted] = upper - lower
        for i in hidden:
            if ends[self._cells[i]] < max(1, self._policy.secondary.width) - 1e-6:
                self.findings[i].append(finding(Reason.CAN_BE_WORKED_OUT))

    def _bounds(self, slack: int) -> tuple[np.ndarray, np.ndarray]:
        """slack: how far rounding may have moved a number that is shown."""
        most = 2 * sum(int(s.value or 0) for s in self._column) + 1_000
        lower, upper = np.zeros(self._shape, np.int64), np.full(self._shape, most, np.int64)
        for cell, s in zip(self._cells, self._column, strict=True):
            if s.value is not None:
                lower[cell], upper[cell] = max(0, int(s.value) - slack), int(s.value) + slack
            elif s.status is Status.NOT_APPLICABLE:
                upper[cell] = 0
        return lower, upper
