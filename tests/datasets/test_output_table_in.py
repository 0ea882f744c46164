"""Reading the file that is to leave: both forms, and every problem with its line and column."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from datasets.answer import Status
from datasets.output_check.table_in import MOST_BYTES, InvalidTable, Sent, read_bare, read_table
from tests.lib.official import some_rows
from tests.lib.outputs import Room


def problems(
    text: str, groupings: tuple[str, ...] = ("la",), measures: tuple[str, ...] = ("n",)
) -> list[tuple[str, str]]:
    with pytest.raises(InvalidTable) as refused:
        read_table(text, groupings, measures)
    return [(problem.code, problem.path) for problem in refused.value.problems]


def test_wide_rows_are_read_with_symbols_and_totals() -> None:
    found = read_table("la,n,h:a\nA1,45,c\nTotal,12.50,\n,low,z\n".replace("\n,", "\nB,"), ("la",), ("n", "h"))
    assert found[:4] == (
        Sent(2, "n", ("A1",), "n", "", Decimal(45), Status.SHOWN),
        Sent(2, "h:a", ("A1",), "h", "a", None, Status.CONFIDENTIAL),
        Sent(3, "n", ("",), "n", "", Decimal("12.50"), Status.SHOWN),
        Sent(3, "h:a", ("",), "h", "a", None, Status.CONFIDENTIAL, blank=True),
    )
    assert [(s.value, s.status) for s in found[4:]] == [(Decimal(0), Status.LOW), (None, Status.NOT_APPLICABLE)]
    assert found[2].decimals == 2


def test_tidy_rows_are_read_as_the_service_writes_them() -> None:
    text = "la,measure,statistic,variable,output,value,lower,upper,confidence,unit,status\n"
    text += "A1,n,count,,,45,43,47,0.95,rows,\nA2,n,count,,,,,,0.95,rows,c\n"
    first, second = read_table(text, ("la",), ("n",))
    assert (first.key, first.measure, first.value, first.said["upper"]) == (("A1",), "n", Decimal(45), "47")
    assert (second.value, second.status) == (None, Status.CONFIDENTIAL)


def test_a_quote_against_formulas_is_no_part_of_a_code() -> None:
    assert read_table("la,n\n'=A1,5\n", ("la",), ("n",))[0].key == ("=A1",)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [("RequiredValue", "table")]),
        ("la,n\n", [("RequiredValue", "table")]),
        ("la,n\nA1,5,6\nA2\n", [("InvalidValue", "table[2]"), ("InvalidValue", "table[3]")]),
        ("la,n,n\nA1,5,6\n", [("InvalidValue", "table[1]")]),
        ("n,secret\n5,6\n", [("RequiredValue", "table[1]"), ("UnknownField", "table[1]")]),
        ("la,n\nA1,5\nA2,many\nA3,1e9\n", [("InvalidValue", "table[3].n"), ("InvalidValue", "table[4].n")]),
        ("la,n\nA1,5\nA1,6\n", [("RepeatedRow", "table[3].n")]),
        (f"la,n\nA1,{'5' * 300}\n", [("InvalidValue", "table[2]")]),
        ('la,n\n"A1,5\n', [("InvalidValue", "table[2]")]),
        ("la,n\n" + "A,5\n" * (MOST_BYTES // 4), [("TooManyValues", "table")]),
        ("la,measure,value,status\nA1,n,5,c\n", [("InvalidValue", "table[2].value")]),
        ("la,measure,value,note\nA1,n,5,x\n", [("UnknownField", "table[1]")]),
        ("la,measure,value\nA1,n,5\nA1,age,7\n", [("InvalidValue", "table[3].measure")]),
        ("la\nA1\nA2\n", [("RequiredValue", "table[1]")]),
    ],
)
def test_each_bad_file(text: str, expected: list[tuple[str, str]]) -> None:
    assert problems(text) == expected


def test_no_problem_quotes_a_number() -> None:
    with pytest.raises(InvalidTable) as refused:
        read_table("la,n\nA1,4711x\n", ("la",), ("n",))
    assert "4711" not in str(refused.value)


def test_numbers_that_the_query_does_not_have_are_named() -> None:
    query = {"measures": [{"statistic": "count"}], "groupBy": ["la"]}
    room = Room(some_rows(300))
    with pytest.raises(InvalidTable) as refused:
        room.check("la,count\nA9,5\nTotal,300\nA1,100\n", query)
    assert [p.path for p in refused.value.problems] == ["table[2].count", "table[3].count"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("statistic", "mean"),
        ("unit", "4711"),
        ("confidence", "0.9501"),
        ("lower", "101"),
        ("upper", "99"),
        ("variable", "la"),
    ],
)
def test_nothing_rides_along_in_the_other_columns_of_a_tidy_row(column: str, value: str) -> None:
    query = {"measures": [{"statistic": "count"}], "groupBy": ["la"]}
    good = {"la": "A1", "measure": "count", "statistic": "count", "variable": "", "output": "", "value": "100",
            "lower": "98", "upper": "102", "confidence": "0.95", "unit": "rows", "status": ""}  # fmt: skip
    room = Room([row for row in some_rows(600) if row.atoms["la"] == 0][:100])
    room.check(_tidy(good), query)
    with pytest.raises(InvalidTable) as refused:
        room.check(_tidy(good | {column: value}), query)
    assert [p.path for p in refused.value.problems] == [f"table[2].{column}"]


def _tidy(row: dict[str, str]) -> str:
    return ",".join(row) + "\n" + ",".join(row.values()) + "\n"


def test_a_bare_table_has_words_first_and_numbers_after() -> None:
    found = read_bare("year,la,n,rate\n2023,A1,45,1.5\n2023,A2,c,\n")
    assert {s.measure for s in found} == {"n", "rate"}
    assert found[0].key == ("2023", "A1")
    with pytest.raises(InvalidTable):
        read_bare("la,need\nA1,b1\n")


def test_the_reader_is_given_text_and_never_a_document() -> None:
    with pytest.raises(InvalidTable):
        read_table(json.dumps({"la": 1}), ("la",), ("n",))
