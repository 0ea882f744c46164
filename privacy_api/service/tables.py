"""Registered tables: an officer has them released, once per version of the cut, and everybody is given the same."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from datasets.query import Query
from disclosure.policy import Mode
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import Principal, Project, RegisteredTable, StoredRelease
from privacy_api.service.answer_query import Answered, answer, check, find_data_set
from privacy_api.service.cuts import HostedDataSet
from privacy_api.service.questions import Asked
from privacy_api.service.services import Services

Reader = Callable[[Any, str], Query]
"""JSON value and data set → question; it is the wire's."""
OFFICER = "official-tables"
"""The project that releases of registered tables are recorded under; it can spend nothing."""


def register(table: RegisteredTable, policy: tuple[str, int], by: str, read: Reader, services: Services) -> Answered:
    """Released, then registered: a table that cannot be protected is not registered. policy: its name and version, as
    the table was approved under. by: who, for the record."""
    hosted = _official(table, services)
    bound = hosted.cut.policy
    if policy != (bound.name, bound.version):
        detail = (
            f"The table was approved under {policy[0]} version {policy[1]}; "
            f"{bound.name} version {bound.version} is in force."
        )
        raise ApiError(ErrorCode.INVALID_REQUEST, detail=detail)
    if services.tables.table(table.id) is not None:
        detail = f"A table {table.id} is registered already; choose another id."
        raise ApiError(ErrorCode.INVALID_REQUEST, detail=detail)
    answered = answer(_asked(table, hosted, read, services), _officer(hosted, services), services)
    facts = {"data_set": table.data_set, "title": table.title, "policy": table.policy}
    with services.together():
        services.tables.register(table)
        services.audit.record("table-registered", by, f"table:{table.id}", facts)
    return answered


def withdraw(name: str, by: str, services: Services) -> bool:
    """Whether there was such a table to withdraw."""
    with services.together():
        if not services.tables.withdraw(name):
            return False
        services.audit.record("table-withdrawn", by, f"table:{name}")
    return True


def publish(table: RegisteredTable, read: Reader, services: Services) -> Answered:
    """Its release for the version of the cut that is hosted now; the same again where there is one."""
    hosted = _official(table, services)
    if table.policy != hosted.cut.policy.digest:
        detail = "The policy has changed since the table was registered: withdraw it, and register it anew."
        raise ApiError(ErrorCode.CANNOT_PROTECT, detail=detail)
    return answer(_asked(table, hosted, read, services), _officer(hosted, services), services)


def released(table: RegisteredTable, read: Reader, services: Services) -> StoredRelease | None:
    """What was published of it for the version of the cut that is hosted now."""
    hosted = services.data_sets.get(table.data_set)
    if table.withdrawn or hosted is None or hosted.cut.policy.digest != table.policy:
        return None
    return services.ledger.release(_asked(table, hosted, read, services).release)


def find_table(name: str, services: Services) -> RegisteredTable:
    found = services.tables.table(name) if name.isprintable() else None
    if found is None or found.withdrawn:
        raise ApiError(ErrorCode.NOT_FOUND, detail="No such table; /v1/tables lists them.")
    return found


def _official(table: RegisteredTable, services: Services) -> HostedDataSet:
    hosted = find_data_set(table.data_set, services)
    if hosted.cut.policy.mode is not Mode.OFFICIAL:
        detail = "Tables are registered where the policy is official; this data set answers with noise."
        raise ApiError(ErrorCode.INVALID_REQUEST, detail=detail)
    return hosted


def _asked(table: RegisteredTable, hosted: HostedDataSet, read: Reader, services: Services) -> Asked:
    query = read(json.loads(table.question), table.data_set)
    return check(query, hosted, _principal(hosted), registered=True)


def _principal(hosted: HostedDataSet) -> Principal:
    """An officer may release of every variable."""
    grants = frozenset(variable.name for variable in hosted.data_set.variables)
    return Principal("officer", Project(OFFICER, "Registered tables", 0, grants))


def _officer(hosted: HostedDataSet, services: Services) -> Principal:
    if services.projects.project(OFFICER) is None:
        services.projects.create_project(Project(OFFICER, "Registered tables", 0, frozenset()))
    return _principal(hosted)
