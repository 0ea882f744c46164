"""An output that somebody wants to take out of a safe room: checked, recorded, and judged number by number."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from datasets.official.gather import Aggregates
from datasets.output_check.check import Place, check_output
from datasets.output_check.statbarns import statbarn_of
from datasets.output_check.table_in import InvalidTable
from datasets.output_check.verdict import CheckedTable, Finding, Verdict
from datasets.plan import EngineFailed, Plan
from datasets.query import InvalidQuery, Query
from disclosure.policy import Mode
from disclosure.tables import ExactTable
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import OutputCheck, Project
from privacy_api.service.answer_query import find_data_set
from privacy_api.service.cuts import HostedDataSet
from privacy_api.service.document import asked
from privacy_api.service.project_terms import scope_in
from privacy_api.service.services import Services

LISTED = 1_000
"""Of the record, the last ones."""


@dataclass(frozen=True, slots=True)
class Output:
    """table: the CSV; query: what made it, if it is known."""

    data_set: str
    table: str
    query: Query | None


@dataclass(frozen=True, slots=True)
class Checker:
    """Who has it checked: the id of a key, or who runs the command. project: whose grants and scope the query keeps to;
    grants: where there is none."""

    who: str
    project: Project | None
    grants: frozenset[str] = frozenset()

    @property
    def actor(self) -> str:
        """For the record of decisions, which tells keys from people."""
        return self.who if self.project is None else f"key-{self.who}"


def check(output: Output, by: Checker, services: Services) -> dict[str, Any]:
    """The verdict, as a JSON value; it is recorded before it is told."""
    hosted = find_data_set(output.data_set, services)
    if hosted.cut.policy.mode is not Mode.OFFICIAL:
        raise ApiError(ErrorCode.OUTPUT_CHECKS_NOT_OFFERED)
    checked = _checked(output, hosted, by, services)
    entry = _entry(output, checked, hosted, by, services)
    with services.together():
        services.output_checks.record(entry)
        services.audit.record("output-checked", by.actor, f"output:{entry.id}", _facts(entry))
    return _document(entry, output, checked, hosted)


def recorded(services: Services) -> list[dict[str, Any]]:
    """Who had what checked, newest last."""
    return [_told(entry) for entry in services.output_checks.checks(LISTED)]


def _place(hosted: HostedDataSet, by: Checker, services: Services) -> Place:
    before = services.ledger.released_tables(hosted.scope)
    return Place(
        data_set=hosted.data_set,
        policy=hosted.cut.policy,
        limits=hosted.cut.limits,
        grants=by.grants if by.project is None else by.project.grants,
        scope=None if by.project is None else scope_in(hosted, by.project),
        aggregate=_aggregates(hosted, services),
        populations=[table.population for table in before],
        cells=[table.cells for table in before],
    )


def _aggregates(hosted: HostedDataSet, services: Services) -> Aggregates:
    def aggregate(plan: Plan) -> ExactTable:
        found = hosted.cut.engine.aggregate(plan)
        services.step("aggregated")
        return found

    return aggregate


def _checked(output: Output, hosted: HostedDataSet, by: Checker, services: Services) -> CheckedTable:
    try:
        return check_output(output.table, output.query, _place(hosted, by, services))
    except InvalidTable as invalid:
        raise ApiError(ErrorCode.INVALID_TABLE, invalid.problems) from None
    except InvalidQuery as invalid:
        problems = [replace(problem, path=f"query.{problem.path}") for problem in invalid.problems]
        raise ApiError(ErrorCode.INVALID_QUERY, problems) from None
    except EngineFailed:
        raise ApiError(ErrorCode.OUTPUT_CHECK_FAILED) from None


def _entry(
    output: Output, checked: CheckedTable, hosted: HostedDataSet, by: Checker, services: Services
) -> OutputCheck:
    query = None if output.query is None else json.dumps(asked(output.query), separators=(",", ":"), sort_keys=True)
    return OutputCheck(
        id=f"check-{secrets.token_hex(8)}",
        at=services.now(),
        who=by.who,
        project=None if by.project is None else by.project.id,
        data_set=hosted.id,
        version=hosted.cut.version,
        policy=hosted.cut.policy.digest,
        sha256=hashlib.sha256(output.table.encode()).hexdigest(),
        query=query,
        verdict=checked.verdict,
    )


def _facts(entry: OutputCheck) -> dict[str, str]:
    told = {
        "verdict": str(entry.verdict),
        "data_set": entry.data_set,
        "version": entry.version,
        "policy": entry.policy,
        "digest": entry.sha256,
    }
    return told if entry.project is None else {**told, "project": entry.project}


def _document(entry: OutputCheck, output: Output, checked: CheckedTable, hosted: HostedDataSet) -> dict[str, Any]:
    policy = hosted.cut.policy
    cells = [
        {"line": c.line, "column": c.column, "verdict": c.verdict, "findings": _findings(c.findings)}
        for c in checked.cells
    ]
    return {
        **_told(entry),
        "policy": {"name": policy.name, "version": policy.version, "hash": policy.digest},
        "measures": [_kind(m.id, m.statistic) for m in output.query.measures] if output.query else [],
        "numbers": {v.value: sum(c.verdict is v for c in checked.cells) for v in Verdict},
        "findings": _findings(checked.findings),
        "cells": cells,
    }


def _told(entry: OutputCheck) -> dict[str, Any]:
    return {
        "id": entry.id,
        "checked": entry.at,
        "by": entry.who,
        "project": entry.project,
        "dataSet": entry.data_set,
        "version": entry.version,
        "sha256": entry.sha256,
        "query": None if entry.query is None else json.loads(entry.query),
        "verdict": entry.verdict,
    }


def _kind(measure: str, statistic: str) -> dict[str, Any]:
    barn = statbarn_of(statistic)
    return {"id": measure, "statistic": statistic, "kind": barn.name, "risks": list(barn.risks)}


def _findings(findings: Iterable[Finding]) -> list[dict[str, str]]:
    return [{"code": f.code, "verdict": f.verdict, "message": f.message, "fix": f.fix} for f in findings]
