"""Every shape of key against every kind of question: no pupil moves a table further than is claimed, and for each shape
some pupil moves one exactly that far. The claims are the theorem of docs/theorems.md ("Blocks").
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from datasets.catalogue import DataSet, Key
from datasets.contribution import contribution
from datasets.engines.memory import MemoryEngine, Row
from datasets.plan import Plan
from datasets.query import Codes, Criteria, InvalidQuery, Measure, Operator, Period, Periods, Query
from datasets.validate import Limits, ValidQuery, validate
from datasets.variables import Banding, Code
from disclosure.aggregates import Aggregate, Count, DistinctCount
from disclosure.sensitivity import Contribution, l1, l2_squared, reach
from tests.lib import school, strategies
from tests.lib.effort import examples
from tests.lib.plans import only_plan, plans

LIMITS = Limits(cells=20_000, group_by=4)
YEARS = ("2021/2022", "2022/2023", "2023/2024")


def with_bands_of_time(data_set: DataSet) -> DataSet:
    """The school with three bandings of its year; the second leaves the first year out."""
    span = Banding("span", "Span", (Code("early", "Early"), Code("now", "Now")), ((0, 1), (2,)))
    late = Banding("late", "Late", (Code("then", "Then"), Code("now", "Now")), ((1,), (2,)))
    since = Banding("since", "Since", (Code("first", "First"), Code("since", "Since")), ((0,), (1, 2)))
    variables = tuple(replace(v, bandings=(span, late, since)) if v.is_time else v for v in data_set.variables)
    return replace(data_set, variables=variables)


SCHOOL = with_bands_of_time(school.census())


def shaped(key: Key, *fixed: str) -> DataSet:
    return replace(SCHOOL, key=key, fixed=fixed)


SHAPES = {
    "each row is one pupil": shaped(Key(None, "year")),
    "one row per pupil": shaped(Key("p", None)),
    "pupil and year": shaped(Key("p", "year")),
    "pupil and year, sex and need fixed": shaped(Key("p", "year"), "sex", "need"),
    "dual registration": shaped(Key("p", "year", ("la",), 2)),
    "four registrations, sex fixed": shaped(Key("p", "year", ("la",), 4), "sex"),
    "two variables complete the key": shaped(Key("p", "year", ("la", "sex"), 4)),
    "a fixed variable in the key": shaped(Key("p", "year", ("la", "sex"), 3), "sex"),
    "a number in the key": shaped(Key("p", "year", ("la", "score"), 3)),
    "pupil and area, no time": shaped(Key("p", None, ("la",), 3)),
    "time completes the key": shaped(Key("p", None, ("year", "la"), 5)),
    "many rows, bounded": shaped(Key("p", "year", (), 3, bounded=True)),
    "many rows, bounded, fixed score": shaped(Key("p", "year", (), 3, bounded=True), "score", "la"),
    "many rows, bounded over all years": shaped(Key("p", None, (), 4, bounded=True)),
    "many areas, bounded": shaped(Key("p", "year", ("la",), 3, bounded=True)),
}


def value(row: Row, name: str) -> int | None:
    return row.ticks[name] if name in row.ticks else row.atoms[name]


def kept(data_set: DataSet, rows: Iterable[Row]) -> list[Row]:
    """Those of one pupil's rows that the data set can hold, as its key and its fixed variables say."""
    key, found = data_set.key, list[Row]()
    most = 1 if key.unit is None else key.rows_per_period
    for row in rows:
        alike = [r for r in found if None in (key.unit, key.time) or r.atoms[key.time] == row.atoms[key.time]]
        repeated = key.also and any(all(value(r, n) == value(row, n) for n in key.also) for r in alike)
        moved = found and any(value(found[0], n) != value(row, n) for n in data_set.fixed)
        if len(alike) < most and not repeated and not moved:
            found.append(row)
    return found


@st.composite
def pupils(draw: st.DrawFn, data_set: DataSet, unit: int) -> list[Row]:
    """All rows of one pupil; variables that are drawn to stay as they are crowd them into few cells."""
    rows = draw(strategies.rows(data_set, units=1, most=25).filter(bool))
    same = draw(st.sets(st.sampled_from([v.name for v in data_set.variables]))) | set(data_set.fixed)
    first = rows[0]
    return kept(
        data_set,
        (
            Row(
                unit,
                {n: first.atoms[n] if n in same else a for n, a in row.atoms.items()},
                {n: first.ticks[n] if n in same else t for n, t in row.ticks.items()},
            )
            for row in rows
        ),
    )


