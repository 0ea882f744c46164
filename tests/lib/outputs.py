"""A safe room: rows, a policy, and outputs of them to be checked; and two-way tables with any counts."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from datasets.answer import Answer
from datasets.engines.memory import MemoryEngine, Row
from datasets.output_check.check import Place, check_output
from datasets.output_check.verdict import CheckedTable
from datasets.validate import Limits
from disclosure.policy import Policy, load_policy
from privacy_api.cli.cuts import preset
from privacy_api.wire.query_in import read_query
from tests.lib import official
from tests.lib.official import Desk

LAS, NEEDS = ("A1", "A2", "A3", "A4", "A5"), ("a", "b", "c", "d")


def rows_of(counts: Sequence[Sequence[int]], **ticks: int | None) -> list[Row]:
    """So many pupils of each LA (down) and each need (across)."""
    number: dict[str, int | None] = {"score": 5, "award": 10, **ticks}
    score = number["score"]
    rows: list[Row] = []
    for la, line in enumerate(counts):
        for need, count in enumerate(line):
            for _ in range(count):
                i = len(rows)
                atoms = {"la": la, "need": need, "fsm": i % 2, "school": i % 8, "score": 10 if score is None else score}
                rows.append(Row(i, atoms, dict(number)))
    return rows


def without(rule: str, **changes: str) -> Policy:
    """The same policy without one of its rules, with lines changed."""
    text = preset("dfe-draft")
    for name in ("sparsity", rule):
        start = text.index(f"[{name}]")
        text = text[:start] + text[text.index("[", start + 1) :]
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return load_policy(text)


def showing_zeros() -> Policy:
    return without("class_disclosure", **{'zeros = "hide"': 'zeros = "show"'})


def csv_of(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerows([columns, *rows])
    return out.getvalue()


@dataclass
class Room:
    """desk: what was released before."""

    rows: Sequence[Row]
    policy: Policy = field(default_factory=official.policy)
    grants: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self.desk = Desk(self.rows, self.policy)
        self.populations: list[str] = []

    def check(self, text: str, query: Mapping[str, Any] | None = None) -> CheckedTable:
        asked = None if query is None else read_query(dict(query), self.desk.data_set.id)
        engine = MemoryEngine({self.desk.data_set.id: self.rows})
        place = Place(self.desk.data_set, self.policy, Limits(50_000, 4), self.grants, engine.aggregate,
                      self.populations, self.desk.before)  # fmt: skip
        return check_output(text, asked, place)

    def release(self, query: Mapping[str, Any]) -> str:
        """Our own release of the query, as the wide form has it; it is remembered."""
        return wide(self.desk.ask(dict(query)))


def wide(answer: Answer) -> str:
    columns = [(s, i, f"{s.id}:{o.code}" if o.code else s.id) for s in answer.series for i, o in enumerate(s.outputs)]
    rows = [
        [*(code or "Total" for code in key.values()), *(_text(s, row, i) for s, i, _ in columns)]
        for row, key in enumerate(answer.keys)
    ]
    return csv_of([*answer.names, *(name for _, _, name in columns)], rows)


def _text(series: Any, row: int, output: int) -> str:
    value, status = series.value[row, output], str(series.status[row, output])
    return f"{value:.{series.decimals}f}" if value == value else status


def codes(checked: CheckedTable) -> dict[tuple[int, str], list[str]]:
    """(line, column) → codes of what was found there; only where something was."""
    return {(c.line, c.column): [f.code for f in c.findings] for c in checked.cells if c.findings}


def of_table(checked: CheckedTable) -> list[str]:
    return [f.code for f in checked.findings]
