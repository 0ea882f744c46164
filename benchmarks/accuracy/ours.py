"""Ours: the service's own steps from a JSON query to the estimate, without what is done to a number to display it.

validate → prices → engine → protect → the statistic's `finish`. What follows in the service is rounding, masking and
intervals. A measurement that a question of the same total has made is not bought again.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np
from scipy.special import ndtri

from benchmarks.accuracy.files import Source
from benchmarks.accuracy.questions import STEP, Ask, Kind, Over, Question
from benchmarks.accuracy.truth import Cells, mean_absolute_error, mean_over
from datasets.catalogue_toml import load_catalogue
from datasets.engines.duckdb import DuckDBEngine
from datasets.ingest import ingest, open_current
from datasets.validate import ValidQuery, validate
from disclosure.accounting import Event, epsilon, rho
from disclosure.accuracy import Floats
from disclosure.aggregates import Aggregate, bins_of
from disclosure.noise import discrete_gaussian, sigma
from disclosure.policy import load_policy
from disclosure.protect import protect
from disclosure.tables import ExactTable, Measurement
from privacy_api.cli.cuts import preset
from privacy_api.cli.progress import Bar
from privacy_api.service.cuts import HostedCut, HostedDataSet
from privacy_api.service.questions import events
from privacy_api.wire.query_in import read_query

GRANTS = frozenset({"sex", "sen"})
FLAGS = {"persistent": ("absence_band.persistent", "yes"), "grade_a": ("grade", "10")}
MEAN_OF_NORMAL = math.sqrt(2 / math.pi)


def rho_for(eps: float, delta: float) -> int:
    """The most nano-ρ that OpenDP's conversion keeps within (ε, δ)."""
    low, high = 1, 10**10
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if epsilon(middle, delta) <= eps else (low, middle)
    return low


def host(source: Source, examples: Path, shared: Path, home: Path) -> HostedDataSet:
    """The file under its example catalogue, with the default policy but for caps that would refuse ε = 1."""
    text = (examples / source.catalogue).read_text(encoding="utf-8")
    catalogue = load_catalogue(text)
    with Bar() as bar:
        ingest(catalogue, text, {source.data_set: [shared / source.file]}, home, bar)
    published = open_current(home, catalogue.cut)
    policy = replace(load_policy(preset("dp-default")), query_cap=10**11, cut_cap=10**11, max_cells=50_000)
    cut = HostedCut(catalogue, published.version, policy, DuckDBEngine(published.database, seconds=60))
    return HostedDataSet(cut, catalogue.data_sets[0])


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """One query, ready to be measured again and again. new: what no earlier query of the question has measured."""

    ask: Ask
    valid: ValidQuery
    events: Mapping[Aggregate, Event]
    exact: ExactTable
    new: tuple[Aggregate, ...]

    @property
    def keys(self) -> list[tuple[str, ...]]:
        """Codes in the order asked for, cells in the order of the plan."""
        combinations = product(*(axis.codes for axis in self.valid.plan.axes))
        return [tuple(cell[i].code for i in self.valid.order) for cell in combinations]


def tables(question: Question, source: Source, hosted: HostedDataSet, total: int) -> list[Table]:
    """Every distinct measurement of the question costs the same, and together they cost the total."""
    first = [_ask(ask, source, hosted, None) for ask in question.asks]
    distinct = {e.question for valid in first for e in events(valid, hosted.cut).values()}
    each = total // len(distinct)
    found: list[Table] = []
    known: set[str] = set()
    for ask, cheap in zip(question.asks, first, strict=True):
        valid = _ask(ask, source, hosted, each * len(cheap.plan.aggregates))
        costs = events(valid, hosted.cut)
        new = tuple(a for a, e in costs.items() if e.question not in known)
        known |= {e.question for e in costs.values()}
        found.append(Table(ask, valid, costs, hosted.cut.engine.aggregate(valid.plan), new))
    assert sum(t.events[a].nano_rho for t in found for a in t.new) <= total
    return found


def _ask(ask: Ask, source: Source, hosted: HostedDataSet, price: int | None) -> ValidQuery:
    body: dict[str, object] = {"measures": [_measure(ask)], "groupBy": [source.references[b] for b in ask.by]}
    if price is not None:
        body["rho"] = str(rho(price))
    return validate(read_query(body, hosted.id), hosted.data_set, GRANTS, hosted.cut.limits)


def _measure(ask: Ask) -> dict[str, object]:
    match ask.kind:
        case Kind.COUNT:
            return {"statistic": "count"}
        case Kind.SHARE:
            variable, code = FLAGS[ask.of]
            return {"statistic": "percentage", "variable": variable, "codes": [code]}
        case Kind.QUANTILE:
            return {"statistic": "quantile", "variable": ask.of, "probabilities": list(ask.probabilities)}
        case _:
            return {"statistic": ask.kind.value, "variable": ask.of}


