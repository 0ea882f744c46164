"""Bodies of the requests that apply, decide and comment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.checklist import MEMBERS
from privacy_api.governance.records import Unreadable, camel, read_record
from privacy_api.ports.applications import Step

Body = TypeVar("Body")


@dataclass(frozen=True, slots=True)
class StartIn:
    """changes: a project of one's own."""

    changes: str | None = None


@dataclass(frozen=True, slots=True)
class ReasonIn:
    reason: str


@dataclass(frozen=True, slots=True)
class WithdrawIn:
    reason: str = ""


@dataclass(frozen=True, slots=True)
class ApproveIn:
    reason: str
    rho: str = ""
    expires: str = ""
    tightening: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CommentIn:
    text: str
    step: int | None = None


@dataclass(frozen=True, slots=True)
class TighteningIn:
    reason: str
    tightening: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class MemberIn:
    account: str
    reason: str = ""


def read_body_as(kind: type[Body], value: Any) -> Body:
    try:
        return read_record(kind, value)
    except Unreadable as refused:
        raise ApiError(ErrorCode.INVALID_TERMS, refused.problems) from None


def step_named(name: str) -> Step:
    """By its number or by its name."""
    for step in MEMBERS:
        if name in (str(int(step)), camel(MEMBERS[step])):
            return step
    raise ApiError(ErrorCode.NOT_FOUND, detail=f"No such step. Accepted: {', '.join(map(camel, MEMBERS.values()))}.")


def step_numbered(number: int | None) -> Step | None:
    if number is None:
        return None
    if number not in list(Step):
        raise ApiError(ErrorCode.INVALID_TERMS, detail=f"step: wants 1 to {len(Step)}.")
    return Step(number)
