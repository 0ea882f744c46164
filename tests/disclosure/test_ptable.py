"""Perturbation tables are of largest entropy, keep their promises exactly, and are read back as they were written."""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize

from disclosure.cell_key import Parameters, PTable, PTableRefused, Row, from_csv, maximum_entropy, to_csv
from disclosure.cell_key.ptable import KEYS, UNCHANGED
from disclosure.cell_key.strength import delta
from disclosure.tables import Floats

SETTINGS = {
    "D5 V1": Parameters(5, 1.0),
    "D5 V2": Parameters(5, 2.0),
    "D5 V3 js2": Parameters(5, 3.0, 2),
    "D8 V3 js2": Parameters(8, 3.0, 2),
    "D9 V5 js3": Parameters(9, 5.0, 3),
    "D10 V5": Parameters(10, 5.0),
    "D5 V3 js2 stay": Parameters(5, 3.0, 2, stay=0.5),
    "D5 V2 not monotone": Parameters(5, 2.0, monotone=False),
    "D10 V1": Parameters(10, 1.0),
    "D5 V2 js2": Parameters(5, 2.0, 2),
    "D3 V100": Parameters(3, 100.0),
    "D1 V0.1": Parameters(1, 0.1),
}


@cache
def table_of(parameters: Parameters) -> PTable:
    return maximum_entropy(parameters)


def law(row: Row) -> Floats:
    return np.array(row.shares) / KEYS


def test_the_published_table_is_reproduced() -> None:
    """CRAN vignette "Introduction to the ptable-Package", ptable 1.0.0."""
    row = table_of(Parameters(2, 1.0)).rows[1]
    assert row.changes == (-1, 0, 1, 2)
    assert np.abs(law(row) - [0.3665, 0.3665, 0.1676, 0.0995]).max() < 1e-4


def check(table: PTable, parameters: Parameters) -> None:
    """Every promise, in exact arithmetic."""
    assert table.rows[0] == UNCHANGED
    assert table.largest_change == parameters.largest_change
    for count, row in enumerate(table.rows[1:], start=1):
        assert sum(row.shares) == KEYS
        assert max(map(abs, row.changes)) <= parameters.largest_change
        assert not any(0 < count + change <= parameters.hidden_up_to for change in row.changes)
        assert count + row.changes[0] >= 0
        neighbours = any(b - a == 1 for a, b in pairwise(row.changes))
        assert abs(row.mean) <= (0 if neighbours else Fraction(1, 2**50))
        assert row.variance <= Fraction(parameters.variance) * (1 + Fraction(1, 10**9))
        if parameters.monotone:
            down = [share for change, share in zip(row.changes, row.shares, strict=True) if change <= 0]
            assert all(b >= a * (1 - 1e-9) for a, b in pairwise(down))
    last = table.rows[-1]
    assert last.changes == tuple(-change for change in reversed(last.changes)), "from here on nothing is ruled out"


@pytest.mark.parametrize("largest", range(2, 11))
@pytest.mark.parametrize(("variance", "hidden"), [(1.0, 0), (5.0, 0), (4.5, 3)])
def test_mean_variance_and_support_hold_exactly(largest: int, variance: float, hidden: int) -> None:
    parameters = Parameters(largest, variance, min(hidden, largest - 1))
    check(table_of(parameters), parameters)


@pytest.mark.parametrize("name", SETTINGS)
def test_all_kinds_of_tables_keep_their_promises(name: str) -> None:
    check(table_of(SETTINGS[name]), SETTINGS[name])


def test_a_table_of_twice_the_variance_is_caught() -> None:
    """The positive control."""
    with pytest.raises(AssertionError):
        check(table_of(Parameters(5, 2.0)), Parameters(5, 1.0))
    with pytest.raises(AssertionError):
        check(table_of(Parameters(5, 3.0)), Parameters(5, 3.0, 2))


def by_slsqp(count: int, parameters: Parameters) -> tuple[Floats, Floats]:
    """The same problem given as it stands to a solver of another kind."""
    v = np.arange(-min(count, parameters.largest_change), parameters.largest_change + 1)
    v = v[(count + v == 0) | (count + v > parameters.hidden_up_to)]
    constraints = [
        {"type": "eq", "fun": lambda p: p.sum() - 1},
        {"type": "eq", "fun": lambda p: p @ v},
        {"type": "ineq", "fun": lambda p: parameters.variance - p @ v**2},
    ]
    if parameters.stay is not None and 0 in v:
        constraints.append({"type": "eq", "fun": lambda p: p[v == 0] - parameters.stay})
    if parameters.monotone:
        constraints.append({"type": "ineq", "fun": lambda p: np.diff(p[v <= 0])})
    found = minimize(
        lambda p: float(p @ np.log(p)), np.full(v.size, 1 / v.size), jac=lambda p: np.log(p) + 1, method="SLSQP",
        bounds=[(1e-8, 1)] * v.size, constraints=constraints, options={"ftol": 1e-13, "maxiter": 1000},
    )  # fmt: skip
    return v, found.x


