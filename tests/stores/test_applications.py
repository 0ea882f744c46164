"""Applications on both databases: what was sent stays, and of two who write at once one is told."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from sqlalchemy import update

from privacy_api.ports import LedgerBroken
from privacy_api.ports.applications import Application, ApplicationState, Content, Move, Overtaken, Step
from privacy_api.stores.applications import SqlApplications
from privacy_api.stores.schema import submissions
from tests.lib.applications import COMPLETE, PLAIN

from .cases import Desk, behind_its_back

NOON, LATER = "2026-03-01T12:00:00+00:00", "2026-03-02T12:00:00+00:00"
S = ApplicationState


@pytest.fixture
def store(desk: Desk) -> SqlApplications:
    return SqlApplications(desk.engine)


@pytest.fixture
def begun(store: SqlApplications) -> Application:
    return store.start("app-1", "u-ada", NOON, None, Content())


def again(store: SqlApplications) -> Application:
    found = store.application("app-1")
    assert found is not None
    return found


def test_what_was_written_and_sent_is_found_again(store: SqlApplications, begun: Application) -> None:
    assert (begun.reference, again(store)) == ("DS00001", begun)
    store.write(begun, COMPLETE)
    sent = store.move(again(store), Move.SUBMIT, S.SUBMITTED, "u-ada", LATER)
    assert (sent.submission, again(store)) == (1, sent)
    returned = store.move(sent, Move.RETURN, S.RETURNED, "u-olive", LATER, "Say more.")
    store.write(returned, PLAIN)
    store.move(again(store), Move.SUBMIT, S.SUBMITTED, "u-ada", LATER)
    first, second = store.submissions("app-1")
    assert (first.number, first.content, second.number, second.content) == (1, COMPLETE, 2, PLAIN)
    assert first.digest != second.digest
    assert [(m.seq, m.move, m.actor, m.state) for m in store.moves("app-1")] == [
        (1, Move.START, "u-ada", S.DRAFT),
        (2, Move.SUBMIT, "u-ada", S.SUBMITTED),
        (3, Move.RETURN, "u-olive", S.RETURNED),
        (4, Move.SUBMIT, "u-ada", S.SUBMITTED),
    ]


def test_applications_by_whom_and_by_state(store: SqlApplications, begun: Application) -> None:
    other = store.start("app-2", "u-bob", LATER, "exeter", COMPLETE)
    assert (other.number, other.changes) == (2, "exeter")
    assert store.applications() == [begun, other]
    assert store.applications(applicant="u-bob") == [other]
    assert store.applications(state=S.SUBMITTED) == []
    assert store.application("app-3") is store.application("app\x00") is None


def test_comments_are_kept_in_order(store: SqlApplications, begun: Application) -> None:
    first = store.comment("app-1", "u-olive", True, NOON, "Why sex?", Step.SENSITIVE)
    second = store.comment("app-1", "u-ada", False, LATER, "It is the question.", None)
    assert store.comments("app-1") == [first, second]
    assert store.comments("app-2") == []


def test_who_writes_on_what_has_changed_is_told(store: SqlApplications, begun: Application) -> None:
    store.write(begun, COMPLETE)
    with pytest.raises(Overtaken):
        store.write(begun, PLAIN)
    with pytest.raises(Overtaken):
        store.move(begun, Move.SUBMIT, S.SUBMITTED, "u-ada", LATER)
    assert again(store).content == COMPLETE
    assert len(store.moves("app-1")) == 1


def test_of_two_who_decide_at_once_one_does(store: SqlApplications, begun: Application) -> None:
    sent = store.move(begun, Move.SUBMIT, S.SUBMITTED, "u-ada", LATER)
    together = Barrier(6)

    def decide(place: int) -> bool:
        together.wait()
        to = (Move.APPROVE, S.APPROVED) if place % 2 else (Move.REFUSE, S.REFUSED)
        try:
            store.move(sent, *to, f"u-{place}", LATER, "So.")
        except Overtaken:
            return False
        return True

    with ThreadPoolExecutor(6) as crew:
        assert list(crew.map(decide, range(6))).count(True) == 1
    assert len(store.moves("app-1")) == 3


def test_what_was_sent_and_edited_is_noticed(desk: Desk, store: SqlApplications, begun: Application) -> None:
    store.move(begun, Move.SUBMIT, S.SUBMITTED, "u-ada", LATER)
    with behind_its_back(desk.url) as connection:
        connection.execute(update(submissions).values(content='{"purpose":{"title":"Other"}}'))
    with pytest.raises(LedgerBroken, match="not what it was"):
        store.submissions("app-1")
