"""Totals over HTTP: asked, priced, charged, written and previewed with the table that they are totals of."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lib.crowd import school_crowd
from tests.lib.service import OPEN_OFFICIAL, URL, Service, pupils, running

COUNT = {"measures": [{"statistic": "count"}]}
TOTALS = COUNT | {"groupBy": ["la", "sex"], "totals": [[], ["REG"], ["sex"], ["REG", "sex"]]}


@pytest.fixture
def crowded(tmp_path: Path) -> Iterator[Service]:
    """Where nothing is small."""
    with running(tmp_path, engine=school_crowd()) as service:
        yield service


def values(body: dict[str, Any], *by: str) -> dict[tuple[str, ...], Any]:
    """Of the rows that are grouped by these and no others."""
    names = [dimension["name"] for dimension in body["dimensions"]]
    rows = [r for r in body["results"] if {n for n in names if r[n] is not None} == set(by)]
    return {tuple(r[n] for n in by): r["value"] for r in rows}


def test_rows_of_totals_come_after_the_table_and_add_up(crowded: Service) -> None:
    body = crowded.ask(TOTALS).json()
    assert [dimension["name"] for dimension in body["dimensions"]] == ["la", "sex", "REG"]
    assert body["query"]["totals"] == TOTALS["totals"]
    assert len(body["results"]) == 15 + 1 + 2 + 3 + 6
    whole = values(body, "la", "sex")
    assert values(body)[()] == sum(whole.values())
    for (sex,), total in values(body, "sex").items():
        assert total == sum(v for (_, s), v in whole.items() if s == sex)
    for (region, sex), total in values(body, "REG", "sex").items():
        north = {"A1", "A2"}
        assert total == sum(v for (la, s), v in whole.items() if s == sex and (la in north) == (region == "N"))
    assert sum(values(body, "REG").values()) == values(body)[()]
    assert all(r["value"] % 5 == 0 and r["lower"] <= r["value"] <= r["upper"] for r in body["results"])
    assert body["results"][15] == body["results"][15] | {"la": None, "sex": None, "REG": None, "measure": "count"}


def test_the_default_price_is_shared_among_the_tables(crowded: Service) -> None:
    previewed = crowded.client.post(f"{URL}/preview", json=TOTALS, headers=crowded.auth).json()
    charged = crowded.ask(TOTALS).json()["charge"]["nanoRho"]
    assert previewed["measurements"] == {"wanted": 5, "alreadyMade": 0}
    assert previewed["price"]["nanoRho"] == charged
    assert 5 * 5_000_000 - 5 <= charged <= 5 * 5_000_000
    assert previewed["cells"] == previewed["numbers"] == 27
    again = crowded.ask(TOTALS | {"totals": [["sex", "REG"], ["sex"], ["la.region"], []]}).json()
    assert again["charge"]["nanoRho"] == 0


def test_a_chosen_price_is_that_of_all_tables_together(crowded: Service) -> None:
    charged = crowded.ask(TOTALS | {"rho": "0.05"}).json()["charge"]["nanoRho"]
    assert 50_000_000 - 5 <= charged <= 50_000_000


def test_previewed_margins_are_those_of_the_answer(crowded: Service) -> None:
    previewed = crowded.client.post(f"{URL}/preview", json=TOTALS, headers=crowded.auth).json()["measures"][0]
    body = crowded.ask(TOTALS).json()
    tables = [{"groupBy": ["la", "sex"], **previewed}, *previewed["totals"]]
    assert [t["groupBy"] for t in previewed["totals"]] == [[], ["REG"], ["sex"], ["REG", "sex"]]
    for table in tables:
        rows = [r for r in body["results"] if {n for n in ("la", "sex", "REG") if r[n]} == set(table["groupBy"])]
        widest = max((r["upper"] - r["lower"]) / 2 for r in rows)
        assert table["margin"] == pytest.approx(widest, abs=2)
        alone = COUNT | {"groupBy": table["groupBy"]}
        single = crowded.client.post(f"{URL}/preview", json=alone, headers=crowded.auth).json()["measures"][0]
        # At the default price for each: a total is known as well as alone, and its rounding moves corners of a box.
        assert table["noiseSd"] <= 1.3 * single["noiseSd"]


def test_means_have_margins_of_totals_too(crowded: Service) -> None:
    question = TOTALS | {"measures": [{"statistic": "mean", "variable": "days"}]}
    found = crowded.client.post(f"{URL}/preview", json=question, headers=crowded.auth).json()["measures"][0]
    assert [set(total) for total in found["totals"]] == [{"groupBy", "marginAt"}] * 4
    assert all(total["marginAt"]["10000"] > 0 for total in found["totals"])


def test_a_total_is_the_measurement_of_the_table_asked_alone(crowded: Service) -> None:
    """Whoever has measured the parts of an answer before leaves less to pay."""
    for alone in ([], ["la.region"], ["sex"], ["REG", "sex"]):
        crowded.ask(COUNT | {"groupBy": alone, "rho": "0.02"})
    previewed = crowded.client.post(f"{URL}/preview", json=TOTALS, headers=crowded.auth).json()
    assert previewed["measurements"] == {"wanted": 5, "alreadyMade": 4}
    charged = crowded.ask(TOTALS).json()["charge"]["nanoRho"]
    assert charged == previewed["chargedNow"]["nanoRho"]
    assert 0 < charged < 10_000_000, "the finest table's share only"
    finest = crowded.ask(COUNT | {"groupBy": ["sex", "LA"], "rho": charged / 1e9})
    assert finest.json()["charge"]["nanoRho"] == 0, "and the other way round"


def test_better_stored_totals_make_better_parts(crowded: Service) -> None:
    """What was paid for a total before is used at its full precision in whatever it is part of."""
    before = crowded.ask(COUNT | {"groupBy": ["sex"], "rho": "0.1"}).json()
    body = crowded.ask(COUNT | {"groupBy": ["sex", "la"], "totals": [["sex"]]}).json()
    for row in before["results"]:
        total = next(r for r in body["results"] if r["sex"] == row["sex"] and r["la"] is None)
        assert total["upper"] - total["lower"] < 1.1 * (row["upper"] - row["lower"]) + 10
        assert abs(total["value"] - row["value"]) <= 40, "a tenth of an authority's own noise"


def test_csv_leaves_what_is_summed_over_empty(crowded: Service) -> None:
    body = crowded.ask(TOTALS).json()
    text = crowded.ask(TOTALS, params={"format": "csv"}).text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert text.splitlines()[0].startswith("la,sex,REG,measure,")
    for row, expected in zip(rows, body["results"], strict=True):
        assert [row[n] for n in ("la", "sex", "REG")] == [expected[n] or "" for n in ("la", "sex", "REG")]
        assert row["value"] == str(expected["value"])
    assert [rows[15][n] for n in ("la", "sex", "REG")] == ["", "", ""]


@pytest.mark.parametrize("kind", ["json", "csv"])
def test_labels_of_what_is_summed_over_are_empty(crowded: Service, kind: str) -> None:
    response = crowded.ask(TOTALS, params={"format": kind, "labels": "both"})
    assert response.status_code == 200
    rows = response.json()["results"] if kind == "json" else list(csv.DictReader(io.StringIO(response.text)))
    nothing = None if kind == "json" else ""
    assert (rows[0]["la"], rows[0]["la_label"], rows[0]["REG_label"]) == ("A1", "Ashby", nothing)
    assert {rows[15][f"{name}_label"] for name in ("la", "sex", "REG")} == {nothing}
    assert (rows[16]["REG"], rows[16]["REG_label"], rows[16]["la_label"]) == ("N", "North", nothing)


def test_the_get_form_is_the_same_question(crowded: Service) -> None:
    posted = crowded.ask(TOTALS).json()
    address = f"{URL}?measures=count&groupBy=la,sex&totals=,REG,sex,REG;sex"
    got = crowded.client.get(address, headers=crowded.auth).json()
    assert got["charge"]["nanoRho"] == 0
    assert got["id"] == posted["id"]
    assert got["results"] == posted["results"]
    fewer = crowded.client.get(f"{URL}?measures=count&groupBy=la,sex&totals=,REG,REG;sex", headers=crowded.auth).json()
    assert fewer["query"]["totals"] == [[], ["REG"], ["REG", "sex"]]
    assert len(fewer["results"]) == 15 + 1 + 2 + 6
    unbiased = crowded.client.get(f"{address}&display=unbiased", headers=crowded.auth).json()
    assert unbiased["charge"]["nanoRho"] == 0, "another way to show what was measured"
    assert unbiased["query"]["display"] == "unbiased"
    assert values(unbiased)[()] == pytest.approx(sum(values(unbiased, "la", "sex").values()), abs=1e-6)


def test_the_answer_that_is_asked_again_is_the_stored_one(crowded: Service) -> None:
    first, again = crowded.ask(TOTALS), crowded.ask(TOTALS)
    assert again.json()["charge"]["repeat"] is True
    assert again.json()["results"] == first.json()["results"]


ONE_YEAR = {"timePeriods": {"eq": {"period": "2021/2022", "code": "AY"}}}


def test_without_noise_totals_are_shown_and_hide_as_much_as_their_parts(tmp_path: Path) -> None:
    """What is hidden would be the difference of a total and the parts that are shown."""
    rows = [row for la in range(5) for row in pupils(100 if la else 12, la=la, first=1000 * la)]
    body = {"measures": [{"statistic": "count"}], "groupBy": ["la"], "totals": [[]], "criteria": ONE_YEAR}
    with running(tmp_path, rows, OPEN_OFFICIAL) as service:
        answer = service.ask(body).json()
    found = {r["la"]: (r["value"], r["status"]) for r in answer["results"]}
    assert found[None] == (410, "")
    assert found["A1"] == (None, "c"), "twelve rows of pupils who may have two each"
    assert sum(status == "c" for _, status in found.values()) >= 2, "or the total would tell"
    assert answer["suppression"] == {"hidden": sum(s == "c" for _, s in found.values()), "numbers": 6}


@pytest.mark.parametrize(
    ("change", "code", "path"),
    [
        ({"totals": [["need"]]}, "TotalsNotFound", "totals[0]"),
        ({"totals": [[]] * 17}, "TooManyValues", "totals"),
        ({"totals": "la"}, "InvalidValue", "totals"),
        ({"display": "exact"}, "InvalidValue", "display"),
        (
            {
                "groupBy": ["la", "score"],
                "totals": [["REG"], ["score.wide"]],
                "criteria": {"filters": {"score": {"notIn": ["missing"]}}},
            },
            "TotalsNotNested",
            "totals",
        ),
    ],
)
def test_totals_that_cannot_be(service: Service, change: dict[str, Any], code: str, path: str) -> None:
    response = service.ask(TOTALS | change)
    assert response.status_code == 422
    assert [(e["code"], e["path"]) for e in response.json()["errors"]] == [(code, path)]
