"""Code lists, and the codes of a variable: its own list or a shared one."""

from __future__ import annotations

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
Lists = dict[str, list[dict[str, str]]]


def read_code_lists(top: Table) -> Lists:
    lists: Lists = {}
    for name, table in top.tables("code_lists").items():
        columns = table.get("columns", list, "a list of column names, first 'code' and 'label'")
        rows = table.get("rows", list, "a list of rows")
        table.close()
        if columns is None or rows is None:
            continue
        if columns[:2] != ["code", "label"] or not all(isinstance(c, str) for c in columns):
            table.refuse("columns", "wants names, 'code' and 'label' first")
            continue
        bad = [i for i, row in enumerate(rows) if not _is_texts(row, len(columns)) or not row[0] or not row[1]]
        if bad:
            table.refuse(f"rows[{bad[0]}]", f"wants {len(columns)} texts, the first two not empty")
        lists[name] = [dict(zip(columns, row, strict=True)) for i, row in enumerate(rows) if i not in set(bad)]
    return lists


def _is_texts(row: object, length: int) -> bool:
    return isinstance(row, list) and len(row) == length and all(isinstance(cell, str) for cell in row)


def read_rows(table: Table, key: str, lists: Lists) -> list[dict[str, str]]:
    """The rows of a code list: named, or written out as [code, label] or just code."""
    raw = table.get(key, (str, list), "the name of a code list, or a list of [code, label]")
    if isinstance(raw, str):
        if raw not in lists:
            table.refuse(key, "names no code list")
        return lists.get(raw, [])
    rows = []
    for i, item in enumerate(raw or []):
        pair = [item, item] if isinstance(item, str) else item
        if not _is_texts(pair, 2) or not all(pair):
            table.refuse(f"{key}[{i}]", "wants [code, label]")
        else:
            rows.append({"code": pair[0], "label": pair[1]})
    return rows


def read_codes(table: Table, key: str, lists: Lists) -> tuple[Code, ...]:
    codes = tuple(Code(row["code"], row["label"]) for row in read_rows(table, key, lists))
    check_distinct([c.code for c in codes], table, key)
    return codes


def check_distinct(codes: list[str], table: Table, key: str) -> None:
    if not codes:
        table.refuse(key, "wants at least one code")
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
