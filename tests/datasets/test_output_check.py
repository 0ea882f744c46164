"""Output checks: what each finding is for, a table that passes, and planted ones that must not."""

from __future__ import annotations

import itertools
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from datasets.official.cells import cell_keys
from datasets.official.differencing import population_of
from datasets.official.released import ReleasedCells
from datasets.output_check.statbarns import STATBARNS, UNKNOWN, Handling, statbarn_of
from datasets.output_check.verdict import Reason, Verdict, finding
from datasets.statistics import STATISTICS
from tests.lib.official import policy, some_rows
from tests.lib.outputs import LAS, NEEDS, Room, codes, csv_of, of_table, rows_of, showing_zeros, without

COUNT = {"statistic": "count"}
BY_LA = {"measures": [COUNT], "groupBy": ["la"]}
TWO_WAY = {"measures": [COUNT], "groupBy": ["la", "need"], "totals": [[], ["la"], ["need"]]}
INNER = {"measures": [COUNT], "groupBy": ["la", "need"]}
LARGE = [[40, 60, 50, 30], [55, 45, 35, 65], [25, 70, 80, 20], [90, 15, 45, 50], [35, 40, 55, 60]]
MEASURES = [
    COUNT,
    {"statistic": "mean", "variable": "score"},
    {"statistic": "sd", "variable": "score"},
    {"statistic": "median", "variable": "score"},
    {"statistic": "quantile", "variable": "score", "probabilities": [0.25, 0.75]},
    {"statistic": "sum", "variable": "award"},
    {"statistic": "percentage", "variable": "fsm", "codes": ["Y"]},
    {"statistic": "distribution", "variable": "need"},
    {"statistic": "pupils"},
    {"statistic": "distinct", "variable": "school"},
]


PLAIN = 'plain = "p"\nsource = "s"\nverified = false\nowner = "o"\n\n'


def nearest(count: int) -> int:
    return (count + 2) // 5 * 5


def with_small(count: int = 3, la: int = 1, need: int = 2) -> list[list[int]]:
    return [[count if (i, j) == (la, need) else n for j, n in enumerate(line)] for i, line in enumerate(LARGE)]


def two_way(counts: list[list[int]], hidden: set[tuple[int, int]], margins: bool = True) -> str:
    """The table with its margins, rounded; some inner cells hidden."""
    rows: list[list[object]] = []
    for i, line in enumerate(counts):
        rows += [[LAS[i], NEEDS[j], "c" if (i, j) in hidden else nearest(n)] for j, n in enumerate(line)]
    if margins:
        rows.append(["Total", "Total", nearest(sum(map(sum, counts)))])
        rows += [[LAS[i], "Total", nearest(sum(line))] for i, line in enumerate(counts)]
        rows += [["Total", NEEDS[j], nearest(sum(column))] for j, column in enumerate(zip(*counts, strict=True))]
    return csv_of(["la", "need", "count"], rows)


def line_of(la: int, need: int) -> int:
    return 2 + 4 * la + need


@pytest.mark.parametrize(
    "query",
    [
        TWO_WAY,
        {"measures": MEASURES, "groupBy": ["la"], "totals": [[], ["la.region"]]},
        {"measures": MEASURES[:2], "groupBy": ["la", "fsm"]},
        {"measures": MEASURES, "groupBy": []},
        {**INNER, "criteria": {"filters": {"fsm": {"eq": "N"}}}},
        {"measures": [{"statistic": "histogram", "variable": "need"}], "groupBy": ["la", "fsm"], "totals": [["la"]]},
    ],
)
def test_our_own_release_passes_before_and_after_it_is_released(query: dict[str, Any]) -> None:
    room = Room(some_rows(900))
    text = room.release(query)
    assert ",c" in text or len(query["groupBy"]) < 2
    fresh, after = Room(room.rows).check(text, query), room.check(text, query)
    for checked in (fresh, after):
        assert (checked.verdict, codes(checked), of_table(checked)) == (Verdict.PASS, {}, [])
        assert {cell.line for cell in checked.cells} == set(range(2, 1 + len(text.splitlines()))), (
            "every row was judged"
        )


