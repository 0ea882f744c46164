"""A perturbation table as a file that people can read: one line for each change of each count.

A line says that a cell of `count` pupils whose key lies from `low_key` to `high_key` is shown with `change` added. Keys
are whole numbers below 2⁶⁴, so the file holds the table exactly. Nothing that is not right is read.
"""

from __future__ import annotations

import csv
import io
from itertools import groupby
from typing import TypeAlias

from disclosure.cell_key.ptable import KEYS, PTable, PTableRefused, Row

COLUMNS = ["count", "change", "low_key", "high_key"]
MOST_LINES = 100_000

_Line: TypeAlias = tuple[int, int, int, int]


def to_csv(table: PTable) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for count, row in enumerate(table.rows):
        low = 0
        for change, share in zip(row.changes, row.shares, strict=True):
            writer.writerow([count, change, low, low + share - 1])
            low += share
    return text.getvalue()


def from_csv(text: str) -> PTable:
    """Raises PTableRefused with all problems."""
    lines, problems = _lines(text)
    if problems:
        raise PTableRefused(problems)
    groups = [(count, list(group)) for count, group in groupby(lines, key=lambda line: line[0])]
    if [count for count, _ in groups] != list(range(len(groups))):
        problems.append("count: wants 0, 1, 2, …, each with all its lines together")
    problems += [problem for count, group in groups for problem in _gaps(count, group)]
    if problems:
        raise PTableRefused(problems)
    return PTable(tuple(_row(group) for _, group in groups))


def _lines(text: str) -> tuple[list[_Line], list[str]]:
    try:
        header, *rest = list(csv.reader(io.StringIO(text))) or [[]]
    except csv.Error:
        return [], ["wants to be a plain CSV file"]
    if header != COLUMNS:
        return [], [f"the first line wants to be {','.join(COLUMNS)}"]
    if len(rest) > MOST_LINES:
        return [], [f"wants at most {MOST_LINES} lines"]
    found, problems = [], []
    for number, fields in enumerate(rest, start=2):
        line = _line(fields)
        if line is None:
            problems.append(f"line {number}: wants four whole numbers")
        else:
            found.append(line)
    return found, problems


def _line(fields: list[str]) -> _Line | None:
    """Plain decimal numbers: no spaces, signs of plus or underscores, and none too long."""
    if len(fields) != len(COLUMNS) or not all(_plain(field) for field in fields):
        return None
    count, change, low, high = map(int, fields)
    return count, change, low, high


def _plain(field: str) -> bool:
    digits = field.removeprefix("-")
    return digits.isascii() and digits.isdigit() and len(digits) <= len(str(KEYS))


def _gaps(count: int, lines: list[_Line]) -> list[str]:
    """Ranges are not empty, follow each other from 0, and end at 2⁶⁴ − 1; changes ascend."""
    found = []
    next_key = 0
    for _, change, low, high in lines:
        if low != next_key or high < low:
            found.append(f"row {count}, change {change}: wants keys from {next_key} up to some higher key")
        next_key = high + 1
    if next_key != KEYS:
        found.append(f"row {count}: its last key wants to be {KEYS - 1}")
    changes = [change for _, change, _, _ in lines]
    if changes != sorted(set(changes)):
        found.append(f"row {count}: wants its changes in ascending order, each once")
    return found


def _row(lines: list[_Line]) -> Row:
    return Row(tuple(change for _, change, _, _ in lines), tuple(high - low + 1 for _, _, low, high in lines))
