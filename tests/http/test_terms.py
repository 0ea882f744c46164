"""The terms of a cut hold in every server from the commit of their change on; nothing is charged under others."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from privacy_api.ports import AuditBroken, AuditFilter, PolicyState, PolicyVersion, Terms
from privacy_api.service.terms import change_terms, import_policy
from privacy_api.stores.terms import SqlTerms
from tests.lib.databases import BOTH, fresh_database
from tests.lib.service import POLICY, URL, Service, pupils, running
from tests.stores.cases import behind_its_back

QUESTION = {"measures": [{"statistic": "count"}], "groupBy": ["sex"]}
OTHER = {"measures": [{"statistic": "count"}], "groupBy": ["need"]}
NOW = "2026-11-21T12:00:00+00:00"
TIGHTER = POLICY.replace("value = 10", "value = 20", 1)


@pytest.fixture(params=BOTH)
def two(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Service, Service]]:
    """Two servers on one database."""
    rows = pupils(3000)
    with (
        fresh_database(request.param, tmp_path) as url,
        running(tmp_path, rows, url=url) as first,
        running(tmp_path, rows, url=url) as second,
    ):
        import_policy("school", POLICY, NOW, first.services)
        yield first, second


def standing(service: Service) -> Terms:
    found = service.services.terms.of("school")
    assert found is not None
    return found


def changed(service: Service, kind: str, facts: dict[str, Any] | None = None, **changes: Any) -> Terms:
    return change_terms(standing(service), kind, "u-olive", NOW, "a doubt", facts or {}, service.services, **changes)


def published(service: Service, policy: str) -> Terms:
    from hashlib import sha256

    version = PolicyVersion("school", 0, policy, sha256(policy.encode()).hexdigest(), "why", "u-olive", NOW)
    with service.services.together():
        made = service.services.terms.add_version(version)
        assert service.services.terms.move_version(
            "school", made.version, frozenset({PolicyState.DRAFT}), PolicyState.PUBLISHED, "u-olive", NOW
        )
        facts = {"version": str(made.version), "policy": made.digest}
        return changed(service, "policy-published", facts, version=made.version, policy=made.digest)


def ask(service: Service, body: object = QUESTION) -> Any:
    return service.client.post(URL, json=body, headers=service.auth)


def test_a_cut_that_is_frozen_in_one_server_answers_nothing_in_any(two: tuple[Service, Service]) -> None:
    first, second = two
    answered = ask(second)
    assert answered.status_code == 200
    changed(first, "cut-frozen", frozen=True)
    spent = second.services.ledger.cut_balance("school", 10**9).spent
    for service in two:
        for body in (QUESTION, OTHER):
            refused = ask(service, body)
            assert (refused.status_code, refused.json()["code"]) == (403, "frozen"), "stored and new ones alike"
    assert second.services.ledger.cut_balance("school", 10**9).spent == spent
    stored = second.client.get(f"/v1/releases/{answered.headers['release-id']}", headers=second.auth)
    assert stored.status_code == 200, "what was released stays"
    changed(second, "cut-unfrozen", frozen=False)
    assert [ask(service, OTHER).status_code for service in two] == [200, 200]
    kinds = [h.kind for h in first.services.audit.happenings(AuditFilter(subject="cut:school"), None, 99)]
    assert [kind for kind in kinds if kind not in ("charge", "release")] == [
        "policy-imported", "cut-frozen", "cut-unfrozen",
    ]  # fmt: skip


def test_a_policy_is_in_force_everywhere_at_the_next_question(two: tuple[Service, Service]) -> None:
    first, second = two
    before = ask(second).json()
    terms = published(first, TIGHTER)
    after = ask(second).json()
    assert before["policy"]["hash"] != after["policy"]["hash"] == terms.policy
    assert after["charge"]["nanoRho"] == 0, "the same measurement, shown by other rules"
    assert ask(first).json()["id"] == after["id"]


def test_a_lowered_cap_holds_at_the_next_question(two: tuple[Service, Service]) -> None:
    first, second = two
    assert ask(second).status_code == 200
    changed(first, "cut-cap-changed", {"before": 500_000_000, "after": 0}, cap=0)
    refused = ask(second, OTHER)
    assert (refused.status_code, refused.json()["code"]) == (403, "budget-exhausted")
    assert refused.json()["capNanoRho"] == 0
    assert ask(second).status_code == 200, "what was measured is free"
    told = second.client.get("/v1/projects/tests/budget", headers=second.auth).json()["cuts"][0]
    assert told["capRho"] == 0


def test_terms_that_change_while_a_question_is_on_its_way_are_not_passed_by(tmp_path: Path) -> None:
    """The change is committed between the look at the stored release and the charge."""
    waiting: list[Any] = []

    def step(name: str) -> None:
        if name == "asked" and waiting:
            waiting.pop()()

    with running(tmp_path, pupils(3000), step=step) as service:
        import_policy("school", POLICY, NOW, service.services)
        waiting.append(lambda: changed(service, "cut-frozen", frozen=True))
        assert ask(service).json()["code"] == "frozen"
        assert service.services.ledger.verify() == 0, "nothing was charged"


def test_a_policy_is_imported_once(two: tuple[Service, Service]) -> None:
    first, second = two
    assert import_policy("school", TIGHTER, NOW, second.services) == standing(first)
    assert [v.version for v in first.services.terms.versions("school")] == [1]


@pytest.mark.parametrize("dialect", BOTH)
@pytest.mark.parametrize("gone", ["WHERE frozen = 1", ""])
def test_terms_that_vanish_from_under_a_server_unfreeze_nothing(dialect: str, gone: str, tmp_path: Path) -> None:
    """An older copy of their table, or an empty one, would be looser: nothing is answered until people have looked."""
    with fresh_database(dialect, tmp_path) as url, running(tmp_path, pupils(3000), url=url) as service:
        import_policy("school", POLICY, NOW, service.services)
        changed(service, "cut-frozen", frozen=True)
        assert ask(service).json()["code"] == "frozen"
        with behind_its_back(url) as connection:
            connection.execute(text(f"DELETE FROM cut_terms {gone}"))
        refused = ask(service)
        assert (refused.status_code, refused.json()["code"]) == (503, "ledger-unavailable")
        assert service.services.ledger.verify() == 0, "nothing was charged"


def test_terms_and_policies_that_were_edited_are_found_out(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'service.db'}"
    with running(tmp_path, pupils(10)) as service:
        import_policy("school", POLICY, NOW, service.services)
        changed(service, "cut-frozen", frozen=True)
        terms = service.services.terms
        assert isinstance(terms, SqlTerms)
        assert terms.verify() == 2
        edits = [
            "UPDATE cut_terms SET frozen = 0 WHERE number = 2",
            "DELETE FROM cut_terms WHERE number = 2",
            "UPDATE policy_versions SET text = text || '#'",
            "DELETE FROM policy_versions",
            "UPDATE cut_terms SET reason = 'another'",
        ]
        for edit in edits:
            with behind_its_back(url) as connection:
                rows = {t: connection.execute(text(f"SELECT * FROM {t}")).mappings().all() for t in TABLES}
                connection.execute(text(edit))
            with pytest.raises(AuditBroken):
                terms.verify()
            with behind_its_back(url) as connection:
                put_back(connection, rows)
        assert terms.verify() == 2
        terms.append(replace(standing(service), frozen=False))
        with pytest.raises(AuditBroken, match="not those that were recorded"):
            terms.verify()


TABLES = ("cut_terms", "policy_versions")


def put_back(connection: Any, rows: dict[str, Any]) -> None:
    for table, content in rows.items():
        connection.execute(text(f"DELETE FROM {table}"))
        for row in content:
            columns = ", ".join(f'"{name}"' for name in row)
            connection.execute(
                text(f"INSERT INTO {table} ({columns}) VALUES ({', '.join(':' + n for n in row)})"), dict(row)
            )
