"""Coarser tables of one answer: they add up exactly, are known no less well, and are measurements like any other."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from datasets.answer import Answer, finish
from datasets.catalogue import Key
from datasets.families import default_totals, families, key_of, prices
from datasets.groupings import Table
from datasets.known import known_tables
from datasets.plan import Quantity
from datasets.query import And, Codes, Criteria, Display, Measure, Operator, Query
from datasets.statistics.recipe import Need
from datasets.validate import ValidQuery, cells_of, validate
from disclosure.aggregates import Count, as_json
from disclosure.noise import sigma
from disclosure.policy import load_policy
from disclosure.sensitivity import l2_squared
from privacy_api.cli.cuts import preset
from tests.lib import school
from tests.lib.crowd import school_crowd
from tests.lib.effort import examples
from tests.lib.plans import LIMITS, Measured, as_measured, default_prices, exact_tables, valid_school

CENSUS = school.census()
POLICY = load_policy(preset("dp-default"))
CROWD = school_crowd()
COUNT, SUM = Measure("n", "count"), Measure("s", "sum", "score")
HISTOGRAM = Measure("h", "histogram", "score")
ALIASES = {"la": ["la", "LA"], "la.region": ["la.region", "REG"]}
SOME = settings(
    max_examples=examples(1000),
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)


def is_in(name: str, *codes: str) -> Codes:
    return Codes(name, Operator.IN, codes)


CRITERIA: list[Criteria | None] = [
    None,
    is_in("la.region", "S"),
    is_in("la", "A2"),
    is_in("la", "A1", "A4"),
    is_in("year", "202223"),
    And((is_in("la", "A1", "A2", "A3"), is_in("sex", "F", "M"))),
    And((is_in("la.region", "N"), Codes("need", Operator.NOT_IN, ("b", "k")), is_in("year", "202122", "202324"))),
]


@st.composite
def tables(draw: st.DrawFn, most: int = 4000) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], Criteria | None]:
    """Groupings, one to four totals of them, and criteria that often leave one code only."""
    by = draw(st.lists(st.sampled_from(["la", "sex", "year", "need"]), min_size=1, max_size=3, unique=True))
    by = [name if name != "la" else draw(st.sampled_from(["la", "LA", "la.region", "REG"])) for name in by]

    def total(draw: st.DrawFn) -> tuple[str, ...]:
        kept = [name for name in by if draw(st.booleans())]
        return tuple(draw(st.sampled_from(_coarser(name))) for name in draw(st.permutations(kept)))

    totals = [total(draw) for _ in range(draw(st.integers(1, 4)))]
    return tuple(by), tuple(totals), draw(st.sampled_from(CRITERIA))


def _coarser(name: str) -> list[str]:
    if name in ("la", "LA"):
        return [*ALIASES["la"], *ALIASES["la.region"]]
    return ALIASES["la.region"] if name in ("la.region", "REG") else [name]


def canonical(name: str) -> str:
    return CENSUS.levels.get(name, name)


def up(name: str, code: str, to: str) -> str:
    """The code of a coarser grouping that holds a code, by the catalogue."""
    name, to = canonical(name), canonical(to)
    if name == to:
        return code
    variable = CENSUS.by_name[name]
    banding = variable.banding(to.split(".")[1])
    assert banding is not None
    atom = [a.code for a in variable.atoms].index(code)
    return next(c.code for c, group in zip(banding.codes, banding.groups, strict=True) if atom in group)


def incidence(valid: ValidQuery, table: Table) -> np.ndarray:
    """(cells of the table, cells of the whole), 0 or 1: which cells add up to which, from names and codes alone."""
    whole = valid.tables[0]
    parts = list(product(*([c.code for c in axis.codes] for axis in whole.axes)))
    cells = list(product(*([c.code for c in axis.codes] for axis in table.axes)))
    place = {cell: i for i, cell in enumerate(cells)}
    found = np.zeros((len(cells), len(parts)), int)
    for j, codes in enumerate(parts):
        own = [whole.places.index(p) for p in table.places]
        key = tuple(up(whole.names[i], codes[i], name) for name, i in zip(table.names, own, strict=True))
        found[place[key], j] = 1
    return found


def blocks(valid: ValidQuery, values: np.ndarray) -> list[np.ndarray]:
    """The rows of each table."""
    sizes = [int(np.prod([len(axis.codes) for axis in table.axes], dtype=int)) for table in valid.tables]
    return np.split(values, np.cumsum(sizes)[:-1])


def units(values: np.ndarray, decimals: int) -> np.ndarray:
    """Whole numbers of the last decimal."""
    return np.rint(values * 10.0**decimals).astype(np.int64)


def ask(
    by: tuple[str, ...],
    totals: tuple[tuple[str, ...], ...],
    criteria: Criteria | None = None,
    measures: tuple[Measure, ...] = (COUNT, SUM, HISTOGRAM),
    display: Display = Display.PUBLISHED,
) -> ValidQuery:
    return valid_school(Query(CENSUS.id, measures, by, criteria, totals=totals, display=display))


def by_name(valid: ValidQuery, quantity: Quantity) -> str:
    """Of what is measured, whatever the order of asking."""
    cells = cells_of(valid.layouts[quantity.layout].axes, valid.predicate, CENSUS)
    return str([cells, valid.predicate.canonical(), as_json(quantity.aggregate)])


def noisy(valid: ValidQuery, least: float, most: float, seed: int) -> Measured:
    """The crowd's numbers with noise that goes with what is measured, as it does with stored measurements."""
    tables = exact_tables(valid, CROWD)
    found: Measured = {}
    for q in valid.quantities:
        stream = np.random.default_rng([seed, *by_name(valid, q).encode()])
        sigma, values = stream.uniform(least, most), tables[q.layout][q.aggregate]
        found[q] = as_measured(values + np.rint(stream.normal(0, sigma, values.shape)).astype(np.int64), sigma)
    return found


