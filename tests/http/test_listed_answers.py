"""Listed groups over HTTP: rows only for groups that are large enough, one charge in ρ and δ, refusals before it."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets.engines.memory import MemoryEngine
from datasets.plan import EngineFailed, Plan
from datasets.query import Groups, Measure, Query
from datasets.validate import validate
from disclosure.listing import Listing, Terms
from disclosure.tables import ExactGroups
from privacy_api.service.answer_listed import list_them
from privacy_api.service.questions import priced
from tests.lib.service import LISTED_GROUPS, OPEN_OFFICIAL, POLICY, URL, Service, pupils, running

ROWS = [*pupils(3_000), *pupils(2_000, la=3, first=5_000), *pupils(9, la=1, first=9_000)]
LISTS = POLICY + LISTED_GROUPS
COUNT = {"measures": [{"statistic": "count"}], "groups": "listed"}
BY_LA = COUNT | {"groupBy": ["la"]}
ATTO = 10**18


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with running(tmp_path, ROWS, LISTS) as made:
        yield made


def exactly(exact: ExactGroups, terms: Terms, /) -> Listing:
    """No noise: who passes is then certain."""
    passed = exact.counts >= terms.threshold
    return Listing(exact.cells[passed], exact.counts[passed])


def delta_spent(service: Service) -> int:
    return service.services.ledger.cut_balance("school", 0).delta


def test_groups_that_are_large_enough_are_listed_and_no_others(service: Service) -> None:
    body = service.ask(BY_LA).json()
    assert [row["la"] for row in body["results"]] == ["A1", "A4"]
    for row, truth in zip(body["results"], (3_000, 2_000), strict=True):
        assert row["lower"] <= row["value"] <= row["upper"]
        assert abs(row["value"] - truth) < 6 * 60 + 5, "six deviations of its noise"
        assert row["value"] % 5 == 0 and row["status"] == ""
    assert body["groups"] == body["query"]["groups"] == "listed"
    assert body["listing"]["threshold"] == body["listing"]["leastListed"] > 9
    assert (body["listing"]["delta"], body["listing"]["truncated"]) == (1e-12, False)
    assert "small or empty" in body["listing"]["plain"]
    assert body["protection"]["delta"] == pytest.approx(1e-10 + 1e-12, rel=1e-12)
    assert (body["protection"]["rho"], body["charge"]["nanoRho"]) == (0.005, 5_000_000)
    assert [c["code"] for c in body["dimensions"][0]["codes"]] == ["A1", "A2", "A3", "A4", "A5"]


def test_it_is_charged_once_in_both_amounts_however_it_is_asked(service: Service) -> None:
    first = service.ask(COUNT | {"groupBy": ["sex", "la.region"]}).json()
    turned = service.ask(COUNT | {"groupBy": ["la.region", "sex"]}).json()
    unbiased = service.ask(COUNT | {"groupBy": ["la.region", "sex"], "display": "unbiased"}).json()
    assert [each["charge"]["nanoRho"] for each in (first, turned, unbiased)] == [5_000_000, 0, 0]
    assert delta_spent(service) == ATTO // 10**12

    def numbers(body: dict[str, Any]) -> dict[tuple[str, str], int]:
        return {(row["sex"], row["la.region"]): row["value"] for row in body["results"]}

    assert numbers(first) == numbers(turned)
    assert numbers(first) == {key: (n + 2) // 5 * 5 for key, n in numbers(unbiased).items()}
    assert list(numbers(first)) == sorted(numbers(first)), "in the order of the code lists"
    assert list(numbers(turned)) == sorted(numbers(turned), key=lambda key: key[::-1])
    assert service.services.ledger.verify() == 4


def test_another_price_is_another_list(service: Service) -> None:
    """Listed once, on its terms: a dearer one is charged in full, and its threshold is lower."""
    cheap, dear = service.ask(BY_LA).json(), service.ask(BY_LA | {"rho": 0.05}).json()
    assert dear["charge"]["nanoRho"] == 50_000_000
    assert dear["listing"]["threshold"] < cheap["listing"]["threshold"] / 2
    assert service.ask(BY_LA | {"rho": 0.01}).json()["charge"]["nanoRho"] == 10_000_000


def test_the_dense_table_is_another_measurement(service: Service) -> None:
    service.ask(BY_LA)
    assert service.ask(BY_LA | {"groups": "all"}).json()["charge"]["nanoRho"] == 5_000_000
    assert delta_spent(service) == ATTO // 10**12


def test_the_preview_says_price_margin_and_threshold(service: Service) -> None:
    preview = service.client.post(f"{URL}/preview", json=BY_LA, headers=service.auth).json()
    answer = service.ask(BY_LA).json()
    assert preview["price"]["nanoRho"] == preview["chargedNow"]["nanoRho"] == 5_000_000
    assert preview["listing"].items() <= answer["listing"].items()
    row = answer["results"][0]
    assert preview["measures"][0]["margin"] == pytest.approx((row["upper"] - row["lower"]) / 2, abs=2)
    again = service.client.post(f"{URL}/preview", json=BY_LA, headers=service.auth).json()
    assert again["chargedNow"]["nanoRho"] == 0


def test_csv_and_the_address(service: Service) -> None:
    posted = service.ask(BY_LA).json()
    got = service.client.get(f"{URL}?measures=count&groupBy=la&groups=listed&format=csv", headers=service.auth)
    assert got.headers["charge-nano-rho"] == "0"
    rows = list(csv.DictReader(io.StringIO(got.text)))
    assert [(r["la"], r["value"]) for r in rows] == [(r["la"], str(r["value"])) for r in posted["results"]]
    labelled = service.client.get(f"{URL}?measures=count&groupBy=la&groups=listed&labels=both", headers=service.auth)
    assert labelled.json()["results"][0]["la_label"] == "Ashby"


def test_an_empty_list_is_an_answer(service: Service) -> None:
    nobody = BY_LA | {"criteria": {"filters": {"la": {"eq": "A5"}, "need": {"eq": "k"}}}}
    for form in ("json", "csv"):
        assert service.ask(nobody, params={"format": form}).status_code == 200
    assert service.ask(nobody).json()["results"] == []
    assert service.services.ledger.verify() == 2


def test_only_the_largest_where_more_pass_than_may_be_listed(tmp_path: Path) -> None:
    policy = LISTS.replace("most_groups = 1000", "most_groups = 2")
    rows = [row for la in range(5) for row in pupils(1_000 + 100 * la, la=la, first=10_000 * la)]
    with running(tmp_path, rows, policy, lister=exactly) as service:
        body = service.ask(BY_LA).json()
    assert [(row["la"], row["value"]) for row in body["results"]] == [("A4", 1_300), ("A5", 1_400)]
    assert (body["listing"]["truncated"], body["listing"]["leastListed"]) == (True, 1_201)


def test_nothing_listed_is_hidden_by_the_minimum_count(tmp_path: Path) -> None:
    policy = LISTS.replace("value = 10\n", "value = 1000\n")
    with running(tmp_path, ROWS, policy) as service:
        body = service.ask(BY_LA | {"rho": 0.1}).json()
    assert body["listing"]["threshold"] == 1_000
    assert [row["status"] for row in body["results"]] == ["", ""]


def test_a_project_that_is_held_more_tightly_is_shown_less_of_the_same_list(tmp_path: Path) -> None:
    """Groups are listed once: its own minimum count is post-processing of what was listed for everybody."""
    with running(tmp_path, ROWS, LISTS) as service:
        held = service.new_key("held")
        project = service.services.projects.project("held")
        assert project is not None
        service.services.projects.change_project(replace(project, tightening={"minimum_count.value": 2_500}))
        everybody = service.ask(BY_LA).json()
        preview = service.client.post(f"{URL}/preview", json=BY_LA, headers=held).json()
        tighter = service.client.post(URL, json=BY_LA, headers=held).json()
        assert preview["chargedNow"]["nanoRho"] == tighter["charge"]["nanoRho"] == 0
        assert [row["la"] for row in everybody["results"]] == ["A1", "A4"]
        (only,) = tighter["results"]
        assert (only["la"], only["value"]) == ("A1", everybody["results"][0]["value"])
        assert preview["listing"]["threshold"] == tighter["listing"]["threshold"] == 2_500
        assert (tighter["listing"]["leastListed"], tighter["listing"]["truncated"]) == (2_500, False)
        assert delta_spent(service) == ATTO // 10**12


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"groupBy": []}, "RequiredValue", "groupBy"),
    ({"measures": [{"statistic": "count"}, {"statistic": "pupils"}]}, "InvalidValue", "measures"),
    ({"measures": [{"statistic": "mean", "variable": "score"}]}, "InvalidValue", "measures"),
    ({"measures": [{"statistic": "count", "precision": {"margin": 9}}]}, "InvalidValue", "measures[0].precision"),
    ({"totals": [[]]}, "InvalidValue", "totals"),
    ({"rho": 0.2}, "PriceOutOfRange", "rho"),
    ({"groups": "some"}, "InvalidValue", "groups"),
]


@pytest.mark.parametrize(("parts", "code", "path"), REFUSED)
def test_what_cannot_be_listed_is_refused_before_the_charge(
    service: Service, parts: dict[str, Any], code: str, path: str
) -> None:
    response = service.ask(BY_LA | parts)
    assert response.status_code == 422
    assert (code, path) in [(e["code"], e["path"]) for e in response.json()["errors"]]
    assert service.services.ledger.verify() == 0


@pytest.mark.parametrize("policy", [POLICY, OPEN_OFFICIAL, POLICY.replace('"gaussian"', '"laplace"', 1)])
def test_where_the_policy_does_not_list_nothing_is(tmp_path: Path, policy: str) -> None:
    with running(tmp_path, ROWS, policy) as service:
        response = service.ask(BY_LA)
        assert response.status_code == 422
        assert response.json()["errors"][0]["code"] == "ListedGroupsNotOffered"
        assert service.services.ledger.verify() == 0
        meta = service.client.get("/v1/data-sets/school.census/meta").json()
        assert meta["policy"]["listedGroups"] is None


def test_the_caps_of_delta_and_of_rho_hold_each_alone(tmp_path: Path) -> None:
    policy = LISTS.replace("delta_total = 1e-11", "delta_total = 2e-12")
    with running(tmp_path, ROWS, policy) as service:
        asked = [service.ask(COUNT | {"groupBy": [name]}) for name in ("la", "sex", "need")]
        assert [each.status_code for each in asked] == [200, 200, 403]
        problem = asked[2].json()
        assert (problem["code"], problem["scope"], problem["leftAttoDelta"]) == ("budget-exhausted", "delta", 0)
        assert problem["priceAttoDelta"] * 2 == problem["capAttoDelta"] == 2 * 10**6
        assert "delta 2e-12 in all" in problem["detail"]
        assert service.ask(BY_LA).json()["charge"]["nanoRho"] == 0, "what was listed stays there to be had"
        assert service.ask(BY_LA | {"groups": "all"}).status_code == 200, "what has no delta costs none"
        budget = service.client.get("/v1/projects/tests/budget", headers=service.auth).json()
        assert budget["cuts"][0]["listedGroups"] == {"capDelta": 2e-12, "spentDelta": 2e-12}
        assert budget["cuts"][0]["delta"] == budget["budget"]["delta"] == pytest.approx(1.02e-10, rel=1e-12)
        assert budget["cuts"][0]["capEpsilon"] == pytest.approx(6.84, abs=0.01)
        odometer = service.client.get("/v1/data-sets/school.census/odometer", headers=service.auth).json()
        assert odometer["delta"] == pytest.approx(1.02e-10, rel=1e-12)


def test_many_at_once_do_not_pass_the_cap_of_delta(tmp_path: Path) -> None:
    policy = LISTS.replace("delta_total = 1e-11", "delta_total = 3e-12").replace("cut_rho = 0.5", "cut_rho = 50")
    with running(tmp_path, ROWS, policy, cap=50 * 10**9) as service:
        with ThreadPoolExecutor(8) as crew:
            asked = list(crew.map(lambda i: service.ask(BY_LA | {"rho": 0.001 * (i + 1)}), range(12)))
        assert sorted(each.status_code for each in asked) == [200] * 3 + [403] * 9
        assert delta_spent(service) == 3 * 10**6
        assert service.services.ledger.verify() == 6


def test_a_failing_engine_stays_charged_and_says_nothing(tmp_path: Path) -> None:
    class Failing(MemoryEngine):
        def listed(self, plan: Plan) -> ExactGroups:
            raise EngineFailed

    with running(tmp_path, policy=LISTS, engine=Failing({"census": ROWS})) as service:
        assert service.ask(BY_LA).status_code == 503
        assert delta_spent(service) == 10**6
        assert service.services.ledger.verify() == 2


def test_what_is_charged_is_what_is_listed_on(tmp_path: Path) -> None:
    seen: list[Terms] = []

    def lister(exact: ExactGroups, terms: Terms, /) -> Listing:
        seen.append(terms)
        return exactly(exact, terms)

    with running(tmp_path, ROWS, LISTS, lister=lister) as service:
        body = service.ask(BY_LA).json()
        events = _events(service)
    (terms,) = seen
    assert [json.loads(e) for e in events] == [
        [
            {
                "mechanism": "discrete_gaussian_threshold", "nano_rho": 5_000_000, "l2_squared": terms.moves.l2_squared,
                "delta": 10**6, "l0": terms.moves.l0, "linf": terms.moves.linf, "threshold": terms.threshold,
                "question": json.loads(events[0])[0]["question"],
            }
        ]
    ]  # fmt: skip
    assert body["listing"]["threshold"] == terms.threshold


@pytest.mark.parametrize("other", [{"delta": 1}, {"threshold": 9}, {"l2_squared": 1}, {"nano_rho": 10**9}])
def test_a_list_on_other_terms_than_were_charged_is_never_made(service: Service, other: dict[str, int]) -> None:
    hosted = service.services.data_sets["school.census"]
    query = Query("census", (Measure("n", "count"),), ("la",), groups=Groups.LISTED)
    valid = validate(query, hosted.data_set, frozenset(), hosted.cut.limits)
    events = {q: replace(event, **other) for q, event in priced(valid, hosted.cut).events.items()}  # type: ignore[arg-type]
    with pytest.raises(RuntimeError, match="not those that were charged"):
        list_them(valid, events, hosted, service.services)


def _events(service: Service) -> list[str]:
    with closing(sqlite3.connect(service.home / "service.db")) as connection:
        return [row[0] for row in connection.execute("select events from ledger where kind = 'charge'")]


def test_numbers_are_right_on_average(tmp_path: Path) -> None:
    """Two groups far over the threshold: the mean of 9 lists is within 5 of its standard errors (1e-6)."""
    with running(tmp_path, ROWS, LISTS.replace("cut_rho = 0.5", "cut_rho = 50"), cap=50 * 10**9) as service:
        values = []
        for i in range(9):
            body = service.ask(BY_LA | {"rho": 0.05 + i / 10**9, "display": "unbiased"}).json()
            values.append([row["value"] for row in body["results"]])
    sd = 6 / np.sqrt(2 * 0.05)
    assert np.abs(np.mean(values, axis=0) - [3_000, 2_000]).max() < 5 * sd / 3
