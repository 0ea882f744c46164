"""A wanted margin is met, at little more than the least price; what is out of reach is said."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from datasets.pricing import OutOfReach, Totals, families, least_totals, margin
from datasets.query import Measure, Precision, Query
from datasets.validate import Limits, ValidQuery, validate
from disclosure.policy import load_policy
from privacy_api.cli.cuts import preset
from tests.lib import school

CENSUS = replace(school.census(), key=replace(school.census().key, rows_per_period=1))
POLICY = load_policy(preset("dp-default"))
MEASURES = {
    "count": (Measure("m", "count"), 40.0),
    "mean": (Measure("m", "mean", "days"), 4.0),
    "sum": (Measure("m", "sum", "days"), 20_000.0),
    "sd": (Measure("m", "sd", "days"), 10.0),
    "percentage": (Measure("m", "percentage", "sex", codes=("F",)), 2.5),
    "median": (Measure("m", "median", "score"), 2.6),
    "quantile": (Measure("m", "quantile", "score", probabilities=(Decimal("0.5"),)), 2.6),
}


def valid(*measures: Measure) -> ValidQuery:
    return validate(Query(CENSUS.id, measures, ("la",)), CENSUS, school.GRANTS, Limits(5000, 4))


def wanting(measure: Measure, margin: float, confidence: float | None = None, at: int = 2000) -> ValidQuery:
    return valid(replace(measure, precision=Precision(margin, confidence, at)))


def least(question: ValidQuery) -> Totals:
    return least_totals(question, families(question, POLICY.noise), POLICY)


def half_width(question: ValidQuery, totals: Totals) -> float | None:
    return margin(question.measures[0], question, totals, families(question, POLICY.noise), POLICY, 2000)


@pytest.mark.parametrize("name", MEASURES)
def test_a_wanted_margin_is_met_at_little_more_than_the_least_price(name: str) -> None:
    measure, wanted = MEASURES[name]
    question = wanting(measure, wanted)
    totals = least(question)
    found = half_width(question, totals)
    assert found is not None
    assert found <= wanted
    cheaper = {key: max(1, int(price * 0.85)) for key, price in totals.items()}
    less = half_width(question, cheaper)
    assert less is None or less > wanted or name in ("median", "quantile"), "15 % less would not have been enough"


def test_a_higher_confidence_costs_more() -> None:
    prices = [sum(least(wanting(Measure("m", "count"), 40, c)).values()) for c in (0.9, 0.95, 0.99)]
    assert prices == sorted(prices)
    assert prices[2] > 2 * prices[0]


@pytest.mark.parametrize(("measure", "wanted"), [(Measure("m", "count"), 1.0), (Measure("m", "mean", "days"), 0.01)])
def test_what_no_price_gives_is_refused_with_what_is_possible(measure: Measure, wanted: float) -> None:
    question = wanting(measure, wanted, at=1000)
    with pytest.raises(OutOfReach) as refused:
        least(question)
    assert refused.value.best is not None
    assert refused.value.best > wanted


def test_a_price_is_shared_better_than_equally() -> None:
    """A mean far from the ends of its bounds needs its sum more than its count."""
    question = wanting(Measure("m", "mean", "days"), 4.0)
    totals = least(question)
    equal = dict.fromkeys(totals, sum(totals.values()) // 2)
    ours, theirs = half_width(question, totals), half_width(question, equal)
    assert ours is not None
    assert theirs is not None
    assert ours < theirs
