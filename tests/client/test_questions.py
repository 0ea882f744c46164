"""The helpers write what the service reads."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from privacy_api_client import Criteria, count, mean, measure, percentage, periods, pupils, where
from privacy_api_client.query import question

from datasets.query import And, Codes, Not, Operator, Or, Period, Periods, Query
from privacy_api.wire.query_in import read_query


def asked(**parts: Any) -> Query:
    """As the service understands it, after its way through JSON."""
    body = question(None, **({"measures": "count", "group_by": None, "criteria": None, "rho": None} | parts))
    return read_query(json.loads(json.dumps(body)), "demo.census")


def test_measures() -> None:
    query = asked(measures=["pupils", count("rows"), mean("score"), percentage("band", "yes"), pupils()])
    assert [(m.id, m.statistic, m.variable, m.codes) for m in query.measures] == [
        ("pupils", "pupils", None, ()),
        ("rows", "count", None, ()),
        ("mean_score", "mean", "score", ()),
        ("percentage_band_yes", "percentage", "band", ("yes",)),
        ("pupils", "pupils", None, ()),
    ]


def test_any_statistic_can_be_written() -> None:
    assert measure("quantile", "score", probabilities=[0.25, 0.75], id="q") == {
        "id": "q",
        "statistic": "quantile",
        "variable": "score",
        "probabilities": [0.25, 0.75],
    }


def test_one_thing_need_not_be_in_a_list() -> None:
    assert asked(measures=count(), group_by="la.region") == asked(measures=[count()], group_by=["la.region"])
    assert percentage("band", "yes") == percentage("band", ["yes"])
    assert asked(group_by=(name for name in ("la", "sex"))).group_by == ("la", "sex")


def test_where() -> None:
    assert asked(criteria=where({"la.region": "N"}, sex=["F", "M"])).criteria == And(
        (Codes("la.region", Operator.EQ, ("N",)), Codes("sex", Operator.IN, ("F", "M")))
    )


def test_and_or_not() -> None:
    f, y, n = (Codes(v, Operator.EQ, (c,)) for v, c in (("sex", "F"), ("fsm", "Y"), ("sen", "N")))
    sex, fsm, sen = where(sex="F"), where(fsm="Y"), where(sen="N")
    assert asked(criteria=sex & fsm & sen).criteria == And((f, y, n))
    assert asked(criteria=sex | fsm | sen).criteria == Or((f, y, n))
    assert asked(criteria=sex & ~(fsm | sen)).criteria == And((f, Not(Or((y, n)))))
    assert asked(criteria=sex | fsm & sen).criteria == Or((f, And((y, n))))
    assert asked(criteria=~~sex).criteria == Not(Not(f))


def test_many_alternatives_stay_shallow() -> None:
    """The service takes 8 levels; a loop of | must not make 40."""
    together = where(la="0")
    for i in range(1, 40):
        together = together | where(la=str(i))
    criteria = asked(criteria=together).criteria
    assert isinstance(criteria, Or) and len(criteria.parts) == 40


def test_periods() -> None:
    both = asked(criteria=periods(first="2021/2022", last="2023/2024")).criteria
    assert both == And(
        (
            Periods(Operator.GTE, (Period("2021/2022", "AY"),)),
            Periods(Operator.LTE, (Period("2023/2024", "AY"),)),
        )
    )
    assert asked(criteria=periods(last="2024", kind="CY")).criteria == Periods(Operator.LTE, (Period("2024", "CY"),))


def test_criteria_are_values() -> None:
    one = where(sex="F")
    taken = one.to_dict()
    taken["filters"]["sex"] = "changed"
    assert one == where(sex="F") == Criteria({"filters": {"sex": {"eq": "F"}}})
    assert one & one is not one and one.to_dict() == {"filters": {"sex": {"eq": "F"}}}


def test_sets_have_one_order() -> None:
    assert where(la={"c", "a", "b"}).to_dict() == {"filters": {"la": {"in": ["a", "b", "c"]}}}


@pytest.mark.parametrize(
    ("rho", "nano"),
    [
        (0.005, 5_000_000),
        (0.1 + 0.2, 300_000_000),
        (Decimal("1.234e-6"), 1_234),
        (1, 1_000_000_000),
        (1 / 3, 333_333_333),
    ],
)
def test_a_price_is_meant_to_the_nano_rho(rho: float | Decimal, nano: int) -> None:
    assert asked(rho=rho).rho == nano


NOT_TEXT: Any = (7, ["7", 8], None, [True], {"filters": {}})


@pytest.mark.parametrize(
    ("mistake", "said"),
    [
        (lambda: where(sex="F") and where(fsm="Y"), "joined with & | ~"),
        (lambda: not where(sex="F"), "joined with & | ~"),
        (lambda: where(sex="F") & NOT_TEXT[4], "unsupported operand"),
        (lambda: where(), "wants a variable"),
        (lambda: where(year_group=NOT_TEXT[0]), "year_group: codes are text, so write '7', not 7"),
        (lambda: where(year_group=NOT_TEXT[1]), "year_group: codes are text, so write '8', not 8"),
        (lambda: where(year_group=NOT_TEXT[2]), "codes are text"),
        (lambda: percentage("band", NOT_TEXT[3]), "band: codes are text"),
        (lambda: periods(), "wants first, last or both"),
        (lambda: question(None, None, "la", None, None), "wants measures"),
        (lambda: question({"measures": []}, ["count"], None, None, None), "not both"),
        (lambda: question({"measures": []}, None, None, None, 0.1), "not both"),
    ],
)
def test_mistakes_in_calling(mistake: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        mistake()
