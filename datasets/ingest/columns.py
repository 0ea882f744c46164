"""The published table of a data set: which columns each variable is stored in, and their types."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from datasets.catalogue import DataSet
from datasets.ingest.database import STAGE, Database
from datasets.ingest.rules import Fault
from datasets.ingest.sql import Sql, name, sql
from datasets.variables import Banding, Numbers, Variable

INT32 = 2**31
UNIT = "unit"
BOUND_RANK = "bound_rank"
"""Of a data set whose key bounds the rows of a pupil: 1, 2, … within pupil and period (see `ranks`)."""
RECORD_KEY = "record_key"
"""Of a cut whose catalogue wants them (see `record_keys`)."""


@dataclass(frozen=True, slots=True)
class Coded:
    """One text of a file, understood. atom: index into the variable's atoms; tick: None where a number is missing."""

    fault: Fault
    atom: int | None = None
    tick: int | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """codes: members of its ENUM type, in order; None for ticks."""

    name: str
    type: Sql
    codes: tuple[str, ...] | None
    value: Callable[[Coded], str | int | None]


def columns(data_set: DataSet, variable: Variable) -> tuple[Column, ...]:
    """Ticks, atom, bandings: whichever the variable has."""
    found = [_ticks(variable.name, variable.numbers)] if variable.numbers else []
    if variable.atoms:
        found.append(_atoms(data_set, variable))
    return (*found, *(_banding(data_set, variable, banding) for banding in variable.bandings))


def stored_columns(data_set: DataSet) -> tuple[Column, ...]:
    return tuple(column for variable in data_set.variables for column in columns(data_set, variable))


def unit_and_period(data_set: DataSet) -> list[str]:
    """What the rows of a pupil are counted by."""
    key = data_set.key
    return [*([UNIT] if key.unit else []), *([key.time] if key.time else [])]


def create_types(database: Database, data_set: DataSet, home: str = STAGE) -> None:
    """The ENUM types of a data set, in an attached database. Their members are the catalogue's codes in its order,
    whatever the data hold."""
    for column in stored_columns(data_set):
        if column.codes is not None:
            named = name(home, "main", f"{data_set.id}.{column.name}")
            create = sql("CREATE TYPE {type} AS ENUM (SELECT unnest($codes::VARCHAR[]))", type=named)
            database.run(create, codes=list(column.codes))


def _enum(data_set: DataSet, column: str) -> Sql:
    return name(STAGE, "main", f"{data_set.id}.{column}")


def _ticks(column: str, numbers: Numbers) -> Column:
    small = numbers.lowest >= -INT32 and numbers.highest < INT32
    return Column(column, Sql("INTEGER" if small else "BIGINT"), None, lambda coded: coded.tick)


def _atoms(data_set: DataSet, variable: Variable) -> Column:
    codes, column = tuple(atom.code for atom in variable.atoms), variable.stored_atoms
    return Column(column, _enum(data_set, column), codes, lambda c: None if c.atom is None else codes[c.atom])


def _banding(data_set: DataSet, variable: Variable, banding: Banding) -> Column:
    band = {atom: code.code for code, group in zip(banding.codes, banding.groups, strict=True) for atom in group}
    codes, column = tuple(code.code for code in banding.codes), variable.stored_banding(banding)
    return Column(column, _enum(data_set, column), codes, lambda c: None if c.atom is None else band.get(c.atom))
