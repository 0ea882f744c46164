"""Applications in the service database: what was sent and every move are kept for good."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, Select, Table, func, insert, select, update

from privacy_api.governance.records import digest_of, read_record, record_text
from privacy_api.ports import LedgerBroken
from privacy_api.ports.applications import (
    Application,
    ApplicationState,
    Comment,
    Content,
    Move,
    Moved,
    Overtaken,
    Step,
    Submission,
)
from privacy_api.stores.database import reading, writing
from privacy_api.stores.schema import application_comments, application_moves, applications, submissions

EDITED = "What was sent with an application is not what it was when it was sent. Compare the database with a backup."


class SqlApplications:
    """The port `Applications`. Which moves there are is the caller's to say."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def start(self, application: str, applicant: str, at: str, changes: str | None, content: Content) -> Application:
        with writing(self._engine) as connection:
            number = int(connection.execute(select(func.coalesce(func.max(applications.c.number), 0))).scalar_one()) + 1
            made = Application(application, number, applicant, ApplicationState.DRAFT, at, content, changes)
            connection.execute(insert(applications).values(**_row_of(made)))
            _append(connection, made, Move.START, applicant, at, "")
        return made

    def application(self, application: str) -> Application | None:
        if not application.isprintable():
            return None  # PostgreSQL takes no NUL
        with reading(self._engine) as connection:
            row = connection.execute(select(applications).where(applications.c.id == application)).mappings().first()
        return _application_of(row) if row else None

    def applications(self, applicant: str | None = None, state: ApplicationState | None = None) -> list[Application]:
        wanted = select(applications).order_by(applications.c.number)
        if applicant is not None:
            wanted = wanted.where(applications.c.applicant == applicant)
        if state is not None:
            wanted = wanted.where(applications.c.state == state)
        with reading(self._engine) as connection:
            return [_application_of(row) for row in connection.execute(wanted).mappings()]

    def write(self, application: Application, content: Content) -> None:
        with writing(self._engine) as connection:
            _change(connection, application, replace(application, content=content))

    def move(
        self, application: Application, move: Move, to: ApplicationState, actor: str, at: str, reason: str = ""
    ) -> Application:
        sent = move is Move.SUBMIT
        found = replace(application, state=to, submission=application.submission + sent)
        with writing(self._engine) as connection:
            _change(connection, application, found)
            _append(connection, found, move, actor, at, reason)
            if sent:
                row = {"application": found.id, "number": found.submission, "at": at, "by": actor}
                text = record_text(found.content)
                connection.execute(insert(submissions).values(**row, content=text, digest=digest_of(text)))
        return found

    def settle(self, application: str, project: str) -> None:
        with writing(self._engine) as connection:
            change = update(applications).where(applications.c.id == application).values(project=project)
            connection.execute(change)

    def moves(self, application: str) -> list[Moved]:
        with reading(self._engine) as connection:
            return [
                Moved(
                    row["seq"],
                    row["at"],
                    row["actor"],
                    Move(row["move"]),
                    ApplicationState(row["state"]),
                    row["reason"],
                )
                for row in connection.execute(_of(application_moves, application, "seq")).mappings()
            ]

    def submissions(self, application: str) -> list[Submission]:
        with reading(self._engine) as connection:
            found = connection.execute(_of(submissions, application, "number")).mappings().all()
        return [_submission_of(row) for row in found]

    def comment(self, application: str, author: str, by_staff: bool, at: str, text: str, step: Step | None) -> Comment:
        with writing(self._engine) as connection:
            seq = _next(connection, application_comments, application)
            row = {"application": application, "seq": seq, "at": at, "author": author, "text": text}
            told = {"by_staff": "yes" if by_staff else "no", "step": None if step is None else int(step)}
            connection.execute(insert(application_comments).values(**row, **told))
        return Comment(seq, at, author, by_staff, text, step)

    def comments(self, application: str) -> list[Comment]:
        with reading(self._engine) as connection:
            rows = connection.execute(_of(application_comments, application, "seq")).mappings().all()
        return [
            Comment(
                row["seq"],
                row["at"],
                row["author"],
                row["by_staff"] == "yes",
                row["text"],
                None if row["step"] is None else Step(row["step"]),
            )
            for row in rows
        ]


def _change(connection: Connection, before: Application, after: Application) -> None:
    """Only where it stands as it was read: of two who write at once, one is told."""
    same = {name: value for name, value in _row_of(before).items() if name in ("id", "state", "content", "submission")}
    standing = [applications.c[name] == value for name, value in same.items()]
    change = update(applications).where(*standing).values(**_row_of(after))
    if connection.execute(change).rowcount != 1:
        raise Overtaken


def _append(connection: Connection, found: Application, move: Move, actor: str, at: str, reason: str) -> None:
    seq = _next(connection, application_moves, found.id)
    row = {"application": found.id, "seq": seq, "at": at, "actor": actor, "move": move, "state": found.state}
    connection.execute(insert(application_moves).values(**row, reason=reason))


def _next(connection: Connection, table: Table, application: str) -> int:
    last = select(func.coalesce(func.max(table.c.seq), 0)).where(table.c.application == application)
    return int(connection.execute(last).scalar_one()) + 1


def _of(table: Table, application: str, order: str) -> Select[Any]:
    return select(table).where(table.c.application == application).order_by(table.c[order])


def _row_of(found: Application) -> dict[str, Any]:
    names = ("id", "number", "applicant", "state", "created", "changes", "project", "submission")
    return {name: getattr(found, name) for name in names} | {"content": record_text(found.content)}


def _application_of(row: RowMapping) -> Application:
    content = read_record(Content, json.loads(row["content"]))
    return Application(**{**row, "state": ApplicationState(row["state"]), "content": content})


def _submission_of(row: RowMapping) -> Submission:
    if digest_of(row["content"]) != row["digest"]:
        raise LedgerBroken(EDITED)
    content = read_record(Content, json.loads(row["content"]))
    return Submission(row["number"], row["at"], row["by"], content, row["digest"])