def check_sums(valid: ValidQuery, answer: Answer) -> None:
    for series in answer.series:
        shown = np.isfinite(series.value)
        assert shown.all(), "a crowd is not hidden"
        whole, *coarser = blocks(valid, units(series.value, series.decimals))
        for table, totals in zip(valid.tables[1:], coarser, strict=True):
            assert (totals == incidence(valid, table) @ whole).all()
        for ends in (series.lower, series.upper):
            assert np.isfinite(ends).all()
        assert (series.lower <= series.value).all()
        assert (series.value <= series.upper).all()


@SOME
@given(asked=tables(), seed=st.integers(0, 999), scale=st.sampled_from([0.3, 3.0, 30.0]))
def test_published_totals_are_the_sums_of_their_parts(asked: Any, seed: int, scale: float) -> None:
    valid = ask(*asked)
    answer = finish(valid, noisy(valid, scale / 2, 2 * scale, seed), POLICY)
    check_sums(valid, answer)
    for series in answer.series:
        if series.statistic != "sum":
            assert (series.value % POLICY.rounding_base == 0).all()


@settings(SOME, max_examples=examples(400))
@given(asked=tables(), seed=st.integers(0, 999), scale=st.sampled_from([0.3, 30.0, 3000.0]))
def test_unbiased_totals_are_the_sums_of_their_parts(asked: Any, seed: int, scale: float) -> None:
    """Nothing is hidden and nothing is cut off: here noise may be far larger than the counts."""
    valid = ask(*asked, display=Display.UNBIASED)
    answer = finish(valid, noisy(valid, scale / 2, 2 * scale, seed), POLICY)
    for series in answer.series:
        whole, *coarser = blocks(valid, units(series.value, series.decimals))
        for table, totals in zip(valid.tables[1:], coarser, strict=True):
            assert (totals == incidence(valid, table) @ whole).all()


