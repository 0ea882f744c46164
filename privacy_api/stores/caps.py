"""What may be spent still: looked up in the transaction that charges, so that nobody spends it twice."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, select

from privacy_api.ports import Balance, BudgetExhausted, LedgerBroken, Request, Suspended
from privacy_api.stores import chain
from privacy_api.stores.schema import people, projects


def refuse_overspending(connection: Connection, tail: chain.Tail, request: Request, cost: int, now: datetime) -> None:
    balances = {
        "cut": Balance(request.cut_cap, tail.cut_spent),
        "project": Balance(_project_cap(connection, request, now), tail.project_spent),
    }
    if request.principal.person is not None:
        balances["person"] = Balance(_person_cap(connection, request.principal.person), tail.person_spent)
    for scope, balance in balances.items():
        if balance.spent + cost > balance.cap:
            raise BudgetExhausted(scope, balance)


def refuse_delta(tail: chain.Tail, request: Request, delta: int) -> None:
    """What costs no δ is answered whatever was spent of it."""
    balance = Balance(request.delta_cap, tail.delta_spent)
    if delta and balance.spent + delta > balance.cap:
        raise BudgetExhausted("delta", balance)


def _project_cap(connection: Connection, request: Request, now: datetime) -> int:
    """As stored now: the request's copy may be older than a change of the cap, or than the freezing of the project."""
    row = connection.execute(_PROJECT, {"of": request.principal.project.id}).first()
    if row is None:
        raise LedgerBroken("The project is not in the service database, so nothing can be charged to it.")
    if row.frozen is not None:
        raise Suspended("project")
    if row.expires is not None and datetime.fromisoformat(row.expires) <= now:
        raise Suspended("project", ended=True)
    return int(row.cap)


def _person_cap(connection: Connection, person: str) -> int:
    cap = connection.execute(_PERSON_CAP, {"of": person}).scalar()
    if cap is None:
        raise LedgerBroken("The key's person is not in the service database, so nothing can be charged to it.")
    return int(cap)


# Made once: to put a statement together takes longer than to run it.
_PROJECT = select(projects.c.cap, projects.c.frozen, projects.c.expires).where(projects.c.id == bindparam("of"))
_PERSON_CAP = select(people.c.cap).where(people.c.id == bindparam("of"))
