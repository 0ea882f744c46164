"""What is known of a model's columns beforehand: combinations that nobody has, and variables that follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from datasets.catalogue import DataSet
from datasets.derive.check import Mistyped, check
from datasets.derive.expression import looks_back, names
from datasets.derive.text import text
from datasets.plan import Axis
from datasets.query import InvalidQuery, Problem
from datasets.variables import Variable
from synthetic.drawn.file import MOST_EXPRESSION, Derived
from synthetic.fidelity.margins import Variable as Column
from synthetic.model import Domain, Zero, ZerosRefused
from synthetic.model.zeros import Zeros

Axes = Mapping[str, Axis]
"""By the reference of the column."""


def zeros_of(
    asked: Sequence[Mapping[str, tuple[str, ...]]], data_set: DataSet, domain: Domain, axes: Axes
) -> tuple[Zero, ...]:
    """Of the catalogue and of the request. Raises InvalidQuery."""
    problems = [p for place, one in enumerate(asked) for p in _problems(place, one, axes)]
    if problems:
        raise InvalidQuery(tuple(problems))
    try:
        found = (*_of_catalogue(data_set, axes), *(_zero(one, axes) for one in asked))
        return Zeros(domain, tuple(dict.fromkeys(found))).all
    except ZerosRefused as refused:
        told = f"Together with the catalogue's, these leave somebody no place: {refused}."
        raise InvalidQuery((Problem("InvalidValue", told, "impossible"),)) from None


def _problems(place: int, one: Mapping[str, tuple[str, ...]], axes: Axes) -> Iterator[Problem]:
    where = f"impossible[{place}]"
    if len(one) < 2 or not all(one.values()):
        yield Problem("InvalidValue", "Wants codes of two columns or more.", where)
    for name, codes in one.items():
        if name not in axes:
            yield Problem("InvalidValue", f"Wants columns of the model: {', '.join(axes)}.", f"{where}.{name}")
        elif strange := set(codes) - {code.code for code in axes[name].codes}:
            known = ", ".join([code.code for code in axes[name].codes][:12])
            yield Problem("InvalidValue", f"{min(strange)!r} is none of its codes: {known}.", f"{where}.{name}")


def _zero(one: Mapping[str, tuple[str, ...]], axes: Axes) -> Zero:
    places = {name: [code.code for code in axes[name].codes] for name in one}
    return Zero(tuple((name, tuple(sorted({places[name].index(c) for c in one[name]}))) for name in sorted(one)))


def _of_catalogue(data_set: DataSet, axes: Axes) -> Iterator[Zero]:
    """Those whose variables are all columns. A band is impossible where all of its codes are."""
    column_of = {axis.variable.name: name for name, axis in axes.items()}
    for one in data_set.impossible:
        if {name for name, _ in one.atoms} <= column_of.keys():
            inside = {column_of[name]: _within(axes[column_of[name]], atoms) for name, atoms in one.atoms}
            if all(inside.values()):
                yield Zero(tuple(sorted(inside.items())))


def _within(axis: Axis, atoms: Sequence[int]) -> tuple[int, ...]:
    return tuple(place for place, group in enumerate(axis.groups) if set(group) <= set(atoms))


def is_worked_out(variable: Variable, data_set: DataSet) -> bool:
    """Whether a derived variable follows from codes of the same row: it is worked out from those, and not modelled.

    What looks back over years, or follows from numbers, cannot be worked out from one row of codes."""
    if variable.derived is None or looks_back(variable.derived):
        return False
    made_of = [data_set.by_name[name] for name in names(variable.derived)]
    return all(one.atoms and one.numbers is None for one in made_of)


def follows_from(data_set: DataSet, axes: Axes) -> Iterator[Derived]:
    """Categories that can be worked out from the columns alone, each after those that it names."""
    known = {name: _as_column(axis) for name, axis in axes.items() if name == axis.variable.name}
    for variable in data_set.variables:
        if variable.derived is None or variable.numbers or variable.name in known:
            continue
        if is_worked_out(variable, data_set) and names(variable.derived) <= known.keys():
            follows = text(variable.derived)
            if _has_type(variable, known) and len(follows) <= MOST_EXPRESSION:
                known[variable.name] = variable
                codes, meanings = zip(*((a.code, a.label or a.code) for a in variable.atoms), strict=True)
                yield Derived(Column(variable.name, variable.label, codes, meanings), follows)


def _as_column(axis: Axis) -> Variable:
    """With the codes that the criteria leave."""
    return replace(axis.variable, atoms=axis.codes, bandings=())


def _has_type(variable: Variable, known: Mapping[str, Variable]) -> bool:
    """It names no code that the criteria left out."""
    if variable.derived is None:
        return False
    try:
        check(variable.derived, variable, known)
    except Mistyped:
        return False
    return True
