"""A policy made tighter for one project: what it may ask, and how what was measured is shown to it.

Only numbers that work after the measuring, or on what may be asked at all, can be tightened, so that a tightening never
makes another measurement: the answer is post-processing of what was measured for everybody ([ADR 10]). In `official`
mode that leaves the limits: a table that is rounded or suppressed a second way tells more beside the first.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from disclosure.fields import Change, Field, Mode
from disclosure.policy.model import Policy
from disclosure.policy.tables import TABLES

Tightening: TypeAlias = Mapping[str, int]
"""By `table.key`, in the policy file's own words."""


@dataclass(frozen=True, slots=True)
class _Tightened:
    """attribute: of the policy. shows: it changes what is shown, rather than what may be asked."""

    attribute: str
    shows: bool


_TIGHTENED: Mapping[str, _Tightened] = {
    "minimum_count.value": _Tightened("minimum_count", True),
    "rounding.base": _Tightened("rounding_base", True),
    "denominators.value": _Tightened("minimum_denominator", True),
    "limits.cells": _Tightened("max_cells", False),
    "limits.group_by": _Tightened("max_group_by", False),
}


def places(mode: Mode) -> tuple[str, ...]:
    """What can be tightened."""
    return tuple(place for place, each in _TIGHTENED.items() if mode is Mode.DP or not each.shows)


def tightening_problems(policy: Policy, wanted: Mapping[str, Any]) -> list[str]:
    """What is wrong with it for a cut of this policy: unknown, not accepted, looser than the policy, or as it is."""
    return [told for place, value in wanted.items() if (told := _problem(policy, place, value))]


def _problem(policy: Policy, place: str, value: Any) -> str:
    if place not in places(policy.mode):
        return f"{place}: cannot be tightened for a project; accepted are {', '.join(places(policy.mode))}"
    field = _field(place)
    if not field.check(value):
        return f"{place}: wants {field.accepts}"
    standing, why = _standing(policy, place), field.direction.reason
    if field.direction.judge(standing, value) is not Change.TIGHTENS:
        return f"{place}: the cut's policy has {standing}; {value} is not tighter ({why})"
    return ""


def tighten(policy: Policy, wanted: Tightening) -> Policy:
    """The tighter of the two, number by number: where the policy is as tight by now, it stands.

    The digest is another one only where something is shown otherwise: then it is another release of the same
    measurements. Where only less may be asked, what is asked is answered as for everybody.
    """
    tighter = {
        place: wanted[place]
        for place in places(policy.mode)
        if place in wanted and _field(place).direction.judge(_standing(policy, place), wanted[place]) is Change.TIGHTENS
    }
    changed: dict[str, Any] = {_TIGHTENED[place].attribute: value for place, value in tighter.items()}
    shown = {place: value for place, value in tighter.items() if _TIGHTENED[place].shows}
    if shown:
        changed |= {"digest": _digest(policy, shown), "shown_coarser": tuple(sorted(shown.items()))}
    return replace(policy, **changed)


def looser(before: Tightening, after: Tightening) -> tuple[str, ...]:
    """Where a project that had `before` would be less tightly held with `after`."""
    return tuple(
        place
        for place in before
        if place not in after or _field(place).direction.judge(before[place], after[place]) is Change.LOOSENS
    )


def _standing(policy: Policy, place: str) -> int:
    value: int = getattr(policy, _TIGHTENED[place].attribute)
    return value


def _field(place: str) -> Field:
    name, _, key = place.partition(".")
    table = next(table for table in TABLES if table.name == name)
    return next(field for field in table.fields if field.key == key)


def _digest(policy: Policy, shown: Mapping[str, int]) -> str:
    text = json.dumps([policy.digest, shown], sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
