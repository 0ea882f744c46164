"""What is known of a model's columns beforehand: combinations that nobody has, and variables that follow from them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace

from datasets.catalogue import DataSet
from datasets.derive.check import Mistyped, check
from datasets.derive.expression import Expression, looks_back, names
from datasets.derive.parse import parse
from datasets.derive.text import text
from datasets.plan import Axis
from datasets.query import InvalidQuery, Problem
from datasets.variables import Variable
from synthetic.drawn.file import Derived, column_name, plain
from synthetic.fidelity.margins import Variable as Column
from synthetic.model import Domain, Zero, ZerosRefused
from synthetic.model.artefact import ModelRefused
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
    known = _that_fit(domain, _of_catalogue(data_set, axes))
    try:
        wanted = {_zero(one, axes) for one in asked} | set(known.all)
        found = Zeros(domain, tuple(sorted(wanted, key=lambda zero: zero.of)))
    except ZerosRefused as refused:
        raise InvalidQuery((Problem("InvalidValue", f"Rules cannot be kept: {refused}.", "impossible"),)) from None
    if nobody := found.codes_of_nobody - known.codes_of_nobody:
        name, place = min(nobody)
        told = f"With the catalogue's, these leave nobody who could have {axes[name].codes[place].code!r} of {name}."
        raise InvalidQuery((Problem("InvalidValue", told, "impossible"),))
    return found.all


def _that_fit(domain: Domain, zeros: Iterator[Zero]) -> Zeros:
    """Rules of a catalogue that are over too many codes are left out, since nobody can take them back."""
    found = Zeros(domain)
    for zero in zeros:
        with suppress(ZerosRefused):
            found = Zeros(domain, (*found.all, zero))
    return found


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
    return variable.numbers is None and all(one.atoms and one.numbers is None for one in made_of)


def follows_from(data_set: DataSet, axes: Axes) -> Iterator[Derived]:
    """Categories that can be worked out from the columns alone, each after those that it names."""
    known = {name: _as_column(axis) for name, axis in axes.items() if name == axis.variable.name}
    taken = {column_name(name) for name in axes}
    for variable in data_set.variables:
        if variable.derived is None or variable.name in taken or not is_worked_out(variable, data_set):
            continue
        if names(variable.derived) <= known.keys() and _has_type(variable, known):
            try:
                found = _derived(variable, variable.derived)
            except ModelRefused:
                continue
            known[variable.name] = variable
            yield found


def _derived(variable: Variable, follows: Expression) -> Derived:
    """Raises ModelRefused for what a file cannot say."""
    codes, meanings = zip(*((a.code, plain(a.label) or a.code) for a in variable.atoms), strict=True)
    found = Derived(Column(variable.name, plain(variable.label), codes, meanings), text(follows), variable.missing)
    if parse(found.follows) != follows:
        raise ModelRefused("derived: the expression cannot be written as text")
    return found


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
