"""Fingerprints and prices: what a question is, and what it costs. Functions of public things only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from datasets.plan import Plan
from datasets.query import InvalidQuery, Problem
from datasets.validate import ValidQuery
from disclosure.accounting import Event, rho, split
from disclosure.aggregates import Aggregate, as_json
from disclosure.policy import Mode, Policy
from disclosure.sensitivity import l2_squared
from privacy_api.service.cuts import HostedCut

MECHANISM = {Mode.DP: "discrete_gaussian", Mode.OFFICIAL: "threshold_and_rounding"}


def _digest(value: object) -> str:
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(aggregate: Aggregate, plan: Plan, cut: HostedCut) -> str:
    """One measurement, however the question around it is spelled.

    Two are equal exactly when they are the same aggregate of the same (canonical) population over the same cells of
    the same cut version. What a policy does to exact values is part of an `official` one; noise is not: display
    rules are applied later.
    """
    policy = cut.policy.digest if cut.policy.mode is Mode.OFFICIAL else ""
    axes = [[axis.variable.name, [list(group) for group in axis.groups]] for axis in plan.axes]
    population = [cut.id, plan.data_set.id, plan.predicate.canonical(), axes]
    return _digest([cut.policy.mode, policy, population, as_json(aggregate)])


def prices(valid: ValidQuery, policy: Policy) -> Mapping[Aggregate, int]:
    """nano-ρ per measurement; raises InvalidQuery where the query may not cost that much."""
    aggregates = valid.plan.aggregates
    if policy.mode is Mode.OFFICIAL:
        if valid.query.rho is not None:
            raise InvalidQuery(
                (Problem("PriceOutOfRange", "This data set has no noise to buy: leave rho out.", "rho"),)
            )
        return dict.fromkeys(aggregates, 0)
    asked = valid.query.rho
    shares = split(asked, len(aggregates)) if asked else (policy.default_price,) * len(aggregates)
    if min(shares) < 1 or sum(shares) > policy.query_cap:
        message = f"The price would be rho {rho(sum(shares))}; a query may cost at most {rho(policy.query_cap)}."
        raise InvalidQuery((Problem("PriceOutOfRange", message, "rho"),))
    return dict(zip(aggregates, shares, strict=True))


def events(valid: ValidQuery, cut: HostedCut) -> Mapping[Aggregate, Event]:
    """What each measurement would put on the ledger."""
    return {
        aggregate: Event(
            mechanism=MECHANISM[cut.policy.mode],
            l2_squared=l2_squared(aggregate, valid.plan.contribution),
            nano_rho=price,
            question=fingerprint(aggregate, valid.plan, cut),
        )
        for aggregate, price in prices(valid, cut.policy).items()
    }


def release_id(valid: ValidQuery, wanted: Mapping[Aggregate, Event], cut: HostedCut) -> str:
    """The measurements and how they are presented: order of groups, measures, display policy."""
    measures = [
        [
            m.id,
            m.statistic.name,
            m.subject.measure.variable,
            m.subject.measure.codes,
            [str(p) for p in m.subject.measure.probabilities],
        ]
        for m in valid.measures
    ]
    axes = list(valid.query.group_by)
    measured = sorted([e.question, e.nano_rho] for e in wanted.values())
    return "rel-" + _digest([measured, measures, axes, cut.policy.digest])[:32]