def once(asked: Sequence[Table], hosted: HostedDataSet) -> list[Cells]:
    """All tables of a question, from fresh noise."""
    measured: dict[str, Measurement] = {}
    answers: list[Cells] = []
    for table in asked:
        plan, prices = table.valid.plan, {a: e.nano_rho for a, e in table.events.items()}
        exact = ExactTable({a: table.exact[a] for a in table.new}, plan.cells)
        fresh = protect(exact, prices, plan.contribution, hosted.cut.policy, discrete_gaussian)
        measured |= {table.events[a].question: m for a, m in fresh.items()}
        values = {a: measured[e.question].values for a, e in table.events.items()}
        answers.append(_answer(table, _finish(table, {a: v.astype(np.float64)[None] for a, v in values.items()})[0]))
    return answers


def margins(asked: Sequence[Table], hosted: HostedDataSet) -> list[Cells]:
    """The tables of a hierarchy, in the order asked: each a query of its own, until one query can ask for totals."""
    return once(asked, hosted)


def _finish(table: Table, draws: Mapping[Aggregate, Floats]) -> Floats:
    """(draws, cells, outputs), neither rounded nor masked."""
    (measure,) = table.valid.measures
    return measure.statistic.finish({a: draws[a] for a in measure.aggregates}, measure.subject)


def _answer(table: Table, values: Floats) -> Cells:
    labels: list[tuple[str, ...]] = [(p,) for p in table.ask.probabilities] or [()]
    return {
        (*key, *label): float(value)
        for key, row in zip(table.keys, values, strict=True)
        for label, value in zip(labels, row, strict=True)
    }


def check(asked: Sequence[Table], true: Sequence[Cells]) -> None:
    """Without noise the same steps give the truth (a quantile: to a bin), so that errors are of noise alone."""
    for table, cells in zip(asked, true, strict=True):
        exact = {a: table.exact[a].astype(np.float64)[None] for a in table.events}
        wrong = mean_absolute_error(table.ask, cells, _answer(table, _finish(table, exact)[0]))
        assert wrong < (STEP if table.ask.kind is Kind.QUANTILE else 1e-6), str(table.ask)


def errors(
    question: Question, asked: Sequence[Table], true: Sequence[Cells], hosted: HostedDataSet, repetitions: int
) -> list[float]:
    """Mean absolute error of each table."""
    answers = margins if question.over is Over.MARGINS else once
    runs = (zip(question.asks, true, answers(asked, hosted), strict=True) for _ in range(repetitions))
    return mean_over([[mean_absolute_error(*parts) for parts in run] for run in runs])


def expected(table: Table, true: Cells) -> float:
    """The mean absolute error that theory gives, of the cells in which there is anybody."""
    each = _quantiles_expected(table) if table.ask.kind is Kind.QUANTILE else _first_order(table)
    most = math.inf if table.ask.bounds is None else (table.ask.bounds[1] - table.ask.bounds[0]) / 2
    return math.fsum(most if math.isnan(each[k]) else min(each[k], most) for k in true) / len(true)


def _first_order(table: Table) -> Cells:
    """√(2/π) times the standard deviation of the noise, through the slopes of the statistic."""
    exact = {a: table.exact[a].astype(np.float64) for a in table.events}
    sigmas = {a: sigma(e.l2_squared, e.nano_rho) for a, e in table.events.items()}
    variance = np.zeros_like(_finish(table, {a: v[None] for a, v in exact.items()})[0])
    for aggregate, scale in sigmas.items():
        slopes = _both_ways(table, exact, aggregate, scale)
        variance += (slopes**2).sum(axis=0)
    return _answer(table, MEAN_OF_NORMAL * np.sqrt(variance))


def _quantiles_expected(table: Table) -> Cells:
    """The quantile looked up in the exact counts, at a rank that is wrong by the noise of F_b − pN (see the recipe)."""
    ((counts, event),) = table.events.items()
    (measure,) = table.valid.measures
    edges = np.asarray(measure.subject.numbers.edges) * float(measure.subject.numbers.step)
    scale, bins = sigma(event.l2_squared, event.nano_rho), bins_of(counts)
    scores = ndtri((np.arange(999) + 0.5) / 999)
    found = []
    for row in table.exact[counts]:
        below = np.concatenate([[0], np.cumsum(row)])
        ranks = [float(p) * below[-1] for p in table.ask.probabilities]
        places = [int(np.searchsorted(below, rank)) for rank in ranks]
        noise = [
            scale * math.sqrt(b * (1 - float(p)) ** 2 + (bins - b) * float(p) ** 2)
            for b, p in zip(places, table.ask.probabilities, strict=True)
        ]
        found.append(
            [
                np.abs(np.interp(rank + s * scores, below, edges) - np.interp(rank, below, edges)).mean()
                for rank, s in zip(ranks, noise, strict=True)
            ]
        )
    return _answer(table, np.array(found))


def _both_ways(table: Table, exact: Mapping[Aggregate, Floats], moved: Aggregate, by: float) -> Floats:
    """Half of the change, (bins, cells, outputs), when one bin of one aggregate moves a standard deviation."""
    bins = bins_of(moved)
    steps = by * np.eye(bins)[:, None, :]

    def at(sign: int) -> Floats:
        shape = {a: np.broadcast_to(v, (bins, *v.shape)) for a, v in exact.items()}
        return _finish(table, shape | {moved: exact[moved] + sign * steps})

    return (at(1) - at(-1)) / 2


def measurements(asked: Sequence[Table]) -> int:
    return sum(len(t.new) for t in asked)
