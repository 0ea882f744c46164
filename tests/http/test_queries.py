"""The main job over HTTP: ask, be charged, get a protected answer, ask again for nothing."""

from __future__ import annotations

import csv
import io
import sqlite3
from pathlib import Path

import pytest

from privacy_api.ports import Person
from tests.lib.service import DATA_SET, OPEN_OFFICIAL, POLICY, URL, Service, pupils, running

COUNT = {"measures": [{"statistic": "count"}], "groupBy": ["la"]}


def test_a_question_is_answered_and_charged(service: Service) -> None:
    response = service.ask(COUNT)
    body = response.json()
    assert response.status_code == 200
    assert body["charge"] == {"nanoRho": 5_000_000, "rho": 0.005, "repeat": False}
    assert [row["la"] for row in body["results"]] == ["A1", "A2", "A3", "A4", "A5"]
    first = body["results"][0]
    assert first["measure"] == "count"
    assert first["lower"] <= first["value"] <= first["upper"]
    assert abs(first["value"] - 4000) < 6 * 60, "six rows per pupil at most: the noise has standard deviation 60"
    assert body["dataSet"]["synthetic"] is True
    assert body["protection"]["rho"] == 0.005
    assert "Release" in body["citation"]


def test_the_same_question_is_the_same_answer_for_nothing(service: Service) -> None:
    first = service.ask(COUNT).json()
    again = service.ask({"groupBy": ["LA"], "measures": [{"statistic": "count", "id": "count"}]}).json()
    assert again["charge"] == {"nanoRho": 0, "rho": 0.0, "repeat": True}
    assert [r["value"] for r in again["results"]] == [r["value"] for r in first["results"]]


def test_another_project_gets_it_too(service: Service) -> None:
    first = service.ask(COUNT).json()
    other = service.client.post(URL, json=COUNT, headers=service.new_key("others")).json()
    assert other["charge"]["nanoRho"] == 0
    assert other["results"] == first["results"]


def test_measurements_are_shared_between_questions(service: Service) -> None:
    """A mean needs a count: where the count was measured, only the sum is paid for, and both say the same count."""
    count = service.ask({"measures": [{"statistic": "count"}], "groupBy": ["la"]}).json()
    both = service.ask(
        {"measures": [{"statistic": "count"}, {"statistic": "mean", "variable": "days"}], "groupBy": ["la"]}
    )
    assert both.json()["charge"]["nanoRho"] == 5_000_000
    counts = [r["value"] for r in both.json()["results"] if r["measure"] == "count"]
    assert counts == [r["value"] for r in count["results"]]
    sd = service.ask({"measures": [{"statistic": "sd", "variable": "days"}], "groupBy": ["la"]})
    assert sd.json()["charge"]["nanoRho"] == 5_000_000


def test_a_complement_is_the_same_measurement(service: Service) -> None:
    def share(code: list[str]) -> dict[str, object]:
        return {"measures": [{"statistic": "percentage", "variable": "sex", "codes": code}]}

    female, other = service.ask(share(["F"])).json(), service.ask(share(["M", "U"])).json()
    assert other["charge"]["nanoRho"] == 0
    assert female["results"][0]["value"] + other["results"][0]["value"] == pytest.approx(100, abs=0.11)


def test_a_chosen_price_is_charged_exactly_and_buys_precision(service: Service) -> None:
    cheap = service.ask(COUNT | {"rho": 0.001}).json()
    dear = service.ask(COUNT | {"rho": "0.1"}).json()
    assert (cheap["charge"]["nanoRho"], dear["charge"]["nanoRho"]) == (1_000_000, 99_000_000), "the difference"
    assert dear["protection"]["rho"] == 0.1

    def width(body: dict[str, list[dict[str, float]]]) -> float:
        return body["results"][0]["upper"] - body["results"][0]["lower"]

    assert width(dear) < width(cheap) / 4
    again = service.ask(COUNT).json()
    assert again["charge"]["nanoRho"] == 0, "a more precise measurement answers a less precise question"


