"""Record keys stay inside: a cut that has them shows what a cut without them shows, and nothing more."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.lib import school
from tests.lib.service import DATA_SET, OPEN_OFFICIAL, URL, pupils, running

KEY = 1234567890123456789
PAGES = ("/v1/data-sets", f"/v1/data-sets/{DATA_SET}", f"/v1/data-sets/{DATA_SET}/meta", "/openapi.json")
ROWS = [replace(row, record_key=KEY) for row in pupils(300)]
ASKED = {
    "measures": [{"statistic": s} for s in ("count", "pupils")]
    + [{"statistic": "mean", "variable": "days"}, {"statistic": "histogram", "variable": "sex"}],
    "criteria": {"timePeriods": {"eq": {"period": "2021/2022", "code": "AY"}}},
}


def shown(home: Path, catalogue: str) -> list[object]:
    """What can be read of the cut, of an answer and of a refusal."""
    home.mkdir()
    with running(home, ROWS, OPEN_OFFICIAL, catalogue=catalogue) as service:
        pages = [service.client.get(page).text for page in PAGES]
        answer = service.ask(ASKED)
        table = service.client.post(URL, json=ASKED, headers=service.auth | {"Accept": "text/csv"})
        refused = service.ask(ASKED | {"groupBy": ["record_key"]})
    assert [r.status_code for r in (answer, table, refused)] == [200, 200, 422]
    for text in (*pages, answer.text, table.text):
        assert str(KEY) not in text and "record_key" not in text
    return [*pages, answer.json()["results"], table.text, refused.json()["errors"]]


def test_they_are_in_no_page_and_no_answer(tmp_path: Path) -> None:
    assert shown(tmp_path / "keyed", school.KEYED) == shown(tmp_path / "plain", school.CATALOGUE)
