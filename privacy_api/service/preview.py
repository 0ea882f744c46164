"""What a query would cost and how precise it would be: from the schema, the policy and the ledger, never the data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datasets.precision import margin
from datasets.query import Query
from datasets.validate import ValidMeasure, ValidQuery
from disclosure.accounting import Event, epsilon, rho
from disclosure.aggregates import Aggregate, bins_of
from disclosure.policy import Mode, Policy
from disclosure.protect import spread
from privacy_api.ports import Principal, Wanted
from privacy_api.service.answer_query import check, find_data_set
from privacy_api.service.document import warnings
from privacy_api.service.services import Services

SIZES = (100, 1_000, 10_000)
"""Pupils in a supposed cell, for measures whose margin depends on how many there are."""


def preview(query: Query, principal: Principal, services: Services) -> dict[str, Any]:
    """Raises ApiError as asking would."""
    hosted = find_data_set(query.data_set, services)
    valid, wanted = check(query, hosted, principal)
    missing = services.ledger.missing(hosted.cut.catalogue.cut, [Wanted(e) for e in wanted.values()])
    return {
        "valid": True,
        "problems": [],
        "warnings": warnings(valid),
        "cells": valid.plan.cells,
        "numbers": valid.plan.cells * sum(bins_of(a) for a in valid.plan.aggregates),
        "price": _amount(sum(e.nano_rho for e in wanted.values()), hosted.cut.policy),
        "chargedNow": _amount(sum(w.event.nano_rho for w in missing), hosted.cut.policy),
        "measurements": {"wanted": len(wanted), "alreadyMade": len(wanted) - len(missing)},
        "measures": [_expected(m, valid, hosted.cut.policy, wanted) for m in valid.measures],
    }


def _amount(price: int, policy: Policy) -> dict[str, Any]:
    """A price in nano-ρ, ρ, and ε at the policy's δ."""
    eps = round(epsilon(price, policy.delta), 4) if policy.delta else None
    return {"nanoRho": price, "rho": float(rho(price)), "epsilon": eps}


def _expected(
    measure: ValidMeasure, valid: ValidQuery, policy: Policy, wanted: Mapping[Aggregate, Event]
) -> dict[str, Any]:
    """Half-widths of the interval: one for a count, one per supposed cell size for anything else."""
    out: dict[str, Any] = {"id": measure.id, "statistic": measure.statistic.name, "confidence": policy.confidence}
    if policy.mode is Mode.OFFICIAL:
        return out | {"margin": policy.rounding_base / 2 if measure.statistic.is_count else None}
    prices = {a: wanted[a].nano_rho for a in measure.aggregates}
    if measure.statistic.is_count:
        counted = measure.aggregates[0]
        noise_sd = round(spread(counted, valid.plan.contribution, prices[counted], policy.noise), 3)
        return out | {"noiseSd": noise_sd, "margin": margin(measure, valid, prices, policy, 0)}
    places = max(measure.statistic.decimals(measure.subject), 1) + 1
    found = {str(n): margin(measure, valid, prices, policy, n) for n in SIZES}
    return out | {"marginAt": {n: None if m is None else round(m, places) for n, m in found.items()}}
