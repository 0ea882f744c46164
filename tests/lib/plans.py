"""Below HTTP: what is measured for a valid question, exactly or protected, over each of its layouts of cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from datasets.answer import Answer, finish
from datasets.families import default_totals, families, prices
from datasets.plan import Plan, Quantity
from datasets.query import Query
from datasets.validate import Limits, ValidQuery, validate
from disclosure.noise import NoiseSource, add_noise
from disclosure.policy import Policy
from disclosure.protect import protect
from disclosure.tables import ExactTable, Integers, Measurement
from privacy_api.ports import Engine
from tests.lib import school

LIMITS = Limits(cells=50_000, group_by=8)
Measured = dict[Quantity, Measurement]


def valid_school(query: Query) -> ValidQuery:
    return validate(query, school.census(), school.GRANTS, LIMITS)


def plans(valid: ValidQuery) -> list[Plan]:
    """One for each layout, with everything that is measured over it."""
    return [
        valid.plan(layout, [q.aggregate for q in valid.quantities if q.layout == layout])
        for layout in range(len(valid.layouts))
    ]


def only_plan(valid: ValidQuery) -> Plan:
    """Of a question with one layout of cells."""
    (plan,) = plans(valid)
    return plan


def exact_tables(valid: ValidQuery, engine: Engine) -> list[ExactTable]:
    """Of each layout."""
    return [engine.aggregate(plan) for plan in plans(valid)]


def unprotected(valid: ValidQuery, engine: Engine, sigma: float = 0.0) -> Measured:
    """Exact numbers that claim to have noise of this deviation."""
    tables = exact_tables(valid, engine)
    return {q: as_measured(tables[q.layout][q.aggregate], sigma) for q in valid.quantities}


def as_measured(values: Integers, sigma: float) -> Measurement:
    return Measurement(values, sigma, np.zeros(values.shape, bool))


def default_prices(valid: ValidQuery, policy: Policy) -> dict[Quantity, int]:
    known = families(valid, policy.noise)
    return prices(default_totals(known, policy), known)


def protected(
    valid: ValidQuery,
    tables: list[ExactTable],
    each: Mapping[Quantity, int],
    policy: Policy,
    noise: NoiseSource = add_noise,
) -> Measured:
    found: Measured = {}
    for place, (layout, exact) in enumerate(zip(valid.layouts, tables, strict=True)):
        here = {q.aggregate: each[q] for q in each if q.layout == place}
        table = protect(exact, here, layout.contribution, policy, noise)
        found |= {Quantity(place, aggregate): m for aggregate, m in table.items()}
    return found


def answers(
    valid: ValidQuery,
    engine: Engine,
    policy: Policy,
    repetitions: int,
    claim: Callable[[Measured], Measured] = dict,
    times: int = 1,
) -> Iterator[Answer]:
    """Fresh answers at the default price, so many times. claim: what is said of the noise before it is finished."""
    tables = exact_tables(valid, engine)
    each = {q: times * price for q, price in default_prices(valid, policy).items()}
    for _ in range(repetitions):
        yield finish(valid, claim(protected(valid, tables, each, policy)), policy)
