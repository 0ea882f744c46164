"""A release as a JSON document: what was asked, what protects it, what came out. Written once, stored, cited."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any

from datasets.answer import Answer, Series, Status
from datasets.validate import ValidQuery
from disclosure.accounting import coin_flip_accuracy, epsilon, rho
from disclosure.policy import Mode, Policy
from privacy_api.service.cuts import HostedDataSet

LEGEND = {
    Status.CONFIDENTIAL: "hidden: too few pupils, judged on the protected count",
    Status.NOT_AVAILABLE: "not available: nothing can be said of so small a group",
    Status.NOT_APPLICABLE: "not applicable",
    Status.LOW: "rounds to 0 but is not 0",
    Status.UNRELIABLE: "low reliability: the interval is wide beside the number",
}
Row = dict[str, str | float | int | None]


def release_document(
    release: str, created: str, hosted: HostedDataSet, valid: ValidQuery, answer: Answer, nano_rho: int
) -> bytes:
    policy = hosted.cut.policy
    document = {
        "id": release,
        "created": created,
        "citation": citation(release, created, hosted),
        "dataSet": data_set_reference(hosted),
        "policy": {"name": policy.name, "version": policy.version, "mode": policy.mode, "hash": policy.digest},
        "protection": protection(policy, hosted.cut.catalogue.unit, nano_rho),
        "query": json.loads(canonical_query(valid)),
        "measures": [measure_reference(s, policy) for s in answer.series],
        "statuses": dict(LEGEND),
        "results": list(rows(answer)),
    }
    return json.dumps(document, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode()


def citation(release: str, created: str, hosted: HostedDataSet) -> str:
    catalogue = hosted.cut.catalogue
    kind = "Synthetic data; nobody real. " if catalogue.synthetic else ""
    return f"{catalogue.title}, version {hosted.cut.version}. {kind}Release {release}, {created[:10]}."


def data_set_reference(hosted: HostedDataSet) -> dict[str, Any]:
    return {
        "id": hosted.id,
        "title": hosted.data_set.title,
        "version": hosted.cut.version,
        "synthetic": hosted.cut.catalogue.synthetic,
    }


def protection(policy: Policy, unit: str, nano_rho: int) -> dict[str, Any]:
    """The promise in numbers and words."""
    if policy.mode is Mode.OFFICIAL:
        return {
            "mode": "official",
            "guarantee": "Small numbers are hidden and others rounded. No formal guarantee.",
            "risk": policy.acknowledged_risk,
        }
    return {
        "mode": "dp",
        "unit": unit,
        "neighbours": f"cuts that differ in all rows of one {unit}, added or removed",
        "mechanism": "discrete Gaussian",
        "rho": float(rho(nano_rho)),
        "delta": policy.delta,
        "epsilon": round(epsilon(nano_rho, policy.delta), 4),
        "coinFlipAccuracy": round(coin_flip_accuracy(epsilon(nano_rho, policy.delta)), 4),
    }


def measure_reference(series: Series, policy: Policy) -> dict[str, Any]:
    return {
        "id": series.id,
        "statistic": series.statistic,
        "variable": series.variable,
        "unit": series.unit,
        "confidence": policy.confidence,
    }


def canonical_query(valid: ValidQuery) -> str:
    """The question as it is kept on the record: names and codes as they were sent, no path, no person."""
    query = valid.query
    measures = [
        {
            "id": m.id,
            "statistic": m.statistic,
            "variable": m.variable,
            "codes": list(m.codes),
            "probabilities": [str(p) for p in m.probabilities],
        }
        for m in query.measures
    ]
    value = {
        "groupBy": list(query.group_by),
        "measures": [{k: v for k, v in m.items() if v not in (None, [])} for m in measures],
        "criteria": plain_criteria(valid),
        "rho": None if query.rho is None else str(rho(query.rho)),
    }
    return json.dumps({k: v for k, v in value.items() if v is not None}, separators=(",", ":"), sort_keys=True)


def plain_criteria(valid: ValidQuery) -> Any:
    """The canonical population, in the words of the criteria: alternatives of allowed codes per variable."""
    domain = valid.plan.data_set.domain
    alternatives = []
    for path in valid.plan.predicate.paths():
        filters = {
            domain[level].name: {"in": [a.code for i, a in enumerate(domain[level].atoms) if mask >> i & 1]}
            for level, mask in path
        }
        if not filters:
            return None
        alternatives.append({"filters": filters})
    return alternatives[0] if len(alternatives) == 1 else {"or": alternatives}


def rows(answer: Answer) -> Iterator[Row]:
    """Tidy: one row per cell and number. Values are numbers or null, never text."""
    names = [axis.reference for axis in answer.axes]
    keys = [dict(zip(names, (code.code for code in key), strict=True)) for key in answer.keys]
    for series in answer.series:
        numbers = [_plain(part, series.decimals) for part in (series.value, series.lower, series.upper)]
        status = series.status.tolist()
        for cell, key in enumerate(keys):
            for place, output in enumerate(series.outputs):
                value, lower, upper = (part[cell][place] for part in numbers)
                yield {
                    **key,
                    "measure": series.id,
                    "output": output.code or None,
                    "value": value,
                    "lower": lower,
                    "upper": upper,
                    "status": status[cell][place],
                }


def _plain(values: Any, decimals: int) -> list[list[float | int | None]]:
    def number(x: float) -> float | int | None:
        if not math.isfinite(x):
            return None
        return round(x) if decimals == 0 else round(x, decimals)

    return [[number(x) for x in row] for row in values.tolist()]