def table(plan: Plan, rows: Sequence[Row]) -> dict[Aggregate, np.ndarray]:
    exact = MemoryEngine({plan.data_set.id: rows}).aggregate(plan)
    return {a: exact[a].astype(object) for a in plan.aggregates}


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(data=st.data(), query=strategies.queries(SCHOOL))
def test_no_pupil_moves_a_table_further_than_claimed(shape: str, data: st.DataObject, query: Query) -> None:
    data_set = SHAPES[shape]
    try:
        valid = validate(query, data_set, school.GRANTS, LIMITS)
    except InvalidQuery:
        assume(False)
        raise
    others = data.draw(strategies.rows(data_set, units=3, most=6))
    pupil = data.draw(pupils(data_set, 1_000))
    for plan, layout in zip(plans(valid), valid.layouts, strict=True):
        without, with_pupil = table(plan, others), table(plan, [*others, *pupil])
        for aggregate in plan.aggregates:
            change = with_pupil[aggregate] - without[aggregate]
            assert (change**2).sum() <= l2_squared(aggregate, layout.contribution)
            assert abs(change).sum() <= l1(aggregate, layout.contribution)


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=examples(20), suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
@given(query=strategies.queries(SCHOOL))
def test_an_axis_that_parts_nothing_changes_no_claim(shape: str, query: Query) -> None:
    """Measurements are the same when their cells are, however spelled; so must their sensitivities be."""
    try:
        valid = validate(query, SHAPES[shape], school.GRANTS, LIMITS)
    except InvalidQuery:
        assume(False)
        raise
    for plan, layout in zip(plans(valid), valid.layouts, strict=True):
        whole = []
        for axis in plan.axes:
            admitted = plan.predicate.admitted(plan.data_set.domain.index(axis.variable))
            parts = [[atom for atom in group if admitted >> atom & 1] for group in axis.groups]
            whole.append(len(parts) == 1 and len(parts[0]) == admitted.bit_count())
        fewer = [axis for axis, trivial in zip(plan.axes, whole, strict=True) if not trivial]
        claimed = contribution(plan.data_set, plan.predicate, fewer)
        for aggregate in plan.aggregates:
            assert l2_squared(aggregate, claimed) == l2_squared(aggregate, layout.contribution)


def row(year: int = 0, la: int = 0, sex: int = 0, score: int = 16, days: int = 200, need: int = 0) -> Row:
    atom = school.score_atom(score, SCHOOL.by_name["score"])
    return Row(1, {"year": year, "la": la, "sex": sex, "need": need, "score": atom}, {"score": score, "days": days})


def in_every_year(*rows: Row) -> list[Row]:
    return [replace(r, atoms={**r.atoms, "year": year}) for year in range(3) for r in rows]


def of_years(*years: int) -> Criteria:
    return Periods(Operator.IN, tuple(Period(YEARS[y], "AY") for y in years))


@dataclass(frozen=True)
class Reached:
    """A pupil who moves a table by exactly what is claimed: `distance` is Σ of squares, in reaches²."""

    shape: DataSet
    group_by: tuple[str, ...]
    pupil: list[Row]
    distance: int
    statistic: str = "count"
    criteria: Criteria | None = None
    variable: str | None = None

    @property
    def valid(self) -> ValidQuery:
        query = Query(SCHOOL.id, (Measure("m", self.statistic, self.variable),), self.group_by, self.criteria)
        return validate(query, self.shape, school.GRANTS, LIMITS)

    @property
    def claim(self) -> Contribution:
        (layout,) = self.valid.layouts
        return layout.contribution


ONE, YEARLY, DUAL, FOUR = (SHAPES["one row per pupil"], SHAPES["pupil and year"], SHAPES["dual registration"],
                           SHAPES["four registrations, sex fixed"])  # fmt: skip
TWO, BOUNDED, LIFELONG = (SHAPES["two variables complete the key"], SHAPES["many rows, bounded"],
                          SHAPES["many rows, bounded over all years"])  # fmt: skip
NUMBERED, NO_TIME = SHAPES["a number in the key"], SHAPES["pupil and area, no time"]
FIXED = SHAPES["pupil and year, sex and need fixed"]
TWICE = shaped(Key("p", "year", (), 2), "sex")
TIMED, AREAS, SEXED = (SHAPES[s] for s in ("time completes the key", "many areas, bounded",
                                           "a fixed variable in the key"))  # fmt: skip
PAIR = [row(la=0), row(la=1)]
ONE_AREA = Codes("la", Operator.EQ, ("A1",))

