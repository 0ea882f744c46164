"""What a query would cost and how precise it would be: from the schema, the policy and the ledger, never the data."""

from __future__ import annotations

from typing import Any

from datasets.answer_listed import terms_of
from datasets.families import key_of
from datasets.pricing import margin
from datasets.query import Groups, Query
from datasets.validate import ValidMeasure, ValidQuery, cells_in
from disclosure.accounting import epsilon, rho
from disclosure.aggregates import bins_of
from disclosure.policy import Mode, Policy
from privacy_api.ports import Principal, Wanted
from privacy_api.service.answer_listed import terms_told
from privacy_api.service.answer_query import check
from privacy_api.service.document import data_set_reference, warnings
from privacy_api.service.questions import Priced
from privacy_api.service.reach import reach
from privacy_api.service.services import Services

SIZES = (100, 1_000, 10_000)
"""Pupils in a supposed cell, for measures whose margin depends on how many there are."""


def preview(query: Query, principal: Principal, services: Services) -> dict[str, Any]:
    """Raises ApiError as asking would."""
    hosted = reach(query.data_set, principal, services)
    asked = check(query, hosted, principal)
    valid, price, hosted = asked.valid, asked.price, asked.hosted
    missing = services.ledger.missing(hosted.cut.account, [Wanted(e) for e in price.events.values()])
    return {
        "valid": True,
        "dataSet": data_set_reference(hosted),
        "problems": [],
        "warnings": warnings(valid, hosted.cut.policy),
        "cells": sum(cells_in(table) for table in valid.tables),
        "numbers": sum(valid.layouts[q.layout].cells * bins_of(q.aggregate) for q in price.events),
        "price": _amount(price.nano_rho, hosted.cut.policy),
        "chargedNow": _amount(sum(w.event.nano_rho for w in missing), hosted.cut.policy),
        "measurements": {"wanted": len(price.events), "alreadyMade": len(price.events) - len(missing)},
        "measures": [_expected(m, valid, hosted.cut.policy, price) for m in valid.measures],
        **_listing(valid, price, hosted.cut.policy),
    }


def _listing(valid: ValidQuery, price: Priced, policy: Policy) -> dict[str, Any]:
    if valid.query.groups is not Groups.LISTED:
        return {}
    return {"listing": terms_told(terms_of(valid, price.nano_rho, policy), policy)}


def _amount(price: int, policy: Policy) -> dict[str, Any]:
    """A price in nano-ρ, ρ, and ε at the policy's δ."""
    eps = round(epsilon(price, policy.delta), 4) if policy.delta else None
    return {"nanoRho": price, "rho": float(rho(price)), "epsilon": eps}


def _expected(measure: ValidMeasure, valid: ValidQuery, policy: Policy, price: Priced) -> dict[str, Any]:
    """Half-widths of the interval: one for a count, one per supposed cell size for anything else; then of totals."""
    out: dict[str, Any] = {"id": measure.id, "statistic": measure.statistic.name, "confidence": policy.confidence}
    if policy.mode is Mode.OFFICIAL:
        return out | {"margin": policy.rounding_base / 2 if measure.statistic.is_count else None}
    totals = [
        {"groupBy": list(table.names), **_margins(measure, valid, policy, price, place)}
        for place, table in enumerate(valid.tables)
    ]
    del totals[0]["groupBy"]
    return out | totals[0] | ({"totals": totals[1:]} if len(totals) > 1 else {})


def _margins(measure: ValidMeasure, valid: ValidQuery, policy: Policy, price: Priced, table: int) -> dict[str, Any]:
    if measure.statistic.is_count:
        key = key_of(measure.needs[0], valid)
        noise_sd = price.families[key].deviation(table, price.totals[key])
        half = margin(measure, valid, price.totals, price.families, policy, 0, table)
        return {"noiseSd": round(noise_sd, 3), "margin": half}
    places = max(measure.statistic.decimals(measure.subject), 1) + 1
    found = {str(n): margin(measure, valid, price.totals, price.families, policy, n, table) for n in SIZES}
    return {"marginAt": {n: None if m is None else round(m, places) for n, m in found.items()}}