@pytest.mark.parametrize("name", ["D5 V1", "D5 V2", "D5 V3 js2", "D9 V5 js3", "D5 V3 js2 stay", "D5 V2 not monotone"])
def test_another_solver_finds_the_same_laws(name: str) -> None:
    parameters = SETTINGS[name]
    table = table_of(parameters)
    for count in (1, 2, 3, 4, len(table.rows) - 1):
        row = table.row(count)
        v, p = by_slsqp(count, parameters)
        assert row.changes == tuple(v.tolist())
        assert np.abs(law(row) - p).max() < 2e-5


def test_the_monotone_constraint_makes_a_difference() -> None:
    """Else the comparison above would not show that it is kept."""
    free, chained = (table_of(SETTINGS[name]).rows[1] for name in ("D5 V2 not monotone", "D5 V2"))
    assert np.abs(law(free) - law(chained)).max() > 0.05


def test_rows_near_zero_have_the_variances_that_are_known() -> None:
    """Measured with the R package's own tables: 1.30 for D 5, V 2; 1.42 and 4.17 for D 10, V 5."""
    assert table_of(SETTINGS["D5 V2"]).variances[1] == pytest.approx(1.302, abs=1e-3)
    assert table_of(SETTINGS["D10 V5"]).variances[1:4] == pytest.approx((1.419, 4.175, 5), abs=1e-3)


@pytest.mark.parametrize("hidden", [1, 2, 3, 6])
def test_the_least_variance_is_that_of_two_outcomes(hidden: int) -> None:
    """max i(js + 1 − i): refused below, with the nearest that will do, and made at it."""
    least = max(i * (hidden + 1 - i) for i in range(1, hidden + 1))
    with pytest.raises(PTableRefused) as refused:
        maximum_entropy(Parameters(hidden + 3, least - 0.01, hidden))
    assert refused.value.problems == (f"variance: wants at least {least} with these values of the others",)
    check(maximum_entropy(Parameters(hidden + 3, float(least), hidden)), Parameters(hidden + 3, float(least), hidden))


@pytest.mark.parametrize(("largest", "stay"), [(2, 0.3), (3, 0.05), (5, 0.01)])
def test_the_nearest_probability_of_no_change_is_named_and_will_do(largest: int, stay: float) -> None:
    with pytest.raises(PTableRefused) as refused:
        maximum_entropy(Parameters(largest, 9.0, stay=stay))
    [problem] = refused.value.problems
    nearest = float(problem.removeprefix("stay: wants at least ").removesuffix(" with these values of the others"))
    found = maximum_entropy(Parameters(largest, 9.0, stay=nearest + 1e-5))
    assert nearest > stay
    assert all(abs(law(row)[row.changes.index(0)] - nearest) < 1e-4 for row in found.rows[1:])


def test_a_fixed_probability_of_no_change_has_a_least_variance() -> None:
    with pytest.raises(PTableRefused, match=r"variance: wants at least 0\.6 with"):
        maximum_entropy(Parameters(3, 0.2, stay=0.4))
    assert max(maximum_entropy(Parameters(3, 0.61, stay=0.4)).variances) <= 0.61


def test_all_that_is_wrong_with_parameters_is_said_at_once() -> None:
    with pytest.raises(PTableRefused) as refused:
        Parameters(0, 0.0, -1, stay=1.0, zeros=1.0)
    assert [problem.split(":")[0] for problem in refused.value.problems] == [
        "largest_change", "variance", "hidden_up_to", "stay", "zeros",
    ]  # fmt: skip
    with pytest.raises(PTableRefused, match=r"largest_change: wants at least 4.*hidden_up_to at most 2"):
        Parameters(3, 9.0, 3)


def test_zeros_are_taken_up_only_if_asked() -> None:
    assert table_of(SETTINGS["D5 V3 js2"]).keeps_zeros
    table = maximum_entropy(Parameters(5, 3.0, 2, zeros=0.25))
    assert not table.keeps_zeros
    assert table.rows[0] == Row((0, 3), (KEYS // 4 * 3, KEYS // 4))


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("D5 V1", (0.270, 0.205, 0.027, 0.0001, 0.631)),
        ("D5 V2", (0.236, 0.077, 0.0017, 0.0017, 0.611)),
        ("D5 V3 js2", (0.209, 0.055, 0.020, 0.020, 0.266)),
        ("D8 V3 js2", (0.192, 0.054, 0.010, 0.0008, 0.269)),
        ("D9 V5 js3", (0.203, 0.081, 0.012, 0.005, 0.193)),
        ("D10 V5", (0.160, 0.057, 0.014, 0.0018, 0.608)),
        ("D5 V3 js2 stay", (0.397, 0.320, 0.039, 0.039, 0.266)),
    ],
)
def test_one_perturbation_has_the_delta_that_was_measured_elsewhere(name: str, known: tuple[float, ...]) -> None:
    table = table_of(SETTINGS[name])
    found = [*(delta(table, epsilon) for epsilon in (0.5, 1, 2, 4)), delta(table, 4, least=0)]
    assert found == pytest.approx(known, abs=6e-4)


