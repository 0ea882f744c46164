"""What a query would cost and how precise it would be: from the schema, the policy and the ledger, never the data."""

from __future__ import annotations

from typing import Any

import numpy as np

from datasets.answer import finish
from datasets.query import InvalidQuery, Query
from datasets.validate import ValidMeasure, ValidQuery, validate
from disclosure.accounting import epsilon, rho
from disclosure.accuracy import count_margin
from disclosure.aggregates import Aggregate, BinnedCount, Count, DistinctCount, bins_of
from disclosure.noise import sigma
from disclosure.policy import Mode
from disclosure.tables import Measurement
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import Principal
from privacy_api.service.answer_query import find_data_set
from privacy_api.service.questions import events
from privacy_api.service.services import Services

SIZES = (100, 1_000, 10_000)
"""Pupils in a supposed cell, for measures whose margin depends on how many there are."""


def preview(query: Query, principal: Principal, services: Services) -> dict[str, Any]:
    hosted = find_data_set(query.data_set, services)
    policy = hosted.cut.policy
    if not policy.answers_ad_hoc:
        raise ApiError(ErrorCode.AD_HOC_NOT_ALLOWED)
    try:
        valid = validate(query, hosted.data_set, principal.project.grants, hosted.cut.limits)
        wanted = events(valid, hosted.cut)
    except InvalidQuery as invalid:
        found = [{"code": p.code, "message": p.message, "path": p.path} for p in invalid.problems]
        return {"valid": False, "problems": found}
    price = sum(event.nano_rho for event in wanted.values())
    return {
        "valid": True,
        "problems": [],
        "cells": valid.plan.cells,
        "numbers": valid.plan.cells * sum(bins_of(a) for a in valid.plan.aggregates),
        "price": {"nanoRho": price, "rho": float(rho(price)), "epsilon": _epsilon(price, policy.delta)},
        "measurements": len(wanted),
        "measures": [_expected(m, valid, hosted.cut.policy, wanted) for m in valid.measures],
    }


def _epsilon(price: int, delta: float) -> float | None:
    return round(epsilon(price, delta), 4) if delta else None


def _expected(measure: ValidMeasure, valid: ValidQuery, policy: Any, wanted: Any) -> dict[str, Any]:
    """Half-widths of the interval: one for a count, one per supposed cell size for anything else."""
    out: dict[str, Any] = {"id": measure.id, "statistic": measure.statistic.name, "confidence": policy.confidence}
    if policy.mode is Mode.OFFICIAL:
        return out | {"margin": policy.rounding_base / 2 if measure.statistic.is_count else None}
    sigmas = {a: sigma(wanted[a].l2_squared, wanted[a].nano_rho) for a in measure.aggregates}
    if measure.statistic.is_count:
        (scale,) = sigmas.values()
        return out | {
            "noiseSd": round(scale, 3),
            "margin": count_margin(scale, policy.rounding_base, policy.confidence),
        }
    return out | {"marginAt": {str(n): _margin_at(n, measure, valid, policy, sigmas) for n in SIZES}}


def _margin_at(
    n: int, measure: ValidMeasure, valid: ValidQuery, policy: Any, sigmas: dict[Aggregate, float]
) -> float | None:
    table = {a: _supposed(a, n, sigmas[a]) for a in measure.aggregates}
    one_cell = ValidQuery(valid.query, _without_axes(valid), (), (measure,))
    series = finish(one_cell, table, policy).series[0]
    widths = (series.upper - series.lower) / 2
    return None if np.isnan(widths).all() else round(float(np.nanmax(widths)), max(series.decimals, 1) + 1)


def _without_axes(valid: ValidQuery) -> Any:
    from dataclasses import replace

    return replace(valid.plan, axes=())


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
