"""Proposals in the service database."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Engine, RowMapping, insert, select, update

from privacy_api.ports.proposals import Proposal, ProposalKind, ProposalState
from privacy_api.stores.database import reading, writing
from privacy_api.stores.schema import proposals

_columns = tuple(proposals.c[name] for name in Proposal.__dataclass_fields__)


class SqlProposals:
    """The port `Proposals`. The rules are the caller's; that nobody decides on their own is the table's as well."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def add(self, proposal: Proposal) -> Proposal:
        same = [proposals.c[name] == getattr(proposal, name) for name in ("kind", "subject", "what")]
        waiting = select(proposals.c.id).where(
            *same, proposals.c.state == ProposalState.OPEN, proposals.c.lapses > proposal.at
        )
        with writing(self._engine) as connection:
            if connection.execute(waiting).first() is not None:
                raise ValueError("this is proposed already and waits for a second person")
            connection.execute(insert(proposals).values(**asdict(proposal)))
        return proposal

    def proposal(self, proposal: str) -> Proposal | None:
        if not proposal.isprintable():
            return None  # PostgreSQL takes no NUL
        with reading(self._engine) as connection:
            row = connection.execute(select(*_columns).where(proposals.c.id == proposal)).mappings().first()
        return _proposal_of(row) if row else None

    def proposals(self, state: ProposalState | None = None, subject: str | None = None) -> list[Proposal]:
        wanted = select(*_columns).order_by(proposals.c.at, proposals.c.id)
        if state is not None:
            wanted = wanted.where(proposals.c.state == state)
        if subject is not None:
            wanted = wanted.where(proposals.c.subject == subject)
        with reading(self._engine) as connection:
            return [_proposal_of(row) for row in connection.execute(wanted).mappings()]

    def close(self, proposal: str, state: ProposalState, by: str, at: str, reason: str) -> bool:
        waiting = (proposals.c.id == proposal) & (proposals.c.state == ProposalState.OPEN)
        change = update(proposals).where(waiting).values(state=state, closed_by=by, closed=at, reason=reason)
        with writing(self._engine) as connection:
            return connection.execute(change).rowcount == 1


def _proposal_of(row: RowMapping) -> Proposal:
    return Proposal(**{**row, "kind": ProposalKind(row["kind"]), "state": ProposalState(row["state"])})
