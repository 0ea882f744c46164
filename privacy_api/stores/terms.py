"""The terms of cuts and the versions of their policies in the service database."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import (
    Connection,
    Engine,
    RowMapping,
    ScalarSelect,
    Select,
    bindparam,
    func,
    insert,
    select,
    update,
)

from privacy_api.governance.audit_kinds import TERMS_KINDS
from privacy_api.ports import PolicyState, PolicyVersion, Terms
from privacy_api.stores.anchor import AUDIT
from privacy_api.stores.database import reading, writing
from privacy_api.stores.schema import audit, cut_terms, policy_versions

_columns = tuple(policy_versions.c[name] for name in PolicyVersion.__dataclass_fields__)


class SqlTerms:
    """The port `CutTerms`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def newest(self) -> str:
        with reading(self._engine) as connection:
            return str(connection.execute(_NEWEST).scalar() or "")

    def standing(self) -> Mapping[str, Terms]:
        last = select(func.max(cut_terms.c.number)).group_by(cut_terms.c.cut)
        with reading(self._engine) as connection:
            found = connection.execute(select(cut_terms).where(cut_terms.c.number.in_(last))).mappings()
            return {row["cut"]: terms_of(row) for row in found}

    def of(self, cut: str) -> Terms | None:
        if not cut.isprintable():
            return None  # PostgreSQL takes no NUL
        with reading(self._engine) as connection:
            row = connection.execute(_of(cut).order_by(cut_terms.c.number.desc()).limit(1)).mappings().first()
        return terms_of(row) if row else None

    def history(self, cut: str) -> list[Terms]:
        with reading(self._engine) as connection:
            return [terms_of(row) for row in connection.execute(_of(cut).order_by(cut_terms.c.number)).mappings()]

    def append(self, terms: Terms) -> Terms:
        with writing(self._engine) as connection:
            number = 1 + (connection.execute(select(func.max(cut_terms.c.number))).scalar() or 0)
            made = replace(terms, number=number)
            made = replace(made, digest=terms_digest(made))
            connection.execute(insert(cut_terms).values(**{**asdict(made), "frozen": int(made.frozen)}))
        return made

    def versions(self, cut: str) -> list[PolicyVersion]:
        wanted = select(*_columns).where(policy_versions.c.cut == cut).order_by(policy_versions.c.version)
        with reading(self._engine) as connection:
            return [_version_of(row) for row in connection.execute(wanted).mappings()]

    def version(self, cut: str, version: int) -> PolicyVersion | None:
        if not (cut.isprintable() and 0 < version < 2**63):
            return None
        wanted = select(*_columns).where(policy_versions.c.cut == cut, policy_versions.c.version == version)
        with reading(self._engine) as connection:
            row = connection.execute(wanted).mappings().first()
        return _version_of(row) if row else None

    def add_version(self, version: PolicyVersion) -> PolicyVersion:
        known = select(func.max(policy_versions.c.version)).where(policy_versions.c.cut == version.cut)
        with writing(self._engine) as connection:
            made = replace(version, version=1 + (connection.execute(known).scalar() or 0))
            connection.execute(insert(policy_versions).values(**asdict(made)))
        return made

    def move_version(
        self, cut: str, version: int, before: frozenset[PolicyState], to: PolicyState, by: str | None, at: str | None
    ) -> bool:
        it = (policy_versions.c.cut == cut) & (policy_versions.c.version == version)
        change = update(policy_versions).where(it, policy_versions.c.state.in_(before))
        with writing(self._engine) as connection:
            return connection.execute(change.values(state=to, closed_by=by, closed=at)).rowcount == 1

    def verify(self) -> int:
        """Every change is in the audit chain as it stands here, and every policy in force is its digest's; AuditBroken
        otherwise. Number of changes."""
        with reading(self._engine) as connection:
            told = _told(connection)
            rows = [terms_of(row) for row in connection.execute(select(cut_terms)).mappings()]
            texts = {(row.cut, row.version): row.text for row in connection.execute(select(policy_versions))}
        if {terms.number: terms.digest for terms in rows} != told:
            raise AUDIT.edited("the terms of cuts are not those that were recorded")
        for terms in rows:
            text = texts.get((terms.cut, terms.version), "")
            if hashlib.sha256(text.encode()).hexdigest() != terms.policy:
                raise AUDIT.edited(f"version {terms.version} of the policy of {terms.cut} is not what was published")
        return len(rows)


def terms_digest(terms: Terms) -> str:
    told = {name: value for name, value in asdict(terms).items() if name != "digest"}
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def terms_of(row: RowMapping) -> Terms:
    """The row as terms, if they are what was digested when it was written."""
    terms = Terms(**{**row, "frozen": bool(row["frozen"])})
    if terms_digest(terms) != terms.digest:
        raise AUDIT.edited(f"change {terms.number} of the terms of cuts does not have its digest")
    return terms


def standing_digest(connection: Connection, cut: str) -> str:
    """Of the terms in force; empty where the cut has none."""
    return str(connection.execute(_STANDING, {"of_cut": cut}).scalar() or "")


def standing_of() -> ScalarSelect[str]:
    """The same within another statement, of the cut that is bound to `of_cut`."""
    of_cut = select(cut_terms.c.digest).where(cut_terms.c.cut == bindparam("of_cut"))
    return of_cut.order_by(cut_terms.c.number.desc()).limit(1).scalar_subquery()


def _of(cut: str) -> Select[Any]:
    return select(cut_terms).where(cut_terms.c.cut == cut)


def _told(connection: Connection) -> dict[int, str]:
    """What the audit chain says of each change: its digest by its number."""
    rows = connection.execute(select(audit.c.facts).where(audit.c.kind.in_(TERMS_KINDS))).scalars()
    return {facts["terms"]: facts["digest"] for facts in map(json.loads, rows)}


def _version_of(row: RowMapping) -> PolicyVersion:
    return PolicyVersion(**{**row, "state": PolicyState(row["state"])})


# Made once: to put a statement together takes longer than to run it.
_NEWEST = select(cut_terms.c.digest).order_by(cut_terms.c.number.desc()).limit(1)
_STANDING = select(standing_of())
