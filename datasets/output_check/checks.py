"""A table and the query that made it → a verdict on each number.

Each number is compared with the data; judged by the primary rules of the policy, as our own releases are; compared with
what earlier releases hide, and with what the table itself hides. Then the pattern of what is hidden is audited.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from datasets.answer import Status
from datasets.official.cells import earlier
from datasets.official.released import ReleasedCells
from datasets.output_check import agreement
from datasets.output_check.against import Against, against_beside, against_counts
from datasets.output_check.numbers import Cells, Recomputed
from datasets.output_check.pattern import told
from datasets.output_check.placed import Placed, place
from datasets.output_check.table_in import Sent
from datasets.output_check.verdict import CheckedCell, CheckedTable, Finding, Reason, finding, of_rule
from disclosure.aggregates import Aggregate
from disclosure.policy import Policy
from disclosure.suppression.problem import CannotProtect
from disclosure.tables import Flags, Secret


def check_table(
    sent: Sequence[Sent], recomputed: Recomputed, before: Sequence[ReleasedCells], policy: Policy
) -> CheckedTable:
    """Raises InvalidTable where numbers are none of the query's, CannotProtect where rules cannot be judged."""
    return _Check(place(sent, recomputed, policy), recomputed, before, policy).run()


class _Check(Secret):
    def __init__(
        self, placed: Sequence[Placed], recomputed: Recomputed, before: Sequence[ReleasedCells], policy: Policy
    ) -> None:
        past = earlier(recomputed.table, before)
        self._placed, self._recomputed, self._policy = placed, recomputed, policy
        self._counts = against_counts(recomputed, past, policy)
        self._beside = against_beside(recomputed, self._counts, past, policy)
        self._hidden = self._flags(lambda p: p.tells.itself and not p.sent.shown)
        self._shown = self._flags(lambda p: p.sent.shown) & ~self._hidden

    def run(self) -> CheckedTable:
        findings = {i: list(self._of_number(p)) for i, p in enumerate(self._placed)}
        whole = list(self._of_pattern(findings)) + list(self._of_table())
        cells = (CheckedCell(p.sent.line, p.sent.column, tuple(findings[i])) for i, p in enumerate(self._placed))
        return CheckedTable(tuple(dict.fromkeys(whole)), tuple(cells))

    def _flags(self, wanted: Callable[[Placed], bool]) -> Flags:
        """Counts that the wanted numbers tell of, in the shape of the cube."""
        found = np.zeros(self._recomputed.table.shape, np.bool_)
        for placed in filter(wanted, self._placed):
            found.flat[self._recomputed.cells(placed.row, placed.tells)] = True
        return found

    def _flags_beside(self, aggregate: Aggregate) -> Flags:
        """Numbers of a table beside the counts that are told."""
        found = np.zeros(self._recomputed.table.shape[:-1], np.bool_)
        for placed in self._placed:
            if placed.sent.shown and aggregate in placed.tells.beside:
                found.flat[self._recomputed.places[placed.row]] = True
        return found

    def _of_number(self, placed: Placed) -> Iterator[Finding]:
        if not placed.sent.shown:
            if placed.sent.status is Status.NOT_APPLICABLE and not self._impossible(placed):
                yield finding(Reason.NOT_APPLICABLE)
            return
        if disagreement := self._disagreement(placed):
            yield finding(disagreement)
        for name in self._rules(placed):
            yield of_rule(name, self._policy)
        if self._any(placed, lambda against: against.before):
            yield finding(Reason.HIDDEN_BEFORE)
        if self._hidden.flat[self._recomputed.cells(placed.row, placed.tells)].any():
            yield finding(Reason.TELLS_HIDDEN)

    def _impossible(self, placed: Placed) -> bool:
        return bool(self._recomputed.exact.structural.flat[self._recomputed.cells(placed.row, placed.tells)].all())

    def _disagreement(self, placed: Placed) -> Reason | None:
        """A count that is exactly true and rounds to nothing may be marked `low`."""
        name, at = placed.measure.id, (placed.row, placed.output)
        truth, as_shown = (float(numbers[name][at]) for numbers in (self._recomputed.truth, self._recomputed.as_shown))
        if placed.measure.statistic.is_count:
            if placed.sent.status is Status.LOW and not truth:
                return Reason.NOT_THAT_OF_THE_QUERY
            return agreement.of_count(placed.sent, truth, as_shown, self._policy)
        decimals = placed.measure.statistic.decimals(placed.measure.subject)
        return agreement.of_estimate(placed.sent, truth, as_shown, decimals)

    def _rules(self, placed: Placed) -> list[str]:
        """Names of the rules that hide it."""
        names = dict.fromkeys(
            name
            for against, cells in self._behind(placed)
            for name, flags in against.rules.items()
            if flags.flat[cells].any()
        )
        few = self._recomputed.few
        at = (placed.row, placed.output)
        return [*names, *(name for name, flags in few.items() if flags[placed.measure.id][at])]

    def _any(self, placed: Placed, flags: Callable[[Against], Flags]) -> bool:
        return any(bool(flags(against).flat[cells].any()) for against, cells in self._behind(placed))

    def _behind(self, placed: Placed) -> Iterator[tuple[Against, Cells]]:
        """What a number tells of, table by table."""
        yield self._counts, self._recomputed.cells(placed.row, placed.tells)
        for aggregate in placed.tells.beside:
            yield self._beside[aggregate], self._recomputed.places[[placed.row]]

    def _of_table(self) -> Iterator[Finding]:
        rule = self._policy.sparsity
        if rule and rule.refuses(self._recomputed.exact.pupils, self._policy.minimum_count):
            yield finding(Reason.SPARSE)

    def _of_pattern(self, findings: Mapping[int, list[Finding]]) -> Iterator[Finding]:
        """Narrow cells go to the hidden numbers that stand for them, others to the table."""
        try:
            yield from self._blamed(told(self._counts.problem, self._shown), None, findings)
            for aggregate, against in self._beside.items():
                shown = self._flags_beside(aggregate)
                if shown.any():
                    yield from self._blamed(told(against.problem, shown), aggregate, findings)
        except CannotProtect:
            yield finding(Reason.NOT_AUDITED)

    def _blamed(
        self, narrow: Flags, aggregate: Aggregate | None, findings: Mapping[int, list[Finding]]
    ) -> Iterator[Finding]:
        standing = self._standing(aggregate)
        for cell in np.flatnonzero(narrow).tolist():
            for place_ in standing[cell]:
                findings[place_].append(finding(Reason.CAN_BE_WORKED_OUT))
            if not standing[cell]:
                yield finding(Reason.TELLS_OTHERS)

    def _standing(self, aggregate: Aggregate | None) -> Mapping[int, list[int]]:
        """Cell of a cube → hidden numbers that stand for it."""
        found: dict[int, list[int]] = defaultdict(list)
        for i, placed in enumerate(self._placed):
            if placed.sent.shown:
                continue
            if aggregate is None and placed.tells.itself:
                found[int(self._recomputed.cells(placed.row, placed.tells)[0])].append(i)
            elif aggregate in placed.tells.beside:
                found[int(self._recomputed.places[placed.row])].append(i)
        return found
