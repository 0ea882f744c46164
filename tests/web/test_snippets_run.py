"""The snippets of an answer's page, run against a real server: each gets that very answer, for nothing."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from privacy_api.web.pages.answers import document_of
from privacy_api.web.snippets import KEY, first_question, snippets
from tests.web.sites import demo_site

QUESTION = {
    "measures": [{"statistic": "count"}],
    "groupBy": ["REG"],
    "criteria": {"filters": {"fsm": {"in": ["Y", "N"]}}},
}


@pytest.mark.slow
def test_a_first_question_is_about_the_last_year_that_the_rows_have(tmp_path: Path) -> None:
    with demo_site(tmp_path) as site:
        hosted = site.services.data_sets["demo.census"]
        found = json.loads(shlex.split(first_question(hosted, site.url, site.key))[-1])
        held = site.answer({"measures": [{"statistic": "count"}], "groupBy": ["academic_year"]})
        stored = site.services.ledger.release(held)
    assert stored
    years = [row["academic_year"] for row in document_of(stored)["results"] if row["value"]]
    last = next(p for p in hosted.data_set.time_periods if p.code == max(years))
    assert found["criteria"] == {"timePeriods": {"eq": {"period": last.period, "code": last.kind}}}


@pytest.mark.slow
def test_curl_python_and_javascript_get_the_answer_that_the_page_shows(tmp_path: Path, root: Path) -> None:
    bash, node = shutil.which("bash"), shutil.which("node")
    if not (bash and node and shutil.which("curl")):
        pytest.fail("this test needs bash, curl and Node.js from 18")
    with demo_site(tmp_path) as site:
        stored = site.services.ledger.release(site.answer(QUESTION))
        assert stored
        release = document_of(stored)
        code = {s.id: s.code for s in snippets(site.url, "demo.census", release["query"])}
        environ = {**os.environ, KEY: site.key, "PYTHONPATH": str(root / "clients" / "python")}
        by_curl = _output([bash, "-c", f"{code['curl']} --silent --fail"], environ)
        by_python = _output([sys.executable, "-c", code["python"]], environ)
        by_javascript = _output([node, "--input-type=module", "--eval", code["javascript"]], environ)
        paid = site.services.ledger.spending(9, project="demo")
    values = [row["value"] for row in release["results"]]
    assert [float(row["value"]) for row in csv.DictReader(io.StringIO(by_curl))] == values
    assert by_python.count("'measure': 'count'") == len(values) == 9
    assert all(f"'value': {value}" in by_python for value in values)
    assert [row["value"] for row in _table(by_javascript)] == values
    assert len(paid) == 1, "one charge, and nothing for the others"


def _table(printed: str) -> list[dict[str, object]]:
    """What console.table drew, row by row: values stand between bars as JavaScript writes them."""
    rows = [line.strip("│ ").split("│") for line in printed.splitlines() if line.startswith("│")]
    heads, *body = [[cell.strip().replace("'", '"') for cell in row] for row in rows]
    return [dict(zip(heads[1:], map(json.loads, row[1:]), strict=True)) for row in body]


def _output(command: list[str], environ: dict[str, str]) -> str:
    run = subprocess.run(command, env=environ, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stderr
    return run.stdout