REACHED = {
    "each row is one pupil": Reached(SHAPES["each row is one pupil"], ("year", "la"), [row()], 1),
    "one row per pupil": Reached(ONE, ("year", "la"), [row()], 1),
    "a year each, all in one cell": Reached(YEARLY, (), in_every_year(row()), 9),
    "a year each, by year": Reached(YEARLY, ("year",), in_every_year(row()), 3),
    "a year each, by bands of time": Reached(YEARLY, ("year.span",), in_every_year(row()), 5),
    "by year and by its band": Reached(YEARLY, ("year.span", "year"), in_every_year(row()), 3),
    "two bandings that leave a year out": Reached(YEARLY, ("year.span", "year.late"), in_every_year(row()), 2),
    "two bandings that cut across": Reached(YEARLY, ("year.span", "year.since"), in_every_year(row()), 3),
    "two years admitted": Reached(YEARLY, (), in_every_year(row()), 4, criteria=of_years(0, 2)),
    "two years admitted, by band": Reached(YEARLY, ("year.span",), in_every_year(row()), 2, criteria=of_years(0, 2)),
    "two areas, by area": Reached(DUAL, ("la",), in_every_year(*PAIR), 18),
    "two areas, by area and year": Reached(DUAL, ("la", "year"), in_every_year(*PAIR), 6),
    "two areas, by area and band of time": Reached(DUAL, ("la", "year.span"), in_every_year(*PAIR), 8 + 2),
    "two areas, by region": Reached(DUAL, ("la.region",), in_every_year(*PAIR), 36),
    "two areas, by sex": Reached(DUAL, ("sex",), in_every_year(*PAIR), 36),
    "two areas, one admitted": Reached(DUAL, (), in_every_year(*PAIR), 9, criteria=ONE_AREA),
    "sum over two areas": Reached(DUAL, ("la",), in_every_year(*PAIR), 18, "sum", variable="days"),
    "histogram over two areas": Reached(DUAL, ("la",), in_every_year(*PAIR), 18, "histogram", variable="score"),
    "pupils of two areas": Reached(DUAL, ("la",), [row(i // 2, i % 5) for i in range(6)], 5, "pupils"),
    "four areas, by region": Reached(
        FOUR, ("la.region",), in_every_year(*(row(la=la) for la in (0, 2, 3, 4))), 81 + 9
    ),
    "areas and sexes, by area": Reached(
        TWO, ("la",), [row(sex=s) for s in range(3)] + [row(la=1)], 9 + 1, criteria=of_years(0)
    ),
    "areas and sexes, by both": Reached(
        TWO, ("la", "sex"), [row(sex=s) for s in range(3)] + [row(la=1)], 4, criteria=of_years(0)
    ),
    "a number in the key bounds no cell": Reached(
        NUMBERED, ("score", "la"), in_every_year(row(score=12), row(score=13), row(score=14)), 81
    ),
    "area without time": Reached(NO_TIME, ("la",), [row(la=0), row(la=1), row(1, la=2)], 3),
    "area without time, by region": Reached(NO_TIME, ("la.region",), [row(la=la) for la in (2, 3, 4)], 9),
    "bounded": Reached(BOUNDED, (), in_every_year(row(), row(), row()), 81),
    "bounded, by area": Reached(BOUNDED, ("la",), in_every_year(row(), row(), row()), 81),
    "bounded, by year": Reached(BOUNDED, ("year", "la"), in_every_year(row(), row(), row()), 27),
    "bounded over all years": Reached(LIFELONG, ("year",), [row()] * 4, 16),
    "areas in different years": Reached(TIMED, ("la", "year"), [row(i // 2, i % 2) for i in range(5)], 5),
    "areas, time among what completes the key": Reached(TIMED, ("la",), [row(i // 2, i % 2) for i in range(5)], 9 + 4),
    "areas, bounded": Reached(AREAS, ("la",), in_every_year(*PAIR, row(la=2)), 27),
    "a fixed variable in the key, by area": Reached(SEXED, ("la",), in_every_year(*PAIR, row(la=2)), 27),
    "pupils by what is fixed": Reached(FIXED, ("sex", "need"), in_every_year(row()), 1, "pupils"),
    "pupils by what is fixed, and year": Reached(FIXED, ("sex", "year"), in_every_year(row()), 3, "pupils"),
    "pupils by what is fixed, and area": Reached(
        FIXED, ("sex", "la"), [row(0, 0), row(1, 1), row(2, 2)], 3, "pupils"
    ),
    "pupils by what is fixed, and two bands": Reached(
        TWICE, ("sex", "score.wide"), in_every_year(row(score=0), row(score=16)), 2, "pupils"
    ),
    "pupils by area and its region": Reached(
        TWICE, ("la", "la.region"), [row(i // 2, i % 5) for i in range(6)], 5, "pupils"
    ),
}  # fmt: skip


def moved(case: Reached) -> tuple[Aggregate, int]:
    plan = only_plan(case.valid)
    aggregate = next((a for a in plan.aggregates if not isinstance(a, Count)), Count())
    return aggregate, int((table(plan, case.pupil)[aggregate] ** 2).sum())


@pytest.mark.parametrize("name", REACHED)
def test_the_claim_is_reached(name: str) -> None:
    case = REACHED[name]
    assert kept(case.shape, case.pupil) == case.pupil, "the data set can hold such a pupil"
    aggregate, distance = moved(case)
    assert distance == case.distance * reach(aggregate) ** 2 == l2_squared(aggregate, case.claim)


def test_every_shape_reaches_a_claim() -> None:
    reached = [case.shape.key for case in REACHED.values()]
    assert [name for name, shape in SHAPES.items() if shape.key not in reached] == []


def too_small(who: Contribution, aggregate: Aggregate) -> list[Contribution]:
    """Claims that miss one cell, or one row of a block or of a cell."""
    found = [replace(who, blocks=who.blocks[1:], most_per_cell=who.most_per_cell[1:])] if len(who.blocks) > 1 else []
    if isinstance(aggregate, DistinctCount):
        fewer = min(who.cells_per_block, who.blocks[0]) - 1
        return [*found, *([replace(who, cells_per_block=fewer)] if fewer else [])]
    if who.blocks[0] > 1:
        found.append(replace(who, blocks=(who.blocks[0] - 1, *who.blocks[1:])))
    if who.most_per_cell and who.most_per_cell[0] > 1:
        found.append(replace(who, most_per_cell=(who.most_per_cell[0] - 1, *who.most_per_cell[1:])))
    return found


@pytest.mark.parametrize("name", REACHED)
def test_a_claim_that_misses_one_row_would_be_caught(name: str) -> None:
    """Positive control of the tests above: each planted claim is below what the pupil really does."""
    case = REACHED[name]
    aggregate, distance = moved(case)
    planted = too_small(case.claim, aggregate)
    assert planted or case.distance == 1
    for claim in planted:
        assert distance > l2_squared(aggregate, claim)


def test_what_is_fixed_or_admitted_once_is_not_claimed_without_being_declared() -> None:
    """Positive control of the declarations: the same pupil breaks the claim of a data set that declares too much."""
    wandering = in_every_year(*PAIR)
    assert moved(replace(REACHED["two areas, by sex"], shape=YEARLY, pupil=wandering))[1] > 9
    changing = [row(0, sex=0), row(1, sex=1), row(2, sex=2)]
    case = replace(REACHED["pupils by what is fixed"], pupil=changing)
    assert moved(case)[1] == 3 > l2_squared(DistinctCount(), case.claim)
    assert kept(FIXED, changing) != changing


def test_groupings_that_share_no_value_still_have_a_claim() -> None:
    first = Banding("first", "First", (Code("first", "First"),), ((0,),))
    variables = tuple(replace(v, bandings=(*v.bandings, first)) if v.is_time else v for v in SCHOOL.variables)
    query = Query(SCHOOL.id, (Measure("n", "count"),), ("year.first", "year.late"))
    valid = validate(query, replace(YEARLY, variables=variables), school.GRANTS, LIMITS)
    assert not table(only_plan(valid), in_every_year(row()))[Count()].any()
    assert l2_squared(Count(), valid.layouts[0].contribution) == 1


@given(rows=st.integers(1, 9), cap=st.integers(1, 9), counts=st.lists(st.integers(0, 9), min_size=1, max_size=6))
def test_full_cells_and_a_rest_are_the_worst(rows: int, cap: int, counts: list[int]) -> None:
    """The lemma's maximum, against any way to spread the rows."""
    spread, left = [], rows
    for count in counts:
        spread.append(min(count, cap, left))
        left -= spread[-1]
    claimed = l2_squared(Count(), Contribution((rows,), 1, (cap,)))
    assert sum(x * x for x in spread) <= claimed <= min(rows * rows, rows * cap)
    full = Counter({cap: rows // cap, rows % cap: 1})
    assert claimed == sum(x * x * n for x, n in full.items())


@pytest.mark.parametrize(
    "wrong", [((), 1), ((0,), 1), ((1,), 0), ((1,), 1, (0,)), ((1, 2), 1, (1,)), ((1,), 1, (1, 1))]
)
def test_a_contribution_cannot_be_empty_or_uneven(wrong: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match=r"contribution needs|one number per block"):
        Contribution(*wrong)  # type: ignore[arg-type]