def test_the_get_form_is_the_same_question(service: Service) -> None:
    body = {
        "measures": [{"statistic": "percentage", "variable": "sex", "codes": ["F"]}],
        "groupBy": ["la.region"],
        "criteria": {
            "filters": {"need": {"in": ["a", "b"]}},
            "timePeriods": {"lte": {"period": "2022/2023", "code": "AY"}},
        },
    }
    posted = service.ask(body)
    query = "measures=percentage:sex:F&groupBy=REG&filters.need.in=a,b&timePeriods.lte=2022/2023|AY"
    got = service.client.get(f"{URL}?{query}", headers=service.auth)
    assert got.status_code == 200, got.json()
    assert got.json()["charge"]["nanoRho"] == 0
    assert [r["value"] for r in got.json()["results"]] == [r["value"] for r in posted.json()["results"]]


def test_csv_has_the_same_numbers(service: Service) -> None:
    body = service.ask(COUNT).json()
    response = service.ask(COUNT, params={"format": "csv"})
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert response.headers["content-type"] == "text/csv; charset=utf-8"
    assert response.headers["charge-nano-rho"] == "0"
    for row, expected in zip(rows, body["results"], strict=True):
        assert row["la"] == expected["la"]
        assert row["value"] == ("" if expected["value"] is None else str(expected["value"]))
        assert row["status"] == expected["status"]


def test_small_cells_are_masked_and_never_shown_as_numbers(service: Service) -> None:
    rows = service.ask(COUNT | {"groupBy": ["la", "need"]}).json()["results"]
    masked = [r for r in rows if r["status"] == "c"]
    assert masked, "of 44 cells with nobody or nearly nobody, more than half come out under the threshold"
    assert all(r["value"] is None and r["lower"] is None and r["upper"] is None for r in masked)
    assert all(r["value"] % 5 == 0 for r in rows if r["value"] is not None)


def test_a_release_can_be_cited(service: Service) -> None:
    asked = service.ask(COUNT)
    release = asked.headers["release-id"]
    stored = service.client.get(f"/v1/releases/{release}", headers=service.auth)
    assert stored.json()["results"] == asked.json()["results"]
    assert asked.headers["link"] == f'</v1/releases/{release}>; rel="canonical"'
    assert service.client.get("/v1/releases/rel-nothing", headers=service.auth).status_code == 404


def test_the_budget_says_what_is_left(service: Service) -> None:
    service.ask(COUNT)
    body = service.client.get("/v1/projects/tests/budget", headers=service.auth).json()
    assert body["budget"]["spentRho"] == 0.005
    assert body["cuts"][0]["spentRho"] == 0.005
    assert body["cuts"][0]["capRho"] == 0.5


def test_foreign_projects_do_not_exist(service: Service) -> None:
    headers = service.new_key("others")
    mine = service.client.get("/v1/projects/tests/budget", headers=headers)
    none = service.client.get("/v1/projects/nobody/budget", headers=headers)
    assert (mine.status_code, mine.json()) == (none.status_code, none.json()) == (404, none.json())


def test_the_caps_hold(tmp_path: Path) -> None:
    policy = POLICY.replace("cut_rho = 0.5", "cut_rho = 0.012").replace("query_rho = 0.1", "query_rho = 0.012")
    with running(tmp_path, pupils(50), policy) as service:
        needs = [{"measures": [{"statistic": "count"}], "criteria": {"filters": {"need": {"eq": n}}}} for n in "abc"]
        assert [service.ask(q).status_code for q in needs] == [200, 200, 403]
        refused = service.client.post(URL, json=needs[2], headers=service.new_key("others"))
        assert refused.json()["code"] == "budget-exhausted", "the budget is the cut's, whoever asks"
        assert "cut" in refused.json()["detail"]
        assert service.ask(needs[0]).json()["charge"]["nanoRho"] == 0, "what was answered stays answered"


def test_official_mode_rounds_and_hides(tmp_path: Path) -> None:
    rows = [*pupils(402), *pupils(9, la=1, first=1000), *pupils(303, la=2, first=2000)]
    only = {"timePeriods": {"eq": {"period": "2021/2022", "code": "AY"}}}
    with running(tmp_path, rows, OPEN_OFFICIAL) as service:
        body = service.ask(COUNT | {"criteria": only}).json()
        found = [(r["value"], r["status"]) for r in body["results"]]
        assert found[1] == (None, "c")
        assert {value for value, status in found if not status} <= {400, 305}
        assert body["charge"]["nanoRho"] == 0
        assert "No formal guarantee" in body["protection"]["guarantee"]
        whole = service.ask({"measures": [{"statistic": "count"}], "criteria": only}).json()["results"][0]
        assert whole["value"] == 715
        assert whole["lower"] <= 714 <= whole["upper"]


