"""The policy of a cut: what protection its answers get. A TOML file that a disclosure officer can read.

Every rule carries `plain` (a sentence for people), `source`, `verified` and `owner`. Loading reports all problems
at once and fails closed: an unknown rule, a missing rule or a value out of range refuses the whole file.
"""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, assert_never

from disclosure.accounting import LEAST_PRICE, atto_delta, delta, nano_rho, rho
from disclosure.tables import Noise


class Mode(StrEnum):
    DP = "dp"
    OFFICIAL = "official"


class PolicyRefused(ValueError):
    """The policy file cannot be used; `problems` says every reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("the policy is refused:\n" + "\n".join(f"  - {p}" for p in problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Rule:
    """Why a number is what it is, for people."""

    plain: str
    source: str
    verified: bool
    owner: str


@dataclass(frozen=True, slots=True)
class ListedGroups:
    """Groups whose keys come from the data may be listed. delta: of one release, delta_total: of all of the cut's, in
    atto-δ; most_groups: rows of one answer.
    """

    delta: int
    delta_total: int
    most_groups: int


@dataclass(frozen=True, slots=True)
class Policy:
    """All amounts of privacy loss in nano-ρ; counts in pupils or rows as the measure counts."""

    name: str
    version: int
    mode: Mode
    noise: Noise
    delta: float
    cut_cap: int
    default_price: int
    query_cap: int
    minimum_count: int
    rounding_base: int
    minimum_denominator: int
    relative_margin_low: float
    confidence: float
    max_cells: int
    max_group_by: int
    acknowledged_risk: str
    rules: Mapping[str, Rule]
    digest: str
    listed_groups: ListedGroups | None = None

    def delta_with(self, listed: int) -> float:
        """The δ that belongs to an ε, which is that of ρ at the policy's own δ, beside this many atto-δ of listed
        groups."""
        return self.delta + float(delta(listed))

    def listed_at_most(self, spent: int) -> int:
        """atto-δ that listed groups may cost in all; more only where an earlier policy let more be spent."""
        return max(spent, self.listed_groups.delta_total if self.listed_groups else 0)

    @property
    def answers_ad_hoc(self) -> bool:
        """`official` answers free queries only where an officer has accepted the risk in words."""
        return self.mode is Mode.DP or bool(self.acknowledged_risk)

    @property
    def sells_precision(self) -> bool:
        """Only Gaussian noise is sold in parts: Laplace measurements are made once, at one price."""
        return self.noise is Noise.GAUSSIAN

    @property
    def of_a_measurement(self) -> str:
        """What of the policy makes a measurement another one. An `official` value depends on all of it, a Laplace
        measurement on its price, since it is never added to; a Gaussian one on nothing: display rules come later."""
        match self.noise:
            case Noise.NONE:
                return self.digest
            case Noise.LAPLACE:
                return f"laplace {self.default_price}"
            case Noise.GAUSSIAN:
                return ""
            case _:
                assert_never(self.noise)


@dataclass(frozen=True, slots=True)
class _Field:
    """One number of a rule: where it stands in the file, what is accepted, which modes need it."""

    rule: str
    key: str
    accepts: str
    check: Callable[[Any], bool]
    modes: tuple[Mode, ...] = (Mode.DP, Mode.OFFICIAL)
    optional: bool = False


def _whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, int) and not isinstance(v, bool) and low <= v <= high


def _between(low: str, high: str) -> Callable[[Any], bool]:
    def check(value: Any) -> bool:
        if not isinstance(value, int | Decimal) or isinstance(value, bool):
            return False
        return Decimal(value).is_finite() and Decimal(low) < value <= Decimal(high)

    return check


def _one_of(*words: str) -> Callable[[Any], bool]:
    return lambda v: isinstance(v, str) and v in words


_RHO = "a number above 0 and at most 100"
_DELTA = "a number above 1e-15 and at most 0.00001"
_GROUPS = "a whole number from 1 to 50000"
_LISTED = ((Mode.DP,), True)
FIELDS: dict[str, _Field] = {
    "cut_cap": _Field("budget", "cut_rho", _RHO, _between("0", "100"), (Mode.DP,)),
    "default_price": _Field("budget", "default_rho", _RHO, _between("0", "100"), (Mode.DP,)),
    "query_cap": _Field("budget", "query_rho", _RHO, _between("0", "100"), (Mode.DP,)),
    "delta": _Field("budget", "delta", "a number above 0 and at most 0.00001", _between("0", "0.00001"), (Mode.DP,)),
    "noise": _Field("mechanism", "noise", "'gaussian' or 'laplace'", _one_of("gaussian", "laplace"), (Mode.DP,)),
    "confidence": _Field("intervals", "confidence", "a number above 0.5 and at most 0.999", _between("0.5", "0.999")),
    "minimum_count": _Field("minimum_count", "value", "a whole number from 0 to 1000", _whole(0, 1000)),
    "rounding_base": _Field("rounding", "base", "a whole number from 1 to 1000", _whole(1, 1000)),
    "minimum_denominator": _Field("denominators", "value", "a whole number from 0 to 1000", _whole(0, 1000)),
    "relative_margin_low": _Field(
        "reliability", "relative_margin", "a number above 0 and at most 10", _between("0", "10")
    ),
    "max_cells": _Field("limits", "cells", "a whole number from 1 to 50000", _whole(1, 50_000)),
    "max_group_by": _Field("limits", "group_by", "a whole number from 0 to 8", _whole(0, 8)),
    "listed_delta": _Field("listed_groups", "delta", _DELTA, _between("1e-15", "0.00001"), *_LISTED),
    "listed_delta_total": _Field("listed_groups", "delta_total", _DELTA, _between("1e-15", "0.00001"), *_LISTED),
    "most_groups": _Field("listed_groups", "most_groups", _GROUPS, _whole(1, 50_000), *_LISTED),
}
_RULE_KEYS = {"plain": str, "source": str, "verified": bool, "owner": str}
_HEAD = {"policy", "version", "mode"}


def load_policy(text: str) -> Policy:
    """Read a policy; raises `PolicyRefused` with every problem."""
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise PolicyRefused([f"not TOML: {error}"]) from None
    problems = _head_problems(raw)
    if problems:
        raise PolicyRefused(problems)
    mode = Mode(raw["mode"])
    values = _values(raw, mode, problems)
    rules = _rules(raw, mode, problems)
    risk = _risk(raw, mode, problems)
    if not problems:
        problems += _contradictions(values, mode)
    if problems:
        raise PolicyRefused(problems)
    return _policy(raw, mode, values, rules, risk, hashlib.sha256(text.encode()).hexdigest())


def _policy(
    raw: dict[str, Any], mode: Mode, values: dict[str, Any], rules: dict[str, Rule], risk: str, digest: str
) -> Policy:
    amounts = {k: nano_rho(Decimal(values.get(k, 0))) for k in ("cut_cap", "default_price", "query_cap")}
    plain = {k: v for k, v in values.items() if k not in amounts and not FIELDS[k].optional}
    for name in ("delta", "confidence", "relative_margin_low"):
        plain[name] = float(plain.get(name, 0))
    law = Noise(plain.pop("noise", Noise.NONE))
    return Policy(
        name=raw["policy"], version=raw["version"], mode=mode, acknowledged_risk=risk, rules=rules, digest=digest,
        noise=law, listed_groups=_listed(values), **amounts, **plain,
    )  # fmt: skip


def _listed(values: dict[str, Any]) -> ListedGroups | None:
    if "most_groups" not in values:
        return None
    each, total = (atto_delta(Decimal(values[name])) for name in ("listed_delta", "listed_delta_total"))
    return ListedGroups(each, total, values["most_groups"])


def _head_problems(raw: dict[str, Any]) -> list[str]:
    problems = []
    if not isinstance(raw.get("policy"), str) or not raw.get("policy"):
        problems.append("policy: a name is wanted")
    if not _whole(1, 10**6)(raw.get("version")):
        problems.append("version: a whole number from 1 is wanted")
    if not isinstance(raw.get("mode"), str) or raw["mode"] not in {m.value for m in Mode}:
        problems.append("mode: wants 'dp' or 'official'")
    return problems


def _wanted(raw: dict[str, Any], mode: Mode) -> dict[str, list[str]]:
    """Rules and their keys: those of the mode, an optional one if it is there."""
    keys: dict[str, list[str]] = {}
    for field in _fields(raw, mode).values():
        keys.setdefault(field.rule, []).append(field.key)
    return keys


def _fields(raw: dict[str, Any], mode: Mode) -> dict[str, _Field]:
    return {n: f for n, f in FIELDS.items() if mode in f.modes and (not f.optional or f.rule in raw)}


def _values(raw: dict[str, Any], mode: Mode, problems: list[str]) -> dict[str, Any]:
    values = {}
    for name, field in _fields(raw, mode).items():
        table = raw.get(field.rule)
        value = table.get(field.key) if isinstance(table, dict) else None
        if value is None:
            problems.append(f"{field.rule}.{field.key}: missing; wants {field.accepts}")
        elif not field.check(value):
            problems.append(f"{field.rule}.{field.key}: wants {field.accepts}")
        values[name] = value
    return values


def _rules(raw: dict[str, Any], mode: Mode, problems: list[str]) -> dict[str, Rule]:
    wanted, rules = _wanted(raw, mode), {}
    known = {field.rule for field in FIELDS.values() if mode in field.modes} | _HEAD
    known |= {"ad_hoc"} if mode is Mode.OFFICIAL else set()
    problems += [f"{key}: unknown; known are {', '.join(sorted(known))}" for key in raw if key not in known]
    for name in wanted:
        table = raw.get(name)
        if not isinstance(table, dict):
            continue
        accepted = {*wanted[name], *_RULE_KEYS}
        problems += [
            f"{name}.{k}: unknown; known are {', '.join(sorted(accepted))}" for k in table if k not in accepted
        ]
        missing = [k for k, kind in _RULE_KEYS.items() if not isinstance(table.get(k), kind) or table.get(k) == ""]
        problems += [f"{name}.{k}: missing; every rule has plain, source, verified, owner" for k in missing]
        if not missing:
            rules[name] = Rule(**{k: table[k] for k in _RULE_KEYS})
    return rules


def _risk(raw: dict[str, Any], mode: Mode, problems: list[str]) -> str:
    table = raw.get("ad_hoc", {})
    if mode is Mode.DP or table == {}:
        return ""
    if (
        not isinstance(table, dict)
        or set(table) != {"acknowledged_risk"}
        or not isinstance(table["acknowledged_risk"], str)
    ):
        problems.append("ad_hoc: wants one key, acknowledged_risk, a sentence")
        return ""
    if len(table["acknowledged_risk"].split()) < 5:
        problems.append("ad_hoc.acknowledged_risk: wants a sentence that names the risk (five words or more)")
    return str(table["acknowledged_risk"])


def _contradictions(values: dict[str, Any], mode: Mode) -> list[str]:
    problems = []
    if mode is Mode.DP and not values["default_price"] <= values["query_cap"] <= values["cut_cap"]:
        problems.append("budget: wants default_rho ≤ query_rho ≤ cut_rho")
    if mode is Mode.DP and nano_rho(Decimal(values["default_price"])) < LEAST_PRICE:
        problems.append(f"budget.default_rho: wants at least {rho(LEAST_PRICE):f}, the least a measurement may cost")
    if "most_groups" in values and values["listed_delta"] > values["listed_delta_total"]:
        problems.append("listed_groups: wants delta ≤ delta_total")
    if "most_groups" in values and values["noise"] != Noise.GAUSSIAN:
        problems.append("listed_groups: wants mechanism.noise 'gaussian'")
    if mode is Mode.OFFICIAL and values["minimum_count"] < 1:
        problems.append("minimum_count.value: wants at least 1 in official mode, where nothing else hides a child")
    return problems