@pytest.mark.parametrize("method", ["random", "controlled"])
def test_our_own_release_passes_however_it_is_rounded(method: str) -> None:
    by_keys = policy(**{'method = "conventional"': f'method = "{method}"'})
    room = Room(some_rows(900), by_keys)
    text = room.release(TWO_WAY)
    assert Room(room.rows, by_keys).check(text, TWO_WAY).verdict is Verdict.PASS
    other = policy(**{"base = 5": "base = 3"})
    assert Room(room.rows, other).check(text, TWO_WAY).verdict is Verdict.FAIL


def test_a_table_with_one_small_cell_fails_there_and_nowhere_else() -> None:
    counts = with_small()
    room = Room(rows_of(counts))
    checked = room.check(two_way(counts, set(), margins=False), INNER)
    assert checked.verdict is Verdict.FAIL
    assert codes(checked) == {(line_of(1, 2), "count"): ["minimum_count"]}
    (found,) = checked.cells[line_of(1, 2) - 2].findings
    assert found.message.startswith("Counts that fewer than 10 pupils"), "in the words of the policy"


def test_a_hidden_cell_that_margins_tell_fails_and_without_them_it_passes() -> None:
    counts = with_small()
    room = Room(rows_of(counts))
    told = room.check(two_way(counts, {(1, 2)}), TWO_WAY)
    assert codes(told) == {(line_of(1, 2), "count"): ["CanBeWorkedOut"]}
    assert room.check(two_way(counts, {(1, 2)}, margins=False), INNER).verdict is Verdict.PASS


def test_two_hidden_in_every_line_are_not_enough() -> None:
    """Two squares and a bridge: the two rows less the two columns of one square tell the bridge."""
    squares = {(i, j) for a in (0, 2) for i, j in itertools.product((a, a + 1), (a, a + 1))}
    counts = with_small(3, 1, 2)
    room = Room(rows_of(counts))
    assert codes(room.check(two_way(counts, {*squares, (1, 2)}), TWO_WAY)) == {
        (line_of(1, 2), "count"): ["CanBeWorkedOut"]
    }
    assert room.check(two_way(counts, {*squares, (1, 2), (3, 0), (3, 1)}), TWO_WAY).verdict is Verdict.PASS


def test_an_interval_that_is_too_narrow_fails_though_nothing_is_known_exactly() -> None:
    counts = with_small()
    counts[1][0], counts[0][2], counts[0][0] = 4, 4, 3
    room = Room(rows_of(counts))
    hidden = {(0, 0), (0, 2), (1, 0), (1, 2)}
    found = codes(room.check(two_way(counts, hidden), TWO_WAY))
    assert found == {(line_of(*cell), "count"): ["CanBeWorkedOut"] for cell in hidden}


def test_leaving_a_row_out_hides_nothing_where_its_total_is_shown() -> None:
    counts = with_small()
    lines = two_way(counts, set()).splitlines()
    text = "\n".join([*lines[: line_of(1, 2) - 1], *lines[line_of(1, 2) :]])
    checked = Room(rows_of(counts)).check(text, TWO_WAY)
    assert of_table(checked) == ["TellsOthers"]
    assert checked.verdict is Verdict.FAIL


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (45, []),
        (47, ["NotRounded"]),
        (50, ["RoundedDifferently"]),
        (55, ["NotThatOfTheQuery"]),
        ("45.5", ["NotThatOfTheQuery"]),
    ],
)
def test_numbers_are_compared_with_the_data_and_with_the_policys_rounding(value: object, expected: list[str]) -> None:
    counts = [[47], [60], [50], [30], [80]]
    rows = [[la, value if la == "A1" else nearest(n)] for la, (n,) in zip(LAS, counts, strict=True)]
    checked = Room(rows_of(counts)).check(csv_of(["la", "count"], rows), BY_LA)
    assert codes(checked).get((2, "count"), []) == expected
    severest = {"NotRounded": "fail", "RoundedDifferently": "review", "NotThatOfTheQuery": "fail"}
    assert checked.verdict == (severest[expected[0]] if expected else "pass")


