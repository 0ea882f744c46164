"""The audit chain: what it holds, what it refuses, and its one order with the ledger."""

from __future__ import annotations

import json
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from privacy_api.governance.audit_kinds import FACTS, KINDS, LEDGER_KINDS
from privacy_api.ports import AuditFilter, LedgerBroken, NotRecordable, Person, Position
from privacy_api.stores.anchor import GENESIS, Anchor, Head
from privacy_api.stores.database import together
from privacy_api.stores.fence import FENCED

from .cases import Desk, asking, behind_its_back, busy_day

EVERYTHING = AuditFilter()


def freeze(desk: Desk, reason: str = "a doubt") -> None:
    desk.audit.record("project-frozen", "u-olive", "project:exeter", {"reason": reason})


def test_what_is_recorded_can_be_read_and_verified(desk: Desk) -> None:
    assert desk.audit.verify() == 0
    assert Anchor(desk.audit_anchor).read() == GENESIS
    entry = desk.audit.record("project-frozen", "u-olive", "project:exeter", {"reason": "a doubt"})
    assert (entry.seq, entry.actor, entry.facts, entry.previous) == (1, "u-olive", '{"reason":"a doubt"}', GENESIS.hash)
    assert Anchor(desk.audit_anchor).read() == Head(1, entry.hash)
    freeze(desk)
    assert desk.audit.verify() == 2
    assert [h.kind for h in desk.audit.happenings(EVERYTHING, None, 10)] == ["project-frozen"] * 2


SECRETS = (
    "npd_live_abcd2345_" + "x" * 43,
    "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln",
    "-----BEGIN PRIVATE KEY-----",
)


@pytest.mark.parametrize(
    ("kind", "actor", "subject", "facts", "says"),
    [
        ("cut-melted", "u-olive", "project:npd", {"reason": "x"}, "holds no 'cut-melted'"),
        ("project-frozen", "u-olive", "project:npd", {}, "wants reason"),
        ("project-frozen", "u-olive", "project:npd", {"reason": "x", "count": 17}, "holds no count"),
        ("project-frozen", "u-olive", "project:npd", {"reason": "x", "roles": ["admin"]}, "holds no roles"),
        ("project-frozen", "u-olive", "project:npd", {"reason": ""}, "reason wants"),
        ("project-frozen", "u-olive", "project:npd", {"reason": "x" * 2001}, "reason wants"),
        ("project-frozen", "u-olive", "project:npd", {"reason": "\x00"}, "reason wants"),
        ("project-frozen", "u-olive", "project:npd", {"reason": 7}, "reason wants"),
        ("project-cap-changed", "u-olive", "project:npd", {"reason": "x", "before": 1.5, "after": 2}, "before wants"),
        ("project-cap-changed", "u-olive", "project:npd", {"reason": "x", "before": True, "after": 2}, "before wants"),
        ("query-refused", "k2345678", "project:npd", {"counts": {"invalid-query": -1}}, "counts wants"),
        ("roles-changed", "u-olive", "account:u-1", {"roles": "admin"}, "roles wants"),
        ("project-frozen", "", "project:npd", {"reason": "x"}, "actor"),
        ("project-frozen", "u olive", "project:npd", {"reason": "x"}, "actor"),
        ("project-frozen", "u-olive", "cut:\n", {"reason": "x"}, "subject"),
        *(("project-frozen", "u-olive", "project:npd", {"reason": secret}, "reason wants") for secret in SECRETS),
    ],
)
def test_what_is_not_in_the_catalogue_is_not_recorded(
    desk: Desk, kind: str, actor: str, subject: str, facts: dict[str, Any], says: str
) -> None:
    with pytest.raises(NotRecordable, match=says):
        desk.audit.record(kind, actor, subject, facts)
    assert desk.audit.verify() == 0


def test_the_catalogue_is_closed_and_speaks_plainly() -> None:
    assert all(kind.needs | kind.may <= FACTS.keys() and not kind.needs & kind.may for kind in KINDS.values())
    assert all(kind.plain and kind.plain[0].isupper() for kind in KINDS.values())
    assert not KINDS.keys() & LEDGER_KINDS.keys()
    used = frozenset().union(*(kind.needs | kind.may for kind in KINDS.values()))
    assert FACTS.keys() - used == set(), "a fact that no kind holds"


def test_a_decision_and_its_record_commit_together_or_not_at_all(desk: Desk) -> None:
    with pytest.raises(NotRecordable), together(desk.engine):
        desk.projects.create_person(Person("bob", 5))
        desk.audit.record("person-created", "u-olive", "person:bob", {"cap": 5})
        desk.audit.record("person-melted", "u-olive", "person:bob")
    assert desk.projects.person("bob") is None
    assert desk.audit.verify() == 0
    assert Anchor(desk.audit_anchor).read() == GENESIS, "an anchor ahead of its chain would look like a rollback"
    with together(desk.engine):
        desk.projects.create_person(Person("bob", 5))
        for _ in range(3):
            freeze(desk)
    head = Anchor(desk.audit_anchor).read()
    assert head is not None
    assert (head.seq, desk.audit.verify()) == (3, 3)