def least_squares(valid: ValidQuery, measured: Measured, need: Need) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Values and variances of every table from the normal equations: each measurement once, whoever asks for it."""
    designs = {table: incidence(valid, each) for table, each in enumerate(valid.tables)}
    found: dict[Quantity, tuple[np.ndarray, np.ndarray, float]] = {}
    for table, design in designs.items():
        q = valid.quantity(table, need)
        arranged = known_tables(_alone(valid, table), measured_alone(valid, measured, table))[0][need]
        found[q] = (design, arranged.values, arranged.sd[0, 0] ** 2)
    information = sum(a.T @ a / v for a, _, v in found.values())
    covariance = np.linalg.inv(information)
    best = covariance @ sum(a.T @ y / v for a, y, v in found.values())
    return [a @ best for a in designs.values()], [np.diag(a @ covariance @ a.T) for a in designs.values()]


def _alone(valid: ValidQuery, table: int) -> ValidQuery:
    """The same question without totals, of one of its tables."""
    query = replace(valid.query, group_by=valid.tables[table].names, totals=())
    return valid_school(query)


def measured_alone(valid: ValidQuery, measured: Measured, table: int) -> Measured:
    alone = _alone(valid, table)
    stored = {by_name(valid, q): m for q, m in measured.items()}
    return {q: stored[by_name(alone, q)] for q in alone.quantities}


@settings(SOME, max_examples=examples(200))
@given(asked=tables(), seed=st.integers(0, 999))
def test_what_is_known_is_the_best_estimate_from_all_that_was_measured(asked: Any, seed: int) -> None:
    valid = ask(*asked, measures=(COUNT, SUM))
    assume(len(incidence(valid, valid.tables[0])) <= 60)
    measured = noisy(valid, 10, 90, seed)
    known = known_tables(valid, measured)
    for need in valid.needs:
        values, variances = least_squares(valid, measured, need)
        for table, (best, variance) in enumerate(zip(values, variances, strict=True)):
            own = measured[valid.quantity(table, need)].sigma
            np.testing.assert_allclose(known[table][need].values, best, rtol=1e-9, atol=1e-4)
            np.testing.assert_allclose(known[table][need].sd[:, 0] ** 2, variance, rtol=1e-6)
            assert (known[table][need].sd <= own * (1 + 1e-9)).all(), "never less well known than it was measured"


def as_mapping(valid: ValidQuery, answer: Answer) -> dict[Any, Any]:
    """Numbers by what they are of, whatever the names and the order."""
    found = {}
    for series in answer.series:
        numbers = np.stack([series.value, series.lower, series.upper], axis=-1)
        rows = zip(answer.keys, numbers, series.status, strict=True)
        tables = [t for t, part in enumerate(blocks(valid, series.value)) for _ in part]
        for table, (key, row, status) in zip(tables, rows, strict=True):
            names = valid.tables[table].names
            codes = frozenset((canonical(name), key[name]) for name in names)
            found[series.id, codes] = (row.tolist(), status.tolist())
    return found


@settings(SOME, max_examples=examples(200))
@given(asked=tables(), seed=st.integers(0, 999), display=st.sampled_from(Display), data=st.data())
def test_order_and_names_change_nothing_but_the_arrangement(
    asked: Any, seed: int, display: Display, data: st.DataObject
) -> None:
    by, totals, criteria = asked
    valid = ask(by, totals, criteria, display=display)

    def renamed(names: tuple[str, ...]) -> tuple[str, ...]:
        aliases = [ALIASES.get(canonical(name), [name]) for name in data.draw(st.permutations(names))]
        return tuple(data.draw(st.sampled_from(each)) for each in aliases)

    others = tuple(renamed(total) for total in data.draw(st.permutations(totals)))
    other = ask(renamed(by), others, criteria, tuple(data.draw(st.permutations((COUNT, SUM, HISTOGRAM)))), display)
    assert sorted(map(by_name_of(valid), valid.quantities)) == sorted(map(by_name_of(other), other.quantities))
    assert charged(valid) == charged(other)
    # One deviation for all makes estimates simple fractions, which stand just between two multiples of the base.
    one = as_mapping(valid, finish(valid, noisy(valid, 30, 30, seed), POLICY))
    same = as_mapping(other, finish(other, noisy(other, 30, 30, seed), POLICY))
    assert one == same


def by_name_of(valid: ValidQuery) -> Any:
    return lambda quantity: by_name(valid, quantity)


def charged(valid: ValidQuery) -> dict[str, int]:
    return {by_name(valid, q): price for q, price in default_prices(valid, POLICY).items()}


def test_a_total_that_is_the_whole_again_is_measured_once_and_known_as_well() -> None:
    """In one authority its region, the authority and everybody are the same pupils: no noise is averaged away."""
    valid = ask(("la",), ((), ("REG",), ("LA",)), is_in("la", "A2"), (COUNT,))
    (quantity,) = valid.quantities
    assert default_prices(valid, POLICY) == {quantity: POLICY.default_price}
    measured = noisy(valid, 30, 30, 0)
    for known in known_tables(valid, measured):
        assert known[Count()].values.tolist() == measured[quantity].values.tolist()
        assert known[Count()].sd.tolist() == [[30.0]]


def test_a_total_that_another_total_is_again_is_counted_once() -> None:
    """Of one authority by sex: everybody, and the authority, are one measurement, which has one weight."""
    valid = ask(("la", "sex"), ((), ("la",), ("REG",)), is_in("la", "A2"), (COUNT,))
    assert len(valid.quantities) == 2
    first, *totals = known_tables(valid, noisy(valid, 30, 30, 0))
    information = np.eye(3) / 900 + np.ones((3, 3)) / 900
    assert first[Count()].sd[:, 0] ** 2 == pytest.approx(np.diag(np.linalg.inv(information)))
    for total in totals:
        assert total[Count()].sd[:, 0] ** 2 == pytest.approx(900 * 3 / 4)


def test_what_does_not_add_up_is_measured_alone_in_every_table() -> None:
    """A pupil can be in several cells of a table, and a code in several: their totals are no sums."""
    pupils, schools = Measure("p", "pupils"), Measure("d", "distinct", "need")
    valid = valid_school(Query(CENSUS.id, (pupils, schools), ("la", "sex"), totals=((), ("la",), ("REG",))))
    tables = [np.arange(layout.cells)[:, None] * 7 for layout in valid.layouts]
    measured = {q: as_measured(tables[q.layout], 3.0 + q.layout) for q in valid.quantities}
    assert len(measured) == 8
    for table, known in enumerate(known_tables(valid, measured)):
        for need in valid.needs:
            own = measured[valid.quantity(table, need)]
            assert known[need].values.tolist() == own.values.tolist()
            assert set(known[need].sd.ravel()) == {own.sigma}
    answer = finish(valid, measured, replace(POLICY, minimum_count=0, rounding_base=1))
    for series in answer.series:
        assert [part[-1, 0] for part in blocks(valid, series.value)] == [14 * 7, 0, 4 * 7, 7]


def test_pupils_who_are_rows_add_up_as_rows_do() -> None:
    """Where a row is a pupil both are one measurement, and both are shown alike."""
    plain = replace(CENSUS, key=Key(None))
    query = Query(CENSUS.id, (COUNT, Measure("p", "pupils")), ("la", "sex"), totals=((), ("la",), ("REG",)))
    valid = validate(query, plain, school.GRANTS, LIMITS)
    assert len(valid.quantities) == 4
    (family,) = families(valid, POLICY.noise).values()
    assert min(family.shares.values()) != max(family.shares.values()), "shared as is best for sums"
    rows, pupils = finish(valid, noisy(valid, 30, 30, 0), POLICY).series
    assert rows.value.tolist() == pupils.value.tolist()
    assert rows.lower.tolist() == pupils.lower.tolist()


@settings(SOME, max_examples=examples(200))
@given(asked=tables(), total=st.integers(100_000, 10**9))
def test_shares_of_a_price_are_all_of_it_and_no_more(asked: Any, total: int) -> None:
    valid = ask(*asked)
    known = families(valid, POLICY.noise)
    quantities = {q for family in known.values() for q in family.shares}
    assert quantities == set(valid.quantities)
    for key, family in known.items():
        each = prices({key: total}, {key: family})
        assert total - len(each) <= sum(each.values()) <= total
        assert min(each.values()) > 0
    asked_for = default_totals(known, POLICY)
    assert sum(asked_for.values()) == POLICY.default_price * len(quantities)
    assert sum(default_prices(valid, POLICY).values()) <= sum(asked_for.values())


@settings(SOME, max_examples=examples(200))
@given(asked=tables())
def test_no_margin_is_wider_than_that_of_the_table_alone_at_its_share(asked: Any) -> None:
    """Of any cell, and as the preview says it: the claimed deviation is that of the worst cell."""
    valid = ask(*asked, measures=(COUNT, SUM))
    known, totals = families(valid, POLICY.noise), default_totals(families(valid, POLICY.noise), POLICY)
    each = default_prices(valid, POLICY)
    sigmas = {q: sigma(l2_squared(q.aggregate, valid.layouts[q.layout].contribution), each[q]) for q in each}
    measured = {q: as_measured(np.zeros((valid.layouts[q.layout].cells, 1), np.int64), sigmas[q]) for q in each}
    for table, found in enumerate(known_tables(valid, measured)):
        for need in valid.needs:
            key = key_of(need, valid)
            alone = sigmas[valid.quantity(table, need)]
            assert found[need].sd.max() <= alone * (1 + 1e-9)
            assert known[key].deviation(table, totals[key]) == pytest.approx(found[need].sd.max(), rel=1e-6)
