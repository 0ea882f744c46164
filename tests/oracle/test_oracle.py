"""Our sensitivities beside those of OpenDP Polars, which derives its own from what a pupil may contribute.

Both are asked for noise at the same price, so their scales compare as their sensitivities do. Ours must equal OpenDP's
wherever OpenDP can be told all that our theorem uses. Where it cannot, ours is smaller, and the case says by which
fact: the rows of a pupil are bounded in each block of time *together*, and blocks are disjoint sets of cells
(docs/theorems.md, Blocks). OpenDP keeps the bounds on rows per group and on groups apart and takes both at their
worst at once, rows per group × √groups, which no pupil can reach. Ours is never larger here, and what it claims is
reached by a pupil for whom the distance is worked out in `distance_of_the_worst_pupil`: so it could not be smaller.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from datasets.catalogue import DataSet, Key
from datasets.catalogue_toml import load_catalogue
from datasets.engines.memory import MemoryEngine, Row
from datasets.query import Codes, Measure, Operator, Query
from datasets.validate import Limits, ValidQuery, validate
from disclosure.accounting import nano_rho
from disclosure.aggregates import Aggregate, Count, Sum
from disclosure.noise import sigma
from disclosure.sensitivity import l2_squared
from tests.lib import environments, school

RHO = "0.1"
TWO_AGES = '''
[data_sets.census.variables.year.bandings.age]
label = "Age"
bands = [["early", "Early", ["202122", "202223"]], ["late", "Late", ["202324"]]]
[data_sets.census.variables.la]
type = "category"'''
TEXT = school.CATALOGUE.replace('[data_sets.census.variables.la]\ntype = "category"', TWO_AGES.strip())
CENSUS = load_catalogue(TEXT).data_sets[0]
TWO_A_YEAR, ONE_A_YEAR = CENSUS.key, replace(CENSUS.key, rows_per_period=1)
AREAS = replace(CENSUS.key, also=("la",))
ONE_IN_ALL, THREE_IN_ALL = Key("pupil_id", None, (), 1), Key("pupil_id", None, (), 3)
PRESENT = ("score",)
TOTAL = Sum("score", 0, 16, 0, PRESENT)
CENTRED = Sum("score", 0, 16, 8, PRESENT)
ASKEW = Sum("score", -4, 16, 0, PRESENT)
PUBLIC = [["year"], ["age"], ["la"], ["year", "la"]]
ROWS = Count()
Bounds = tuple[dict[str, Any], ...]


def rows_in(by: Sequence[str], per_group: int, num_groups: int | None = None) -> dict[str, Any]:
    return {"by": list(by), "per_group": per_group, "num_groups": num_groups}


@dataclass(frozen=True)
class Case:
    """ours: our sensitivity over OpenDP's, 1 where the two agree; because: the fact that makes it smaller.

    pupil: (year, la) of the rows of the pupil who reaches our claim.
    """

    key: Key
    by: tuple[str, ...]
    bounds: Bounds
    pupil: tuple[tuple[int, int], ...]
    aggregate: Aggregate = ROWS
    one_year: bool = False
    ours: float = 1.0
    because: str = ""


ALL_YEARS_TWICE = tuple((year, 0) for year in (0, 0, 1, 1, 2, 2))
ONCE_A_YEAR = ((0, 0), (1, 0), (2, 0))
SIX = (rows_in([], 6), rows_in(["year"], 2, 3))
THREE = (rows_in([], 3), rows_in(["year"], 1, 3))
CASES = {
    "one row, one number": Case(ONE_IN_ALL, (), (rows_in([], 1),), ((0, 0),)),
    "one row, by area": Case(ONE_IN_ALL, ("la",), (rows_in([], 1),), ((0, 0),)),
    "three rows, one number": Case(THREE_IN_ALL, (), (rows_in([], 3),), ONCE_A_YEAR),
    "three rows, by area": Case(THREE_IN_ALL, ("la",), (rows_in([], 3),), ONCE_A_YEAR),
    "one row a year, not grouped": Case(ONE_A_YEAR, (), THREE, ONCE_A_YEAR),
    "one row a year, by year": Case(ONE_A_YEAR, ("year",), THREE, ONCE_A_YEAR),
    "one row a year, by year and area": Case(ONE_A_YEAR, ("year", "la"), THREE, ONCE_A_YEAR),
    "two rows a year, not grouped": Case(TWO_A_YEAR, (), SIX, ALL_YEARS_TWICE),
    "two rows a year, by year": Case(TWO_A_YEAR, ("year",), SIX, ALL_YEARS_TWICE),
    "two rows a year, by area": Case(TWO_A_YEAR, ("la",), SIX, ALL_YEARS_TWICE),
    "two rows a year, one year": Case(TWO_A_YEAR, ("la",), (rows_in([], 2),), ((0, 0), (0, 0)), one_year=True),
    "two rows a year, by year and area": Case(
        TWO_A_YEAR,
        ("year", "la"),
        SIX,
        ALL_YEARS_TWICE,
        ours=math.sqrt(12 / 24),
        because="six cells with two rows each would be twelve rows; six rows in three years are 3 · 2² = 12, not 24",
    ),
    "one row a year, by bands of years": Case(
        ONE_A_YEAR,
        ("year.age",),
        (rows_in([], 3), rows_in(["age"], 2, 2)),
        ONCE_A_YEAR,
        ours=math.sqrt(5 / 8),
        because="the late band is one year: 2² + 1² = 5, and not 2² in each of two bands",
    ),
    "two areas a year, by area": Case(
        AREAS,
        ("la",),
        (rows_in([], 6), rows_in(["la"], 3, 6), rows_in(["year", "la"], 1, 6)),
        tuple((year, la) for year in range(3) for la in range(2)),
        ours=math.sqrt(18 / 36),
        because="no more than three rows in one area: six rows are two areas with three each, 2 · 3² = 18",
    ),
    "a sum, one row": Case(ONE_IN_ALL, ("la",), (rows_in([], 1),), ((0, 0),), TOTAL),
    "a sum, two rows a year, by year": Case(TWO_A_YEAR, ("year",), SIX, ALL_YEARS_TWICE, TOTAL),
    "a centred sum, not grouped": Case(TWO_A_YEAR, (), SIX, ALL_YEARS_TWICE, CENTRED),
    "a sum with bounds of either sign": Case(ONE_A_YEAR, (), THREE, ONCE_A_YEAR, ASKEW),
}


def asked(case: Case) -> ValidQuery:
    """A count by the groupings of the case: its layout is that of the aggregate too."""
    only = Codes("year", Operator.EQ, ("202122",)) if case.one_year else None
    data_set: DataSet = replace(CENSUS, key=case.key)
    query = Query(data_set.id, (Measure("n", "count"),), case.by, only)
    return validate(query, data_set, school.GRANTS, Limits(9000, 4))


def claimed(case: Case) -> int:
    """Squared L2 sensitivity."""
    (layout,) = asked(case).layouts
    return l2_squared(case.aggregate, layout.contribution)


def our_scale(case: Case) -> float:
    return sigma(claimed(case), nano_rho(Decimal(RHO)))


def distance_of_the_worst_pupil(case: Case) -> float:
    """Of the tables with and without the pupil of the case, whose values are all as large as they count."""
    atoms = {"sex": 0, "need": 0, "score": 0}
    rows = [Row(1, atoms | {"year": y, "la": la}, {"score": 16, "days": 0}) for y, la in case.pupil]
    table = MemoryEngine({CENSUS.id: rows}).aggregate(asked(case).plan(0, [case.aggregate]))[case.aggregate]
    return math.sqrt(int((table.astype(object) ** 2).sum()))


def as_asked(name: str, case: Case) -> dict[str, Any]:
    bounds = None
    if isinstance(case.aggregate, Sum):
        part = case.aggregate
        bounds = [part.lower - part.origin, part.upper - part.origin]
    by = [column.removeprefix("year.") for column in case.by]
    return {"name": name, "by": by, "bounds": list(case.bounds), "sum": bounds}


@pytest.fixture(scope="module")
def theirs(root: Path) -> dict[str, float]:
    """The scale that OpenDP Polars gives in each case; all in one run, since starting it takes longest."""
    rows = {"year": [0, 0, 1], "age": ["early", "early", "early"], "la": ["A1", "A2", "A1"], "value": [1, 16, 3]}
    cases = [as_asked(name, case) for name, case in CASES.items()]
    request = {"rho": float(RHO), "rows": rows, "public": PUBLIC, "cases": cases}
    run = subprocess.run(
        [environment(root), "-I", root / "tests" / "oracle" / "polars_oracle.py"],
        input=json.dumps(request), capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr[-2000:]
    found: dict[str, float] = json.loads(run.stdout)
    return found


def environment(root: Path) -> Path:
    try:
        return environments.environment(root, "oracle")
    except environments.NotBuilt as failed:
        pytest.fail(str(failed)) if os.environ.get("CI") else pytest.skip(str(failed))


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_our_noise_is_that_of_opendp_or_less_for_a_reason(theirs: dict[str, float], name: str) -> None:
    case = CASES[name]
    assert our_scale(case) / theirs[name] == pytest.approx(case.ours, rel=1e-6)


@pytest.mark.slow
def test_the_comparison_would_catch_a_sensitivity_off_by_one(theirs: dict[str, float]) -> None:
    """Positive control: five rows for six, and a clamp bound of 15 for 16, are far outside of the tolerance."""
    case = CASES["two rows a year, not grouped"]
    assert our_scale(case) * 5 / 6 / theirs["two rows a year, not grouped"] < 1 - 1e-3
    assert our_scale(CASES["a sum, one row"]) * 15 / 16 / theirs["a sum, one row"] < 1 - 1e-3


@pytest.mark.parametrize("name", CASES)
def test_what_we_claim_is_reached(name: str) -> None:
    """No bound could be smaller than ours; so where OpenDP's is larger, it is OpenDP's that is loose."""
    case = CASES[name]
    distance = distance_of_the_worst_pupil(case)
    assert distance == pytest.approx(math.sqrt(claimed(case)))
    assert our_scale(case) * math.sqrt(2 * float(RHO)) == pytest.approx(distance)


def test_ours_is_smaller_only_where_a_reason_stands() -> None:
    assert all((case.ours == 1) == (case.because == "") and case.ours <= 1 for case in CASES.values())
    assert sum(case.ours < 1 for case in CASES.values()) == 3