def test_official_mode_without_acknowledged_risk_answers_nothing(tmp_path: Path) -> None:
    closed = OPEN_OFFICIAL[: OPEN_OFFICIAL.index("[ad_hoc]")]
    with running(tmp_path, pupils(400), closed) as service:
        assert service.ask(COUNT).json()["code"] == "ad-hoc-not-allowed"
        assert service.client.post(f"{URL}/preview", json=COUNT, headers=service.auth).status_code == 403


def test_preview_is_free_and_touches_no_data(tmp_path: Path) -> None:
    class Untouchable:
        def aggregate(self, plan: object) -> object:
            raise AssertionError("a preview must not ask the engine")

        def close(self) -> None:
            """Nothing is open."""

    with running(tmp_path, engine=Untouchable()) as service:  # type: ignore[arg-type]
        body = {"measures": [{"statistic": "count"}, {"statistic": "mean", "variable": "score"}], "groupBy": ["la"]}
        previewed = service.client.post(f"{URL}/preview", json=body, headers=service.auth).json()
        assert previewed["valid"] is True
        assert previewed["price"]["nanoRho"] == 15_000_000
        assert previewed["measures"][0]["margin"] == pytest.approx(1.96 * 60, abs=4)
        margins = previewed["measures"][1]["marginAt"]
        assert margins["100"] is None, "noise of 60 drowns a hundred"
        assert margins["1000"] > margins["10000"] > 0
        wrong = service.client.post(f"{URL}/preview", json=body | {"groupBy": ["x"]}, headers=service.auth).json()
        assert wrong == {"valid": False, "problems": wrong["problems"]}
        assert service.client.get("/v1/projects/tests/budget", headers=service.auth).json()["budget"]["spentRho"] == 0


def test_data_sets_and_meta_name_everything_a_query_can(service: Service) -> None:
    listed = service.client.get("/v1/data-sets").json()["results"]
    assert [d["id"] for d in listed] == [DATA_SET]
    assert service.client.get(f"/v1/data-sets/{DATA_SET}").json() == listed[0]
    meta = service.client.get(f"/v1/data-sets/{DATA_SET}/meta").json()
    assert {v["name"] for v in meta["variables"]} == {"year", "la", "sex", "need", "score", "days"}
    assert {"code": "REG", "reference": "la.region"} in meta["geographicLevels"]
    assert service.client.get("/v1/data-sets/nothing/meta").status_code == 404


def test_a_wanted_precision_is_priced_met_and_previewed(tmp_path: Path) -> None:
    """In a cell far from the threshold: near it an interval allows for having been shown by luck, and is wider."""
    measure = {"statistic": "count", "precision": {"margin": 150}}
    one_year = {"timePeriods": {"eq": {"period": "2021/2022", "code": "AY"}}}
    body = {"measures": [measure], "groupBy": ["la"], "criteria": one_year}
    with running(tmp_path, pupils(4000)) as service:
        previewed = service.client.post(f"{URL}/preview", json=body, headers=service.auth).json()
        answered = service.ask(body).json()
        finer = service.ask(body | {"measures": [{"statistic": "count", "precision": {"margin": 75}}]}).json()
    assert answered["charge"]["nanoRho"] == previewed["price"]["nanoRho"] < 5_000_000
    assert 140 <= previewed["measures"][0]["margin"] <= 150
    largest = answered["results"][0]
    assert (largest["upper"] - largest["lower"]) / 2 <= 151
    assert answered["query"]["measures"][0]["precision"] == {"margin": 150, "at": 1000}
    assert finer["charge"]["nanoRho"] > 0
    paid = (finer["charge"]["nanoRho"] + answered["charge"]["nanoRho"]) / 1e9
    assert finer["protection"]["rho"] == pytest.approx(paid)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"measures": [{"statistic": "count", "precision": {"margin": 1}}]}, "measures[0].precision"),
        ({"measures": [{"statistic": "count", "precision": {"margin": 100}}], "rho": 0.01}, "rho"),
        ({"measures": [{"statistic": "count", "precision": {"margin": 0}}]}, "measures[0].precision.margin"),
        (
            {"measures": [{"statistic": "count", "precision": {"margin": 9, "confidence": 1}}]},
            "measures[0].precision.confidence",
        ),
    ],
)
def test_a_precision_that_cannot_be(service: Service, body: dict[str, object], path: str) -> None:
    response = service.ask(body)
    assert response.status_code == 422
    assert [e["path"] for e in response.json()["errors"]] == [path]


