"""A release as a JSON document: what was asked, what protects it, what came out. Written once, stored, cited."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, assert_never

from datasets.answer import Answer, Series, Status
from datasets.plan import Axis
from datasets.query import (
    And,
    Codes,
    Criteria,
    Display,
    Groups,
    Measure,
    Not,
    Operator,
    Or,
    Periods,
    Places,
    Precision,
    Query,
)
from datasets.validate import ValidQuery
from disclosure.accounting import coin_flip_accuracy, epsilon, pure_epsilon, rho
from disclosure.policy import Mode, Policy
from disclosure.tables import Noise
from privacy_api.service.cuts import HostedDataSet

LEGEND = {
    Status.CONFIDENTIAL: "hidden: too few pupils, judged on the protected count",
    Status.NOT_AVAILABLE: "not available: the noise leaves nothing to say",
    Status.NOT_APPLICABLE: "not applicable",
    Status.LOW: "rounds to 0 but is not 0",
    Status.UNRELIABLE: "low reliability: the interval is wide beside the number",
}
OFFICIAL_LEGEND = LEGEND | {
    Status.CONFIDENTIAL: "hidden: a small number, or one that would tell a small number",
    Status.NOT_AVAILABLE: "not available: there is nobody to say it of",
}
Row = dict[str, str | float | int | None]


def release_document(
    release: str,
    created: str,
    hosted: HostedDataSet,
    valid: ValidQuery,
    answer: Answer,
    nano_rho: int,
    listing: Mapping[str, Any] | None = None,
) -> bytes:
    """listing: the terms on which groups are listed, where the answer has not all of them."""
    policy, query = hosted.cut.policy, valid.query
    document: dict[str, Any] = {
        "id": release,
        "created": created,
        "citation": citation(release, created, hosted),
        "dataSet": data_set_reference(hosted),
        "policy": policy_reference(policy),
        "protection": protection(policy, hosted.cut.catalogue.unit, nano_rho, listing or {}),
        **({"groups": query.groups, "listing": listing} if listing else {}),
        "query": asked(query),
        "population": population(valid),
        "dimensions": dimensions(answer),
        "measures": [measure_reference(s, policy) for s in answer.series],
        "warnings": [*warnings(valid, policy), *drowned(valid, answer)],
        "statuses": dict(OFFICIAL_LEGEND if policy.mode is Mode.OFFICIAL else LEGEND),
        **_suppression(policy, answer),
        "results": list(rows(answer)),
    }
    return json.dumps(document, separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode()


def policy_reference(policy: Policy) -> dict[str, Any]:
    """shownCoarser: what the project that asked is shown more coarsely than others are."""
    coarser = {"shownCoarser": dict(policy.shown_coarser)} if policy.shown_coarser else {}
    return {"name": policy.name, "version": policy.version, "mode": policy.mode, "hash": policy.digest, **coarser}


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
        "provenance": hosted.cut.catalogue.provenance,
    }


def protection(policy: Policy, unit: str, nano_rho: int, listing: Mapping[str, Any]) -> dict[str, Any]:
    """The promise in numbers and words. The δ of a listing comes on top of the δ that ε is said at."""
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
        "mechanism": f"discrete {policy.noise.title()}{' with a threshold' if listing else ''}",
        "rho": float(rho(nano_rho)),
        "delta": policy.delta + listing.get("delta", 0.0),
        "epsilon": round(epsilon(nano_rho, policy.delta), 4),
        "coinFlipAccuracy": round(coin_flip_accuracy(epsilon(nano_rho, policy.delta)), 4),
        **_pure(policy, nano_rho),
    }


def _suppression(policy: Policy, answer: Answer) -> dict[str, Any]:
    """How much an `official` table does not tell; what is hidden stands in its rows."""
    if policy.mode is Mode.DP:
        return {}
    hidden = sum(int((series.status == Status.CONFIDENTIAL).sum()) for series in answer.series)
    return {"suppression": {"hidden": hidden, "numbers": sum(series.status.size for series in answer.series)}}


def _pure(policy: Policy, nano_rho: int) -> dict[str, float]:
    """ε without any δ, where the noise gives it; every Laplace measurement has the policy's price."""
    if policy.noise is not Noise.LAPLACE:
        return {}
    return {"pureEpsilon": round(pure_epsilon([policy.default_price] * (nano_rho // policy.default_price)), 4)}


def measure_reference(series: Series, policy: Policy) -> dict[str, Any]:
    return {
        "id": series.id,
        "statistic": series.statistic,
        "variable": series.variable,
        "unit": series.unit,
        "confidence": policy.confidence,
        "outputs": [{"code": o.code, "label": o.label} for o in series.outputs if o.code],
    }


def dimensions(answer: Answer) -> list[dict[str, Any]]:
    """Groupings as they were asked for, those of totals after, with the labels of their codes."""
    named = {name: axis for table in answer.tables for name, axis in zip(table.names, table.axes, strict=True)}
    return [_dimension(name, axis) for name, axis in named.items()]


def _dimension(name: str, axis: Axis) -> dict[str, Any]:
    codes = [{"code": code.code, "label": code.label} for code in axis.codes]
    named = {"name": name, "reference": axis.reference, "label": axis.variable.label}
    return named | ({"role": role} if (role := _role(axis)) else {}) | {"codes": codes}


def _role(axis: Axis) -> str | None:
    """What other formats and charts want to know of a grouping: whether it is time, or places."""
    banding = axis.variable.banding(axis.reference.partition(".")[2])
    is_place = banding.level if banding else axis.variable.level
    return "time" if axis.variable.is_time else "geo" if is_place else None


def warnings(valid: ValidQuery, policy: Policy) -> list[str]:
    """What a careful reader of the numbers should know, from the schema and the question."""
    most, key = valid.most_rows, valid.data_set.key
    noisy, found = policy.mode is Mode.DP, []
    if most > 1:
        scaled = ", and noise is scaled to them" if noisy else ""
        fewer = " Ask about fewer time periods for less noise." if noisy and most > key.rows_per_period else ""
        found.append(f"One pupil can have up to {most} rows in this table: 'count' counts rows{scaled}.{fewer}")
    if key.bounded:
        per = f"pupil and {key.time}" if key.time else "pupil"
        found.append(
            f"At most {key.rows_per_period} row(s) per {per} are counted; further rows were left out at random, "
            "whatever the criteria. Totals are too low by what was left out"
            f"{', which the intervals do not cover' if noisy else ''}."
        )
    return found


def drowned(valid: ValidQuery, answer: Answer) -> list[str]:
    """Why coefficients of a model are missing, from what was released."""
    lost = [
        series.id
        for measure, series in zip(valid.measures, answer.series, strict=True)
        if measure.statistic.estimated is not None and (series.status == Status.NOT_AVAILABLE).any()
    ]
    return [
        f"{name}: the noise in its sums is not small beside them, so coefficients marked x would say nothing. "
        "Ask at a higher price, of more pupils, or with fewer terms or codes."
        for name in lost
    ]


def asked(query: Query) -> dict[str, Any]:
    """The question in the words it was asked in; it can be sent again as it stands."""
    value = {
        "measures": [measure_value(m) for m in query.measures],
        "groupBy": list(query.group_by),
        "totals": [list(total) for total in query.totals] or None,
        "criteria": None if query.criteria is None else criteria_value(query.criteria),
        "rho": None if query.rho is None else float(rho(query.rho)),
        "display": None if query.display is Display.PUBLISHED else query.display,
        "groups": None if query.groups is Groups.ALL else query.groups,
    }
    return {k: v for k, v in value.items() if v is not None}


def measure_value(m: Measure) -> dict[str, Any]:
    value = {
        "id": m.id,
        "statistic": m.statistic,
        "variable": m.variable,
        "with": m.other,
        "codes": list(m.codes),
        "probabilities": [float(p) for p in m.probabilities],
        "terms": list(m.terms),
        "of": [measure_value(each) for each in m.of],
        "precision": None if m.precision is None else precision_value(m.precision),
    }
    return {k: v for k, v in value.items() if v not in (None, [])}


def precision_value(wanted: Precision) -> dict[str, Any]:
    value = {"margin": wanted.margin, "confidence": wanted.confidence, "at": wanted.at}
    return {k: v for k, v in value.items() if v is not None}


def criteria_value(node: Criteria) -> dict[str, Any]:
    match node:
        case And(parts):
            return {"and": [criteria_value(p) for p in parts]}
        case Or(parts):
            return {"or": [criteria_value(p) for p in parts]}
        case Not(part):
            return {"not": criteria_value(part)}
        case Codes(reference, operator, codes):
            return {"filters": {reference: {operator: _compared(operator, list(codes))}}}
        case Places(operator, places):
            return {"locations": {operator: _compared(operator, [{"level": p.level, "code": p.code} for p in places])}}
        case Periods(operator, periods):
            values = [{"period": p.period, "code": p.kind} for p in periods]
            return {"timePeriods": {operator: _compared(operator, values)}}
        case _:
            assert_never(node)


def _compared(operator: Operator, values: list[Any]) -> Any:
    return values if operator in (Operator.IN, Operator.NOT_IN) else values[0]


def population(valid: ValidQuery) -> list[dict[str, list[str]]]:
    """Who the numbers are of, in canonical form: alternatives of allowed codes per variable; [{}] is everybody."""
    domain = valid.data_set.domain
    return [
        {
            domain[level].name: [a.code for i, a in enumerate(domain[level].atoms) if mask >> i & 1]
            for level, mask in path
        }
        for path in valid.predicate.paths()
    ]


def record(valid: ValidQuery) -> str:
    """The question for the ledger: names and codes as they were sent; no person, no number from the data."""
    return json.dumps(asked(valid.query), separators=(",", ":"), sort_keys=True)


def rows(answer: Answer) -> Iterator[Row]:
    """Tidy: one row per cell and number, groupings under the names they were asked by. Values are numbers or null.

    In the rows of a total, a grouping that is summed over is null.
    """
    keys = answer.keys
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