def lived(desk: Desk) -> list[str]:
    """Both chains, and the order that they must be shown in."""
    freeze(desk, "first")
    busy_day(desk)
    freeze(desk, "second")
    freeze(desk, "third")
    desk.answered(asking("r9", {"z": 1}))
    freeze(desk, "fourth")
    return ["0.1", *(f"{n}.0" for n in range(1, 9)), "8.2", "8.3", "9.0", "10.0", "10.4"]


def test_both_chains_have_one_order(desk: Desk) -> None:
    order = lived(desk)
    everything = desk.audit.happenings(EVERYTHING, None, 100)
    assert [str(h.position) for h in everything] == order
    assert [str(h.position) for h in desk.audit.newest(EVERYTHING, None, 100)] == order[::-1]
    charge = everything[1]
    assert (charge.kind, charge.actor, charge.facts["nanoRho"], charge.facts["project"]) == (
        "charge", "k2345678", 30, "exeter",
    )  # fmt: skip


@pytest.mark.parametrize("size", [1, 2, 5])
def test_pages_go_on_where_they_stopped_both_ways(desk: Desk, size: int) -> None:
    order = lived(desk)
    for read, expected in ((desk.audit.happenings, order), (desk.audit.newest, order[::-1])):
        found: list[str] = []
        place: Position | None = None
        while page := read(EVERYTHING, place, size):
            found += [str(h.position) for h in page]
            place = page[-1].position
        assert found == expected


def test_filters(desk: Desk) -> None:
    lived(desk)

    def kinds(**wanted: Any) -> list[str]:
        return [h.kind for h in desk.audit.happenings(AuditFilter(**wanted), None, 100)]

    assert kinds(kinds=frozenset({"failed", "project-frozen"})) == ["project-frozen", "failed", *["project-frozen"] * 3]
    assert kinds(actor="u-olive") == ["project-frozen"] * 4
    assert len(kinds(actor="k2345678")) == 10
    assert len(kinds(subject="project:leeds")) == 3
    assert kinds(subject="project:exeter").count("project-frozen") == 4
    assert kinds(subject="application:a") == []
    assert kinds(since="2026-03-02") == []
    assert len(kinds(since="2026-03-01", until="2026-03-01")) == 14
    assert kinds(until="2026-03-01T09") != []


def test_the_fence_keeps_rows_as_they_are(desk: Desk) -> None:
    lived(desk)
    changes = ["UPDATE {} SET seq = seq + 100", "DELETE FROM {}", "UPDATE {} SET hash = hash WHERE seq = 1"]
    if desk.engine.dialect.name == "sqlite":
        changes.append("REPLACE INTO {0} SELECT * FROM {0} WHERE seq = 1")
    else:
        changes.append("TRUNCATE {} CASCADE")
    for table in FENCED:
        for change in changes:
            with pytest.raises(IntegrityError), desk.engine.begin() as connection:
                connection.execute(text(change.format(table)))
    assert (desk.ledger.verify(), desk.audit.verify()) == (10, 4)


def test_a_fence_that_was_taken_down_is_put_up_again_and_told_of(desk: Desk) -> None:
    assert desk.audit.mend_fence() == ()
    assert desk.audit.verify() == 0
    name = "ledger_no_delete" if desk.engine.dialect.name == "sqlite" else "ledger_append_only ON ledger"
    with desk.engine.begin() as connection:
        connection.execute(text(f"DROP TRIGGER {name}"))
    assert desk.audit.mend_fence() == (name.split()[0],)
    (told,) = desk.audit.happenings(EVERYTHING, None, 10)
    assert (told.kind, told.facts) == ("fence-restored", {"what": name.split()[0]})
    desk.answered(asking("r1", {"a": 1}))
    with pytest.raises(IntegrityError), desk.engine.begin() as connection:
        connection.execute(text("DELETE FROM ledger WHERE seq = 2"))
    assert desk.audit.mend_fence() == ()


def test_threads_that_record_at_once_make_one_chain(desk: Desk) -> None:
    crew = [Thread(target=freeze, args=(desk, f"r{n}")) for n in range(12)]
    for each in crew:
        each.start()
    for each in crew:
        each.join()
    assert desk.audit.verify() == 12
    reasons = {json.loads(json.dumps(dict(h.facts)))["reason"] for h in desk.audit.happenings(EVERYTHING, None, 50)}
    assert reasons == {f"r{n}" for n in range(12)}


def test_a_missing_anchor_stops_decisions_until_it_is_accepted_which_is_recorded(desk: Desk) -> None:
    freeze(desk)
    desk.audit_anchor.unlink()
    for attempt in (desk.audit.verify, lambda: freeze(desk)):
        with pytest.raises(LedgerBroken, match="privacy-api audit anchor"):
            attempt()
    assert desk.audit.reanchor("console:root", "compared with the backup of Sunday") == 2
    assert [h.kind for h in desk.audit.happenings(EVERYTHING, None, 10)] == ["project-frozen", "anchor-accepted"]
    assert desk.audit.verify() == 2


def test_no_anchor_no_decision(desk: Desk) -> None:
    freeze(desk)
    Anchor(desk.audit_anchor).write(Head(7, "f" * 64))
    with pytest.raises(LedgerBroken, match="rolled back or edited"):
        freeze(desk)
    with behind_its_back(desk.url) as connection:
        assert connection.execute(text("SELECT count(*) FROM audit")).scalar() == 1
