"""Ours: the service's own steps from a JSON query to the estimate, without what is done to a number to display it.

validate → priced → engine → protect → known tables → the statistic's estimate. What follows in the service is rounding,
masking and intervals. A measurement that an earlier query of the same total made is not bought again. The tables of a
hierarchy are one query with totals.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from benchmarks.accuracy.files import Source
from benchmarks.accuracy.questions import STEP, Ask, Kind, Over, Question
from benchmarks.accuracy.truth import Cells, mean_absolute_error, summary
from datasets.catalogue_toml import load_catalogue
from datasets.engines.duckdb import DuckDBEngine
from datasets.fold import scans
from datasets.fold import tables as folded
from datasets.groupings import Table
from datasets.ingest import ingest, open_current
from datasets.known import known_tables
from datasets.plan import Quantity
from datasets.statistics.recipe import KnownTable
from datasets.validate import ValidQuery, validate
from disclosure.accounting import NANO, Event, epsilon, pure_epsilon, rho
from disclosure.aggregates import Aggregate
from disclosure.noise import NoiseSource, add_noise, laplace_scale, scale_of_laplace, sigma
from disclosure.policy import load_policy
from disclosure.protect import protect
from disclosure.tables import ExactTable, Floats, Integers, Known, Measurement, Noise
from privacy_api.cli.cuts import preset
from privacy_api.cli.progress import Bar
from privacy_api.service.cuts import HostedCut, HostedDataSet
from privacy_api.service.questions import priced
from privacy_api.wire.query_in import read_query

GRANTS = frozenset({"sex", "sen"})
FLAGS = {"persistent": ("absence_band.persistent", "yes"), "grade_a": ("grade", "10")}
LAWS = (Noise.GAUSSIAN, Noise.LAPLACE)
ALPHA = 0.025
DRAWS = 200
MEAN_OF_NORMAL = math.sqrt(2 / math.pi)


@dataclass(frozen=True, slots=True)
class Budget:
    """One total in both currencies. nano_rho: the most zCDP that OpenDP's conversion keeps within (ε, δ)."""

    epsilon: float
    delta: float
    nano_rho: int


def budget(eps: float, delta: float) -> Budget:
    low, high = 1, 10**10
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if epsilon(middle, delta) <= eps else (low, middle)
    return Budget(eps, delta, low)


def host(source: Source, examples: Path, shared: Path, home: Path) -> HostedDataSet:
    """The file under its example catalogue, with the default policy but for caps that would refuse ε = 1."""
    text = (examples / source.catalogue).read_text(encoding="utf-8")
    catalogue = load_catalogue(text)
    with Bar() as bar:
        ingest(catalogue, text, {source.data_set: [shared / source.file]}, home, bar)
    published = open_current(home, catalogue.cut)
    policy = replace(load_policy(preset("dp-default")), query_cap=10**11, cut_cap=10**11, max_cells=50_000)
    cut = HostedCut(catalogue, published.version, policy, DuckDBEngine(published.databases, seconds=60))
    return HostedDataSet(cut, catalogue.data_sets[0])


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """One query with what each of its quantities costs in it. exact: its layouts' tables."""

    valid: ValidQuery
    events: Mapping[Quantity, Event]
    exact: Mapping[int, ExactTable]


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question, ready to be measured again and again within its total.

    places: for each of its tables the query and the table of it. bought: the price of every distinct measurement.
    """

    question: Question
    cut: HostedCut
    queries: tuple[Priced, ...]
    places: tuple[tuple[int, int], ...]
    bought: Mapping[str, int]


def ask(question: Question, source: Source, hosted: HostedDataSet, law: Noise, total: Budget) -> Asked:
    """Under Gaussian noise queries share ρ by their number of measurements; under Laplace noise every measurement has
    one price, the policy's, which is set so that the pure ε of all is the total."""
    bodies, places = _bodies(question, source)
    first = [_query(body, hosted) for body in bodies]
    policy = replace(hosted.cut.policy, noise=law)
    if law is Noise.LAPLACE:
        cut = replace(hosted.cut, policy=policy)
        distinct = len(_bought([priced(valid, cut).events for valid in first]))
        each = int((total.epsilon / distinct) ** 2 / 2 * NANO)
        cut = replace(cut, policy=replace(policy, default_price=each))
        valids = first
    else:
        cut = replace(hosted.cut, policy=policy)
        valids = _within(bodies, first, hosted, cut, total)
    costs = [priced(valid, cut).events for valid in valids]
    bought = _bought(costs)
    spent = sum(bought.values())
    assert pure_epsilon(bought.values()) <= total.epsilon if law is Noise.LAPLACE else spent <= total.nano_rho
    queries = tuple(Priced(v, c, _exact(v, cut)) for v, c in zip(valids, costs, strict=True))
    return Asked(question, cut, queries, places, bought)


