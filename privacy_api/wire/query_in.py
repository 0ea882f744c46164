"""The query as it comes over HTTP, in EES style. `to_domain` is called once; nothing inside knows pydantic."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints, ValidationError, model_validator
from pydantic.alias_generators import to_camel

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
    Period,
    Periods,
    Place,
    Places,
    Precision,
    Problem,
    Query,
)
from disclosure.accounting import nano_rho
from privacy_api.errors import ApiError, ErrorCode

MOST_VALUES = 200
MOST_PARTS = 50
MOST_FILTERS = 12
MAX_CRITERIA_DEPTH = 8

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.]{0,126}$")]
TermText = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.]{0,126}(:[A-Za-z][A-Za-z0-9_.]{0,126})?$")]
Probability = Annotated[Decimal, Strict(False), Field(gt=0, lt=1, decimal_places=4)]
Rho = Annotated[Decimal, Strict(False), Field(ge=Decimal("0.000001"), le=100)]
CodeText = Annotated[str, StringConstraints(min_length=1, max_length=120)]


class WireModel(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True, strict=True)


class PlaceIn(WireModel):
    level: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,5}$")]
    code: CodeText


class PeriodIn(WireModel):
    period: Annotated[str, StringConstraints(max_length=20)]
    code: Annotated[str, StringConstraints(max_length=5)]


def _comparisons(model: BaseModel) -> Iterator[tuple[Operator, Sequence[Any]]]:
    """(operator, values) of each comparator that was given; EQ and the ordered ones come as one value."""
    for name, info in type(model).model_fields.items():
        value = getattr(model, name)
        if value is not None:
            yield Operator(info.alias or name), (value if isinstance(value, list) else [value])


class OneComparator(WireModel):
    @model_validator(mode="after")
    def _something(self) -> Self:
        if not list(_comparisons(self)):
            raise ValueError("wants at least one comparator")
        return self


class CodesIn(OneComparator):
    """Compare with codes of the variable's code list (see the data set's meta)."""

    eq: CodeText | None = None
    not_eq: CodeText | None = None
    in_: list[CodeText] | None = Field(default=None, alias="in", min_length=1, max_length=MOST_VALUES)
    not_in: list[CodeText] | None = Field(default=None, min_length=1, max_length=MOST_VALUES)


class PlacesIn(OneComparator):
    eq: PlaceIn | None = None
    not_eq: PlaceIn | None = None
    in_: list[PlaceIn] | None = Field(default=None, alias="in", min_length=1, max_length=MOST_VALUES)
    not_in: list[PlaceIn] | None = Field(default=None, min_length=1, max_length=MOST_VALUES)


class PeriodsIn(OneComparator):
    eq: PeriodIn | None = None
    not_eq: PeriodIn | None = None
    in_: list[PeriodIn] | None = Field(default=None, alias="in", min_length=1, max_length=MOST_VALUES)
    not_in: list[PeriodIn] | None = Field(default=None, min_length=1, max_length=MOST_VALUES)
    gt: PeriodIn | None = None
    gte: PeriodIn | None = None
    lt: PeriodIn | None = None
    lte: PeriodIn | None = None


class CriteriaIn(WireModel):
    """`and`, `or`, `not`, or facets; all that stand in one object must hold."""

    and_: list[CriteriaIn] | None = Field(default=None, alias="and", min_length=1, max_length=MOST_PARTS)
    or_: list[CriteriaIn] | None = Field(default=None, alias="or", min_length=1, max_length=MOST_PARTS)
    not_: CriteriaIn | None = Field(default=None, alias="not")
    filters: dict[Name, CodesIn] | None = Field(default=None, min_length=1, max_length=MOST_FILTERS)
    locations: PlacesIn | None = None
    time_periods: PeriodsIn | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_fields_set or all(getattr(self, n) is None for n in self.model_fields_set):
            raise ValueError("wants and, or, not, filters, locations or timePeriods")
        return self


class PrecisionIn(WireModel):
    """A wanted margin: half the interval's width, in the measure's unit, in a cell of `at` rows."""

    margin: float = Field(ge=1e-9, le=1e15)
    confidence: float | None = Field(default=None, gt=0.5, le=0.999)
    at: int = Field(default=1000, ge=20, le=100_000_000)


class MeasureIn(WireModel):
    """A statistic and what it is of. `with` is the second of two numbers, `terms` are those of a model, `of` holds the
    measures that a ratio or a gap compares.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-zA-Z][a-zA-Z0-9_]{0,39}$")] | None = None
    statistic: Annotated[str, StringConstraints(max_length=40)]
    variable: Name | None = None
    codes: list[CodeText] | None = Field(default=None, min_length=1, max_length=MOST_VALUES)
    probabilities: list[Probability] | None = Field(default=None, min_length=1, max_length=99)
    with_: Name | None = Field(default=None, alias="with")
    terms: list[TermText] | None = Field(default=None, min_length=1, max_length=20)
    of: list[MeasureIn] | None = Field(default=None, min_length=1, max_length=2)
    precision: PrecisionIn | None = None