def test_next_to_no_price_buys_nothing(service: Service) -> None:
    for rho in ("1e-9999999999", "1e-7", 1e-7):
        assert service.ask(COUNT | {"rho": rho}).status_code == 422
    many = {"measures": [{"statistic": "sd", "variable": "score"}], "rho": 0.000001}
    assert "at least" in service.ask(many).json()["errors"][0]["message"]


def test_official_mode_counts_pupils_and_not_their_rows(tmp_path: Path) -> None:
    """Nine pupils with two rows each are eighteen rows, and still nine pupils."""
    rows = [*pupils(9), *pupils(9)]
    only = {"timePeriods": {"eq": {"period": "2021/2022", "code": "AY"}}}
    with running(tmp_path, rows, OPEN_OFFICIAL) as service:
        measures = [{"statistic": "count"}, {"statistic": "mean", "variable": "days"}, {"statistic": "pupils"}]
        results = service.ask({"measures": measures, "criteria": only}).json()["results"]
        assert [(r["value"], r["status"]) for r in results] == [(None, "c")] * 3


def test_an_official_mean_has_the_interval_of_its_rounding(tmp_path: Path) -> None:
    with running(tmp_path, pupils(403), OPEN_OFFICIAL) as service:
        only = {"timePeriods": {"eq": {"period": "2021/2022", "code": "AY"}}}
        body = {"measures": [{"statistic": "mean", "variable": "days"}, {"statistic": "count"}], "criteria": only}
        mean, count = service.ask(body).json()["results"]
        assert mean["value"] is not None
        truth = sum(i % 200 for i in range(403)) / 403
        assert mean["lower"] <= truth <= mean["upper"]
        assert mean["upper"] - mean["lower"] < 2
        assert mean["status"] == ""
        assert count["lower"] <= 403 <= count["upper"]


LAPLACE = POLICY.replace('noise = "gaussian"', 'noise = "laplace"')


def test_a_laplace_policy_answers_once_at_its_price(tmp_path: Path) -> None:
    with running(tmp_path, pupils(4000), LAPLACE) as service:
        first = service.ask({"measures": [{"statistic": "mean", "variable": "days"}], "groupBy": ["la"]}).json()
        assert first["charge"]["nanoRho"] == 10_000_000
        assert first["protection"]["mechanism"] == "discrete Laplace"
        assert first["protection"]["pureEpsilon"] == pytest.approx(2 * (2 * 0.005) ** 0.5)
        again = service.ask(COUNT).json()
        assert again["charge"]["nanoRho"] == 0, "the count under the mean"
        value = again["results"][0]
        assert value["lower"] <= value["value"] <= value["upper"]
        assert value["upper"] - value["lower"] == pytest.approx(2 * 6 * 30, rel=0.05), "six rows, ε = 0.1"
        assert service.services.ledger.verify() == 3


@pytest.mark.parametrize(
    "more",
    [
        {"rho": 0.01},
        {"rho": 0.005},
        {"measures": [{"statistic": "count", "precision": {"margin": 50}}]},
    ],
)
def test_under_a_laplace_policy_no_precision_is_sold(tmp_path: Path, more: dict[str, object]) -> None:
    with running(tmp_path, pupils(40), LAPLACE) as service:
        refused = service.ask(COUNT | more)
        assert refused.status_code == 422
        assert [e["code"] for e in refused.json()["errors"]] == ["PriceOutOfRange"]
        assert service.client.get("/v1/projects/tests/budget", headers=service.auth).json()["budget"]["spentRho"] == 0


def test_a_policy_that_changes_its_noise_makes_other_measurements(tmp_path: Path) -> None:
    """Laplace measurements are not added to: under a new price or law the question is measured anew, in full."""
    charged = []
    for policy in (LAPLACE, POLICY, LAPLACE, LAPLACE.replace("default_rho = 0.005", "default_rho = 0.01")):
        with running(tmp_path, pupils(40), policy) as service:
            charged.append(service.ask(COUNT).json()["charge"]["nanoRho"])
            assert service.services.ledger.verify() > 0
    assert charged == [5_000_000, 5_000_000, 0, 10_000_000]


