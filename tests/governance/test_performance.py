"""The public figures of what really happened: through the API, and worked out again from what auditors are shown."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.lib.applying import WHY, approved, key_of, sent
from tests.lib.people import House, house
from tests.lib.service import URL

COUNT = {"measures": [{"statistic": "count"}]}
STATES = {"application-sent": "submitted", "application-returned": "returned", "application-withdrawn": "withdrawn"}


def everything_happens(people: House) -> None:
    project = approved(people, who="ada")
    refused, returned, withdrawn = (sent(people, who="bea") for _ in range(3))
    people.post("olive", f"{refused}/refuse", WHY)
    people.post("olive", f"{returned}/return", WHY)
    people.post("bea", f"{withdrawn}/withdraw", WHY)
    sent(people, who="ada")
    people.service.client.post(URL, json=COUNT, headers=key_of(people, project))
    for by in ("sex", "need"):
        assert people.service.ask({**COUNT, "groupBy": [by]}).status_code == 200
    assert people.service.ask({**COUNT, "groupBy": ["nothing"]}).status_code == 422
    play = people.post("", "/v1/sandbox/keys", status=201)["key"]
    asked = people.service.client.post(URL, json=COUNT, headers={"Authorization": f"Bearer {play}"})
    assert asked.status_code == 200
    people.service.services.tallies.flush()


def recomputed(record: list[dict[str, Any]]) -> dict[str, Any]:
    """By another way than the service's: entry by entry of the auditors' own list, oldest first."""
    state: dict[str, str] = {}
    first: dict[str, str] = {}
    days: dict[str, float] = {}
    spent: Counter[str] = Counter()
    refusals: Counter[str] = Counter()
    for each in record:
        facts, subject = each["facts"], each["subject"]
        if each["kind"] in STATES:
            state[subject] = STATES[each["kind"]]
        if each["kind"] == "application-sent":
            first.setdefault(subject, each["at"])
        if each["kind"] == "application-decided":
            state[subject] = facts["decision"]
            taken = datetime.fromisoformat(each["at"]) - datetime.fromisoformat(first[subject])
            days[subject] = taken.total_seconds() / 86_400
        if each["kind"] == "charge" and "~" not in facts["cut"]:
            spent[facts["cut"]] += facts["nanoRho"]
        if each["kind"] == "query-refused":
            refusals.update(facts["counts"])
    return {
        "applications": Counter(state.values()),
        "days": sorted(days.values()),
        "spent": spent,
        "refusals": refusals,
    }


def test_the_figures_are_those_of_the_record_that_auditors_see(tmp_path: Path) -> None:
    with house(tmp_path, now=lambda: datetime.now(UTC).isoformat(timespec="seconds")) as people:
        everything_happens(people)
        told = people.get("", "/v1/performance")
        record = people.get("audrey", "/v1/audit?after=0.0&limit=500")["results"]
    again = recomputed(record)
    assert again["applications"] == {"approved": 1, "refused": 1, "returned": 1, "withdrawn": 1, "submitted": 1}
    assert told["applications"] == again["applications"]
    assert told["decided"] == len(again["days"]) == 2
    assert told["daysToDecision"] == {"median": again["days"][0], "ninetyPercent": again["days"][1]}
    assert {cut: round(rho * 1e9) for cut, rho in told["spentRho"].items()} == again["spent"]
    assert any("~" in each["facts"].get("cut", "") for each in record), "a sandbox was charged, and is not counted"
    assert told["refusals"] == again["refusals"]
    assert again["refusals"]["invalid-query"] >= 1