def test_a_percentage_is_computed_from_rounded_counts() -> None:
    counts = [[33, 14, 0, 0], [60, 40, 0, 0]]
    query = {
        "measures": [{"id": "p", "statistic": "percentage", "variable": "need", "codes": ["b"]}],
        "groupBy": ["la"],
    }
    room = Room(rows_of(counts), showing_zeros())

    def found(value: str) -> list[str]:
        return codes(room.check(csv_of(["la", "p"], [["A1", value]]), query)).get((2, "p"), [])

    assert found("30.00") == found("30.0") == [], "15 of 15 + 35"
    assert found("29.79") == ["RoundedDifferently"], "14 of 47"
    assert found("35.00") == ["NotThatOfTheQuery"]


def test_a_cell_that_everyone_is_in_fails_however_many_they_are() -> None:
    counts = [[40, 0, 0, 0], *LARGE[1:]]
    room = Room(rows_of(counts))
    text = csv_of(["la", "need", "count"], [["A1", "a", 40], ["A2", "a", 55]])
    assert codes(room.check(text, INNER)) == {(2, "count"): ["class_disclosure"]}


def test_a_sum_of_one_large_contributor_fails_and_its_mean_too() -> None:
    rows = rows_of([[40], [40]], award=1)
    rows[0] = replace(rows[0], ticks={"score": 5, "award": 1000})
    measures = [
        {"id": "s", "statistic": "sum", "variable": "award"},
        {"id": "m", "statistic": "mean", "variable": "award"},
    ]
    room = Room(rows)
    checked = room.check(csv_of(["la", "s", "m"], [["A1", 1039, "25.975"]]), {"measures": measures, "groupBy": ["la"]})
    for column in ("s", "m"):
        assert {"dominance", "p_percent"} <= set(codes(checked)[2, column])


def test_cells_of_too_few_schools_fail() -> None:
    rule = '[minimum_schools]\nvariable = "school"\nvalue = 3\n' + PLAIN + "[rounding]"
    rows = [replace(row, atoms=row.atoms | {"school": 0}) for row in rows_of([[40], [60]])]
    room = Room(rows, policy(**{"[rounding]": rule}))
    found = codes(room.check(csv_of(["la", "count"], [["A1", 40], ["A2", 60]]), BY_LA))
    assert found == {(line, "count"): ["minimum_schools"] for line in (2, 3)}


def test_shares_of_few_and_quantiles_near_an_end_fail() -> None:
    counts = [[15, 0], [60, 40]]
    rows = [replace(r, atoms=r.atoms | {"fsm": i % 2}) for i, r in enumerate(rows_of(counts))]
    measures = [
        {"id": "q", "statistic": "quantile", "variable": "score", "probabilities": [0.01]},
        {"id": "p", "statistic": "percentage", "variable": "fsm", "codes": ["Y"]},
    ]
    room = Room(rows, policy(**{"value = 10\nzeros": "value = 5\nzeros", "width = 9": "width = 4"}))
    text = csv_of(["la", "q:0.01", "p"], [["A1", "c", "66.67"], ["A2", "5.0", "50.00"]])
    found = codes(room.check(text, {"measures": measures, "groupBy": ["la"]}))
    assert "denominators" in found[2, "p"]
    assert "quantile_sides" in found[3, "q:0.01"]
    assert (3, "p") not in found


def test_what_an_earlier_release_hides_is_not_shown_though_no_rule_hides_it() -> None:
    counts = with_small()
    room = Room(rows_of(counts))
    before = room.release(TWO_WAY).split()
    secondary = next(
        (i, j) for i, j in itertools.product(range(5), range(4))
        if before[line_of(i, j) - 1].endswith(",c") and counts[i][j] >= 10
    )  # fmt: skip
    text = csv_of(
        ["la", "need", "count"], [[LAS[secondary[0]], NEEDS[secondary[1]], nearest(counts[secondary[0]][secondary[1]])]]
    )
    assert Room(room.rows).check(text, INNER).verdict is Verdict.PASS
    assert codes(room.check(text, INNER))[2, "count"] == ["HiddenBefore"]


def test_what_only_an_earlier_release_hides_must_not_be_worked_out_either() -> None:
    room = Room(rows_of(LARGE))
    text = two_way(LARGE, {(2, 1)})
    assert room.check(text, TWO_WAY).verdict is Verdict.PASS
    key = cell_keys(room.desk.table(TWO_WAY))[2, 1, -1]
    room.desk.before.append(ReleasedCells(np.array([key], np.uint64), np.array([True])))
    assert codes(room.check(text, TWO_WAY)) == {(line_of(2, 1), "count"): ["CanBeWorkedOut"]}


