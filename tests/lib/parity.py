"""The same question to two cuts: made up from what the API says of itself, and what must not differ in the answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Body = dict[str, Any]
FEW = 40
"""Codes of a grouping, at most, so that two of them fit into a table."""
OF_PUPILS = ("value", "lower", "upper", "status")
"""What the numbers of a cut decide. All else follows from the question, the catalogue, the policy and the ledger."""
OF_THE_CUT = {"id", "created", "citation", "synthetic", "provenance"}
"""Members of an answer, or of a description, that say which of the two it is."""
NAMES = ("National Pupil Database, synthetic", "National Pupil Database", "npd-synthetic", "npd")
"""Of the cuts, those that begin with another one first."""
DROWNED = "the noise in its sums"
"""In a warning that follows from released numbers."""


class Asker:
    """Questions to one data set. meta: as the API tells it."""

    def __init__(self, meta: Mapping[str, Any], seed: int) -> None:
        self._draw = random.Random(seed)
        self._variables: list[Any] = meta["variables"]
        self._statistics = [s["name"] for s in meta["statistics"]]
        self._periods, self._levels = meta["timePeriods"], meta["geographicLevels"]
        self._codes = {v["name"]: [c["code"] for c in v["codes"]] for v in self._variables if v["codes"]}
        for variable in self._variables:
            self._codes |= {b["reference"]: [c["code"] for c in b["codes"]] for b in variable["bandings"]}
        self._numbers = [v["name"] for v in self._variables if "number" in v]
        self._small = [name for name, codes in self._codes.items() if len(codes) <= FEW]

    def question(self) -> Body:
        """One that may well be answered."""
        draw = self._draw
        by = draw.sample(self._small, draw.choice((0, 1, 1, 2)))
        body: Body = {"measures": [self._measure() for _ in range(draw.choice((1, 1, 2)))], "groupBy": by}
        if draw.random() < 0.6:
            body["criteria"] = self._criteria(2)
        if by and draw.random() < 0.3:
            body["totals"] = [[], by[:1]][: draw.choice((1, 2))]
        if draw.random() < 0.3:
            body["rho"] = draw.choice((0.001, 0.02, 0.05))
        if draw.random() < 0.2:
            body["display"] = "unbiased"
        return body

    def wrong(self) -> Body:
        """One that was spoilt somewhere; some are right all the same."""
        body = self.question()
        for _ in range(self._draw.choice((1, 1, 2))):
            self._draw.choice(_SPOILS)(body, self._draw)
        return body

    def _measure(self) -> Body:
        draw, statistic = self._draw, self._draw.choice(self._statistics)
        measure: Body = {"statistic": statistic}
        if statistic in ("ratio", "gap"):
            return self._compared(measure)
        if statistic not in ("count", "pupils"):
            coded = statistic in ("histogram", "percentage", "distribution", "distinct", "logistic")
            measure["variable"] = draw.choice(self._small if coded else self._numbers or self._small)
        if statistic in ("percentage", "logistic"):
            measure["codes"] = self._some(measure["variable"], 2)
        if statistic in ("ols", "logistic"):
            measure["terms"] = draw.sample(self._small, draw.choice((1, 2)))
        if statistic in ("covariance", "correlation"):
            measure["with"] = draw.choice(self._numbers or self._small)
        if statistic == "quantile":
            measure["probabilities"] = draw.sample([0.1, 0.25, 0.5, 0.9], 2)
        return measure

    def _compared(self, measure: Body) -> Body:
        draw = self._draw
        number = draw.choice(self._numbers or self._small)
        of = [{"statistic": "sum", "variable": number}, {"statistic": "count"}]
        if measure["statistic"] == "ratio":
            return measure | {"of": of}
        by = draw.choice([name for name in self._small if len(self._codes[name]) > 1])
        return measure | {"of": of[draw.choice((0, 1)) :][:1], "variable": by, "codes": draw.sample(self._codes[by], 2)}

    def _criteria(self, depth: int) -> Body:
        draw = self._draw
        kind = draw.choice(("filters", "filters", "places", "periods", "and", "or", "not") if depth else ("filters",))
        if kind in ("and", "or"):
            return {kind: [self._criteria(depth - 1) for _ in range(2)]}
        if kind == "not":
            return {"not": self._criteria(depth - 1)}
        if kind == "periods" and self._periods:
            chosen = draw.choice(self._periods)
            return {"timePeriods": {draw.choice(("eq", "gte", "lte")): {k: chosen[k] for k in ("period", "code")}}}
        if kind == "places" and self._levels:
            level = draw.choice(self._levels)
            places = [{"level": level["code"], "code": code} for code in self._some(level["reference"], 3)]
            return {"locations": {draw.choice(("in", "notIn")): places}}
        name = draw.choice(sorted(self._codes))
        return {"filters": {name: {draw.choice(("in", "notIn")): self._some(name, 3)}}}

    def _some(self, name: str, most: int) -> list[str]:
        codes = self._codes[name]
        return self._draw.sample(codes, min(len(codes), self._draw.randint(1, most)))


Spoil = Callable[[Body, random.Random], object]


def _first(body: Body) -> Body:
    first: Body = body["measures"][0] if isinstance(body["measures"], list) and body["measures"] else {}
    return first if isinstance(first, dict) else {}


_SPOILS: tuple[Spoil, ...] = (
    lambda b, d: b.update(groupBy=[*b["groupBy"], d.choice(("nothing", "la.nothing", "NO", "", "1", 7, None))]),
    lambda b, d: b.update(groupBy=b["groupBy"] * 2 or ["sex", "sex"]),
    lambda b, d: b.update(groupBy=["school", "sex", "year"]),
    lambda b, d: b.update(measures=d.choice(([], None, "count", [{}], [{"statistic": "count", "id": "9"}]))),
    lambda b, d: b.update(measures=b["measures"] * 21 if isinstance(b["measures"], list) else 1),
    lambda b, d: _first(b).update(statistic=d.choice(("median", "mode", "", 3, "sum"))),
    lambda b, d: _first(b).update(variable=d.choice(("nothing", "sex", "school", "sex.nothing", 5, ""))),
    lambda b, d: _first(b).update(codes=d.choice((["?"], [], "F", ["F", "F"], [1]))),
    lambda b, d: _first(b).update(probabilities=d.choice(([0], [1.5], ["x"], [0.12345]))),
    lambda b, d: _first(b).update(terms=["sex", "nothing"]),
    lambda b, d: _first(b).update(precision=d.choice(({"margin": 5}, {"margin": -1}, {"margin": 1e-9}, 3))),
    lambda b, d: b.update(rho=d.choice((0, -1, 1e-9, 99, "much", 0.1, None))),
    lambda b, d: b.update(display=d.choice(("raw", "", 1))),
    lambda b, d: b.update(groups=d.choice(("listed", "some"))),
    lambda b, d: b.update(totals=d.choice(([["nothing"]], [[]] * 17, "all", [["sex", "sex"]]))),
    lambda b, d: b.update({d.choice(("limit", "select", "seed")): 1}),
    lambda b, d: b.update(criteria={"filters": {"nothing": {"eq": "1"}}}),
    lambda b, d: b.update(criteria={"filters": {"sex": d.choice(({"eq": "?"}, {"in": []}, {"gt": "F"}, {}))}}),
    lambda b, d: b.update(criteria={"and": [{"filters": {"sex": {"eq": c}}} for c in "FM"]}),
    lambda b, d: b.update(criteria=d.choice(({}, {"xor": []}, {"not": {}}, [], {"locations": {"eq": "E12000001"}}))),
    lambda b, d: b.update(criteria={"timePeriods": {"eq": {"period": d.choice(("1066/1067", "x", "")), "code": "AY"}}}),
    lambda b, d: b.update(criteria={"locations": {"eq": {"level": d.choice(("LA", "MOON", "x")), "code": "?"}}}),
)


@dataclass(frozen=True)
class Told:
    """What must be the same of two cuts. kinds: of the numbers of each measure, but for hidden ones, which are null."""

    status: int
    media_type: str
    rest: Any
    kinds: Mapping[str, frozenset[str]]

    def differs(self, other: Told) -> str:
        """Where; nothing if nowhere."""
        if (self.status, self.media_type) != (other.status, other.media_type):
            return f"{self.status} {self.media_type}, {other.status} {other.media_type}"
        for measure in self.kinds.keys() & other.kinds.keys():
            if self.kinds[measure] != other.kinds[measure]:
                return f"{measure}: {sorted(self.kinds[measure])}, {sorted(other.kinds[measure])}"
        return _difference(self.rest, other.rest, "")


def told(status: int, media_type: str, document: Any) -> Told:
    """Of a JSON document that was answered."""
    kinds: dict[str, set[str]] = {}
    for row in document.get("results", ()) if status == 200 else ():
        if "measure" in row and row["value"] is not None:
            kinds.setdefault(row["measure"], set()).add(type(row["value"]).__name__)
    rest = _without(document) | {"dataSet": _without(document.get("dataSet", {}))}
    rest["warnings"] = [w for w in rest.get("warnings", ()) if DROWNED not in w]
    if "suppression" in rest:  # how many numbers were hidden is for the numbers to say
        rest["suppression"] = {k: type(v).__name__ for k, v in rest["suppression"].items()}
    return Told(status, media_type, _named_alike(rest), {m: frozenset(found) for m, found in kinds.items()})


def _without(members: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in members.items() if k not in OF_THE_CUT}


def _named_alike(value: Any) -> Any:
    if isinstance(value, dict):
        is_row = {"measure", *OF_PUPILS} <= value.keys()
        return {k: _number(k, v) if is_row and k in OF_PUPILS else _named_alike(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_named_alike(each) for each in value]
    if isinstance(value, str):
        for name in NAMES:
            value = value.replace(name, "THE CUT")
    return value


def _number(name: str, value: Any) -> Any:
    """As what it is, where it is what a row may have."""
    if name == "status":
        return "symbol" if value in ("", "c", "x", "z", "low", "u") else value
    return "number" if value is None or type(value) in (int, float) else value


def _difference(one: Any, other: Any, path: str) -> str:
    if isinstance(one, dict) and isinstance(other, dict):
        if one.keys() != other.keys():
            return f"{path}: {sorted(one.keys() ^ other.keys())}"
        pairs = ((one[k], other[k], f"{path}.{k}") for k in one)
    elif isinstance(one, list) and isinstance(other, list):
        if len(one) != len(other):
            return f"{path}: {len(one)} and {len(other)} of them"
        pairs = ((a, b, f"{path}[{i}]") for i, (a, b) in enumerate(zip(one, other, strict=True)))
    else:
        return "" if type(one) is type(other) and one == other else f"{path}: {one!r}, {other!r}"
    return next((found for a, b, p in pairs if (found := _difference(a, b, p))), "")
