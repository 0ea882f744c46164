"""Conditions on generated rows: the catalogue's expressions, worked out for whole columns at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, assert_never

import numpy as np
import numpy.typing as npt

from datasets.catalogue import DataSet
from datasets.derive.check import Kind, Mistyped, type_of
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
    names,
)
from datasets.derive.parse import NotUnderstood, parse
from synthetic.npd.parquet import Column, Ids, Ticks
from synthetic.npd.streams import Bools

Array = npt.NDArray[Any]


class Where:
    """A condition over variables that the files of a data set have, linked ones of schools, and what is derived of
    them."""

    def __init__(self, text: str, data_set: DataSet) -> None:
        """Raises ValueError that says what the condition wants."""
        try:
            self._expression = parse(text)
            found = type_of(self._expression, data_set.by_name)
        except (Mistyped, NotUnderstood) as wrong:
            raise ValueError(f"where: {wrong}") from None
        if found.kind is not Kind.TRUTH:
            raise ValueError("where: wants a condition, such as sen_provision = 'E' and sex = 'F'")
        self._data_set = data_set

    @property
    def own(self) -> frozenset[str]:
        """Variables of the files that it needs; those of schools as they are linked (`school_la`)."""
        return frozenset().union(*(self._roots(n) for n in names(self._expression)))

    def _roots(self, name: str) -> frozenset[str]:
        derived = self._data_set.by_name[name].derived
        return frozenset({name}) if derived is None else frozenset().union(*(self._roots(n) for n in names(derived)))

    def holds(self, columns: Mapping[str, Column]) -> Bools:
        """columns: by name of the variable. A condition that is unknown does not hold."""
        return np.asarray(_Rows(self._data_set, columns).truth(self._expression), np.bool_)


class _Rows:
    """Values are (array, missing): texts as objects, numbers as floats, truths as booleans."""

    def __init__(self, data_set: DataSet, columns: Mapping[str, Column]) -> None:
        self._data_set, self._columns = data_set, columns

    def truth(self, of: Expression) -> Array:
        value, missing = self.value(of)
        return np.asarray(value, np.bool_) & ~np.asarray(missing, np.bool_)

    def value(self, of: Expression) -> tuple[Any, Any]:
        match of:
            case Name(name):
                return self._name(name)
            case Text(text):
                return text, False
            case Figure(figure):
                return float(figure), False
            case Null():
                return 0.0, True
            case Compare(op, left, right):
                (a, x), (b, y) = self.value(left), self.value(right)
                return _COMPARE[op](a, b), np.logical_or(x, y)
            case Logic(op, left, right):
                return _logic(op, self.value(left), self.value(right))
            case Not(part):
                value, missing = self.value(part)
                return ~np.asarray(value, np.bool_), missing
            case In(part, options):
                value, missing = self.value(part)
                return np.any([_equal(value, self.value(o)[0]) for o in options], axis=0), missing
            case Absent(part):
                return self.value(part)[1], False
            case Arithmetic(op, left, right):
                (a, x), (b, y) = self.value(left), self.value(right)
                return _ARITHMETIC[op](a, b), np.logical_or(x, y)
            case Case(branches, otherwise):
                return self._case(branches, otherwise)
            case Choose(op, parts):
                return self._choose(op, [self.value(p) for p in parts])
            case Ever():
                raise ValueError("where: cannot look at other years; give a condition on one row")
            case _:
                assert_never(of)

    def _name(self, name: str) -> tuple[Any, Any]:
        derived = self._data_set.by_name[name].derived
        if derived is not None:
            return self.value(derived)
        if name not in self._columns:
            raise ValueError(
                f"where: {name} is linked from another data set; name variables of this one, or of its school"
            )
        return _read(self._columns[name], self._data_set.by_name[name].missing)

    def _case(self, branches: tuple[tuple[Expression, Expression], ...], otherwise: Expression) -> tuple[Any, Any]:
        value, missing = self.value(otherwise)
        for condition, result in reversed(branches):
            holds = self.truth(condition)
            then, absent = self.value(result)
            value = np.where(holds, _object(then), _object(value))
            missing = np.where(holds, absent, missing)
        return value, missing

    def _choose(self, op: str, parts: list[tuple[Any, Any]]) -> tuple[Any, Any]:
        value, missing = parts[0]
        for other, absent in parts[1:]:
            better = {"coalesce": False, "least": other < value, "greatest": other > value}[op]
            take = np.logical_and(np.logical_not(absent), np.logical_or(missing, better))
            value, missing = np.where(take, other, value), np.logical_and(missing, absent)
        return value, missing


def _read(column: Column, missing: str | None) -> tuple[Any, Any]:
    if isinstance(column, Ids):
        raise ValueError("where: identifiers cannot be asked for")
    if isinstance(column, Ticks):
        return column.ticks * float(column.step), False if column.missing is None else column.missing
    texts = np.array([*column.texts, missing or ""], object)
    return _Texts(texts, column.index), False


class _Texts:
    """Codes by place: compared once for each text, not for each row."""

    def __init__(self, texts: Array, index: Array) -> None:
        self.texts, self.index = texts, index

    def equal(self, other: Any) -> Array:
        if isinstance(other, _Texts):
            return np.asarray(self.texts[self.index] == other.texts[other.index])
        return np.asarray((self.texts == other)[self.index])


def _equal(left: Any, right: Any) -> Any:
    if isinstance(left, _Texts):
        return left.equal(right)
    return right.equal(left) if isinstance(right, _Texts) else np.equal(left, right)


def _object(value: Any) -> Any:
    return value.texts[value.index] if isinstance(value, _Texts) else value


_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "=": _equal, "<>": lambda a, b: ~np.asarray(_equal(a, b), np.bool_), "<": np.less, "<=": np.less_equal,
    ">": np.greater, ">=": np.greater_equal,
}  # fmt: skip
_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {"+": np.add, "-": np.subtract, "*": np.multiply}


def _logic(op: str, left: tuple[Any, Any], right: tuple[Any, Any]) -> tuple[Any, Any]:
    """With SQL's three values."""
    (a, x), (b, y) = ((np.asarray(v, np.bool_), np.asarray(m, np.bool_)) for v, m in (left, right))
    decisive = (~a & ~x) | (~b & ~y) if op == "and" else (a & ~x) | (b & ~y)
    value = ~decisive if op == "and" else decisive
    return value, (x | y) & ~decisive