def test_delta_against_the_sum_over_all_sets_of_outcomes() -> None:
    """By its definition, on a table small enough to try every set."""
    table = table_of(Parameters(2, 1.0))
    worst = 0.0
    for n in range(1, 6):
        for one, other in ((n, n + 1), (n + 1, n)):
            laws = [dict.fromkeys(range(9), 0.0) for _ in range(2)]
            for count, found in zip((one, other), laws, strict=True):
                row = table.row(count)
                found.update({count + c: s / KEYS for c, s in zip(row.changes, row.shares, strict=True)})
            for chosen in range(2**9):
                inside = [j for j in range(9) if chosen >> j & 1]
                p, q = (sum(found[j] for j in inside) for found in laws)
                worst = max(worst, p - np.exp(1.0) * q)
    assert delta(table, 1.0) == pytest.approx(worst, abs=1e-12)


@pytest.mark.parametrize("name", SETTINGS)
def test_a_table_is_read_back_as_it_was_written(name: str) -> None:
    table = table_of(SETTINGS[name])
    text = to_csv(table)
    assert text.startswith("count,change,low_key,high_key\n0,0,0,18446744073709551615\n1,-1,0,")
    assert from_csv(text) == table
    assert from_csv(text.replace("\n", "\r\n")) == table


@given(cuts=st.lists(st.integers(1, KEYS // 2 - 1), unique=True, max_size=5))
def test_any_table_is_read_back_as_it_was_written(cuts: list[int]) -> None:
    """Symmetric laws with any whole numbers of keys."""
    ends = [0, *sorted(cuts), KEYS // 2]
    half = [b - a for a, b in pairwise(ends)]
    reach = len(half)
    row = Row((*range(-reach, 0), *range(1, reach + 1)), (*half, *reversed(half)))
    table = PTable((UNCHANGED, *(UNCHANGED,) * reach, row))
    assert from_csv(to_csv(table)) == table


TOP = KEYS - 1
HEADER = "count,change,low_key,high_key\n"
ZERO = f"0,0,0,{TOP}\n"
HALF = KEYS // 2


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("", ["the first line wants to be count,change,low_key,high_key"]),
        ("count,change\n", ["the first line wants to be count,change,low_key,high_key"]),
        ("count,change\rlow", ["wants to be a plain CSV file"]),
        (f"{HEADER}0,0,0\n1,+1,0,5\n1,0,0,1e3\n1,0,0,{10**30}\n1,0, 0,5\n",
         [f"line {n}: wants four whole numbers" for n in (2, 3, 4, 5, 6)]),
        (f"{HEADER}1,0,0,{TOP}\n", ["count: wants 0, 1, 2, …, each with all its lines together"]),
        (f"{HEADER}{ZERO}1,0,0,{TOP}\n{ZERO}", ["count: wants 0, 1, 2, …, each with all its lines together"]),
        (f"{HEADER}{ZERO}1,0,5,{TOP - 1}\n",
         ["row 1, change 0: wants keys from 0 up to some higher key", f"row 1: its last key wants to be {TOP}"]),
        (f"{HEADER}{ZERO}1,1,0,{HALF - 1}\n1,-1,{HALF},{TOP}\n",
         ["row 1: wants its changes in ascending order, each once"]),
        (f"{HEADER}{ZERO}1,-2,0,{HALF - 1}\n1,1,{HALF},{TOP}\n",
         ["row 1: a change makes the count negative", "row 1: its mean is -0.500000, not 0"]),
        (f"{HEADER}0,-1,0,{TOP}\n1,0,0,{TOP}\n", ["row 0: a change makes the count negative"]),
        (f"{HEADER}{ZERO}", ["a table has rows for the counts 0 and 1 at least"]),
        (f"{HEADER}{ZERO}1,0,3,2\n2,0,{TOP},{TOP}\n",
         ["row 1, change 0: wants keys from 0 up to some higher key", f"row 1: its last key wants to be {TOP}",
          "row 2, change 0: wants keys from 0 up to some higher key"]),
        (HEADER + ZERO * 100_001, ["wants at most 100000 lines"]),
    ],
)  # fmt: skip
def test_a_file_that_is_not_right_is_refused_with_all_that_is_wrong(text: str, problems: list[str]) -> None:
    with pytest.raises(PTableRefused) as refused:
        from_csv(text)
    assert list(refused.value.problems) == problems


def test_rows_are_what_they_say() -> None:
    for changes, shares in [((0, 1), (KEYS,)), ((1, 0), (1, KEYS - 1)), ((0, 1), (0, KEYS)), ((0,), (KEYS - 1,))]:
        with pytest.raises(ValueError, match="share"):
            Row(changes, shares)
