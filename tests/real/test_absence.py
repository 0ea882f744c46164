"""7.4 million real pupils: the questions of the issue, over HTTP, against the truth computed here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb
import pytest

from tests.real.conftest import Ask, shared
from tests.real.coverage import Coverage

pytestmark = pytest.mark.slow
PERSISTENT = {"statistic": "percentage", "variable": "absence_band.persistent", "codes": ["yes"]}
FSM = {"Eligible": "Eligible", "Not Eligible": "Not Eligible", "Unclassified": "Unclassified"}
OVER_10 = "absence_band not in ('pct5_OARate', 'pct10_OARate')"


@pytest.fixture(scope="module")
def ask(serve: Callable[[str, str], Ask]) -> Ask:
    return serve("absence.toml", "absence_person_level_202223.parquet")


def truth(root: Path, what: str, *by: str) -> dict[tuple[str, ...], float]:
    source = shared(root, "absence_person_level_202223.parquet")
    with duckdb.connect() as connection:
        found = connection.execute(f"select {', '.join(by)}, {what} from read_parquet(?) group by all", [str(source)])
        return {tuple(map(str, row[:-1])): float(row[-1]) for row in found.fetchall()}


def looked_up(table: Mapping[tuple[str, ...], float], *names: str) -> Callable[[Mapping[str, object]], float]:
    return lambda row: table.get(tuple(str(row[n]) for n in names), 0.0)


def test_the_answers_hold_the_truth(ask: Ask, root: Path) -> None:
    coverage = Coverage()
    share = f"100 * avg(({OVER_10})::int)"
    body = ask("", {"measures": [PERSISTENT], "groupBy": ["la.region", "fsm"]}).json()
    coverage.add(body["results"], looked_up(truth(root, share, "region_code", "fsm_eligible"), "la.region", "fsm"))
    body = ask("", {"measures": [PERSISTENT], "groupBy": ["la"]}).json()
    coverage.add(body["results"], looked_up(truth(root, share, "new_la_code"), "la"))
    body = ask("", {"measures": [{"statistic": "count"}], "groupBy": ["year_group", "la"]}).json()
    assert len(body["results"]) == 11 * 152
    coverage.add(
        body["results"], looked_up(truth(root, "count(*)", "nc_year_actual", "new_la_code"), "year_group", "la")
    )
    assert coverage.shown > 1_000
    assert 0.93 <= coverage.share <= 0.99, coverage


def test_a_preview_says_the_margin_that_the_answer_has(ask: Ask) -> None:
    question = {"measures": [{"statistic": "count"}], "groupBy": ["phase"]}
    expected = ask("/preview", question).json()["measures"][0]["margin"]
    for row in ask("", question).json()["results"]:
        assert (row["upper"] - row["lower"]) / 2 == pytest.approx(expected, abs=1)


def test_a_stored_answer_is_free(ask: Ask) -> None:
    question = {"measures": [PERSISTENT], "groupBy": ["la", "fsm"]}
    first, again = ask("", question).json(), ask("", question).json()
    assert (first["charge"]["nanoRho"], again["charge"]["nanoRho"]) == (5_000_000, 0)
    assert first["results"] == again["results"]
