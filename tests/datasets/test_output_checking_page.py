"""The example in docs/output-checking.md, run."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest

from datasets.output_check.statbarns import STATBARNS, Handling
from datasets.output_check.verdict import Reason, finding
from datasets.statistics import STATISTICS
from privacy_api.cli.output_check import told
from tests.lib.outputs import Room, rows_of


@pytest.fixture
def page(root: Path) -> str:
    return (root / "docs" / "output-checking.md").read_text(encoding="utf-8")


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def test_the_example_is_judged_as_the_page_says(page: str) -> None:
    truth, sent, mended = blocks(page, "csv")
    (north, south) = ([int(n) for n in row[1:]] for row in list(csv.reader(truth.splitlines()))[1:])
    room, query = Room(rows_of([north, [0] * 4, south])), json.loads(blocks(page, "json")[0])
    checked = room.check(sent, query)
    found = [
        told(
            f"line {cell.line}, {cell.column}",
            {"verdict": f.verdict, "message": f.message, "fix": f.fix, "code": f.code},
        )
        for cell in checked.cells
        for f in cell.findings
    ]
    assert [line.strip() for line in found] == blocks(page, "text")[0].splitlines()
    assert checked.findings == ()
    assert room.check(mended, query).verdict == "pass"


def test_every_statistic_and_every_finding_that_a_table_with_a_query_can_have_is_on_the_page(page: str) -> None:
    judged = [name for name in STATISTICS if STATBARNS[name].handling is not Handling.BY_HAND]
    assert [name for name in judged if f"`{name}`" not in page] == []
    rare = {"NoQuery", "NotAudited", "DoesNotAddUp", "NotApplicable", "Sparse"}
    assert [c for c in (finding(r).code for r in Reason) if f"`{c}`" not in page and c not in rare] == []