class QueryIn(WireModel):
    """One question. `rho` is the whole price you choose to pay; without it, the policy's default per measurement.

    `totals` are coarser groupings to be shown too, which add up; `display` is `published` or `unbiased`. `groups` are
    `all` that the code lists have, or `listed`: those whose noisy count is large enough, where the policy lists any.
    """

    measures: list[MeasureIn] = Field(min_length=1, max_length=20)
    group_by: list[Name] = Field(default=[], max_length=8)
    totals: list[Annotated[list[Name], Field(max_length=8)]] = Field(default=[], max_length=16)
    criteria: CriteriaIn | None = None
    rho: Rho | None = None
    display: Literal["published", "unbiased"] = "published"
    groups: Literal["all", "listed"] = "all"

    def to_domain(self, data_set: str) -> Query:
        return Query(
            data_set=data_set,
            measures=tuple(_measure(m, i, f"measures[{i}]") for i, m in enumerate(self.measures)),
            group_by=tuple(self.group_by),
            totals=tuple(tuple(total) for total in self.totals),
            display=Display(self.display),
            groups=Groups(self.groups),
            criteria=None if self.criteria is None else _criteria(self.criteria, "criteria", 1),
            rho=None if self.rho is None else nano_rho(self.rho),
        )


def read_query(value: Any, data_set: str) -> Query:
    """Raises ApiError with every problem and its path."""
    try:
        return QueryIn.model_validate(value).to_domain(data_set)
    except ValidationError as invalid:
        raise ApiError(ErrorCode.INVALID_QUERY, tuple(problems_of(invalid))) from None


_CODES = {"extra_forbidden": "UnknownField", "missing": "RequiredValue", "too_long": "TooManyValues"}
_MESSAGES = {"extra_forbidden": "There is no such field here.", "missing": "This field is wanted."}


def problems_of(invalid: ValidationError) -> Iterator[Problem]:
    """pydantic's findings, without what was sent."""
    for error in invalid.errors(include_url=False, include_context=False, include_input=False):
        message = _MESSAGES.get(error["type"], error["msg"].removeprefix("Value error, "))
        yield Problem(_CODES.get(error["type"], "InvalidValue"), message, _path(error["loc"]))


def _path(loc: Sequence[int | str]) -> str:
    text = ""
    for part in loc:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _measure(measure: MeasureIn, place: int, path: str, depth: int = 1) -> Measure:
    if depth > 2:
        message = "A compared measure compares no others."
        raise ApiError(ErrorCode.INVALID_QUERY, (Problem("InvalidValue", message, path),))
    of = [_measure(inner, i, f"{path}.of[{i}]", depth + 1) for i, inner in enumerate(measure.of or [])]
    if depth > 1 and measure.precision is not None:
        message = "The precision wanted is of the whole measure."
        raise ApiError(ErrorCode.INVALID_QUERY, (Problem("InvalidValue", message, f"{path}.precision"),))
    return Measure(
        id=measure.id or _default_id(measure, place),
        statistic=measure.statistic,
        variable=measure.variable,
        codes=tuple(measure.codes or ()),
        probabilities=tuple(measure.probabilities or ()),
        precision=_precision(measure.precision),
        path=path,
        other=measure.with_,
        terms=tuple(measure.terms or ()),
        of=tuple(of),
    )


def _precision(wanted: PrecisionIn | None) -> Precision | None:
    return None if wanted is None else Precision(wanted.margin, wanted.confidence, wanted.at)


def _default_id(measure: MeasureIn, place: int) -> str:
    """A readable name: what is measured, of what, for which codes."""
    parts = [*(measure.codes or []), *(f"p{p}" for p in measure.probabilities or []), *(measure.terms or [])]
    inner = [_default_id(each, place) for each in measure.of or []]
    words = re.findall(
        r"[A-Za-z0-9]+", " ".join([measure.statistic, *inner, measure.variable or "", measure.with_ or "", *parts])
    )
    name = "_".join(words)
    return name if len(name) <= 40 else f"{name[:36]}_{place}"


def _criteria(node: CriteriaIn, path: str, depth: int) -> Criteria:
    if depth > MAX_CRITERIA_DEPTH:
        raise ApiError(
            ErrorCode.INVALID_QUERY,
            (Problem("CriteriaTooComplex", f"Criteria are nested deeper than {MAX_CRITERIA_DEPTH}.", path),),
        )
    parts: list[Criteria] = []
    if node.and_ is not None:
        parts.append(And(tuple(_criteria(p, f"{path}.and[{i}]", depth + 1) for i, p in enumerate(node.and_))))
    if node.or_ is not None:
        parts.append(Or(tuple(_criteria(p, f"{path}.or[{i}]", depth + 1) for i, p in enumerate(node.or_))))
    if node.not_ is not None:
        parts.append(Not(_criteria(node.not_, f"{path}.not", depth + 1)))
    parts += _facets(node, path)
    return parts[0] if len(parts) == 1 else And(tuple(parts))


def _facets(node: CriteriaIn, path: str) -> Iterator[Criteria]:
    for name, codes in (node.filters or {}).items():
        for operator, values in _comparisons(codes):
            yield Codes(name, operator, tuple(values), f"{path}.filters.{name}.{operator}")
    if node.locations is not None:
        for operator, values in _comparisons(node.locations):
            places = tuple(Place(p.level, p.code) for p in values)
            yield Places(operator, places, f"{path}.locations.{operator}")
    if node.time_periods is not None:
        for operator, values in _comparisons(node.time_periods):
            periods = tuple(Period(p.period, p.code) for p in values)
            yield Periods(operator, periods, f"{path}.timePeriods.{operator}")
