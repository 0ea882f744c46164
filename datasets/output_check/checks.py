"""A table and the query that made it → a verdict on each number.

Each number is compared with the data; judged by the primary rules of the policy, as our own releases are; compared with
what earlier releases hide, and with what the table itself hides. Then the pattern of what is hidden is audited.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from datasets.answer import Status
from datasets.official.released import ReleasedCells
from datasets.output_check import agreement
from datasets.output_check.look import Look
from datasets.output_check.numbers import Recomputed
from datasets.output_check.pattern import of_pattern
from datasets.output_check.placed import Placed, place
from datasets.output_check.table_in import Sent
from datasets.output_check.verdict import CheckedCell, CheckedTable, Finding, Reason, finding, of_rule
from datasets.output_check.whole import of_table
from disclosure.policy import Policy


def check_table(
    sent: Sequence[Sent], recomputed: Recomputed, before: Sequence[ReleasedCells], policy: Policy
) -> CheckedTable:
    """Raises InvalidTable where numbers are none of the query's, CannotProtect where rules cannot be judged."""
    look = Look(place(sent, recomputed, policy), recomputed, before, policy)
    findings = [list(_of_number(placed, look)) for placed in look.placed]
    whole = [*of_pattern(look, findings), *of_table(look)]
    cells = (CheckedCell(p.sent.line, p.sent.column, tuple(f)) for p, f in zip(look.placed, findings, strict=True))
    return CheckedTable(tuple(dict.fromkeys(whole)), tuple(cells))


def _of_number(placed: Placed, look: Look) -> Iterator[Finding]:
    if not placed.sent.shown:
        if placed.sent.status is Status.NOT_APPLICABLE and not _impossible(placed, look):
            yield finding(Reason.NOT_APPLICABLE)
        return
    if disagreement := _disagreement(placed, look):
        yield finding(disagreement)
    for name in _rules(placed, look):
        yield of_rule(name, look.policy)
    if any(bool(against.before.flat[cells].any()) for against, cells in look.behind(placed)):
        yield finding(Reason.HIDDEN_BEFORE)
    if look.tells_any(placed, look.hidden):
        yield finding(Reason.TELLS_HIDDEN)


def _impossible(placed: Placed, look: Look) -> bool:
    return bool(look.recomputed.exact.structural.flat[look.cells(placed)].all())


def _disagreement(placed: Placed, look: Look) -> Reason | None:
    """`low` says that somebody is there."""
    name, at = placed.measure.id, (placed.row, placed.output)
    truth, as_shown = (float(numbers[name][at]) for numbers in (look.recomputed.truth, look.recomputed.as_shown))
    if placed.sent.status is Status.LOW and not truth:
        return Reason.NOT_THAT_OF_THE_QUERY
    if placed.measure.statistic.is_count:
        return agreement.of_count(placed.sent, truth, as_shown, look.policy)
    decimals = placed.measure.statistic.decimals(placed.measure.subject)
    return agreement.of_estimate(placed.sent, truth, as_shown, decimals)


def _rules(placed: Placed, look: Look) -> list[str]:
    """Names of those that hide it."""
    names = dict.fromkeys(
        name
        for against, cells in look.behind(placed)
        for name, flags in against.rules.items()
        if flags.flat[cells].any()
    )
    at = (placed.row, placed.output)
    few = (name for name, flags in look.recomputed.few.items() if flags[placed.measure.id][at])
    return [*names, *few]
