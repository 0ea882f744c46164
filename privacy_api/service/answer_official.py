"""`official` mode on the way of a query: a table is protected whole, with regard to all that was released before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from datasets.official.cells import earlier, released
from datasets.official.differencing import differs_by_few, population_of, read_population
from datasets.official.exact import exact_of, rows_each
from datasets.official.gather import Aggregates
from datasets.official.measurements import measurements
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


def protect_it(
    asked: Asked,
    table: OfficialTable,
    missing: Mapping[Quantity, Event],
    before: Sequence[ReleasedTable],
    services: Services,
) -> tuple[Mapping[str, Measurement], ReleasedTable]:
    """Raises CannotProtect."""
    policy = asked.hosted.cut.policy

    def aggregate(plan: Plan) -> ExactTable:
        found = asked.hosted.cut.engine.aggregate(plan)
        services.step("aggregated")
        return found

    _guard(asked, table, before, aggregate)
    exact = exact_of(table, policy, aggregate)
    protected = protect_release(exact, earlier(table, [each.cells for each in before]), policy)
    found = measurements(table, protected, asked.valid)
    told = ReleasedTable(population_of(table).text, released(table, protected))
    return {event.question: found[quantity] for quantity, event in missing.items()}, told


def _guard(asked: Asked, table: OfficialTable, before: Sequence[ReleasedTable], aggregate: Aggregates) -> None:
    """Populations are bounded in number, and no two may differ by a few."""
    policy, data_set = asked.hosted.cut.policy, asked.hosted.data_set
    others = [read_population(text, data_set) for text in dict.fromkeys(each.population for each in before)]
    several = {str(p.predicate.canonical()) for p in [*others, population_of(table)]}
    if not asked.registered and policy.differencing and len(several) > policy.differencing.most_populations:
        raise CannotProtect("Tables of as many populations as the policy allows were released; ask about one of those.")
    if differs_by_few(table, others, policy.minimum_count, int(rows_each(table).max()), aggregate):
        raise CannotProtect(TOO_CLOSE)