def _bodies(question: Question, source: Source) -> tuple[list[dict[str, object]], tuple[tuple[int, int], ...]]:
    """The queries, and where in their answers the question's tables are."""
    by = [[source.references[name] for name in each.by] for each in question.asks]
    if question.over is Over.MARGINS:
        body = {"measures": [_measure(question.asks[-1])], "groupBy": by[-1], "totals": by[:-1]}
        return [body], (*((0, i + 1) for i in range(len(by) - 1)), (0, 0))
    bodies: list[dict[str, object]] = [
        {"measures": [_measure(each)], "groupBy": names} for each, names in zip(question.asks, by, strict=True)
    ]
    return bodies, tuple((i, 0) for i in range(len(bodies)))


def _within(
    bodies: Sequence[dict[str, object]],
    first: Sequence[ValidQuery],
    hosted: HostedDataSet,
    cut: HostedCut,
    total: Budget,
) -> list[ValidQuery]:
    """The queries at prices that cost the total, what is shared being paid once, at the higher price."""
    each = total.nano_rho // 100
    for _ in range(3):
        shares = [each * len(valid.quantities) for valid in first]
        found = [_query(body | {"rho": str(rho(share))}, hosted) for body, share in zip(bodies, shares, strict=True)]
        spent = sum(_bought([priced(valid, cut).events for valid in found]).values())
        if total.nano_rho * (1 - 1e-4) <= spent <= total.nano_rho:
            break
        each = each * total.nano_rho // spent - 1
    return found


def _bought(costs: Sequence[Mapping[Quantity, Event]]) -> dict[str, int]:
    """By question: as refinement has it, a better measurement costs the difference."""
    found: dict[str, int] = {}
    for events in costs:
        for event in events.values():
            found[event.question] = max(event.nano_rho, found.get(event.question, 0))
    return found


def _query(body: Mapping[str, object], hosted: HostedDataSet) -> ValidQuery:
    return validate(read_query(body, hosted.id), hosted.data_set, GRANTS, hosted.cut.limits)


def _measure(each: Ask) -> dict[str, object]:
    match each.kind:
        case Kind.COUNT:
            return {"statistic": "count"}
        case Kind.SHARE:
            variable, code = FLAGS[each.of]
            return {"statistic": "percentage", "variable": variable, "codes": [code]}
        case Kind.QUANTILE:
            return {"statistic": "quantile", "variable": each.of, "probabilities": list(each.probabilities)}
        case _:
            return {"statistic": each.kind.value, "variable": each.of}


def _exact(valid: ValidQuery, cut: HostedCut) -> dict[int, ExactTable]:
    wanted: dict[int, tuple[Aggregate, ...]] = {}
    for quantity in valid.quantities:
        wanted[quantity.layout] = (*wanted.get(quantity.layout, ()), quantity.aggregate)
    found: dict[int, ExactTable] = {}
    for scan in scans(valid, wanted):
        found |= folded(scan, cut.engine.aggregate(valid.plan(scan.layout, scan.aggregates)), valid)
    return {layout: table.only(wanted[layout]) for layout, table in found.items()}


def once(asked: Asked, noise: NoiseSource = add_noise) -> list[Cells]:
    """All tables of the question, from fresh noise."""
    return [
        _answer(each, query.valid, table, _estimate(query.valid, known))
        for each, (query, table, known) in zip(asked.question.asks, _known(asked, noise), strict=True)
    ]


