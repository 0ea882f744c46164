"""JSON-stat 2.0: a release as a cube, for R's rjstat and the like. https://json-stat.org/full/"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

TOTAL = "_T"
"""The code of a grouping that is summed over, as in SDMX."""
ENDS = ("value", "lower", "upper")


def write(document: bytes, labels: bool) -> bytes:
    """Dimensions: the groupings, `measure` (with its output after a colon where it has several) and `number`, which is
    the value or an end of its interval. Values and statuses are by position, those that there are: groups need not fill
    the cube. Labels are always there."""
    release = json.loads(document)
    dimensions = {**_groupings(release), "measure": _measures(release), "number": _ends(release)}
    sizes = [len(d["category"]["index"]) for d in dimensions.values()]
    places = [{code: n for n, code in enumerate(d["category"]["index"])} for d in dimensions.values()]
    values, statuses = {}, {}
    for row in release["results"]:
        first = _position([*_keys(row, release), ENDS[0]], places, sizes)
        for n, end in enumerate(ENDS):
            if row[end] is not None:
                values[str(first + n)] = row[end]
            if row["status"]:
                statuses[str(first + n)] = row["status"]
    return json.dumps(
        {
            "version": "2.0",
            "class": "dataset",
            "label": release["dataSet"]["title"],
            "source": release["citation"],
            "updated": release["created"],
            "id": list(dimensions),
            "size": sizes,
            "role": _roles(release),
            "dimension": dimensions,
            "value": values,
            "status": statuses,
            "note": release["warnings"],
            "extension": {k: release[k] for k in _KEPT if k in release},
        },
        separators=(",", ":"),
        ensure_ascii=False,
    ).encode()


_KEPT = ("id", "dataSet", "policy", "protection", "query", "population", "statuses", "listing")


def _position(keys: Sequence[str], places: Sequence[Mapping[str, int]], sizes: Sequence[int]) -> int:
    """In row-major order, as JSON-stat counts."""
    found = 0
    for key, place, size in zip(keys, places, sizes, strict=True):
        found = found * size + place[key]
    return found


def _keys(row: Mapping[str, Any], release: Mapping[str, Any]) -> list[str]:
    groups = [TOTAL if row[d["name"]] is None else row[d["name"]] for d in release["dimensions"]]
    return [*groups, _measure(row["measure"], row["output"])]


def _measure(measure: str, output: str | None) -> str:
    return measure if output is None else f"{measure}:{output}"


def _groupings(release: Mapping[str, Any]) -> dict[str, Any]:
    return {
        d["name"]: _grouping(d, any(row[d["name"]] is None for row in release["results"]))
        for d in release["dimensions"]
    }


def _grouping(dimension: Mapping[str, Any], has_total: bool) -> dict[str, Any]:
    codes = {c["code"]: c["label"] for c in dimension["codes"]} | ({TOTAL: "Total"} if has_total else {})
    return {"label": dimension["label"], "category": {"index": list(codes), "label": codes}}


def _measures(release: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(_measure_codes(release))
    return {
        "label": "Measure",
        "category": {
            "index": list(found),
            "label": {code: label for code, (label, _) in found.items()},
            "unit": {code: {"label": unit} for code, (_, unit) in found.items()},
        },
    }


def _measure_codes(release: Mapping[str, Any]) -> Iterator[tuple[str, tuple[str, str]]]:
    for m in release["measures"]:
        name = " of ".join(filter(None, [m["statistic"], m["variable"]]))
        for output in m["outputs"] or [{"code": None, "label": ""}]:
            label = f"{name}: {output['label']}" if output["label"] else name
            yield _measure(m["id"], output["code"]), (label, m["unit"])


def _ends(release: Mapping[str, Any]) -> dict[str, Any]:
    confidence = max(m["confidence"] for m in release["measures"])
    labels = ("Value", f"Lower end of the {confidence:.0%} interval", f"Upper end of the {confidence:.0%} interval")
    return {"label": "Number", "category": {"index": list(ENDS), "label": dict(zip(ENDS, labels, strict=True))}}


def _roles(release: Mapping[str, Any]) -> dict[str, list[str]]:
    roles: dict[str, list[str]] = {"metric": ["measure"]}
    for d in release["dimensions"]:
        if "role" in d:
            roles.setdefault(d["role"], []).append(d["name"])
    return roles
