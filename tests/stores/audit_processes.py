"""What other processes do to the audit chain in these tests: they record, and they are killed half-way."""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy import event

from privacy_api.ports import Person
from privacy_api.stores.audit import SqlAudit
from privacy_api.stores.database import open_database, together
from privacy_api.stores.projects import SqlProjects

from .processes import die

FAIL_POINTS = ("not committed", "not anchored", "anchor half written", "after")


def record_and_die(url: str, anchor: Path, fail_point: str, person: str) -> None:
    """Make a person, record it in the same transaction, and be killed at the fail-point."""
    engine = open_database(url)
    audit, projects = SqlAudit(engine, anchor), SqlProjects(engine)
    if fail_point == "not committed":
        event.listen(engine, "commit", die)
    elif fail_point == "not anchored":
        audit._anchor.move = die  # type: ignore[method-assign, assignment]
    elif fail_point == "anchor half written":
        os.fsync = die  # type: ignore[assignment]
    with together(engine):
        projects.create_person(Person(person, 5))
        audit.record("person-created", "u-olive", f"person:{person}", {"cap": 5})
    die()


def record_many(url: str, anchor: Path, name: str, times: int) -> None:
    engine = open_database(url)
    audit = SqlAudit(engine, anchor)
    for turn in range(times):
        audit.record("person-created", f"u-{name}", f"person:{name}-{turn}", {"cap": turn})
    engine.dispose()
