"""What measures and totals are refused for: the code, the path and the first words of each message."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from datasets.query import InvalidQuery, Measure, Query
from datasets.statistics import STATISTICS
from datasets.validate import Limits, validate
from datasets.variables import Banding, Code
from privacy_api.errors import ApiError
from privacy_api.wire.query_in import read_query
from tests.lib import school

LIMITS = Limits(cells=20_000, group_by=4)
HALVES = Banding("half", "Halves", (Code("x", ""), Code("y", "")), (tuple(range(5)), tuple(range(5, 11))))
THIRDS = Banding(
    "third", "Thirds", (Code("p", ""), Code("q", ""), Code("r", "")), ((0, 1, 2, 3), (4, 5, 6), (7, 8, 9, 10))
)
PLAIN = school.census()
CENSUS = replace(
    PLAIN,
    variables=tuple(
        replace(v, bandings=(*v.bandings, HALVES, THIRDS)) if v.name == "need" else v for v in PLAIN.variables
    ),
)
RISKY = replace(CENSUS, variables=tuple(replace(v, identifiability=4) for v in CENSUS.variables))
COUNT = {"statistic": "count"}
MEAN = {"statistic": "mean", "variable": "days"}


def problems(body: dict[str, Any], official: bool = False, data_set: Any = CENSUS) -> list[tuple[str, str, str]]:
    try:
        validate(read_query(body, CENSUS.id), data_set, school.GRANTS, LIMITS, official)
    except InvalidQuery as invalid:
        return [(p.code, p.path, p.message) for p in invalid.problems]
    except ApiError as refused:
        return [(p.code, p.path, p.message) for p in refused.problems]
    return []


def asked(statistic: str, of: Any = None, more: Any = None, **parts: Any) -> dict[str, Any]:
    measure = {"statistic": statistic, **parts} | ({"of": of} if of else {})
    return {"measures": [measure], **(more or {})}


def only(name: str, *codes: str) -> dict[str, Any]:
    return {"criteria": {"filters": {name: {"in": list(codes)}}}}


def gap(inner: dict[str, Any] = MEAN, variable: str = "sex", codes: tuple[str, ...] = ("F", "M"), **more: Any) -> Any:
    return asked("gap", [inner], more, variable=variable, codes=list(codes))


def ols(*terms: str, variable: str = "days", **more: Any) -> dict[str, Any]:
    return asked("ols", None, more, variable=variable, terms=list(terms))


def logistic(*terms: str, variable: str = "sex", codes: tuple[str, ...] = ("F",), **more: Any) -> dict[str, Any]:
    return asked("logistic", None, more, variable=variable, codes=list(codes), terms=list(terms))


THIRTEEN = [f"need{i}" for i in range(13)]
M, T = "measures[0]", "totals"
REFUSED: list[tuple[dict[str, Any], str, str, str]] = [
    (asked("mode"), "StatisticNotFound", f"{M}.statistic", "No such statistic."),
    (asked("mean"), "InvalidValue", f"{M}.variable", "mean wants variable."),
    (asked("count", variable="la"), "InvalidValue", f"{M}.variable", "count takes no variable."),
    (asked("correlation", variable="days"), "InvalidValue", f"{M}.with", "correlation wants with."),
    (asked("mean", variable="days", **{"with": "score"}), "InvalidValue", f"{M}.with", "mean takes no with."),
    (asked("percentage", variable="sex"), "InvalidValue", f"{M}.codes", "percentage wants codes."),
    (asked("mean", variable="days", codes=["1"]), "InvalidValue", f"{M}.codes", "mean takes no codes."),
    (asked("quantile", variable="score"), "InvalidValue", f"{M}.probabilities", "quantile wants probabilities."),
    (asked("count", probabilities=[0.5]), "InvalidValue", f"{M}.probabilities", "count takes no probabilities."),
    (asked("ols", variable="days"), "InvalidValue", f"{M}.terms", "ols wants terms."),
    (asked("mean", variable="days", terms=["sex"]), "InvalidValue", f"{M}.terms", "mean takes no terms."),
    (asked("ratio"), "InvalidValue", f"{M}.of", "ratio wants of."),
    (asked("count", [COUNT]), "InvalidValue", f"{M}.of", "count takes no of."),
    (asked("mean", variable="sex"), "NotANumber", f"{M}.variable", "mean wants a number. Accepted: score, days."),
    (asked("mean", variable="score.wide"), "NotANumber", f"{M}.variable", "mean wants a number."),
    (asked("ols", variable="sex", terms=["la"]), "NotANumber", f"{M}.variable", "ols wants a number."),
    (asked("covariance", variable="days", **{"with": "la"}), "NotANumber", f"{M}.with", "covariance wants a number."),
    (asked("covariance", variable="days", **{"with": "no"}), "VariableNotFound", f"{M}.with", "No such variable."),
    (asked("correlation", variable="days", **{"with": "days"}), "InvalidValue", f"{M}.with", "Wants two different"),
    (asked("median", variable="days"), "NotBanded", f"{M}.variable", "days has no declared bins"),
    (asked("histogram", variable="days"), "NotBanded", f"{M}.variable", "days is a number without declared bins"),
    (asked("percentage", variable="sex", codes=["Q"]), "CodesNotFound", f"{M}.codes", "No such code."),
    (asked("percentage", variable="sex", codes=["U", "F", "M"]), "InvalidValue", f"{M}.codes", "All codes together"),
    (asked("distinct", variable="la.region"), "InvalidValue", f"{M}.variable", "Distinct codes are of a variable."),
    (gap(codes=("F",)), "InvalidValue", f"{M}.codes", "A gap is between two codes"),
    (gap(codes=("F", "M", "U")), "InvalidValue", f"{M}.codes", "A gap is between two codes"),
    (gap(codes=("F", "F")), "InvalidValue", f"{M}.codes", "A gap is between two codes"),
    (gap(codes=("F", "Z")), "CodesNotFound", f"{M}.codes[1]", "No such code."),
    (gap(**only("sex", "F", "U")), "CriteriaSelectNobody", f"{M}.codes", "The criteria leave one of the two"),
    (gap(groupBy=["sex"]), "RepeatedGroup", f"{M}.variable", "sex is in groupBy"),
    (gap(variable="la", codes=("A1", "A2"), groupBy=["REG"]), "RepeatedGroup", f"{M}.variable", "la is in groupBy"),
    (
        gap(asked("median", variable="score")["measures"][0]),
        "InvalidValue",
        f"{M}.of[0].statistic",
        "gap does not take",
    ),
    (gap({"statistic": "mean", "variable": "no"}), "VariableNotFound", f"{M}.of[0].variable", "No such variable."),
    (
        asked("gap", [MEAN, MEAN], variable="sex", codes=["F", "M"]),
        "InvalidValue",
        f"{M}.of",
        "gap is of 1 measure(s).",
    ),
    (asked("ratio", [COUNT]), "InvalidValue", f"{M}.of", "ratio is of 2 measure(s)."),
    (
        asked("ratio", [COUNT, {"statistic": "histogram", "variable": "sex"}]),
        "InvalidValue",
        f"{M}.of[1].statistic",
        "ratio does not take histogram",
    ),
    (
        asked("ratio", [ols("sex")["measures"][0], COUNT]),
        "InvalidValue",
        f"{M}.of[0].statistic",
        "ratio does not take ols",
    ),
    (
        asked("ratio", [asked("ratio", [COUNT, COUNT])["measures"][0], COUNT]),
        "InvalidValue",
        f"{M}.of[0].of[0]",
        "A compared measure compares no others.",
    ),
    (
        asked("ratio", [COUNT | {"precision": {"margin": 10}}, COUNT]),
        "InvalidValue",
        f"{M}.of[0].precision",
        "The precision wanted is of the whole measure.",
    ),
    (ols(*THIRTEEN), "InvalidValue", f"{M}.terms", "Wants 1 to 12 different terms."),
    (ols("sex", "sex"), "InvalidValue", f"{M}.terms", "Wants 1 to 12 different terms."),
    (ols("REG", "la.region"), "InvalidValue", f"{M}.terms", "Two terms, or two parts of an interaction, are the same"),
    (ols("sex", "la", "sex:la", "la:sex"), "InvalidValue", f"{M}.terms", "Two terms, or two parts of an interaction"),
    (ols("sex", "sex:sex"), "InvalidValue", f"{M}.terms", "Two terms, or two parts of an interaction, are the same"),
    (ols("no"), "VariableNotFound", f"{M}.terms[0]", "No such variable."),
    (ols("days"), "InvalidValue", f"{M}.terms[0]", "days is what is explained."),
    (logistic("sex"), "InvalidValue", f"{M}.terms", "sex is what is explained."),
    (logistic("days"), "NotBanded", f"{M}.terms[0]", "days is a number without declared bins"),
    (ols("sex:score", "sex"), "InvalidValue", f"{M}.terms[0]", "An interaction wants its parts as terms too: score."),
    (ols("la", "la.region"), "RepeatedGroup", f"{M}.terms", "Two terms are groupings of one variable."),
    (ols("sex", "la", groupBy=["sex"]), "RepeatedGroup", f"{M}.terms", "sex is in groupBy"),
    (ols("score", "score.bin", "score:score.bin"), "InvalidValue", f"{M}.terms", "Two terms, or two parts"),
    (ols("sex", **only("sex", "F")), "CriteriaSelectNobody", f"{M}.terms[0]", "The criteria leave fewer than two"),
    (ols("need.some"), "InvalidValue", f"{M}.terms", "Some rows have no code of need.some"),
    (ols("sex", "score.wide"), "InvalidValue", f"{M}.terms", "Some rows have no code of score.wide"),
    (logistic("sex", variable="sex", codes=("F", "M", "U")), "InvalidValue", f"{M}.codes", "All codes together"),
    ({"measures": [COUNT], "groupBy": ["la"], "totals": [["sex"]]}, "TotalsNotFound", f"{T}[0]", "A total is of"),
    ({"measures": [COUNT], "totals": [["la"]]}, "TooManyGroups", f"{T}[0]", "Wants at most 0 groupings."),
    (
        {"measures": [COUNT], "groupBy": ["la"], "totals": [["no"]]},
        "VariableNotFound",
        f"{T}[0][0]",
        "No such variable",
    ),
    (
        {"measures": [COUNT], "groupBy": ["la"], "totals": [["la", "REG"]]},
        "TooManyGroups",
        f"{T}[0]",
        "Wants at most 1 groupings.",
    ),
    (
        {"measures": [COUNT], "groupBy": ["la", "sex"], "totals": [[], ["la", "REG"]]},
        "RepeatedGroup",
        f"{T}[1]",
        "A total names one grouping twice.",
    ),
    (
        {"measures": [COUNT], "groupBy": ["la.region"], "totals": [["la"]]},
        "TotalsDoNotCover",
        f"{T}[0]",
        "Codes of la.region do not make up this total",
    ),
    (
        {"measures": [COUNT], "groupBy": ["need.some"], "totals": [[]]},
        "TotalsDoNotCover",
        f"{T}[0]",
        "Codes of need.some do not make up this total",
    ),
    (
        {"measures": [COUNT], "groupBy": ["need"], "totals": [["need.some"]]},
        "TotalsDoNotCover",
        f"{T}[0]",
        "Codes of need do not make up this total",
    ),
    (
        {"measures": [COUNT], "groupBy": ["need"], "totals": [["need.half"], ["need.third"]]},
        "TotalsNotNested",
        T,
        "Totals of need must be levels, each within the next.",
    ),
    (
        {"measures": [COUNT], "groupBy": ["need", "la"], "totals": [["need.half"], ["la.region"]]},
        "TotalsNotNested",
        T,
        "Only one grouping may have totals by coarser codes",
    ),
]
TWICE: list[tuple[dict[str, Any], str, str, str]] = [
    (ols("sex", "score:no"), "VariableNotFound", f"{M}.terms[1]", "No such variable."),
    (ols("sex", "days:sex"), "InvalidValue", f"{M}.terms[1]", "days is what is explained."),
    (ols("score.wide", variable="score"), "InvalidValue", f"{M}.terms", "score.wide is what is explained."),
    (
        {"measures": [COUNT], "groupBy": ["need"], "totals": [["need.some"]]} | only("need", "b", "d"),
        "CriteriaSelectNobody",
        f"{T}[0]",
        "No group of need.some could meet the criteria.",
    ),
    (ols("score", "sex", "score:score"), "InvalidValue", f"{M}.terms[2]", "An interaction has at most one number"),
]
"""Wrong in more ways than one."""


@pytest.mark.parametrize(("body", "code", "path", "words"), REFUSED)
def test_each_fault_has_its_code_path_and_words(body: dict[str, Any], code: str, path: str, words: str) -> None:
    found = [each for each in problems(body) if each[:2] == (code, path)]
    assert problems(body) == found
    assert len(found) == 1
    assert found[0][2].startswith(words)


@pytest.mark.parametrize(("body", "code", "path", "words"), TWICE)
def test_a_fault_among_others_is_named(body: dict[str, Any], code: str, path: str, words: str) -> None:
    found = problems(body)
    assert len(found) <= 2
    assert any(each[:2] == (code, path) and each[2].startswith(words) for each in found)


def test_what_the_wire_would_not_let_through_is_refused_below_it_too() -> None:
    """Terms of three, more totals than are given, probabilities of nothing."""
    wide = Query(CENSUS.id, (Measure("n", "count", path=M),), ("la",), totals=((),) * 17)
    three = Measure("m", "ols", "days", terms=("sex", "la", "score", "sex:la:score"), path=M)
    sure = Measure("m", "quantile", "score", probabilities=(Decimal(1),), path=M)
    expected = [
        (wide, ("TooManyGroups", "totals", "Wants at most 16 totals.")),
        (Query(CENSUS.id, (three,)), ("InvalidValue", f"{M}.terms[3]", "An interaction is of two.")),
        (
            Query(CENSUS.id, (sure,)),
            ("InvalidValue", f"{M}.probabilities", "Wants 1 to 99 probabilities above 0 and below 1."),
        ),
    ]
    for query, problem in expected:
        with pytest.raises(InvalidQuery) as invalid:
            validate(query, CENSUS, school.GRANTS, LIMITS)
        assert [(p.code, p.path, p.message) for p in invalid.value.problems] == [problem]


@pytest.mark.parametrize(
    ("body", "path"),
    [
        (asked("median", variable="score"), f"{M}.variable"),
        (logistic("score", variable="la.region", codes=("N",)), f"{M}.terms[0]"),
        (ols("need"), f"{M}.terms[0]"),
        (gap(variable="need", codes=("a", "b")), f"{M}.variable"),
        (asked("distinct", variable="need"), f"{M}.variable"),
    ],
)
def test_class_four_is_used_in_bands_only(body: dict[str, Any], path: str) -> None:
    assert [found[:2] for found in problems(body, data_set=RISKY)] == [("BandingRequired", path)]
    assert problems(body) == []


def test_where_there_is_no_noise_models_and_gaps_are_not_given() -> None:
    """They are of cells that are not in the table that is protected."""
    pairs = {"variable": "days", "with": "score"}
    bodies = {
        "covariance": asked("covariance", **pairs),
        "correlation": asked("correlation", **pairs),
        "ols": ols("sex"),
        "logistic": logistic("la"),
        "gap": gap(),
    }
    assert set(bodies) == {s.name for s in STATISTICS.values() if not s.in_official}
    for name, body in bodies.items():
        ((code, path, message),) = problems(body, official=True)
        assert (code, path) == ("StatisticNotFound", f"{M}.statistic")
        assert message == f"{name} is not given where protection is by suppression and rounding."
    totals = {"measures": [COUNT], "groupBy": ["la"], "totals": [[]]}
    assert problems(totals, official=True) == []


def test_sensitive_variables_of_terms_and_groups_need_a_grant() -> None:
    for body in (ols("sex"), gap(), logistic("sex", variable="la", codes=("A1",))):
        with pytest.raises(InvalidQuery) as invalid:
            validate(read_query(body, CENSUS.id), CENSUS, frozenset(), LIMITS)
        assert [p.code for p in invalid.value.problems] == ["VariableNotGranted"]
