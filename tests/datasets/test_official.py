"""Questions in `official` mode: the table that is protected for each, and the numbers that come out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from datasets.answer import Status
from datasets.catalogue import Impossible
from datasets.official.cells import cell_keys
from datasets.official.trees import NotInHierarchy, hierarchy, tree_of
from datasets.query import InvalidQuery
from disclosure.policy import load_policy
from privacy_api.cli.cuts import preset
from tests.lib import official
from tests.lib.official import Desk, policy, shown, some_rows

PUPILS = official.pupils()
COUNT = {"statistic": "count"}
POLICY = policy()


def refusals(body: dict[str, Any]) -> list[tuple[str, str]]:
    with pytest.raises(InvalidQuery) as refused:
        Desk([], POLICY).table(body)
    return [(problem.code, problem.path) for problem in refused.value.problems]


def truth(rows: list[official.Row], **atoms: int) -> int:
    return sum(all(row.atoms[name] == atom for name, atom in atoms.items()) for row in rows)


def even(count: int, schools: int = 8) -> list[official.Row]:
    """Pupils spread evenly over LAs, needs and free school meals; those of the second LA are all in one school."""
    return [
        official.Row(
            i,
            {"la": i % 5, "need": i % 4, "fsm": i % 2, "school": 0 if i % 5 == 1 else i % schools, "score": i % 10},
            {"score": i % 10, "award": 1},
        )
        for i in range(count)
    ]


def test_a_variable_has_one_hierarchy_of_levels_that_nest() -> None:
    la, need = PUPILS.by_name["la"], PUPILS.by_name["need"]
    assert [level.axis.reference for level in hierarchy(la)] == ["la", "la.region"]
    assert [level.masks for level in hierarchy(need)] == [(1, 2, 4, 8), (3, 12)], "atoms outside of bands are one more"
    assert tree_of(la, [0b11]).masks == (0b11, 0b11100, 0b11111), "from the coarsest level that will do"
    with pytest.raises(NotInHierarchy):
        tree_of(la, [0b101]).element(0b101)


def test_a_filter_becomes_a_dimension_and_the_answer_takes_its_cells() -> None:
    rows = some_rows(4000)
    desk = Desk(rows, POLICY)
    body = {"measures": [COUNT], "groupBy": ["la"], "criteria": {"filters": {"fsm": {"eq": "N"}}}}
    table = desk.table(body)
    assert [tree.variable.name for tree in table.trees] == ["la", "fsm"]
    assert table.population.path_count == 1, "everybody"
    found = shown(desk.ask(body))
    for place, code in enumerate(["A1", "A2", "A3", "A4", "A5"]):
        value, status = found[code,]
        expected = truth(rows, la=place, fsm=1)
        assert status == "c" or abs(value - expected) <= 2, (code, value, expected)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"groupBy": ["la.coast"]}, [("NotInHierarchy", "groupBy")]),
        ({"groupBy": ["la", "la.region"]}, [("RepeatedGroup", "groupBy")]),
        ({"criteria": {"filters": {"la": {"in": ["A1", "A3"]}}}}, [("NotInHierarchy", "groupBy")]),
        (
            {"criteria": {"or": [{"filters": {"fsm": {"eq": "Y"}}}, {"filters": {"need": {"eq": "a"}}}]}},
            [("CriteriaNotSeparate", "criteria")],
        ),
        ({"display": "unbiased"}, [("InvalidValue", "display")]),
        (
            {"groupBy": ["fsm"], "measures": [{"statistic": "percentage", "variable": "fsm", "codes": ["Y"]}]},
            [("RepeatedGroup", "measures[0]")],
        ),
        (
            {"groupBy": ["la", "need", "fsm", "school"], "measures": [{"statistic": "histogram", "variable": "score"}]},
            [("TooManyGroups", "groupBy")],
        ),
    ],
)
def test_what_hiding_cannot_protect_is_not_asked(body: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert refusals({"measures": [COUNT], **body}) == expected


def test_a_table_that_is_too_large_is_refused_before_any_data_is_read() -> None:
    small = policy(**{"most_cells = 5000": "most_cells = 40"})
    with pytest.raises(InvalidQuery) as refused:
        Desk([], small).table({"measures": [COUNT], "groupBy": ["la", "need"]})
    assert "at most 40" in refused.value.problems[0].message


def test_numbers_agree_with_the_rows_and_totals_with_their_parts() -> None:
    rows = some_rows(5000)
    body = {"measures": [COUNT], "groupBy": ["la", "fsm"], "totals": [[], ["la"], ["fsm"], ["la.region", "fsm"]]}
    found = shown(Desk(rows, POLICY).ask(body))
    regions = {"N": (0, 1), "S": (2, 3, 4)}
    for (la, fsm, region), (value, status) in found.items():
        places = regions[region] if region else range(5) if la is None else [["A1", "A2", "A3", "A4", "A5"].index(la)]
        codes = [0, 1] if fsm is None else [["Y", "N"].index(fsm)]
        expected = sum(truth(rows, la=place, fsm=code) for place in places for code in codes)
        assert status == "c" or (value % 5 == 0 and abs(value - expected) <= 2)
    assert found[None, None, None] == (5000, "")


def test_small_counts_are_hidden_and_so_is_what_would_tell_them() -> None:
    """One small cell of LAs by free school meals: it could be had from its row and its column."""
    rows = [row for row in even(1000) if (row.atoms["la"], row.atoms["fsm"]) != (2, 1) or row.unit < 30]
    body = {"measures": [COUNT], "groupBy": ["la", "fsm"], "totals": [[], ["la"], ["fsm"]]}
    found = shown(Desk(rows, POLICY).ask(body))
    hidden = {key for key, (_, status) in found.items() if status == Status.CONFIDENTIAL}
    assert ("A3", "N") in hidden, "three pupils"
    assert 4 <= len(hidden) <= 6, "one more in its row, in its column, and where those meet"


def test_a_hidden_count_hides_all_that_is_measured_of_it() -> None:
    rows = some_rows(300)
    measures = [COUNT, {"statistic": "mean", "variable": "score"}, {"statistic": "median", "variable": "score"},
                {"statistic": "percentage", "variable": "fsm", "codes": ["Y"]}, {"statistic": "pupils"}]  # fmt: skip
    answer = Desk(rows, POLICY).ask({"measures": measures, "groupBy": ["la", "need"]})
    hidden = answer.series[0].status[:, 0] == Status.CONFIDENTIAL
    assert hidden.any()
    assert not hidden.all()
    for series in answer.series[1:]:
        assert (series.status[hidden, 0] == Status.CONFIDENTIAL).all(), series.id


@pytest.mark.parametrize(("zeros", "expected"), [("show", "x"), ("hide", "c")])
def test_what_is_measured_of_nobody_is_hidden_only_where_zeros_are(zeros: str, expected: str) -> None:
    """A mean of nobody beside a count that is shown as 0 hides nothing: there is none."""
    rows = [row for row in even(1000) if row.atoms["la"] != 2]
    measures = [COUNT, *({"statistic": name, "variable": "score"} for name in ("mean", "sum"))]
    policy = load_policy(preset("ofqual").replace('zeros = "show"', f'zeros = "{zeros}"'))
    count, *others = Desk(rows, policy).ask({"measures": measures, "groupBy": ["la"]}).series
    assert count.status[2, 0] == ("" if zeros == "show" else "c")
    assert [(str(each.status[2, 0]), bool(np.isnan(each.value[2, 0]))) for each in others] == [(expected, True)] * 2
    assert all((each.status[[0, 1, 3, 4], 0] == Status.SHOWN).all() for each in (count, *others))


def test_a_sum_with_one_large_contributor_is_hidden_though_its_count_is_shown() -> None:
    rows = even(400)
    rows[0] = replace(rows[0], ticks={"score": 0, "award": 1000})
    sums = {"measures": [COUNT, {"statistic": "sum", "variable": "award"}], "groupBy": ["la"]}
    answer = Desk(rows, POLICY).ask(sums)
    assert shown(answer)["A1",] == (80, "")
    assert shown(answer, 1)["A1",][1] == "c", "nearly all of it is one pupil's"


def test_cells_of_few_schools_are_hidden() -> None:
    words = 'plain = "p"\nsource = "s"\nverified = false\nowner = "o"'
    two = policy(**{"[rounding]": f'[minimum_schools]\nvariable = "school"\nvalue = 2\n{words}\n\n[rounding]'})
    body = {"measures": [COUNT], "groupBy": ["la"]}
    assert shown(Desk(even(400), POLICY).ask(body))["A2",] == (80, "")
    assert shown(Desk(even(400), two).ask(body))["A2",][1] == "c"
    by_school = {"measures": [COUNT], "groupBy": ["school"]}
    assert shown(Desk(even(400), two).ask(by_school))["s1",][1] == "", "cells by school are of one on purpose"


def test_quantiles_are_read_from_merged_bins_and_hidden_near_the_ends() -> None:
    rows = some_rows(2000)
    there = sorted(row.ticks["score"] for row in rows if row.ticks["score"] is not None)
    body = {"measures": [{"statistic": "quantile", "variable": "score", "probabilities": [0.001, 0.25, 0.5, 0.999]}]}
    answer = Desk(rows, POLICY).ask(body)
    value, status = answer.series[0].value[0], answer.series[0].status[0]
    assert status.tolist() == ["c", "", "", "c"], "two pupils on one side"
    assert abs(value[1] - np.quantile(there, 0.25)) <= 1.5
    assert abs(value[2] - np.median(there)) <= 1.5


def test_cells_have_the_same_key_in_every_table_they_stand_in() -> None:
    desk = Desk([], POLICY)
    one, two = (desk.table({"measures": [COUNT], "groupBy": ["la", other]}) for other in ("fsm", "need"))
    keys = [cell_keys(table)[:, -1, -1] for table in (one, two)]
    assert (keys[0] == keys[1]).all(), "LAs, regions and everybody"
    histogram = desk.table({"measures": [{"statistic": "histogram", "variable": "fsm"}], "groupBy": ["la"]})
    assert set(cell_keys(histogram).ravel().tolist()) == set(cell_keys(one).ravel().tolist())
    everything = np.concatenate([cell_keys(table).ravel() for table in (one, two)])
    assert len(set(everything.tolist())) == everything.size - len(keys[0])


def test_what_was_hidden_stays_hidden_and_what_was_shown_is_counted_on_by_nobody() -> None:
    """LAs by free school meals, then LAs by need: the margin by LA is one, and treated as one."""
    rows = some_rows(420, seed=5)
    alone = Desk(rows, POLICY).protected({"measures": [COUNT], "groupBy": ["la", "need"]})
    desk = Desk(rows, POLICY)
    first = desk.protected({"measures": [COUNT], "groupBy": ["la", "fsm"]})
    second = desk.protected({"measures": [COUNT], "groupBy": ["la", "need"]})
    margins = [protected.counts.hidden[:, -1, -1] for protected in (first, second)]
    small = alone.counts.hidden[:, -1, -1] & ~margins[0]
    assert (margins[0] <= margins[1] | ~margins[0]).all()
    assert (margins[1] >= margins[0]).all(), "hidden before, hidden now"
    assert not (margins[1] & ~margins[0] & ~small).any(), "nothing that was shown is hidden without need"


def test_cells_that_nobody_can_be_in_are_not_applicable_and_no_secret() -> None:
    """No pupil of the second LA can have free school meals; so nothing is hidden for its being empty."""
    never = replace(PUPILS, impossible=(Impossible((("la", (1,)), ("fsm", (0,)))),))
    rows = [row for row in even(1000) if (row.atoms["la"], row.atoms["fsm"]) != (1, 0)]
    body = {"measures": [COUNT], "groupBy": ["la", "fsm"], "totals": [["la"]]}
    plain, told = shown(Desk(rows, POLICY).ask(body)), shown(Desk(rows, POLICY, never).ask(body))
    assert plain["A2", "Y"][1] == "c"
    assert told["A2", "Y"][1] == Status.NOT_APPLICABLE
    assert all(status == "" for key, (_, status) in told.items() if key != ("A2", "Y"))
    histogram = {"measures": [{"statistic": "histogram", "variable": "fsm"}], "groupBy": ["la"]}
    assert not Desk(rows, POLICY, never).protected(histogram).counts.hidden.any()


def counted(cells: dict[tuple[int, int, int], int]) -> list[official.Row]:
    """(LA, need, free school meals) → pupils."""
    atoms = [dict(zip(("la", "need", "fsm"), cell, strict=True)) for cell, count in cells.items() for _ in range(count)]
    return [official.Row(i, {**each, "school": 0, "score": 0}, {"score": 0}) for i, each in enumerate(atoms)]


def test_codes_that_the_population_cannot_have_hide_nothing_when_counts_are_split_by_them() -> None:
    rows = counted({(la, need, 0): 200 + 9 * la + need for la in range(5) for need in range(2)} | {(0, 0, 0): 3})
    two = {"criteria": {"filters": {"need": {"in": ["a", "b"]}}}}
    body = {"measures": [COUNT, {"statistic": "histogram", "variable": "need"}], "groupBy": ["la"], **two}
    answer = Desk(rows, POLICY).ask(body, registered=True)
    assert (answer.series[0].status == "").all(), "the counts of LAs"
    assert answer.series[1].value[0, 2:].tolist() == [0, 0]
    assert answer.series[1].status[0].tolist() == ["c", "c", "", ""]


def test_cells_that_criteria_leave_nobody_in_are_not_taken_for_hidden_ones() -> None:
    """Need a, or free school meals: that nobody else is there is public, and protects nobody."""
    either = {"criteria": {"or": [{"filters": {"need": {"eq": "a"}}}, {"filters": {"fsm": {"eq": "Y"}}}]}}
    desk = Desk(counted({(la, 0, fsm): 300 for la in range(5) for fsm in range(2)}), POLICY)
    table = desk.table({"measures": [COUNT], "groupBy": ["need", "fsm"], **either}, registered=True)
    protected = desk.protected({"measures": [COUNT], "groupBy": ["need", "fsm"], **either}, registered=True)
    impossible = np.zeros(table.shape, np.bool_)
    impossible[[1, 2, 3, 5], 1] = True  # needs b, c and d, and the band of c and d, without free school meals
    assert (protected.structural[..., 0] == impossible[..., 0]).all()


def test_a_code_of_a_split_has_the_key_of_the_same_pupils_in_another_table() -> None:
    two = {"criteria": {"filters": {"need": {"in": ["a", "b"]}}}}
    histogram = {"measures": [{"statistic": "histogram", "variable": "need"}], "groupBy": ["la"], **two}
    desk = Desk([], POLICY)
    split = cell_keys(desk.table(histogram, registered=True))
    whole = cell_keys(desk.table({"measures": [COUNT], "groupBy": ["la", "need"]}))
    assert (split[..., 0] == whole[:, 0, 0]).all()


def test_a_number_of_codes_lies_in_its_interval() -> None:
    answer = Desk(some_rows(2000), POLICY).ask({"measures": [{"statistic": "distinct", "variable": "need"}]})
    (series,) = answer.series
    assert series.lower[0, 0] <= 4 <= series.upper[0, 0]


def test_counts_in_bins_and_quantiles_of_one_number_are_two_questions() -> None:
    measures = [{"statistic": "histogram", "variable": "score"}, {"statistic": "median", "variable": "score"}]
    assert refusals({"measures": measures}) == [("RepeatedGroup", "measures[1]")]


def test_a_sum_to_which_few_contribute_is_hidden_though_many_are_there() -> None:
    """Three pupils with an award of a hundred pounds, among eighty: no one of them dominates."""
    rows = [replace(row, ticks={**row.ticks, "award": 100 if row.unit in (0, 5, 10) else 0}) for row in even(400)]
    rows = [replace(row, ticks={**row.ticks, "award": 1}) if row.atoms["la"] else row for row in rows]
    answer = Desk(rows, POLICY).ask({"measures": [COUNT, {"statistic": "sum", "variable": "award"}], "groupBy": ["la"]})
    assert shown(answer)["A1",] == (80, "")
    assert shown(answer, 1)["A1",][1] == "c"
    assert sum(status == "" for _, status in shown(answer, 1).values()) >= 2


def test_a_mean_is_not_blurred_by_the_range_that_its_number_could_have() -> None:
    rows = some_rows(3000)
    answer = Desk(rows, POLICY).ask({"measures": [{"statistic": "mean", "variable": "score"}], "groupBy": ["la"]})
    for place, value in enumerate(answer.series[0].value[:, 0]):
        scores = [row.ticks["score"] for row in rows if row.atoms["la"] == place and row.ticks["score"] is not None]
        assert np.isnan(value) or abs(value - np.mean(scores)) <= 0.2
        assert (
            np.isnan(value) or answer.series[0].lower[place, 0] <= np.mean(scores) <= answer.series[0].upper[place, 0]
        )