def test_what_was_released_before_is_known_to_the_attacker() -> None:
    """Inner cells alone tell nothing of the one that is hidden, but margins that were released do."""
    counts = with_small()
    room = Room(rows_of(counts))
    text = two_way(counts, {(1, 2)}, margins=False)
    room.release(BY_LA)
    assert codes(room.check(text, INNER)) == {(line_of(1, 2), "count"): ["CanBeWorkedOut"]}


def test_a_population_that_differs_by_a_few_from_a_released_one_fails() -> None:
    counts = [[40, 60, 50, 3], *([*line[:3], 0] for line in LARGE[1:])]
    room = Room(rows_of(counts))
    text = csv_of(["la", "count"], [["A1", nearest(153)], ["A2", 135]])
    without = {**BY_LA, "criteria": {"filters": {"need": {"in": ["a", "b", "c"]}}}}
    assert room.check(text, BY_LA).verdict is Verdict.PASS
    room.populations.append(population_of(room.desk.table(without, registered=True)).text)
    checked = room.check(text, BY_LA)
    assert of_table(checked) == ["TooClose"]
    assert checked.verdict is Verdict.FAIL


def test_a_number_over_a_hidden_count_fails() -> None:
    measures = [COUNT, {"id": "m", "statistic": "mean", "variable": "score"}]
    room = Room(rows_of(LARGE))
    text = csv_of(["la", "count", "m"], [["A1", "c", "5.0"], ["A2", 200, "5.0"]])
    found = codes(room.check(text, {"measures": measures, "groupBy": ["la"]}))
    assert found[2, "m"][-1] == "TellsHidden"
    assert "TellsHidden" not in found.get((3, "m"), [])


def test_a_count_that_a_share_tells_of_is_still_audited() -> None:
    measures = [COUNT, {"id": "p", "statistic": "percentage", "variable": "fsm", "codes": ["Y"]}]
    room = Room(rows_of([[40], [3], [60], [50], [80]]))
    rows = [["A1", 40, "c"], ["A2", "c", "50.00"], ["A3", 60, "c"], ["A4", 50, "c"], ["A5", 80, "c"], ["", 235, "c"]]
    query = {"measures": measures, "groupBy": ["la"], "totals": [[]]}
    found = codes(room.check(csv_of(["la", "count", "p"], rows), query))
    assert found[3, "count"] == ["CanBeWorkedOut"]
    assert "TellsHidden" in found[3, "p"]


def test_each_number_of_a_distribution_tells_of_everybody_in_it() -> None:
    measures = [COUNT, {"id": "d", "statistic": "distribution", "variable": "need"}]
    text = csv_of(["la", "count", "d:a", "d:b"], [["A1", "c", "22.22", "33.33"]])
    found = codes(Room(rows_of(LARGE)).check(text, {"measures": measures, "groupBy": ["la"]}))
    assert found[2, "d:a"] == found[2, "d:b"] == ["TellsHidden"]


def test_a_hidden_mean_that_other_means_tell_fails() -> None:
    query = {"measures": [{"id": "m", "statistic": "mean", "variable": "score"}], "groupBy": ["la"], "totals": [[]]}
    room = Room(rows_of([[40], [3], [60], [50], [80]]))
    rows = [["A1", "5.0"], ["A2", "c"], ["A3", "5.0"], ["A4", "5.0"], ["A5", "5.0"], ["", "5.0"]]
    told = codes(room.check(csv_of(["la", "m"], rows), query))
    assert "CanBeWorkedOut" in told[3, "m"]
    assert "CanBeWorkedOut" not in codes(room.check(csv_of(["la", "m"], rows[:-1]), query)).get((3, "m"), [])


def test_a_table_of_totals_that_was_not_sent_leaves_no_rows_out() -> None:
    counts = [[*line[:3], 0] for line in LARGE]
    inner = two_way(counts, {(i, 3) for i in range(5)}, margins=False)
    room = Room(rows_of(counts), without("class_disclosure"))
    checked = room.check(inner, {**INNER, "totals": [["need"]]})
    assert (checked.verdict, of_table(checked)) == (Verdict.PASS, [])


