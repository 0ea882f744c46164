"""From TOML to accepted values, with every problem that there is."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

from disclosure.fields import Mode, is_whole
from disclosure.policy.tables import TABLES, Table

DESCRIPTION = {"plain": str, "source": str, "verified": bool, "owner": str}
_HEAD = ("policy", "version", "mode")
Values: TypeAlias = Mapping[str, Mapping[str, Any]]


class PolicyRefused(ValueError):
    """The policy file cannot be used; `problems` says every reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("the policy is refused:\n" + "\n".join(f"  - {p}" for p in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class PolicyFile:
    """values: of every table that is there, by key: fields and description alike, accepted ones only."""

    name: str
    version: int
    mode: Mode
    values: Values
    digest: str

    def get(self, path: str) -> Any:
        """Of `table.key`, or whether there is a table of this name; None for a value that is not there."""
        table, _, key = path.partition(".")
        return self.values.get(table, {}).get(key) if key else table in self.values


def read(text: str) -> tuple[PolicyFile, list[str]]:
    """What of the file is accepted, and what is wrong with the rest. Raises `PolicyRefused` where there is no mode to
    judge the rest by."""
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PolicyRefused([f"not TOML: {error}"]) from None
    problems = _head_problems(raw)
    mode = next((m for m in Mode if m == raw.get("mode")), None)
    if mode is None:
        raise PolicyRefused(problems)
    known = {table.name: table for table in TABLES if mode in table.modes}
    problems += _unknown("", raw, [*_HEAD, *known])
    values = {n: _accepted(t, mode, raw, problems) for n, t in known.items() if n in raw or not t.optional}
    digest = hashlib.sha256(text.encode()).hexdigest()
    return PolicyFile(str(raw.get("policy")), raw.get("version", 0), mode, values, digest), problems


def _head_problems(raw: dict[str, Any]) -> list[str]:
    problems = []
    if not isinstance(raw.get("policy"), str) or not raw["policy"].strip():
        problems.append("policy: a name is wanted")
    if not is_whole(1, 10**6)(raw.get("version")):
        problems.append("version: a whole number from 1 is wanted")
    if raw.get("mode") not in list(Mode):
        problems.append("mode: wants 'dp' or 'official'")
    return problems


def _accepted(table: Table, mode: Mode, raw: dict[str, Any], problems: list[str]) -> dict[str, Any]:
    given = raw.get(table.name, {})
    if not isinstance(given, dict):
        problems.append(f"{table.name}: wants a table")
        return {}
    fields = [f for f in table.of(mode) if f.unless is None or given.get(f.unless[0]) != f.unless[1]]
    described = DESCRIPTION if table.described and table.name in raw else {}
    problems += _unknown(f"{table.name}.", given, [*(field.key for field in fields), *described])
    accepted = {
        k: given[k] for k, kind in described.items() if isinstance(given.get(k), kind) and str(given[k]).strip()
    }
    missing = [key for key in described if key not in accepted]
    problems += [f"{table.name}.{key}: missing; every rule has {', '.join(described)}" for key in missing]
    for field in fields:
        if field.key not in given:
            problems.append(f"{table.name}.{field.key}: missing; wants {field.accepts}")
        elif not field.check(given[field.key]):
            problems.append(f"{table.name}.{field.key}: wants {field.accepts}")
        else:
            accepted[field.key] = given[field.key]
    return accepted


def _unknown(place: str, given: Mapping[str, Any], known: list[str]) -> list[str]:
    return [f"{place}{key}: unknown; known are {', '.join(sorted(known))}" for key in given if key not in known]
