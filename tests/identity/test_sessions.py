"""Accounts and sessions in both databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from privacy_api.ports import AccountStatus, Project, ProjectKind, Role, Suspended
from privacy_api.stores.accounts import SqlAccounts
from privacy_api.stores.database import open_database, reading
from privacy_api.stores.projects import SqlProjects
from privacy_api.stores.schema import sessions
from privacy_api.stores.sessions import SqlSessions
from tests.stores.cases import ANN, EXETER, LEEDS, Clock, start_afresh
from tests.stores.conftest import *  # noqa: F403 - their fixtures: both databases

RESEARCHER = frozenset({Role.RESEARCHER})


class Desk:
    def __init__(self, url: str) -> None:
        self.clock = Clock()
        self.engine = open_database(url)
        self.accounts, self.projects = SqlAccounts(self.engine), SqlProjects(self.engine)
        self.sessions = SqlSessions(self.engine, timedelta(minutes=30), timedelta(hours=8), self.clock)


@pytest.fixture
def desk(url: str) -> Iterator[Desk]:
    start_afresh(url, EXETER, LEEDS, ANN)
    made = Desk(url)
    yield made
    made.engine.dispose()


def test_an_account_is_found_by_its_subject_and_changed(desk: Desk) -> None:
    made = desk.accounts.create("https://i.example", "1", "Ada", "ada@example.org", RESEARCHER)
    assert desk.accounts.account(made.id) == desk.accounts.by_subject("https://i.example", "1") == made
    assert desk.accounts.by_subject("https://other.example", "1") is None
    with pytest.raises(ValueError, match="already"):
        desk.accounts.create("https://i.example", "1", "Eve", "", RESEARCHER)
    changed = replace(made, name="Ada R", person="ann", status=AccountStatus.FROZEN, roles=frozenset({Role.AUDITOR}))
    assert desk.accounts.update(changed)
    assert desk.accounts.accounts() == [changed]
    assert not desk.accounts.update(replace(changed, id="u-000000000000"))


def test_memberships(desk: Desk) -> None:
    ada = desk.accounts.create("i", "1", "Ada", "", RESEARCHER)
    assert desk.accounts.join(ada.id, "exeter")
    assert not desk.accounts.join(ada.id, "exeter")
    assert desk.accounts.projects_of(ada.id) == [EXETER]
    assert desk.accounts.members("exeter") == [ada]
    assert desk.accounts.members("leeds") == []
    for account, project in ((ada.id, "nowhere"), ("u-000000000000", "exeter")):
        with pytest.raises(ValueError, match="no such"):
            desk.accounts.join(account, project)
    assert desk.accounts.leave(ada.id, "exeter")
    assert not desk.accounts.leave(ada.id, "exeter")


def test_a_session_ends_when_it_is_idle_or_old_or_ended(desk: Desk) -> None:
    ada = desk.accounts.create("i", "1", "Ada", "", RESEARCHER).id
    _, idle = desk.sessions.start(ada)
    desk.clock.forward(29 * 60)
    assert desk.sessions.find(idle)
    desk.clock.forward(29 * 60)
    assert desk.sessions.find(idle), "it counts from the last use"
    desk.clock.forward(31 * 60)
    assert desk.sessions.find(idle) is None
    old, cookie = desk.sessions.start(ada)
    for _ in range(19):
        desk.clock.forward(25 * 60)
        assert desk.sessions.find(cookie)
    desk.clock.forward(6 * 60)
    assert desk.sessions.find(cookie) is None, "8 hours are over"
    assert not desk.sessions.end(old.id)
    ended, cookie = desk.sessions.start(ada)
    assert desk.sessions.end(ended.id)
    assert desk.sessions.find(cookie) is None


def test_all_sessions_of_an_account_end_at_once_and_no_others(desk: Desk) -> None:
    ada, bob = (desk.accounts.create("i", s, s, "", RESEARCHER).id for s in "ab")
    cookies = [desk.sessions.start(ada)[1] for _ in range(2)]
    _, others = desk.sessions.start(bob)
    assert desk.sessions.end_all(ada) == 2
    assert [desk.sessions.find(cookie) for cookie in cookies] == [None, None]
    assert desk.sessions.find(others)


def test_who_reads_the_table_cannot_sign_in_with_it(desk: Desk) -> None:
    ada = desk.accounts.create("i", "1", "Ada", "", RESEARCHER).id
    session, cookie = desk.sessions.start(ada)
    with reading(desk.engine) as connection:
        assert cookie not in str(connection.execute(sessions.select()).all())
    assert desk.sessions.find(session.id) is None


def test_a_key_of_an_account_opens_while_the_account_is_a_member_and_active(desk: Desk) -> None:
    ada = desk.accounts.create("i", "1", "Ada", "", RESEARCHER)
    with pytest.raises(ValueError, match="no such account in the project"):
        desk.projects.create_key("exeter", "", "test", account=ada.id)
    desk.accounts.join(ada.id, "exeter")
    info, key = desk.projects.create_key("exeter", "", "test", account=ada.id)
    assert info.account == ada.id
    found = desk.projects.principal(key)
    assert found is not None
    assert not found.synthetic_only
    desk.accounts.update(replace(ada, roles=frozenset({Role.DEVELOPER})))
    found = desk.projects.principal(key)
    assert found is not None
    assert found.synthetic_only, "a key does no more than its account"
    desk.accounts.update(replace(ada, status=AccountStatus.FROZEN))
    with pytest.raises(Suspended, match="account"):
        desk.projects.principal(key)
    desk.accounts.update(ada)
    desk.accounts.leave(ada.id, "exeter")
    assert desk.projects.principal(key) is None


def test_a_key_that_is_frozen_or_has_ended_does_not_open(desk: Desk) -> None:
    info, key = desk.projects.create_key("exeter", "", "test")
    assert desk.projects.freeze_key(info.id, True)
    assert not desk.projects.freeze_key(info.id, True)
    with pytest.raises(Suspended, match="key"):
        desk.projects.principal(key)
    wrong = key[:-4] + ("aaaa" if key[-4:] != "aaaa" else "bbbb")
    assert desk.projects.principal(wrong) is None, "a wrong secret is told nothing"
    assert desk.projects.freeze_key(info.id, False)
    assert desk.projects.principal(key)
    _, ended = desk.projects.create_key("exeter", "", "test", expires="2026-01-01T00:00:00+00:00")
    with pytest.raises(Suspended) as refused:
        desk.projects.principal(ended)
    assert refused.value.ended


def test_a_frozen_project_and_a_sandbox_are_told(desk: Desk) -> None:
    box = Project("box", "Box", 5, frozenset(), ProjectKind.SANDBOX, expires="2027-01-01T00:00:00+00:00")
    desk.projects.create_project(box)
    assert desk.projects.project("box") == box
    found = desk.projects.principal(desk.projects.create_key("box", "", "test")[1])
    assert found is not None
    assert found.synthetic_only
    assert desk.projects.freeze_project("box", True)
    frozen = desk.projects.project("box")
    assert frozen is not None
    assert frozen.frozen
    assert desk.projects.freeze_project("box", False)
    assert desk.projects.project("box") == box
