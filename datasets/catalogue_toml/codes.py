"""Code lists, and the codes of a variable: its own list or a shared one."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from datasets.catalogue_toml.table import Table
from datasets.variables import Code, TimePeriod

MAX_ATOMS = 50_000
TIME_KINDS = (
    frozenset(
        "AY AYQ1 AYQ2 AYQ3 AYQ4 T1 T2 T3 T1T2 CY CYQ1 CYQ2 CYQ3 CYQ4 FY FYQ1 FYQ2 FYQ3 FYQ4 TY TYQ1 TYQ2 TYQ3 TYQ4 RY "
        "P1 P2".split()
    )
    | {f"M{i}" for i in range(1, 13)}
    | {f"W{i}" for i in range(1, 53)}
)
"""The time codes of EES."""


@dataclass(frozen=True, slots=True)
class CodeList:
    """columns: of each row, "code" and "label" first. A column `since` or `until` says when a code is in use."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    codes: tuple[Code, ...]

    def column(self, name: str) -> tuple[str, ...] | None:
        """The values of a further column, row by row."""
        if name not in self.columns:
            return None
        place = self.columns.index(name)
        return tuple(row[place] for row in self.rows)


Lists = dict[str, CodeList]
WANTED = "names of columns, first 'code' and 'label'"


def read_code_lists(top: Table) -> Lists:
    lists: Lists = {}
    for name, table in top.tables("code_lists").items():
        rows = _csv_rows(table) if table.has("csv") else _listed_rows(table)
        table.close()
        if rows is not None:
            lists[name] = _code_list(rows[0], rows[1:], table)
    return lists


def _csv_rows(table: Table) -> list[Sequence[str]] | None:
    """A list as the text of a CSV file, its header first."""
    text = table.get("csv", str, "the text of a CSV file")
    try:
        rows = [row for row in csv.reader(io.StringIO(text.strip("\n")), strict=True) if row]
    except csv.Error:
        rows = []
    if not rows or rows[0][:2] != ["code", "label"]:
        table.refuse("csv", f"wants {WANTED}, then rows")
        return None
    return _sound(rows, table, "csv")


def _listed_rows(table: Table) -> list[Sequence[str]] | None:
    if table.has("file"):
        table.get("file", str, "a file")
        table.refuse("file", "wants the catalogue to be read from its folder, where the file is")
        return None
    columns, rows = table.get("columns", list, f"a list of {WANTED}"), table.get("rows", list, "a list of rows")
    if columns is None or rows is None:
        return None
    if columns[:2] != ["code", "label"] or not all(isinstance(c, str) for c in columns):
        table.refuse("columns", f"wants {WANTED}")
        return None
    return _sound([columns, *rows], table, "rows")


def _sound(rows: Sequence[object], table: Table, key: str) -> list[Sequence[str]]:
    """The header, and the rows that fit it."""
    header, *rest = rows
    length = len(header) if isinstance(header, list) else 0
    fits = [_is_texts(row, length) and bool(row[0] and row[1]) for row in rest]  # type: ignore[index]
    if not all(fits):
        table.refuse(f"{key}[{fits.index(False)}]", f"wants {length} texts, the first two not empty")
    return [header, *(row for row, fit in zip(rest, fits, strict=True) if fit)]  # type: ignore[list-item]


def _code_list(header: Sequence[str], rows: Sequence[Sequence[str]], table: Table) -> CodeList:
    columns = tuple(header)
    since, until = (columns.index(name) if name in columns else None for name in ("since", "until"))
    codes = tuple(
        Code(row[0], row[1], since="" if since is None else row[since], until="" if until is None else row[until])
        for row in rows
    )
    _check_distinct([code.code for code in codes], table, "rows")
    return CodeList(columns, tuple(map(tuple, rows)), codes)


def _is_texts(row: object, length: int) -> bool:
    return isinstance(row, list) and len(row) == length and all(isinstance(cell, str) for cell in row)


def read_codes(table: Table, key: str, lists: Lists) -> tuple[Code, ...]:
    """A code list by its name, or written out as [code, label] or just code."""
    return read_list(table, key, lists).codes


def read_list(table: Table, key: str, lists: Lists) -> CodeList:
    raw = table.get(key, (str, list), "the name of a code list, or a list of [code, label]")
    if isinstance(raw, str):
        if raw not in lists:
            table.refuse(key, "names no code list")
        return lists.get(raw, CodeList(("code", "label"), (), ()))
    rows = []
    for i, item in enumerate(raw or []):
        pair = [item, item] if isinstance(item, str) else item
        if not _is_texts(pair, 2) or not all(pair):
            table.refuse(f"{key}[{i}]", "wants [code, label]")
        else:
            rows.append((pair[0], pair[1]))
    codes = tuple(Code(code, label) for code, label in rows)
    check_distinct([c.code for c in codes], table, key)
    return CodeList(("code", "label"), tuple(rows), codes)


def check_distinct(codes: list[str], table: Table, key: str) -> None:
    if not codes:
        table.refuse(key, "wants at least one code")
    _check_distinct(codes, table, key)


def _check_distinct(codes: list[str], table: Table, key: str) -> None:
    if len(codes) > MAX_ATOMS:
        table.refuse(key, f"wants at most {MAX_ATOMS} codes")
    seen: set[str] = set()
    twice = {code for code in codes if code in seen or seen.add(code)}  # type: ignore[func-returns-value]
    for code in sorted(twice)[:5]:
        table.refuse(key, f"code {code!r} stands twice")


def read_periods(table: Table) -> tuple[Code, ...]:
    wanted = "[code, period, kind], e.g. ['202223', '2022/2023', 'AY']"
    periods = []
    for i, item in enumerate(table.get("codes", list, f"a list of {wanted}") or []):
        if not _is_texts(item, 3) or not all(item):
            table.refuse(f"codes[{i}]", f"wants {wanted}")
        elif item[2] not in TIME_KINDS:
            table.refuse(f"codes[{i}]", "kind wants an EES time code such as AY, T1, T2, T3, CY")
        else:
            periods.append(TimePeriod(item[0], f"{item[1]} {item[2]}", item[1], item[2]))
    check_distinct([p.code for p in periods], table, "codes")
    if len({p.label for p in periods}) < len(periods):
        table.refuse("codes", "the same period and kind stand twice")
    return tuple(periods)