def _known(asked: Asked, noise: NoiseSource) -> list[tuple[Priced, int, KnownTable]]:
    """For each table of the question its query, its place there, and what is known of it."""
    made: dict[str, Measurement] = {}
    tables = []
    for query in asked.queries:
        made |= _fresh(query, made, asked, noise)
        tables.append(known_tables(query.valid, {q: made[event.question] for q, event in query.events.items()}))
    return [(asked.queries[i], table, tables[i][table]) for i, table in asked.places]


def _fresh(query: Priced, known: Mapping[str, Measurement], asked: Asked, noise: NoiseSource) -> dict[str, Measurement]:
    """What no earlier query has measured."""
    found: dict[str, Measurement] = {}
    for layout, exact in query.exact.items():
        here = {q.aggregate: e for q, e in query.events.items() if q.layout == layout and e.question not in known}
        if here:
            prices = {a: asked.bought[e.question] for a, e in here.items()}
            contribution = query.valid.layouts[layout].contribution
            table = protect(exact.only(here), prices, contribution, asked.cut.policy, noise)
            found |= {event.question: table[a] for a, event in here.items()}
    return found


def _estimate(valid: ValidQuery, known: KnownTable) -> Floats:
    """(cells, outputs), neither rounded nor masked."""
    (measure,) = valid.measures
    if measure.statistic.estimate is not None:
        return measure.statistic.estimate(known, measure.subject, ALPHA)[0]
    draws = {need: each.values[None] for need, each in known.items()}
    return np.asarray(measure.statistic.finish(draws, measure.subject)[0])


def _answer(each: Ask, valid: ValidQuery, table: int, values: Floats) -> Cells:
    axes: Table = valid.tables[table]
    keys = product(*(axis.codes for axis in axes.axes))
    labels: list[tuple[str, ...]] = [(p,) for p in each.probabilities] or [()]
    return {
        (*(code.code for code in key), *label): float(value)
        for key, row in zip(keys, values, strict=True)
        for label, value in zip(labels, row, strict=True)
    }


def errors(
    asked: Asked, true: Sequence[Cells], repetitions: int, noise: NoiseSource = add_noise
) -> dict[str, list[float]]:
    """Mean absolute error of each table, and its standard error."""
    runs = (zip(asked.question.asks, true, once(asked, noise), strict=True) for _ in range(repetitions))
    return summary([[mean_absolute_error(*parts) for parts in run] for run in runs])


def check(asked: Asked, true: Sequence[Cells]) -> None:
    """Without noise the same steps give the truth (a quantile: to a bin), so that errors are of noise alone."""

    def none(values: Integers, distance: int, nano_rho: int, /, *, law: Noise = Noise.GAUSSIAN) -> Integers:
        return values

    for each, wrong in zip(asked.question.asks, errors(asked, true, 1, none)["errors"], strict=True):
        assert wrong < (STEP if each.kind is Kind.QUANTILE else 1e-6), str(each)


def expected(asked: Asked, true: Sequence[Cells]) -> list[float]:
    """Of counts by formula, from the deviations that the service states; of the rest (not linear in the noise, or sums
    of several Laplace noises) by simulation with another source of noise."""
    simulator = np.random.default_rng(20261121)

    def simulated(values: Integers, distance: int, nano_rho: int, /, *, law: Noise = Noise.GAUSSIAN) -> Integers:
        if law is Noise.GAUSSIAN:
            return values + np.rint(simulator.normal(0, sigma(distance, nano_rho), values.shape)).astype(np.int64)
        stop = -math.expm1(-1 / laplace_scale(distance, nano_rho))
        return values + simulator.geometric(stop, values.shape) - simulator.geometric(stop, values.shape)

    counted = [next(iter(known.values())) for _, _, known in _known(asked, simulated)]
    drawn = errors(asked, true, DRAWS, simulated)["errors"]
    return [
        _of_count(counts) if each.kind is Kind.COUNT and counts.noise is asked.cut.policy.noise else found
        for each, counts, found in zip(asked.question.asks, counted, drawn, strict=True)
    ]


def _of_count(known: Known) -> float:
    """E|N|: √(2/π)·σ of a normal, 1 / sinh(1/b) of a discrete Laplace."""
    if known.noise is Noise.LAPLACE:
        return float(np.mean([1 / math.sinh(1 / scale_of_laplace(sd)) for sd in np.unique(known.sd)]))
    return float(MEAN_OF_NORMAL * known.sd.mean())