def test_symbols_say_what_is_true() -> None:
    room = Room(rows_of([[40], [2], [60], [0], [80]]), showing_zeros())
    text = csv_of(["la", "count"], [["A1", 40], ["A2", "low"], ["A3", "z"], ["A4", "low"], ["A5", ""]])
    assert codes(room.check(text, BY_LA)) == {
        (3, "count"): ["minimum_count"],
        (4, "count"): ["NotApplicable"],
        (5, "count"): ["NotThatOfTheQuery"],
    }


def test_what_no_rule_judges_is_reviewed_and_the_largest_value_fails() -> None:
    query = {
        "measures": [
            COUNT,
            {"id": "g", "statistic": "gini", "variable": "award"},
            {"id": "new", "statistic": "entropy_of_tomorrow", "variable": "award"},
            {"id": "most", "statistic": "max", "variable": "award"},
            {"id": "gap", "statistic": "gap", "variable": "fsm", "codes": ["Y", "N"], "of": [MEASURES[1]]},
            {"id": "fit", "statistic": "ols", "variable": "score", "terms": ["fsm"]},
        ],
        "groupBy": ["la"],
    }
    text = csv_of(["la", "count", "g", "new", "most", "gap", "fit:fsm=N"], [["A1", 180, 0.3, 1, 500, 0.1, 0.25]])
    checked = Room(rows_of(LARGE)).check(text, query)
    by_hand = {(2, name): ["ByHand"] for name in ("g", "new", "gap", "fit:fsm=N")}
    assert codes(checked) == {**by_hand, (2, "most"): ["Extreme"]}
    assert checked.verdict is Verdict.FAIL
    told = [f.message for cell in checked.cells for f in cell.findings]
    assert any("dominance" in message for message in told), "the risks of the kind"


def test_criteria_across_variables_are_a_population_of_their_own() -> None:
    either = {"or": [{"filters": {"fsm": {"eq": "Y"}}}, {"filters": {"need": {"eq": "a"}}}]}
    rows = rows_of(LARGE)
    count = sum(row.atoms["la"] == 0 and (row.atoms["fsm"] == 0 or row.atoms["need"] == 0) for row in rows)
    checked = Room(rows).check(csv_of(["la", "count"], [["A1", nearest(count)]]), {**BY_LA, "criteria": either})
    assert (checked.verdict, of_table(checked), codes(checked)) == (Verdict.REVIEW, ["OwnPopulation"], {})


def test_a_table_that_cannot_be_protected_whole_is_judged_by_what_is_seen() -> None:
    query = {"measures": [COUNT], "groupBy": ["la.coast"]}
    checked = Room(rows_of(LARGE)).check(csv_of(["la.coast", "count"], [["yes", 350], ["no", 4]]), query)
    assert of_table(checked) == ["NotRecomputed"]
    assert "one hierarchy" in checked.findings[0].message
    assert codes(checked) == {(3, "count"): ["Small"]}


def test_a_sparse_table_fails_as_a_whole() -> None:
    rule = "[sparsity]\nmost_share = 0.1\n" + PLAIN + "[rounding]"
    rows = rows_of([[2, 3, 40, 50], [4, 1, 60, 70], *LARGE[2:]])
    room = Room(rows, policy(**{"[rounding]": rule}))
    checked = room.check(csv_of(["la", "need", "count"], [["A1", "c", 40]]), INNER)
    assert (of_table(checked), codes(checked)) == (["Sparse"], {})


def test_rows_of_empty_groups_are_not_left_out() -> None:
    """Whoever lists the groups that have anybody tells which have nobody."""
    room = Room(rows_of([[40], [60], [0], [50], [2]]))
    listed = [["A1", 40], ["A2", 60], ["A4", 50], ["A5", "c"]]
    checked = room.check(csv_of(["la", "count"], listed), BY_LA)
    assert (checked.verdict, of_table(checked)) == (Verdict.REVIEW, ["RowsLeftOut"])
    assert room.check(csv_of(["la", "count"], [*listed, ["A3", "c"]]), BY_LA).verdict is Verdict.PASS
    without_a_full_one = csv_of(["la", "count"], [*listed[1:], ["A3", "c"]])
    assert room.check(without_a_full_one, BY_LA).verdict is Verdict.PASS, "it tells nothing"


