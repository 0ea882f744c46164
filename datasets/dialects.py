"""What each engine's SQL says in its own words; all else is one SQLGlot tree (`sql.py`)."""

from __future__ import annotations

from typing import Protocol, TypeAlias

from sqlglot import exp

from datasets.catalogue import DataSet
from datasets.variables import Variable

Value: TypeAlias = str | int


class Dialect(Protocol):
    @property
    def name(self) -> str:
        """SQLGlot's name of the dialect."""
        ...

    def table(self, data_set: DataSet) -> exp.Expr: ...

    def position(self, stored: exp.Expr) -> exp.Expr:
        """The place of a stored code within its list, from 0."""
        ...

    def value(self, variable: Variable, atom: int) -> Value:
        """What is bound for an atom."""
        ...

    def atom(self, data_set: DataSet, variable: Variable, bound: exp.Expr) -> exp.Expr:
        """A bound atom as its column stores it: such values compare in the order of their places."""
        ...

    def largest(self, value: exp.Expr, most: int) -> list[exp.Expr]:
        """The largest values of a group, descending; NULL where there are fewer. No value is NULL."""
        ...

    def distinct_units(self, unit: exp.Expr, units: int | None) -> exp.Expr:
        """How many there are. units: all are from 0 to below it, and a bit for each of them in each group is little."""
        ...

    def sum_of_keys(self, keys: exp.Expr) -> exp.Expr:
        """Of 64 bits each, modulo 2⁶⁴, unsigned or as the int64 of the same bits; NULL where there is none."""
        ...


def home_of(data_set: str) -> str:
    """The name that DuckDB knows the file of a data set by; none that it has for itself, such as "temp"."""
    return f"cut:{data_set}"


class DuckDB:
    """Codes are of ENUM types, named "<data set>.<column>". Each data set is in a file of its own."""

    name = "duckdb"

    def table(self, data_set: DataSet) -> exp.Expr:
        return exp.table_(data_set.id, db="main", catalog=home_of(data_set.id), quoted=True)

    def position(self, stored: exp.Expr) -> exp.Expr:
        return exp.Anonymous(this="enum_code", expressions=[stored])

    def value(self, variable: Variable, atom: int) -> Value:
        return variable.atoms[atom].code

    def atom(self, data_set: DataSet, variable: Variable, bound: exp.Expr) -> exp.Expr:
        home, column = home_of(data_set.id), f"{data_set.id}.{variable.stored_atoms}"
        enum = exp.DataType.build(f'"{home}"."main"."{column}"', udt=True)
        return exp.Cast(this=bound, to=enum)

    def largest(self, value: exp.Expr, most: int) -> list[exp.Expr]:
        """max(value, n) is a list, shorter where there are fewer."""
        top = exp.Anonymous(this="max", expressions=[value, number(most)])
        return [exp.Anonymous(this="list_extract", expressions=[top.copy(), number(n)]) for n in range(1, most + 1)]

    def distinct_units(self, unit: exp.Expr, units: int | None) -> exp.Expr:
        """A set as a bitmap takes a fraction of the time of DuckDB's hash table, and no longer a row for more rows."""
        if not units:
            return exp.Count(this=exp.Distinct(expressions=[unit]))
        marked = _call("bitstring_agg", unit, number(0), number(units - 1))
        return exp.Coalesce(this=_call("bit_count", marked), expressions=[number(0)])

    def sum_of_keys(self, keys: exp.Expr) -> exp.Expr:
        """Of UBIGINTs DuckDB makes a sum of 128 bits, which no table is long enough to overflow."""
        return exp.cast(exp.Mod(this=exp.Sum(this=keys), expression=number(2**64)), exp.DataType.Type.UBIGINT)


class Spark:
    """Codes are stored as their places, record keys as the BIGINT of the same bits: Spark has no ENUM, nor UBIGINT."""

    name = "spark"

    def table(self, data_set: DataSet) -> exp.Expr:
        return exp.table_(data_set.id, quoted=True)

    def position(self, stored: exp.Expr) -> exp.Expr:
        return stored

    def value(self, variable: Variable, atom: int) -> Value:
        return atom

    def atom(self, data_set: DataSet, variable: Variable, bound: exp.Expr) -> exp.Expr:
        return bound

    def largest(self, value: exp.Expr, most: int) -> list[exp.Expr]:
        """max_by(x, y, n) holds n values at a time, however many there are; get() is NULL beyond the last."""
        top = exp.Anonymous(this="max_by", expressions=[value, value.copy(), number(most)])
        return [exp.Anonymous(this="get", expressions=[top.copy(), number(n)]) for n in range(most)]

    def distinct_units(self, unit: exp.Expr, units: int | None) -> exp.Expr:
        return exp.Count(this=exp.Distinct(expressions=[unit]))

    def sum_of_keys(self, keys: exp.Expr) -> exp.Expr:
        """By halves, since a sum that leaves 64 bits is an error: 2³¹ rows are no sum of halves too long."""
        low = exp.Sum(this=exp.BitwiseAnd(this=exp.Paren(this=keys), expression=number(2**32 - 1)))
        high = exp.Sum(this=_call("shiftrightunsigned", keys.copy(), number(32)))
        carried = exp.Add(this=high, expression=_call("shiftrightunsigned", low, number(32)))
        rest = exp.Paren(this=exp.BitwiseAnd(this=low.copy(), expression=number(2**32 - 1)))
        return exp.BitwiseOr(this=_call("shiftleft", carried, number(32)), expression=rest)


DUCKDB, SPARK = DuckDB(), Spark()


def number(value: int) -> exp.Expr:
    return exp.Literal.number(value) if value >= 0 else exp.Neg(this=exp.Literal.number(-value))


def _call(function: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=function, expressions=list(arguments))
