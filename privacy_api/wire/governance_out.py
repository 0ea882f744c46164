"""Applications, proposals and projects as JSON values."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

from disclosure.accounting import rho
from privacy_api.governance.applications import PLAIN, WAITS_FOR, Side, seconds_with, stages
from privacy_api.governance.approvals import has_lapsed
from privacy_api.governance.asked_for import DataSets, sensitive
from privacy_api.governance.checklist import MEMBERS, TITLES, problems, step_status
from privacy_api.governance.records import camel, record_value
from privacy_api.governance.red_flags import Case, raised
from privacy_api.ports import Account, Project, Proposal
from privacy_api.ports.applications import Application, Comment, Moved, Step, Submission


def application_line(found: Application) -> dict[str, Any]:
    """One line of a list."""
    return {
        "id": found.id,
        "reference": found.reference,
        "title": found.content.purpose.title,
        "state": found.state,
        "waitsFor": WAITS_FOR.get(found.state),
        "created": found.created,
        "submission": found.submission,
        "changes": found.changes,
        "project": found.project,
        "links": {"self": f"/v1/applications/{found.id}"},
    }


def application(
    found: Application,
    moves: Sequence[Moved],
    comments: Sequence[Comment],
    proposals: Sequence[Proposal],
    data_sets: DataSets,
    now: str,
) -> dict[str, Any]:
    """The same for the applicant and for staff: what is looked for is no secret."""
    return {
        **application_line(found),
        "plain": PLAIN[found.state],
        "applicant": found.applicant,
        "steps": [_step(step, found, data_sets) for step in Step],
        "content": record_value(found.content),
        "problems": [
            {"code": p.code, "message": p.message, "path": p.path} for p in problems(found.content, data_sets)
        ],
        "sensitive": _offers(found, data_sets),
        "redFlags": [
            {"id": f.id, "plain": f.plain, "severity": f.severity, "found": f.found}
            for f in raised(Case(found.content, data_sets, date.fromisoformat(now[:10])))
        ],
        "moves": [record_value(each) for each in moves],
        "clock": clock(moves, now),
        "comments": [comment(each) for each in comments],
        "proposals": [proposal(each, now) for each in proposals],
    }


def _step(step: Step, found: Application, data_sets: DataSets) -> dict[str, Any]:
    name = camel(MEMBERS[step]) if step in MEMBERS else "check"
    return {
        "number": int(step),
        "name": name,
        "title": TITLES[step],
        "status": step_status(step, found.content, data_sets),
    }


def _offers(found: Application, data_sets: DataSets) -> list[dict[str, Any]]:
    """Sensitive variables that are asked for: why they are, and what would tell less, the coarsest first."""
    return [
        {
            "dataSet": each.data_set,
            "reference": each.reference,
            "label": each.variable.label,
            "why": each.why_sensitive,
            "coarser": [f"{each.variable.name}.{banding.name}" for banding in each.coarser],
        }
        for each in sensitive(found.content, data_sets)
    ]


def clock(moves: Sequence[Moved], now: str) -> dict[str, Any]:
    found = stages(moves, now)
    return {
        "secondsWithApplicant": seconds_with(Side.APPLICANT, found),
        "secondsWithStaff": seconds_with(Side.STAFF, found),
        "stages": [record_value(stage) for stage in found],
    }


def comment(found: Comment) -> dict[str, Any]:
    return {**record_value(found), "step": None if found.step is None else int(found.step)}


def submission(found: Submission) -> dict[str, Any]:
    value: dict[str, Any] = record_value(found)
    return value


def proposal(found: Proposal, now: str) -> dict[str, Any]:
    """state: also lapsed, which an open one becomes by itself."""
    value: dict[str, Any] = record_value(found)
    lapsed = found.state == "open" and has_lapsed(found, now)
    links = {"self": f"/v1/proposals/{found.id}"}
    return {**value, "what": json.loads(found.what), "state": "lapsed" if lapsed else found.state, "links": links}


def project(found: Project, members: Sequence[Account]) -> dict[str, Any]:
    return {
        "id": found.id,
        "title": found.title,
        "kind": found.kind,
        "capNanoRho": found.cap,
        "rho": float(rho(found.cap)),
        "grants": sorted(found.grants),
        "scope": None if found.scope is None else _scope(found),
        "tightening": dict(found.tightening),
        "expires": found.expires,
        "frozen": found.frozen,
        "members": [{"id": each.id, "name": each.name} for each in members],
        "links": {"self": f"/v1/projects/{found.id}", "budget": f"/v1/projects/{found.id}/budget"},
    }


def _scope(found: Project) -> list[dict[str, Any]]:
    return [
        {
            "dataSet": name,
            "references": sorted(each.references),
            "within": {variable: sorted(codes) for variable, codes in each.within.items()},
        }
        for name, each in sorted((found.scope or {}).items())
    ]