def test_a_persons_cap_holds_over_projects(service: Service) -> None:
    projects = service.services.projects
    projects.create_person(Person("ann", 12_000_000))
    service.new_key("others")
    keys = [projects.create_key(name, "", "test", "ann")[1] for name in ("tests", "others")]
    headers = [{"Authorization": f"Bearer {key}"} for key in keys]
    asked = [COUNT, COUNT | {"groupBy": ["year"]}, COUNT | {"groupBy": ["need"]}]
    for turn in (0, 1):
        assert service.client.post(URL, json=asked[turn], headers=headers[turn]).status_code == 200
    refused = service.client.post(URL, json=asked[2], headers=headers[0])
    assert (refused.status_code, refused.json()["scope"]) == (403, "person")
    assert refused.json()["leftNanoRho"] == 2_000_000
    budget = service.client.get("/v1/projects/tests/budget", headers=headers[0]).json()
    assert (budget["person"]["spentRho"], budget["person"]["capRho"]) == (0.01, 0.012)
    assert budget["budget"]["spentRho"] == 0.005
    assert "person" not in service.client.get("/v1/projects/tests/budget", headers=service.auth).json()
    assert service.ask(asked[2]).status_code == 200, "a key without a person is not bound by one"


def composed(service: Service, delta: float) -> tuple[float, float]:
    """ρ and ε of all events of the ledger, by OpenDP's own composition of the mechanisms that they name."""
    import json

    import opendp.prelude as dp

    space = (dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64"))
    parts = []
    with sqlite3.connect(service.home / "service.db") as connection:
        for (events,) in connection.execute("select events from ledger where kind = 'charge'"):
            for event in json.loads(events):
                scale = (event["l2_squared"] / (2 * event["nano_rho"] / 1e9)) ** 0.5
                # each is on a vector of its own distance: put on one of distance 1
                parts.append(dp.m.make_gaussian(*space, scale=scale / event["l2_squared"] ** 0.5))
    connection.close()
    whole = dp.c.make_composition(parts)
    return whole.map(1.0), dp.c.make_zCDP_to_approxDP(whole).map(1.0).epsilon(delta)


def test_the_odometer_is_the_composition_of_the_events(service: Service) -> None:
    address = f"/v1/data-sets/{DATA_SET}/odometer"
    assert service.client.get(address).status_code == 401
    empty = service.client.get(address, headers=service.auth).json()
    assert (empty["days"], empty["budget"]["spentRho"]) == ([], 0)
    for more in ({}, {"rho": 0.02}, {"groupBy": ["year"]}, {"measures": [{"statistic": "sd", "variable": "days"}]}):
        assert service.ask(COUNT | more).status_code == 200
    body = service.client.get(address, headers=service.auth).json()
    rho, eps = composed(service, body["budget"]["delta"])
    assert body["days"][-1]["rho"] == pytest.approx(rho, rel=1e-9)
    assert body["days"][-1]["epsilon"] == pytest.approx(eps, abs=1e-4)
    assert body["days"][-1]["rho"] == body["budget"]["spentRho"] == 0.035, "sd shares its count"
    assert sum(day["charges"] for day in body["days"]) == 4
    assert sum(day["chargedRho"] for day in body["days"]) == pytest.approx(rho)
    budget = service.client.get("/v1/projects/tests/budget", headers=service.auth).json()
    assert budget["cuts"][0]["spentRho"] == body["budget"]["spentRho"]
    assert "tests" not in str(body), "no project is named"


@pytest.mark.parametrize("margin", [1e-300, 1e-160, 1e-9])
def test_a_margin_that_nothing_can_give_is_refused(tmp_path: Path, margin: float) -> None:
    body = {"measures": [{"statistic": "count", "precision": {"margin": margin}}]}
    with running(tmp_path) as service:
        assert service.ask(body).status_code == 422


def test_a_drowned_model_says_why(service: Service) -> None:
    """Ten needs for 4,000 pupils, and six rows to each at most: the noise of one need's count is half of it."""
    model = {"statistic": "ols", "id": "m", "variable": "days", "terms": ["score", "need"]}
    drowned = service.ask({"measures": [model], "rho": "0.004"}).json()
    assert "x" in {row["status"] for row in drowned["results"]}
    assert any(each.startswith("m: the noise") for each in drowned["warnings"])
    assert not any("the noise in its" in each for each in service.ask(COUNT).json()["warnings"])
