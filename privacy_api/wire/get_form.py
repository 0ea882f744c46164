"""The GET form of a query: parameters → the very JSON value that POST takes.

    groupBy=la,fsm&measures=count,mean:score,percentage:band.persistent:yes&filters.sex.in=F,M
    &timePeriods.gte=2021/2022|AY&locations.in=LA|E09000007&totals=,REG,REG;fsm&rho=0.01

Codes are split at commas; quantiles are written quantile:score:0.25;0.75, pairs correlation:score:days. Totals are
split at commas, their groupings at semicolons; an empty one is the grand total. Models and comparisons take POST.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from datasets.query import Problem
from datasets.statistics import STATISTICS, Takes
from privacy_api.errors import ApiError, ErrorCode

_PAIRS = {s.name for s in STATISTICS.values() if s.takes is Takes.TWO_NUMBERS}
_SEVERAL = {"in", "notIn"}
GET_PARAMETERS = [
    {"name": name, "in": "query", "required": name == "measures", "schema": {"type": "string"}, "description": meaning}
    for name, meaning in (
        ("measures", "count,mean:VARIABLE,percentage:VARIABLE:CODE;CODE,quantile:VARIABLE:0.25;0.5"),
        ("groupBy", "variables, bandings and geographic levels, with commas"),
        ("filters.VARIABLE.in", "codes with commas; also eq, notEq, notIn. One parameter per variable"),
        ("locations.in", "LEVEL|CODE with commas; also eq, notEq, notIn"),
        ("timePeriods.gte", "PERIOD|CODE, e.g. 2022/2023|AY; also eq, notEq, in, notIn, gt, lt, lte"),
        (
            "totals",
            "coarser groupings that add up, with commas; parts of one with semicolons; empty for the grand total",
        ),
        ("rho", "the whole price you choose"),
        ("display", "published or unbiased"),
        ("groups", "all or listed"),
        ("format", "json, csv, json-stat, parquet or csvw"),
        ("labels", "codes or both"),
    )
]
"""For the OpenAPI document."""


def query_value(parameters: Iterable[tuple[str, str]]) -> dict[str, Any]:
    value: dict[str, Any] = {}
    criteria: dict[str, Any] = {}
    for name, text in parameters:
        head, _, rest = name.partition(".")
        if head in ("groupBy", "rho", "measures", "totals", "display", "groups") and not rest and head not in value:
            value[head] = _top(head, text)
        elif head in ("filters", "locations", "timePeriods") and rest:
            _facet(criteria, head, rest, text)
        else:
            raise _unknown(name)
    return value | ({"criteria": criteria} if criteria else {})


def _unknown(name: str) -> ApiError:
    names = "groupBy, measures, totals, rho, display, groups, format, labels"
    accepted = f"{names}, filters.NAME.OPERATOR, locations.OPERATOR, timePeriods.OPERATOR, each once"
    return ApiError(ErrorCode.INVALID_QUERY, (Problem("UnknownField", f"Accepted: {accepted}.", name[:80]),))


def _top(head: str, text: str) -> Any:
    if head in ("rho", "display", "groups"):
        return text
    if head == "totals":
        return [[part for part in total.split(";") if part] for total in text.split(",")]
    items = [item for item in text.split(",") if item]
    return [_measure(item) for item in items] if head == "measures" else items


def _measure(text: str) -> dict[str, Any]:
    statistic, _, rest = text.partition(":")
    variable, _, detail = rest.partition(":")
    measure: dict[str, Any] = {"statistic": statistic}
    if variable:
        measure["variable"] = variable
    if detail and statistic in _PAIRS:
        measure["with"] = detail
    elif detail:
        measure["probabilities" if statistic == "quantile" else "codes"] = detail.split(";")
    return measure


def _facet(criteria: dict[str, Any], head: str, rest: str, text: str) -> None:
    target = criteria.setdefault(head, {})
    if head == "filters":
        variable, _, rest = rest.rpartition(".")
        target = target.setdefault(variable, {})
    if rest in target:
        raise _unknown(f"{head}.{rest}")
    values = [_value(head, item) for item in (text.split(",") if rest in _SEVERAL else [text])]
    target[rest] = values if rest in _SEVERAL else values[0]


def _value(head: str, text: str) -> Any:
    if head == "filters":
        return text
    first, _, second = text.partition("|")
    return {"level": first, "code": second} if head == "locations" else {"period": first, "code": second}
