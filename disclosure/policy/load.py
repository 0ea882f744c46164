"""A policy file, whole and without contradiction, as a `Policy`."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

from disclosure.accounting import atto_delta, nano_rho
from disclosure.fields import Mode
from disclosure.policy.contradictions import contradictions
from disclosure.policy.model import CellKey, Differencing, ListedGroups, Policy, Rule, Secondary, Sparsity
from disclosure.policy.read import DESCRIPTION, PolicyFile, PolicyRefused, read
from disclosure.policy.tables import TABLES
from disclosure.rounding import RoundingMethod
from disclosure.rules import RULES
from disclosure.suppression.problem import Method
from disclosure.tables import Noise

Made = TypeVar("Made")


def load_policy(text: str) -> Policy:
    """Read a policy; raises `PolicyRefused` with every problem."""
    return as_policy(checked(text))


def checked(text: str) -> PolicyFile:
    """A file that is whole and without contradiction; raises `PolicyRefused` with every problem."""
    file, problems = read(text)
    problems += contradictions(file)
    if file.mode is Mode.OFFICIAL:
        problems += _refused_by_themselves(file)
    if problems:
        raise PolicyRefused(problems)
    return file


def as_policy(file: PolicyFile) -> Policy:
    return Policy(
        name=file.name,
        version=file.version,
        mode=file.mode,
        minimum_count=file.get("minimum_count.value"),
        rounding_base=file.get("rounding.base"),
        minimum_denominator=file.get("denominators.value"),
        relative_margin_low=float(file.get("reliability.relative_margin")),
        confidence=float(file.get("intervals.confidence")),
        max_cells=file.get("limits.cells"),
        max_group_by=file.get("limits.group_by"),
        rules=_descriptions(file),
        digest=file.digest,
        **(_of_dp(file) if file.mode is Mode.DP else _of_official(file)),
    )


def _of_dp(file: PolicyFile) -> dict[str, Any]:
    amounts = {"cut_cap": "cut_rho", "default_price": "default_rho", "query_cap": "query_rho"}
    return {
        "noise": Noise(file.get("mechanism.noise")),
        "delta": float(file.get("budget.delta")),
        **{name: nano_rho(Decimal(file.get(f"budget.{key}"))) for name, key in amounts.items()},
        "listed_groups": _optional(file, "listed_groups", partial(_listed_groups, file.get("minimum_count.value"))),
        "model_cap": _optional(file, "synthetic_model", _model_cap) or 0,
    }


def _of_official(file: PolicyFile) -> dict[str, Any]:
    return {
        "primary": tuple(rule(**_parameters(file, rule.name)) for rule in RULES if rule.name in file.values),
        "secondary": _secondary(**_parameters(file, "secondary")),
        "rounding_method": RoundingMethod(file.get("rounding.method")),
        "cell_key": _optional(file, "cell_key", _cell_key),
        "sparsity": _optional(file, "sparsity", Sparsity),
        "differencing": _optional(file, "differencing", Differencing),
        "acknowledged_risk": file.get("ad_hoc.acknowledged_risk") or "",
    }


def _optional(file: PolicyFile, table: str, make: Callable[..., Made]) -> Made | None:
    return make(**_parameters(file, table)) if table in file.values else None


def _listed_groups(least: int, delta: Decimal, delta_total: Decimal, most_groups: int) -> ListedGroups:
    return ListedGroups(atto_delta(Decimal(delta)), atto_delta(Decimal(delta_total)), most_groups, least)


def _model_cap(most_rho: Decimal) -> int:
    return nano_rho(Decimal(most_rho))


def _secondary(method: str, **limits: int) -> Secondary:
    return Secondary(Method(method), **limits)


def _cell_key(zeros: str, **numbers: Any) -> CellKey:
    """Of zeros there is one word yet, which says that they are kept."""
    return CellKey(**numbers)


def _parameters(file: PolicyFile, table: str) -> dict[str, Any]:
    return {key: value for key, value in file.values[table].items() if key not in DESCRIPTION}


def _descriptions(file: PolicyFile) -> dict[str, Rule]:
    described = [table.name for table in TABLES if table.described and table.name in file.values]
    return {name: Rule(**{key: file.values[name][key] for key in DESCRIPTION}) for name in described}


def _refused_by_themselves(file: PolicyFile) -> list[str]:
    """Parameters of one rule that cannot stand together; asked only where each was accepted."""
    makers: dict[str, Callable[..., Any]] = {**{rule.name: rule for rule in RULES}, "cell_key": _cell_key}
    found = []
    for table in TABLES:
        make = makers.get(table.name)
        if make is not None and all(field.key in file.values.get(table.name, {}) for field in table.of(file.mode)):
            try:
                _optional(file, table.name, make)
            except ValueError as error:
                found.append(f"{table.name}: {error}")
    return found
