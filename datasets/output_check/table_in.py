"""The table that somebody wants to take out: CSV → numbers with their keys, or every problem with its line.

Two forms are read. *Wide*: a column for each grouping of the query, then one for each measure (`id`, or `id:code` where
a measure has several numbers). *Tidy*: as this service writes answers, one row for each number. Nothing else may stand
in the file, since what is not looked at must not leave.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from datasets.answer import Status
from datasets.query import Problem

MOST_BYTES = 1024 * 1024
MOST_ROWS = 50_000
MOST_COLUMNS = 200
MOST_PROBLEMS = 100
LONGEST = 200
"""Characters of a field."""
TIDY = ("statistic", "variable", "output", "value", "lower", "upper", "confidence", "unit", "status", "is_synthetic")
"""Columns of the tidy form beside the groupings and `measure`."""
_NUMBER = re.compile(r"-?\d{1,18}(\.\d{1,12})?", re.ASCII)
_TOTALS = ("", "total")
SYMBOLS = {status.value: status for status in Status}
_HIDDEN = (Status.CONFIDENTIAL, Status.NOT_AVAILABLE, Status.NOT_APPLICABLE)


class InvalidTable(Exception):
    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(f"{p.path}: {p.message}" for p in problems))
        self.problems = tuple(problems[:MOST_PROBLEMS])


@dataclass(frozen=True, slots=True)
class Sent:
    """One number, or the symbol in its place. key: codes in the order of the groupings, "" for a total. said: what a
    tidy row says beside it, by column. blank: nothing stands there at all."""

    line: int
    column: str
    key: tuple[str, ...]
    measure: str
    output: str
    value: Decimal | None
    status: Status
    said: Mapping[str, str] = field(default_factory=dict)
    blank: bool = False

    @property
    def shown(self) -> bool:
        return self.value is not None

    @property
    def decimals(self) -> int:
        """As many as were written."""
        exponent = self.value.as_tuple().exponent if self.value is not None else 0
        return -exponent if isinstance(exponent, int) else 0


def read_table(text: str, groupings: Sequence[str], measures: Sequence[str]) -> tuple[Sent, ...]:
    """Raises InvalidTable."""
    header, rows = read_rows(text)
    tidy = {"measure", "value"} <= set(header) and not {"measure", "value"} & {*groupings, *measures}
    _check_header(header, groupings, measures, tidy)
    problems: list[Problem] = []
    found = list(_numbers(header, rows, groupings, tidy, problems))
    problems += [*_repeated(found), *_unknown(found, measures)]
    if problems:
        raise InvalidTable(problems)
    return tuple(found)


def read_bare(text: str) -> tuple[Sent, ...]:
    """A table of which nothing else is known: columns up to the last one with words are groupings, the others numbers.

    Raises InvalidTable.
    """
    header, rows = read_rows(text)
    wordy = [place for place in range(len(header)) if any(_value(row[place], "") is None for _, row in rows)]
    groupings = header[: max(1, 1 + max(wordy, default=0))]
    if len(groupings) == len(header):
        raise InvalidTable([Problem("RequiredValue", "Wants a column of numbers after the groupings.", "table[1]")])
    return read_table(text, groupings, [name.split(":")[0] for name in header[len(groupings) :]])


def read_rows(text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """Names of the columns, and each row with its line. Raises InvalidTable where it is not a table at all."""
    if len(text.encode()) > MOST_BYTES:
        raise InvalidTable([Problem("TooManyValues", f"At most {MOST_BYTES} bytes are read.", "table")])
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        lines = [(reader.line_num, row) for row in reader if row]
    except csv.Error:
        raise InvalidTable([Problem("InvalidValue", "It is not CSV.", f"table[{reader.line_num}]")]) from None
    if len(lines) < 2:
        raise InvalidTable([Problem("RequiredValue", "Wants a line of names and at least one row.", "table")])
    (_, header), rows = lines[0], lines[1:]
    if len(rows) > MOST_ROWS or len(header) > MOST_COLUMNS:
        message = f"At most {MOST_ROWS} rows and {MOST_COLUMNS} columns are read."
        raise InvalidTable([Problem("TooManyValues", message, "table")])
    _check_shape(header, rows)
    return [name.strip() for name in header], [(line, [_plain(value) for value in row]) for line, row in rows]


def _check_shape(header: list[str], rows: list[tuple[int, list[str]]]) -> None:
    problems = []
    if len({name.strip() for name in header}) < len(header):
        problems.append(Problem("InvalidValue", "Two columns have the same name.", "table[1]"))
    for line, row in rows:
        if len(row) != len(header):
            problems.append(Problem("InvalidValue", f"Wants {len(header)} fields, as line 1 has.", f"table[{line}]"))
        elif any(len(value) > LONGEST for value in row):
            problems.append(Problem("InvalidValue", f"A field has at most {LONGEST} characters.", f"table[{line}]"))
    if problems:
        raise InvalidTable(problems)


def _plain(value: str) -> str:
    """Without the quote that keeps a spreadsheet from running it."""
    value = value.strip()
    return value[1:] if value[:1] == "'" and value[1:2] in ("=", "+", "-", "@") else value


def _check_header(header: Sequence[str], groupings: Sequence[str], measures: Sequence[str], tidy: bool) -> None:
    problems = [
        Problem("RequiredValue", f"The column {n} is wanted.", "table[1]") for n in groupings if n not in header
    ]
    for name in header:
        allowed = name in ("measure", *TIDY) if tidy else name.split(":")[0] in measures
        if name not in groupings and not allowed:
            expected = ["measure", *TIDY] if tidy else list(measures)
            message = f"The column {name[:40]} is none of the query. Accepted: {', '.join([*groupings, *expected])}."
            problems.append(Problem("UnknownField", message, "table[1]"))
    if not set(header) - {*groupings}:
        problems.append(Problem("RequiredValue", "Wants a column of numbers beside the groupings.", "table[1]"))
    if problems:
        raise InvalidTable(problems)


def _numbers(
    header: Sequence[str],
    rows: Sequence[tuple[int, list[str]]],
    groupings: Sequence[str],
    tidy: bool,
    problems: list[Problem],
) -> Iterator[Sent]:
    for line, row in rows:
        fields = dict(zip(header, row, strict=True))
        key = tuple(_code(fields[name]) for name in groupings)
        if tidy:
            entries = [
                ("value", fields["measure"], fields.get("output", ""), fields["value"], fields.get("status", ""))
            ]
            said = {name: value for name, value in fields.items() if name in TIDY}
        else:
            entries = [(n, *_output(n), v, "") for n, v in fields.items() if n not in groupings]
            said = {}
        for column, measure, output, text, symbol in entries:
            read = _value(text, symbol)
            if read is None:
                message = "Wants a number, empty, or one of c, x, z, low, u."
                problems.append(Problem("InvalidValue", message, f"table[{line}].{column}"))
            else:
                yield Sent(line, column, key, measure, output, *read, said, not (text or symbol))


def _output(column: str) -> tuple[str, str]:
    measure, _, output = column.partition(":")
    return measure, output


def _code(text: str) -> str:
    return "" if text.casefold() in _TOTALS else text


def _value(text: str, symbol: str) -> tuple[Decimal | None, Status] | None:
    """None where it is neither a number nor a symbol; `low` alone is a 0 that is not quite."""
    if text in SYMBOLS and not symbol:
        text, symbol = "", text
    status = SYMBOLS.get(symbol)
    if status is None:
        return None
    if not text:
        empty = Status.CONFIDENTIAL if status is Status.SHOWN else status
        return (Decimal(0), status) if status is Status.LOW else (None, empty)
    if not _NUMBER.fullmatch(text) or status in _HIDDEN:
        return None
    return Decimal(text), status


def _unknown(found: Sequence[Sent], measures: Sequence[str]) -> list[Problem]:
    message = f"The query has no such measure. Accepted: {', '.join(measures)}."
    lines = [each.line for each in found if each.measure not in measures]
    return [Problem("InvalidValue", message, f"table[{line}].measure") for line in lines]


def _repeated(found: Sequence[Sent]) -> list[Problem]:
    seen: set[object] = set()
    problems = []
    for each in found:
        place = (each.key, each.measure, each.output)
        if place in seen:
            message = "The same number stands in an earlier row."
            problems.append(Problem("RepeatedRow", message, f"table[{each.line}].{each.column}"))
        seen.add(place)
    return problems
