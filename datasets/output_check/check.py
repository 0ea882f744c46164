"""The way of an output check: the file and its query → a verdict on each number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from datasets.answer import Answer
from datasets.catalogue import DataSet
from datasets.official.differencing import Few, differs_by_few, read_population
from datasets.official.gather import Aggregates
from datasets.official.released import ReleasedCells
from datasets.official.table import OfficialTable, is_simple, official_table
from datasets.output_check.bare import check_bare
from datasets.output_check.checks import check_table
from datasets.output_check.numbers import recompute
from datasets.output_check.statbarns import Handling, Statbarn, statbarn_of
from datasets.output_check.table_in import Sent, read_bare, read_table
from datasets.output_check.verdict import CheckedCell, CheckedTable, Finding, Reason, finding
from datasets.query import InvalidQuery, Measure, Query
from datasets.scope import DataSetScope
from datasets.statistics import STATISTICS
from datasets.statistics.recipe import Split
from datasets.validate import Limits, ValidMeasure, ValidQuery, validate
from disclosure.policy import Policy
from disclosure.suppression.problem import CannotProtect


@dataclass(frozen=True, slots=True, eq=False)
class Place:
    """Where a check is made: the data, what may be asked of it, and what was released of it before, whose populations
    are as they were stored."""

    data_set: DataSet
    policy: Policy
    limits: Limits
    grants: frozenset[str]
    aggregate: Aggregates
    populations: Sequence[str] = ()
    cells: Sequence[ReleasedCells] = ()
    scope: DataSetScope | None = None


def check_output(text: str, query: Query | None, place: Place) -> CheckedTable:
    """Raises InvalidTable, InvalidQuery (what the query names is not there) and EngineFailed."""
    if query is None:
        return check_bare(read_bare(text), place.policy, finding(Reason.NO_QUERY))
    judged, others = _kinds(query)
    valid = _valid(query, judged, place) if judged else None
    if valid is not None:
        judged = [m.subject.measure for m in valid.measures]
        others = [m for m in query.measures if m.id not in {measure.id for measure in judged}]
    sent = read_table(text, _groupings(query, valid), [m.id for m in query.measures])
    by_hand = [
        CheckedCell(s.line, s.column, (_by_hand(s, others),)) for s in sent if s.measure in {m.id for m in others}
    ]
    mine = [s for s in sent if s.measure in {m.id for m in judged}]
    checked = _checked(mine, valid, place) if valid is not None and mine else CheckedTable((), ())
    return CheckedTable(checked.findings, tuple(sorted((*checked.cells, *by_hand), key=lambda cell: cell.line)))


def _kinds(query: Query) -> tuple[list[Measure], list[Measure]]:
    """Measures that rules can judge, and others."""

    def judged(measure: Measure) -> bool:
        known = STATISTICS.get(measure.statistic)
        return known is not None and known.in_official and statbarn_of(measure.statistic).handling is Handling.JUDGED

    return [m for m in query.measures if judged(m)], [m for m in query.measures if not judged(m)]


def _valid(query: Query, measures: Sequence[Measure], place: Place) -> ValidQuery | None:
    """The query with those of the measures that a table can hold; None where there are none."""

    def validated(those: Sequence[Measure]) -> ValidQuery:
        asked = replace(query, measures=tuple(those))
        return validate(asked, place.data_set, place.grants, place.limits, official=True, scope=place.scope)

    valid = validated(measures)
    simple = [m.subject.measure for m in valid.measures if _is_simple(m)]
    if len(simple) == len(measures):
        return valid
    return validated(simple) if simple else None


def _is_simple(measure: ValidMeasure) -> bool:
    return all(not isinstance(need, Split) and is_simple(need) for need in measure.needs)


def _groupings(query: Query, valid: ValidQuery | None) -> tuple[str, ...]:
    if valid is not None:
        return Answer(valid.tables, ()).names
    return tuple(dict.fromkeys([*query.group_by, *(name for total in query.totals for name in total)]))


def _by_hand(sent: Sent, measures: Sequence[Measure]) -> Finding:
    statistic = next(m.statistic for m in measures if m.id == sent.measure)
    barn = statbarn_of(statistic)
    return finding(Reason.EXTREME if barn.handling is Handling.REFUSED else Reason.BY_HAND, _told(barn))


def _told(barn: Statbarn) -> str:
    return f"Kind: {barn.name}; risks: {', '.join(barn.risks)}; to look at: {barn.checks}."


def _checked(sent: Sequence[Sent], valid: ValidQuery, place: Place) -> CheckedTable:
    try:
        table, whole = _table(valid, place.policy)
    except InvalidQuery as refused:
        why = finding(Reason.NOT_RECOMPUTED, " ".join(problem.message for problem in refused.problems))
        return check_bare(sent, place.policy, why)
    try:
        recomputed = recompute(valid, table, place.policy, place.aggregate)
        checked = check_table(sent, recomputed, place.cells, place.policy)
    except CannotProtect as refused:
        return check_bare(sent, place.policy, finding(Reason.NOT_RECOMPUTED, refused.reason))
    close = [finding(Reason.TOO_CLOSE)] if _too_close(table, place) else []
    return replace(checked, findings=(*whole, *close, *checked.findings))


def _table(valid: ValidQuery, policy: Policy) -> tuple[OfficialTable, list[Finding]]:
    """As a free query would have it; otherwise with its criteria as a population of its own."""
    try:
        return official_table(valid, policy, registered=False), []
    except InvalidQuery:
        return official_table(valid, policy, registered=True), [finding(Reason.OWN_POPULATION)]


def _too_close(table: OfficialTable, place: Place) -> bool:
    others = [read_population(text, place.data_set) for text in dict.fromkeys(place.populations)]
    return differs_by_few(table, others, Few.of(table, place.policy), place.aggregate)
