"""Caps of cuts, projects and people. Lowering one is one person's act; raising one is done once two people agree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from disclosure.accounting import rho
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.service.policy_versions import find_cut, standing_terms
from privacy_api.service.services import Services
from privacy_api.service.terms import change_terms


class Scope(StrEnum):
    CUT = "cut"
    PROJECT = "project"
    PERSON = "person"


KINDS = {Scope.PROJECT: "project-cap-changed", Scope.PERSON: "person-cap-changed"}
"""On the record; a cut's cap is a change of its terms."""
MOST_CAP = 2**63 - 1


@dataclass(frozen=True, slots=True)
class CapChange:
    """What is to be done, as a proposal names it. before, after: nano-ρ."""

    scope: Scope
    name: str
    before: int
    after: int

    @property
    def subject(self) -> str:
        return f"{self.scope}:{self.name}"

    @property
    def raises(self) -> bool:
        return self.after > self.before

    @property
    def told(self) -> str:
        word = "Raise" if self.raises else "Lower"
        return (
            f"{word} the budget of {self.scope} {self.name} from rho {rho(self.before):f} to rho {rho(self.after):f}."
        )

    @property
    def what(self) -> Mapping[str, Any]:
        return {**asdict(self), "scope": self.scope.value}


def read_change(what: Mapping[str, Any]) -> CapChange:
    """The other way round, of a proposal."""
    return CapChange(Scope(what["scope"]), str(what["name"]), int(what["before"]), int(what["after"]))


def planned(scope: Scope, name: str, cap: int, services: Services) -> CapChange:
    """ApiError where there is no such thing, or its cap cannot be this one."""
    if not 0 <= cap <= MOST_CAP:
        raise ApiError(ErrorCode.INVALID_REQUEST, detail="A cap is from 0 to 2**63 - 1 nano-rho.")
    if scope is Scope.CUT and cap > (most := find_cut(name, services).policy.cut_cap):
        detail = f"The policy of {name} has rho {rho(most):f} in all: a larger cap wants a policy with a larger budget."
        raise ApiError(ErrorCode.INVALID_REQUEST, detail=detail)
    change = CapChange(scope, name, standing_cap(scope, name, services), cap)
    if change.before == change.after:
        raise ApiError(ErrorCode.INVALID_REQUEST, detail=f"The cap is rho {rho(cap):f} already.")
    return change


def standing_cap(scope: Scope, name: str, services: Services) -> int:
    """nano-ρ; ApiError for what is not there."""
    if scope is Scope.CUT:
        return standing_terms(name, services).cap_under(find_cut(name, services).policy.cut_cap)
    found = services.projects.project(name) if scope is Scope.PROJECT else services.projects.person(name)
    if found is None:
        raise ApiError(ErrorCode.NOT_FOUND, detail=f"There is no {scope} of this id.")
    return found.cap


def lower(change: CapChange, why: str, by: str, services: Services) -> None:
    """by: the account. ApiError where it would raise the cap: that wants a second person."""
    if change.raises:
        raise ApiError(ErrorCode.ANOTHER_PERSON, detail="A cap is raised by two people: propose it.")
    apply(change, why, by, None, services)


def apply(change: CapChange, why: str, by: str, proposal: str | None, services: Services) -> None:
    """ApiError where the cap is another by now than the one it was changed from."""
    facts = {"before": change.before, "after": change.after, "reason": why}
    facts |= {"proposal": proposal} if proposal else {}
    with services.together():
        if standing_cap(change.scope, change.name, services) != change.before:
            detail = "The cap was changed in the meantime: look at it, and say again what it should be."
            raise ApiError(ErrorCode.NOT_AS_THINGS_STAND, detail=detail)
        if change.scope is Scope.CUT:
            standing = standing_terms(change.name, services)
            change_terms(standing, "cut-cap-changed", by, services.now(), why, facts, services, cap=change.after)
            return
        services.projects.set_cap(change.scope.value, change.name, change.after)
        services.audit.record(KINDS[change.scope], by, change.subject, facts)
