"""What a query would cost and how precise it would be: from the schema, the policy and the ledger, never the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from datasets.answer import finish
from datasets.query import Query
from datasets.validate import ValidMeasure, ValidQuery
from disclosure.accounting import Event, epsilon, rho
from disclosure.accuracy import count_margin
from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount, bins_of
from disclosure.noise import sigma
from disclosure.policy import Mode, Policy
from disclosure.tables import Measurement
from privacy_api.ports import Principal, Wanted
from privacy_api.service.answer_query import check, find_data_set
from privacy_api.service.document import warnings
from privacy_api.service.questions import events
from privacy_api.service.services import Services

SIZES = (100, 1_000, 10_000)
"""Pupils in a supposed cell, for measures whose margin depends on how many there are."""


def preview(query: Query, principal: Principal, services: Services) -> dict[str, Any]:
    """Raises ApiError as asking would."""
    hosted = find_data_set(query.data_set, services)
    valid = check(query, hosted, principal)
    wanted = events(valid, hosted.cut)
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
    scales = {a: sigma(wanted[a].l2_squared, wanted[a].nano_rho) for a in measure.aggregates}
    if measure.statistic.is_count:
        (scale,) = scales.values()
        return out | {
            "noiseSd": round(scale, 3),
            "margin": count_margin(scale, policy.rounding_base, policy.confidence),
        }
    return out | {"marginAt": {str(n): _margin_at(n, measure, valid, policy, scales) for n in SIZES}}


def _margin_at(
    n: int, measure: ValidMeasure, valid: ValidQuery, policy: Policy, scales: Mapping[Aggregate, float]
) -> float | None:
    """Half-width in a supposed cell of n; None where it would be hidden or not available."""
    table = {a: _supposed(a, n, scales[a]) for a in measure.aggregates}
    one_cell = ValidQuery(valid.query, replace(valid.plan, axes=()), (), (measure,))
    series = finish(one_cell, table, policy).series[0]
    widths = (series.upper - series.lower) / 2
    return None if np.isnan(widths).all() else round(float(np.nanmax(widths)), max(series.decimals, 1) + 1)


def _supposed(aggregate: Aggregate, n: int, scale: float) -> Measurement:
    """A cell of n rows in the middle of everything: spread evenly over bins, at the middle of the bounds."""
    bins = bins_of(aggregate)
    match aggregate:
        case Count() | DistinctCount():
            values = np.full((1, 1), n, np.int64)
        case BinnedCount():
            values = np.full((1, bins), n // bins, np.int64)
        case _:
            values = np.zeros((1, 1), np.int64)
    return Measurement(values, scale, np.zeros((1, bins), bool))
