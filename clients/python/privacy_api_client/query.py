"""Small pure functions that write parts of a query. What they make is what the HTTP API takes, so dicts mix with them.

    measures = [count(), mean("absence"), percentage("absence.persistent", "10 to 100")]
    criteria = where(REG="E12000007") & ~where(year_group=["12", "13"]) & periods(first="2022/2023")

Nothing is looked up or checked here: whether a variable or a code exists is for the service to say, and
``Client.preview`` asks it for nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, TypeAlias

Measure: TypeAlias = Mapping[str, Any]
Codes: TypeAlias = str | Iterable[str]
"""One code, or several."""


@dataclass(frozen=True)
class Criteria:
    """Conditions: ``a & b`` (both), ``a | b`` (either or both), ``~a`` (not). ``to_dict()`` is what is sent."""

    document: Mapping[str, Any]

    def __and__(self, other: Criteria) -> Criteria:
        return _joined("and", self, other) if isinstance(other, Criteria) else NotImplemented

    def __or__(self, other: Criteria) -> Criteria:
        return _joined("or", self, other) if isinstance(other, Criteria) else NotImplemented

    def __invert__(self) -> Criteria:
        return Criteria({"not": self.document})

    def __bool__(self) -> bool:
        raise TypeError("criteria are joined with & | ~, not with and, or, not")

    def to_dict(self) -> dict[str, Any]:
        return copy.deepcopy(dict(self.document))


def where(conditions: Mapping[str, Codes] | None = None, /, **variables: Codes) -> Criteria:
    """Each variable has the code, or one of the codes. A name with a dot goes in a dict: ``where({"la.region": "N"})``.

    Names are variables, their bandings, or geographic levels (``where(REG="E12000007")``).
    """
    asked = {**(conditions or {}), **variables}
    if not asked:
        raise TypeError('where() wants a variable, as in where(fsm="Y")')
    return Criteria({"filters": {name: _comparison(name, codes) for name, codes in asked.items()}})


def periods(*, first: str | None = None, last: str | None = None, kind: str = "AY") -> Criteria:
    """Time periods from first to last, both included, as in ``periods(first="2021/2022")``; either end may be open."""
    ends = {"gte": first, "lte": last}
    given = {operator: {"period": end, "code": kind} for operator, end in ends.items() if end is not None}
    if not given:
        raise TypeError("periods() wants first, last or both")
    return Criteria({"timePeriods": given})


def count(id: str | None = None) -> Measure:
    """Rows of the data set. Where a pupil can have several rows, ``pupils()`` counts each of them once."""
    return measure("count", id=id)


def pupils(id: str | None = None) -> Measure:
    """Distinct pupils."""
    return measure("pupils", id=id)


def mean(variable: str, id: str | None = None) -> Measure:
    return measure("mean", variable, id=id)


def percentage(variable: str, codes: Codes, id: str | None = None) -> Measure:
    """Per cent of rows whose variable has one of the codes."""
    return measure("percentage", variable, id=id, codes=_several(variable, codes))


def ratio(above: Measure, below: Measure, id: str | None = None) -> Measure:
    """One measure divided by another: ``ratio(measure("sum", "missed"), measure("sum", "possible"))``."""
    return measure("ratio", id=id, of=[dict(above), dict(below)])


def gap(of: Measure, variable: str, first: str, second: str, id: str | None = None) -> Measure:
    """A measure in the first group minus the same in the second: ``gap(mean("score"), "fsm", "N", "Y")``."""
    return measure("gap", variable, id=id, codes=[first, second], of=[dict(of)])


def measure(statistic: str, variable: str | None = None, *, id: str | None = None, **parts: Any) -> Measure:
    """Any other statistic of the data set's meta: ``measure("quantile", "score", probabilities=[0.25, 0.75])``.

    id names the measure in the rows of the answer; without one the service makes it from statistic and variable.
    """
    made = {"id": id, "statistic": statistic, "variable": variable, **parts}
    return {name: value for name, value in made.items() if value is not None}


def question(
    query: Mapping[str, Any] | None,
    measures: Measure | str | Sequence[Measure | str] | None,
    group_by: str | Iterable[str] | None,
    criteria: Criteria | Mapping[str, Any] | None,
    rho: float | Decimal | None,
    totals: Iterable[str | Iterable[str]] | None = None,
    display: str | None = None,
    groups: str | None = None,
) -> dict[str, Any]:
    """The body that is sent: a query as it is, or one from its parts."""
    if query is not None:
        if any(part is not None for part in (measures, group_by, totals, criteria, rho, display, groups)):
            raise TypeError("give a query, or its parts (measures, group_by, criteria, rho, …), not both")
        return {**query, **_plain("criteria", query.get("criteria"))}
    if measures is None:
        raise TypeError('a question wants measures, as in measures=[count()] or measures=["count"]')
    listed = [measures] if isinstance(measures, (str, Mapping)) else measures
    return {
        "measures": [measure(m) if isinstance(m, str) else dict(m) for m in listed],
        "groupBy": [] if group_by is None else [group_by] if isinstance(group_by, str) else list(group_by),
        **({} if totals is None else {"totals": [[t] if isinstance(t, str) else list(t) for t in totals]}),
        **_plain("criteria", criteria),
        **({} if rho is None else {"rho": nano_text(rho)}),
        **({} if display is None else {"display": display}),
        **({} if groups is None else {"groups": groups}),
    }


def nano_text(rho: float | Decimal) -> str:
    """A price to the nearest nano-rho, which is what the service reckons in (0.1 + 0.2 is meant to be 0.3)."""
    return f"{Decimal(str(rho)):.9f}"


def _plain(name: str, criteria: Criteria | Mapping[str, Any] | None) -> dict[str, Any]:
    if criteria is None:
        return {}
    return {name: criteria.to_dict() if isinstance(criteria, Criteria) else criteria}


def _comparison(name: str, codes: Codes) -> dict[str, Any]:
    return {"eq": codes} if isinstance(codes, str) else {"in": _several(name, codes)}


def _several(name: str, codes: Codes) -> list[str]:
    if isinstance(codes, str):
        return [codes]
    listed = list(codes) if isinstance(codes, Iterable) else [codes]
    for code in listed:
        if not isinstance(code, str):
            raise TypeError(f"{name}: codes are text, so write {str(code)!r}, not {code!r}")
    return sorted(listed) if isinstance(codes, (set, frozenset)) else listed


def _joined(word: str, left: Criteria, right: Criteria) -> Criteria:
    return Criteria({word: [*_parts(word, left), *_parts(word, right)]})


def _parts(word: str, criteria: Criteria) -> list[Any]:
    alone = set(criteria.document) == {word}
    return list(criteria.document[word]) if alone else [criteria.document]