@pytest.mark.parametrize("other", ["x", "", "u"])
def test_hidden_numbers_have_one_symbol(other: str) -> None:
    counts = with_small()
    text = two_way(counts, {(1, 2), (3, 2)}, margins=False)
    mixed = text.replace("A4,c,c", f"A4,c,{other}")
    assert of_table(Room(rows_of(counts)).check(mixed, INNER)) == ["MixedSymbols"]
    assert of_table(Room(rows_of(counts)).check(text, INNER)) == []


@given(st.sets(st.tuples(st.integers(0, 4), st.integers(0, 3)), max_size=4), st.integers(1, 9))
@settings(max_examples=25)
def test_what_a_fix_names_mends_the_table(small: set[tuple[int, int]], count: int) -> None:
    counts = [[count if (i, j) in small else n for j, n in enumerate(line)] for i, line in enumerate(LARGE)]
    room, text = Room(rows_of(counts)), two_way(counts, small)
    checked = room.check(text, TWO_WAY)
    fixes = {f.fix for cell in checked.cells for f in cell.findings} | {f.fix for f in checked.findings}
    named = {int(line) for fix in fixes for line in re.findall(r"line (\d+), count", fix)}
    assert bool(named) == (checked.verdict is Verdict.FAIL)
    lines = text.splitlines()
    for line in named:
        lines[line - 1] = lines[line - 1].rsplit(",", 1)[0] + ",c"
    assert room.check("\n".join(lines), TWO_WAY).verdict is Verdict.PASS


def test_no_finding_quotes_the_data() -> None:
    """The true count of a cell that was sent wrong is told nowhere."""
    counts = [[7717], [60], [50], [30], [80]]
    checked = Room(rows_of(counts)).check(csv_of(["la", "count"], [["A1", 9000]]), BY_LA)
    assert checked.verdict is Verdict.FAIL
    assert "7717" not in str(checked)
    assert "7715" not in str(checked)


counts_of_all = st.lists(st.lists(st.integers(0, 30), min_size=4, max_size=4), min_size=5, max_size=5)
patterns = st.sets(st.tuples(st.integers(0, 4), st.integers(0, 3)))
CELLS = list(itertools.product(range(5), range(4)))
LINES = np.array([[i == k for i, _ in CELLS] for k in range(5)] + [[j == k for _, j in CELLS] for k in range(4)], float)


def width_of(cell: tuple[int, int], counts: list[list[int]], hidden: set[tuple[int, int]]) -> float:
    """Of the attacker's interval, by linear programs."""
    flat = np.array(counts, float).ravel()
    bounds = [(0, None) if each in hidden else (x, x) for each, x in zip(CELLS, flat, strict=True)]
    cost = np.array([each == cell for each in CELLS], float)
    least, most = (linprog(s * cost, A_eq=LINES, b_eq=LINES @ flat, bounds=bounds).fun for s in (1, -1))
    return float(-most - least)


@given(counts_of_all, patterns)
@settings(max_examples=60)
def test_hidden_cells_that_can_be_worked_out_are_those_that_linear_programs_find(
    counts: list[list[int]], hidden: set[tuple[int, int]]
) -> None:
    """In a two-way table with its margins the attacker's interval is that of the linear program (a network)."""
    checked = Room(rows_of(counts), without("class_disclosure")).check(two_way(counts, hidden), TWO_WAY)
    found = {cell for cell, what in codes(checked).items() if "CanBeWorkedOut" in what}
    small = {(i, j) for i, j in hidden if counts[i][j] < 10}
    assert found == {(line_of(*cell), "count") for cell in small if width_of(cell, counts, hidden) < 9 - 1e-6}


def test_every_statistic_has_a_kind_and_unknown_ones_are_for_people() -> None:
    assert [name for name in STATISTICS if statbarn_of(name) is UNKNOWN] == []
    assert statbarn_of("entropy_of_tomorrow").handling is Handling.BY_HAND
    for barn in {*STATBARNS.values(), UNKNOWN}:
        assert barn.risks, barn.name
        assert barn.checks, barn.name


def test_every_reason_has_a_test(root: Path) -> None:
    texts = [path.read_text() for path in (root / "tests" / "datasets").glob("test_output_*.py")]
    named = {name for text in texts for name in re.findall(r'"([A-Z][A-Za-z]+)"', text)}
    assert [code for code in (finding(reason).code for reason in Reason) if code not in named] == []
