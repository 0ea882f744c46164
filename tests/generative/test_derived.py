"""Any expression that is typed: what DuckDB computes of its compiled form is what plain Python does, row by row."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TypeVar

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import exp

from datasets.catalogue_toml import bundle, load_catalogue
from datasets.derive.check import Kind, Mistyped, check, type_of
from datasets.derive.evaluate import Row, evaluate, tick
from datasets.derive.expression import (
    Absent,
    Arithmetic,
    Case,
    Choose,
    Compare,
    Ever,
    Expression,
    Figure,
    In,
    Logic,
    Name,
    Not,
    Null,
    Text,
)
from datasets.derive.parse import NotUnderstood, parse
from datasets.derive.sql import Columns, code, ticks
from datasets.derive.text import text
from datasets.npd import FOLDER
from tests.lib import linked
from tests.lib.effort import examples

T = TypeVar("T")
VARIABLES = {v.name: v for v in linked.catalogue().data_sets[0].variables if v.name != "disadvantaged"}
CODES = ["ks2_level", "spring_fsm", "passed"]
NUMBERS = ["maths", "english", "total"]
STEPS = {name: Fraction(VARIABLES[name].numbers.step) for name in NUMBERS}  # type: ignore[union-attr]


def some(of: st.SearchStrategy[T], most: int) -> st.SearchStrategy[tuple[T, ...]]:
    return st.lists(of, min_size=1, max_size=most).map(tuple)


figures = st.decimals(-20, 20, places=2).map(Figure)
numbers: st.SearchStrategy[Expression] = st.deferred(
    lambda: st.one_of(
        st.sampled_from(NUMBERS).map(Name),
        figures,
        st.builds(Arithmetic, st.sampled_from(["+", "-"]), numbers, numbers),
        st.builds(Arithmetic, st.just("*"), st.sampled_from(NUMBERS).map(Name), figures),
        st.builds(
            Choose,
            st.sampled_from(["least", "greatest", "coalesce"]),
            st.lists(numbers, min_size=1, max_size=3).map(tuple),
        ),
        st.builds(
            Case, st.lists(st.tuples(conditions, numbers), min_size=1, max_size=2).map(tuple), numbers | st.just(Null())
        ),
    )
)
compared = st.sampled_from(CODES).flatmap(
    lambda name: st.tuples(
        st.just(Name(name)),
        st.lists(st.sampled_from([a.code for a in VARIABLES[name].atoms]).map(Text), min_size=1, max_size=2),
    )
)
flat: st.SearchStrategy[Expression] = compared.map(lambda pair: In(pair[0], tuple(pair[1])))
conditions: st.SearchStrategy[Expression] = st.deferred(
    lambda: st.one_of(
        st.builds(Compare, st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), numbers, numbers),
        compared.map(lambda pair: Compare("=", pair[0], pair[1][0])),
        compared.map(lambda pair: In(pair[0], tuple(pair[1]))),
        st.builds(In, numbers, st.lists(figures, min_size=1, max_size=2).map(tuple)),
        st.builds(Logic, st.sampled_from(["and", "or"]), conditions, conditions),
        st.builds(Not, conditions),
        st.builds(Absent, numbers),
        st.builds(Ever, flat, st.integers(1, 3)),
    )
)
row = st.fixed_dictionaries(
    {name: st.sampled_from([a.code for a in VARIABLES[name].atoms]) for name in CODES}
    | {name: st.none() | st.integers(-6, 40).map(lambda t, s=STEPS[name]: t * s) for name in NUMBERS}  # type: ignore[misc]
)
pupils = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), row), min_size=1, max_size=8)
"""(pupil, year, values)."""


def computed(value: exp.Expr, rows: list[tuple[int, int, Row]]) -> list[object]:
    columns = ", ".join([*(f'"{n}" VARCHAR' for n in CODES), *(f'"{n}" INTEGER' for n in NUMBERS)])
    insert = f"INSERT INTO t VALUES ({', '.join('?' * (3 + len(CODES) + len(NUMBERS)))})"
    with duckdb.connect() as connection:
        connection.execute(f'CREATE TABLE t (i INTEGER, "unit" INTEGER, "y" INTEGER, {columns})')
        for i, (unit, year, values) in enumerate(rows):
            ticks_of = [None if values[n] is None else int(Fraction(values[n]) / STEPS[n]) for n in NUMBERS]  # type: ignore[arg-type]
            connection.execute(insert, [i, unit, year, *(values[n] for n in CODES), *ticks_of])
        found = connection.execute(f"SELECT i, {value.sql(dialect='duckdb')} FROM t ORDER BY i")
        return [v for (_, v) in found.fetchall()]


def looked_back(rows: list[tuple[int, int, Row]], unit: int, year: int) -> list[tuple[int, Row]]:
    return [(year - other, values) for who, other, values in rows if who == unit and other <= year]


COLUMNS = Columns(VARIABLES, exp.column("unit", quoted=True), exp.column("y", quoted=True))


@given(numbers, pupils)
@settings(max_examples=examples(240), deadline=None)
def test_numbers(expression: Expression, rows: list[tuple[int, int, Row]]) -> None:
    step = STEPS["english"]
    try:
        assert type_of(expression, VARIABLES).kind is Kind.NUMBER
    except Mistyped as mistyped:
        assert "too large" in str(mistyped)
        return
    wanted = [tick(evaluate(expression, values, looked_back(rows, unit, year)), step) for unit, year, values in rows]
    assert computed(ticks(expression, step, COLUMNS), rows) == wanted


@given(
    st.lists(st.tuples(conditions, st.sampled_from(["Y", "N"]).map(Text)), min_size=1, max_size=3).map(tuple), pupils
)
@settings(max_examples=examples(240), deadline=None)
def test_codes(branches: tuple[tuple[Expression, Expression], ...], rows: list[tuple[int, int, Row]]) -> None:
    expression = Case(branches, Null())
    try:
        check(expression, VARIABLES["passed"], VARIABLES)
    except Mistyped as mistyped:
        assert "too large" in str(mistyped)
        return
    wanted = [evaluate(expression, values, looked_back(rows, unit, year)) for unit, year, values in rows]
    assert computed(code(expression, COLUMNS), rows) == wanted


@given(numbers | conditions, pupils)
@settings(max_examples=examples(200), deadline=None)
def test_what_is_written_as_text_is_read_as_the_same(expression: Expression, rows: list[tuple[int, int, Row]]) -> None:
    """A figure below nought comes back as nought less a figure."""
    again = parse(text(expression))
    assert parse(text(again)) == again
    for unit, year, values in rows:
        before = looked_back(rows, unit, year)
        assert evaluate(again, values, before) == evaluate(expression, values, before)


def test_every_expression_of_the_national_catalogue_comes_back_as_it_was() -> None:
    found = [v.derived for d in load_catalogue(bundle(FOLDER)).data_sets for v in d.variables if v.derived]
    assert len(found) > 50
    assert all(parse(text(each)) == each for each in found)
    quoted = In(Name('a "b"'), (Text("it's"), Text("")))
    assert parse(text(quoted)) == quoted


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("maths +", "cannot be read"),
        ("random()", "not understood"),
        ("(select 1)", "not understood"),
        ("ks4.maths", "bare names"),
        ("maths in (select 1)", "list in brackets"),
        ("ever(maths > 1)", "whole number of years"),
        ("maths / 2", "not understood"),
        ("maths; drop table x", "not understood"),
        ("(" * 5000 + "maths" + ")" * 5000, "nested deeper"),
        ("not " * 5000 + "maths > 1", "nested deeper"),
        ("maths + 1e999999999", "at most 40 figures"),
        ("maths + 1e", "at most 40 figures"),
    ],
)
def test_what_is_no_expression_is_refused(text: str, why: str) -> None:
    with pytest.raises(NotUnderstood, match=why):
        parse(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("case when nothing = 'Y' then 'Y' else 'N' end", "no variable"),
        ("case when spring_fsm = 'X' then 'Y' else 'N' end", "'X', which the variable has not"),
        ("case when spring_fsm < 'Y' then 'Y' else 'N' end", "compared with"),
        ("case when maths = 'Y' then 'Y' else 'N' end", "two numbers"),
        ("case when maths then 'Y' else 'N' end", "wants a condition"),
        ("case when maths > 1 then 'Y' else 2 end", "one kind"),
        ("case when maths > 1 then 'Z' else 'N' end", "'Z', which is no code"),
        ("maths > 1", "wants a code"),
        ("maths", "wants a code"),
        ("case when ever(ever(maths > 1, 2), 2) then 'Y' else 'N' end", "one row"),
        ("case when ever(maths > 1, 99) then 'Y' else 'N' end", "from 1 to 50"),
        (f"case when {' * '.join(['maths'] * 20)} > 1 then 'Y' else 'N' end", "too large"),
    ],
)  # fmt: skip
def test_what_has_no_type_is_refused(text: str, why: str) -> None:
    with pytest.raises(Mistyped, match=why):
        check(parse(text), VARIABLES["passed"], VARIABLES)


def test_figures_are_as_wide_as_other_numbers() -> None:
    """A product of two literals, which DuckDB would make in 32 bits."""
    value = parse("case when maths > 1 then 100000 else 2 end * 100000")
    row: Row = dict.fromkeys(CODES, "N") | dict.fromkeys(NUMBERS) | {"maths": Fraction(2)}
    assert computed(ticks(value, Fraction(1), COLUMNS), [(0, 0, row)]) == [10**10]


def test_what_is_written_is_what_is_meant() -> None:
    assert parse("not (maths between 1 and 2.5 or x is null)") == Not(
        Logic(
            "or",
            Logic(
                "and",
                Compare(">=", Name("maths"), Figure(Decimal(1))),
                Compare("<=", Name("maths"), Figure(Decimal("2.5"))),
            ),
            Absent(Name("x")),
        )
    )
    assert parse("case when a <> 'b' then -1 end") == Case(
        ((Compare("<>", Name("a"), Text("b")), Arithmetic("-", Figure(Decimal(0)), Figure(Decimal(1)))),), Null()
    )
