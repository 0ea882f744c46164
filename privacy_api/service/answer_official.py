"""`official` mode on the way of a query: a table is protected whole, with regard to all that was released before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from datasets.official.cells import earlier, gives_away, released, together, worked_out_cells
from datasets.official.differencing import (
    Few,
    Population,
    differs_by_few,
    population_of,
    read_population,
    worked_out,
)
from datasets.official.exact import exact_of
from datasets.official.gather import Aggregates
from datasets.official.measurements import measurements
from datasets.official.released import ReleasedCells
from datasets.official.table import OfficialTable
from datasets.plan import Plan, Quantity
from disclosure.accounting import Event
from disclosure.official import protect_release
from disclosure.suppression.problem import CannotProtect
from disclosure.tables import ExactTable, Measurement
from privacy_api.ports import ReleasedTable
from privacy_api.service.questions import Asked
from privacy_api.service.services import Services

TOO_CLOSE = (
    "Its population differs by a few pupils from that of a table that was released. Ask for the population of that "
    "table, or for one that differs by more."
)

SEVERAL = (
    "Its population less that of a table that was released is several cells of one of them. Ask for a population that "
    "is one code or one band of each variable."
)


def protect_it(
    asked: Asked,
    table: OfficialTable,
    missing: Mapping[Quantity, Event],
    before: Sequence[ReleasedTable],
    services: Services,
) -> tuple[Mapping[str, Measurement], ReleasedTable]:
    """Raises CannotProtect."""
    policy, data_set = asked.hosted.cut.policy, asked.hosted.data_set

    def aggregate(plan: Plan) -> ExactTable:
        found = asked.hosted.cut.engine.aggregate(plan)
        services.step("aggregated")
        return found

    others = [read_population(text, data_set) for text in dict.fromkeys(each.population for each in before)]
    _guard(asked, table, others, aggregate)
    told = _worked_out(table, others)
    known = [*(each.cells for each in before), told]
    protected = protect_release(exact_of(table, policy, aggregate), earlier(table, known), policy)
    cells = released(table, protected)
    if gives_away(told, [*known, cells]):
        raise CannotProtect(TOO_CLOSE)
    found = measurements(table, protected, asked.valid)
    stored = ReleasedTable(population_of(table).text, together(cells, told))
    return {event.question: found[quantity] for quantity, event in missing.items()}, stored


def _guard(asked: Asked, table: OfficialTable, others: Sequence[Population], aggregate: Aggregates) -> None:
    """Populations are bounded in number, and no two may differ by a few."""
    policy = asked.hosted.cut.policy
    several = {str(p.predicate.canonical()) for p in [*others, population_of(table)]}
    if not asked.registered and policy.differencing and len(several) > policy.differencing.most_populations:
        raise CannotProtect("Tables of as many populations as the policy allows were released; ask about one of those.")
    if differs_by_few(table, others, Few.of(table, policy), aggregate):
        raise CannotProtect(TOO_CLOSE)


def _worked_out(table: OfficialTable, others: Sequence[Population]) -> ReleasedCells:
    keys = worked_out(table, others)
    if keys is None:
        raise CannotProtect(SEVERAL)
    return worked_out_cells(table, keys)
