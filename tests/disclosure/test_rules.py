"""Each primary rule against the worked examples of the documents, and against its definition cell by cell."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disclosure.cube import Cube, Dimension, add_totals
from disclosure.fields import Change
from disclosure.margins import Chain
from disclosure.rules import (
    RULES,
    ClassDisclosure,
    Dominance,
    Evidence,
    MinimumCount,
    MinimumDenominator,
    MinimumSchools,
    PPercent,
    PrimaryRule,
    PriorPosterior,
    QuantileSides,
    ResidualDegreesOfFreedom,
    judge,
)
from disclosure.tables import Flags, Integers

# Worked examples

DOCUMENT = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
EXAMPLES = [tomllib.loads(block, parse_float=Decimal) for block in re.findall(r"```toml\n(.*?)```", DOCUMENT, re.S)]
BY_NAME = {rule.name: rule for rule in RULES}


def as_evidence(given: Mapping[str, Any]) -> dict[Evidence, Any]:
    return {Evidence(name): np.array(value) if name != "cube" else cube_of(value) for name, value in given.items()}


def cube_of(codes: Any) -> Cube:
    array = np.array(codes, np.int64)
    dimensions = tuple(Dimension.of(Chain.plain(size)) for size in array.shape)
    return Cube(dimensions, add_totals(array, dimensions))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example["rule"]))
def test_a_worked_example_comes_out_as_the_documents_say(example: dict[str, Any]) -> None:
    rule = BY_NAME[example["rule"]](**example["parameters"])
    evidence = as_evidence(example["evidence"])
    assert set(evidence) == set(rule.needs)
    found = judge(rule, evidence)
    assert found.tolist() == example["cells"]["sensitive"]
    assert found.dtype == np.bool_
    assert found.any(), "an example shows a cell that is hidden"
    assert not found.all(), "and one that is not"


def test_every_rule_has_a_worked_example_and_a_source() -> None:
    assert {example["rule"] for example in EXAMPLES} == set(BY_NAME)
    sections = dict(re.findall(r"^## `(\w+)`(.*?)(?=^## )", DOCUMENT, re.S | re.M))
    assert [name for name in BY_NAME if "\nSource: " not in sections.get(name, "")] == []
    assert [rule.name for rule in RULES if not rule.source or not rule.__doc__ or "Source: " not in rule.__doc__] == []


def test_names_are_those_of_one_table_each() -> None:
    assert len(BY_NAME) == len(RULES)
    assert RULES[0] is MinimumCount


# Definitions, cell by cell


def percent(value: Any, of: Any = 100) -> Fraction:
    return Fraction(value) / Fraction(of)


Cell = Mapping[str, Any]
DEFINITIONS: dict[type[PrimaryRule], Callable[[Any, Cell], bool]] = {
    MinimumCount: lambda r, c: not c["structural"] and c["pupils"] in range(int(r.zeros == "show"), r.value),
    Dominance: lambda r, c: sum(c["largest"][: r.n]) > percent(r.k) * c["total"],
    PPercent: lambda r, c: c["total"] - sum(c["largest"][:2]) < percent(r.p) * c["largest"][0],
    PriorPosterior: lambda r, c: c["total"] - sum(c["largest"][:2]) < percent(r.p, r.q) * c["largest"][0],
    MinimumSchools: lambda r, c: not c["by_school"] and c["schools"] in range(1, r.value),
    MinimumDenominator: lambda r, c: c["denominator"] < r.value,
    QuantileSides: lambda r, c: min(c["below"], c["above"]) < r.value,
    ResidualDegreesOfFreedom: lambda r, c: c["observations"] < r.value + c["coefficients"],
}
COUNT = st.integers(0, 30)
PERCENT = st.decimals("0.5", "99", places=1)
RULE: dict[type[PrimaryRule], st.SearchStrategy[PrimaryRule]] = {
    MinimumCount: st.builds(MinimumCount, st.integers(2, 30), st.sampled_from(["hide", "show"])),
    ClassDisclosure: st.just(ClassDisclosure()),
    Dominance: st.builds(Dominance, st.integers(1, 4), PERCENT),
    PPercent: st.builds(PPercent, PERCENT),
    PriorPosterior: st.tuples(PERCENT, PERCENT).filter(lambda v: v[0] < v[1]).map(lambda v: PriorPosterior(*v)),
    MinimumSchools: st.builds(MinimumSchools, st.just("school"), st.integers(2, 5)),
    MinimumDenominator: st.builds(MinimumDenominator, COUNT),
    QuantileSides: st.builds(QuantileSides, st.integers(1, 30)),
    ResidualDegreesOfFreedom: st.builds(ResidualDegreesOfFreedom, st.integers(1, 30)),
}
FACTS = {
    "pupils": COUNT, "structural": st.booleans(), "schools": st.integers(0, 6), "by_school": st.booleans(),
    "denominator": COUNT, "below": COUNT, "above": COUNT, "observations": COUNT, "coefficients": COUNT,
}  # fmt: skip


@st.composite
def seen(draw: st.DrawFn) -> dict[str, Any]:
    """One cell: contributions add up to its total, and the rest is as it may."""
    parts = sorted(draw(st.lists(st.integers(0, 50), max_size=6)), reverse=True)
    cell = {name: draw(strategy) for name, strategy in FACTS.items()}
    return cell | {"total": sum(parts), "largest": [*parts, 0, 0, 0, 0][:4]}


def stacked(rule: PrimaryRule, cells: list[dict[str, Any]]) -> dict[Evidence, Any]:
    return {need: np.array([cell[need.value] for cell in cells]) for need in rule.needs}


def test_every_rule_has_a_definition_to_be_held_against() -> None:
    assert {*DEFINITIONS, ClassDisclosure} == set(RULES) == set(RULE)


@pytest.mark.parametrize("kind", DEFINITIONS, ids=lambda kind: str(kind.name))
@settings(max_examples=60)
@given(data=st.data(), cells=st.lists(seen(), min_size=1, max_size=8))
def test_a_rule_is_its_definition(kind: type[PrimaryRule], data: st.DataObject, cells: list[dict[str, Any]]) -> None:
    rule = data.draw(RULE[kind])
    found = judge(rule, stacked(rule, cells))
    assert found.tolist() == [DEFINITIONS[kind](rule, cell) for cell in cells]


@pytest.mark.parametrize("kind", DEFINITIONS, ids=lambda kind: str(kind.name))
@settings(max_examples=60)
@given(data=st.data(), cells=st.lists(seen(), min_size=1, max_size=8))
def test_a_change_that_loosens_nothing_hides_no_fewer_cells(
    kind: type[PrimaryRule], data: st.DataObject, cells: list[dict[str, Any]]
) -> None:
    """What the directions of the fields claim."""
    before, after = data.draw(RULE[kind]), data.draw(RULE[kind])
    changes = [f.direction.judge(getattr(before, f.key), getattr(after, f.key)) for f in kind.fields]
    if Change.LOOSENS in changes:
        before, after = after, before
        if Change.TIGHTENS in changes:
            return
    hidden = [judge(rule, stacked(rule, cells)) for rule in (before, after)]
    assert not (hidden[0] & ~hidden[1]).any()


@pytest.mark.parametrize("kind", DEFINITIONS, ids=lambda kind: str(kind.name))
@settings(max_examples=15)
@given(data=st.data(), cells=st.lists(seen(), min_size=4, max_size=4))
def test_cells_may_have_any_shape(kind: type[PrimaryRule], data: st.DataObject, cells: list[dict[str, Any]]) -> None:
    rule = data.draw(RULE[kind])
    flat = stacked(rule, cells)
    square = {name: array.reshape(2, 2, *array.shape[1:]) for name, array in flat.items()}
    assert (judge(rule, square) == judge(rule, flat).reshape(2, 2)).all()


# Class disclosure

TREES = (Dimension.of(Chain(4, ((0, 0, 1, 1), (0, 0)))), Dimension.splits((2, 3)))


@st.composite
def cubes(draw: st.DrawFn) -> tuple[Cube, Flags]:
    """Two regions of two areas each, by one count that is split in two ways."""
    sparse = st.sampled_from([0, 0, 0, 1, 20])
    by_sex = np.array(draw(st.lists(sparse, min_size=8, max_size=8)), np.int64).reshape(4, 2)
    by_need = np.zeros((4, 3), np.int64)
    for area in range(4):
        whole = int(by_sex[area].sum())
        first = draw(st.sampled_from([0, whole]))
        by_need[area] = [first, whole - first, 0]
    cube = Cube(TREES, add_totals(np.concatenate([by_sex, by_need], axis=1), TREES))
    never = np.array(draw(st.lists(st.booleans(), min_size=cube.values.size, max_size=cube.values.size)))
    return cube, never.reshape(cube.shape) & (cube.values == 0)


def class_disclosure_by_hand(values: Integers, never: Flags, dimensions: tuple[Dimension, ...], cell: Any) -> bool:
    """Somebody is in the cell, and nobody beside it, where somebody could be."""
    for axis, dimension in enumerate(dimensions):
        for line in dimension.lines:
            if cell[axis] in line.parts:
                beside = [(*cell[:axis], part, *cell[axis + 1 :]) for part in line.parts if part != cell[axis]]
                if values[cell] and not any(values[c] for c in beside) and not all(never[c] for c in beside):
                    return True
    return False


@given(cubes())
def test_a_full_cell_is_one_with_nobody_beside_it(drawn: tuple[Cube, Flags]) -> None:
    cube, never = drawn
    found = ClassDisclosure().sensitive(cube, never)
    by_hand = [class_disclosure_by_hand(cube.values, never, TREES, cell) for cell in np.ndindex(cube.shape)]
    assert found.ravel().tolist() == by_hand


@given(cubes(), st.permutations(range(4)))
def test_the_order_of_areas_changes_nothing(drawn: tuple[Cube, Flags], order: list[int]) -> None:
    values = drawn[0].values[:4, :2]
    nobody = np.zeros((5, 3), np.bool_)
    found, other = (ClassDisclosure().sensitive(cube_of(v), nobody) for v in (values, values[order]))
    assert (other[:4] == found[order]).all()
    assert (other[4] == found[4]).all()


# What floats and int64 would get wrong, and what is refused


def test_no_float_decides_a_cell() -> None:
    """The largest has exactly 90 %, or one more: the same number as a float."""
    total = np.array([10**18, 10**18], np.int64)
    largest = np.array([[9 * 10**17], [9 * 10**17 + 1]], np.int64)
    assert (largest[:, 0] / total > 0.9).tolist() == [False, False], "the control: a float sees no difference"
    assert Dominance(1, 90).sensitive(total, largest).tolist() == [False, True]


def test_no_sum_overflows() -> None:
    most = 2**63 - 1
    largest = np.array([[most, most]], np.int64)
    with np.errstate(over="ignore"):
        assert largest.sum(-1)[0] < 0, "the control: int64 overflows"
    assert Dominance(2, 50).sensitive(np.array([most]), largest).tolist() == [True]
    assert PPercent(10).sensitive(np.array([most]), largest).tolist() == [True]


@pytest.mark.parametrize(
    "make",
    [
        lambda: MinimumCount(0, "hide"),
        lambda: MinimumCount(1, "show"),
        lambda: MinimumCount(10, "sometimes"),
        lambda: MinimumCount(True, "hide"),
        lambda: Dominance(0, 90),
        lambda: Dominance(2, 100),
        lambda: Dominance(2, Decimal("NaN")),
        lambda: Dominance(2, Decimal("1e-999999999")),
        lambda: PPercent(0),
        lambda: PriorPosterior(50, 10),
        lambda: PriorPosterior(10, 10),
        lambda: MinimumSchools("school", 1),
        lambda: MinimumSchools(" ", 2),
        lambda: MinimumDenominator(-1),
        lambda: QuantileSides(0),
        lambda: ResidualDegreesOfFreedom(0),
    ],
)
def test_a_rule_that_would_hide_nothing_is_not_made(make: Callable[[], PrimaryRule]) -> None:
    with pytest.raises(ValueError, match="wants"):
        make()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: str(example["rule"]))
def test_evidence_that_is_not_there_is_an_error(example: dict[str, Any]) -> None:
    rule = BY_NAME[example["rule"]](**example["parameters"])
    for name in rule.needs:
        less = {k: v for k, v in as_evidence(example["evidence"]).items() if k is not name}
        with pytest.raises(ValueError, match=f"{rule.name} wants {name}"):
            judge(rule, less)


def test_too_few_of_the_largest_are_an_error() -> None:
    total = np.array([100])
    with pytest.raises(ValueError, match="3 largest"):
        Dominance(3, 90).sensitive(total, np.array([[80, 11]]))
    for wrong in ([[11, 80]], [[80, -11]]):
        with pytest.raises(ValueError, match="absolute and descending"):
            PPercent(10).sensitive(total, np.array(wrong))
    assert [rule.largest for rule in (Dominance(3, 90), PPercent(10), PriorPosterior(1, 2), QuantileSides(1))] == [
        3, 2, 2, 0,
    ]  # fmt: skip
