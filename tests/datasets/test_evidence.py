"""The plain-Python engine's evidence against arithmetic on whole arrays, which shares nothing with it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from datasets.engines.memory import MemoryEngine, Row
from datasets.query import Measure, Query
from datasets.validate import ValidQuery, validate
from disclosure.aggregates import BinnedCount, Count, Sum
from disclosure.evidence import Largest, RecordKeys
from tests.lib import school
from tests.lib.plans import LIMITS

Array = npt.NDArray[np.int64]
CENSUS = school.keyed_census()
ROWS, UNITS, AREAS = 400, 60, 5
RANDOM = np.random.default_rng(7)
UNIT, LA, SEX = (RANDOM.integers(0, n, ROWS) for n in (UNITS, AREAS, 3))
SCORE, DAYS = RANDOM.integers(-4, 21, ROWS), RANDOM.integers(0, 201, ROWS)
SCORED = RANDOM.random(ROWS) < 0.8
KEYS = RANDOM.integers(0, 2**64, ROWS, np.uint64)


def rows() -> list[Row]:
    found = []
    for i in range(ROWS):
        score = int(SCORE[i]) if SCORED[i] else None
        atom = school.score_atom(score, CENSUS.by_name["score"])
        atoms = {"year": i % 3, "la": int(LA[i]), "sex": int(SEX[i]), "need": 0, "score": atom}
        found.append(Row(int(UNIT[i]), atoms, {"score": score, "days": int(DAYS[i])}, int(KEYS[i])))
    return found


def by_area() -> ValidQuery:
    return validate(Query("census", (Measure("n", "count"),), ("la",)), CENSUS, school.GRANTS, LIMITS)


def evidence(wanted: Largest | RecordKeys) -> Array:
    table = MemoryEngine({"census": rows()}).aggregate(by_area().plan(0, (), (wanted,)))
    return table.evidence(wanted)


@pytest.mark.parametrize("most", [1, 2, 70])
@pytest.mark.parametrize(
    ("total", "values", "there"),
    [
        (Sum("days", 0, 150, 75), np.clip(DAYS, 0, 150), np.ones(ROWS, bool)),
        (Sum("days", 20, 150, 50, ("score",)), np.clip(DAYS, 20, 150), SCORED),
        (Sum("score", -3, 16, 0, ("score",)), np.abs(np.clip(SCORE, -3, 16)), SCORED),
    ],
)
def test_largest_contributions_are_of_pupils(
    total: Sum, values: Array, there: npt.NDArray[np.bool_], most: int
) -> None:
    of_pupils = np.zeros((AREAS, max(UNITS, most)), np.int64)
    np.add.at(of_pupils, (LA, UNIT), np.where(there, values, 0))
    assert np.array_equal(evidence(Largest(total, most)), -np.sort(-of_pupils, axis=1)[:, :most])


def test_a_pupil_with_many_small_rows_is_the_largest() -> None:
    """Four rows of 30 outweigh one of 100; by rows the largest two would be 100 and 30."""
    atoms = {"year": 0, "la": 0, "sex": 0, "need": 0, "score": 0}
    small, large = ([Row(unit, atoms, {"score": 0, "days": days})] for unit, days in ((1, 30), (2, 100)))
    wanted = Largest(Sum("days", 0, 200), 3)
    plan = by_area().plan(0, (), (wanted,))
    found = MemoryEngine({"census": [*small * 4, *large]}).aggregate(plan).evidence(wanted)
    assert found[0].tolist() == [120, 100, 0] and not found[1:].any()


def summed(there: npt.NDArray[np.bool_]) -> list[int]:
    return [int(KEYS[there & (area == LA)].sum(dtype=np.uint64)) for area in range(AREAS)]


def test_keys_are_summed_modulo_two_to_the_64() -> None:
    every, scored = (evidence(RecordKeys(of)).astype(np.uint64) for of in (Count(), Count(("score",))))
    assert every[:, 0].tolist() == summed(np.ones(ROWS, bool))
    assert scored[:, 0].tolist() == summed(SCORED) != every[:, 0].tolist()
    assert max(sum(int(k) for k in KEYS[area == LA]) for area in range(AREAS)) > 2**64, "sums did wrap round"


def test_keys_of_bins_add_up_to_those_of_the_cell() -> None:
    bins = evidence(RecordKeys(BinnedCount("sex", ((1,), (0, 2)))))
    assert bins.astype(np.uint64).T.tolist() == [summed(SEX == 1), summed(SEX != 1)]
    assert np.array_equal(bins.sum(axis=1, keepdims=True), evidence(RecordKeys()))


@pytest.mark.parametrize("most", [0, -1, 1001])
def test_how_many_are_wanted_is_bounded(most: int) -> None:
    with pytest.raises(ValueError, match="from 1 to 1000"):
        Largest(Sum("days", 0, 200), most)
