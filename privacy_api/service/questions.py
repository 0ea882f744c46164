"""Fingerprints and prices: what a question is, and what it costs. Functions of public things only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from datasets.plan import Plan
from datasets.precision import OutOfReach, least_price
from datasets.query import InvalidQuery, Problem
from datasets.validate import ValidMeasure, ValidQuery
from disclosure.accounting import LEAST_PRICE, Event, rho, split
from disclosure.aggregates import Aggregate, as_json
from disclosure.policy import Mode, Policy
from disclosure.protect import event
from privacy_api.service.cuts import HostedCut


def _digest(value: object) -> str:
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(aggregate: Aggregate, plan: Plan, cut: HostedCut) -> str:
    """One measurement, however the question around it is spelled.

    Two are equal exactly when they are the same aggregate of the same (canonical) population over the same cells of
    the same cut version, under what `Policy.of_a_measurement` says.
    """
    policy = cut.policy.of_a_measurement
    population = [cut.id, plan.data_set.id, plan.predicate.canonical(), _cells(plan)]
    return _digest([cut.policy.mode, policy, population, as_json(aggregate)])


def _cells(plan: Plan) -> list[object]:
    """How the population is cut into cells: the atoms that can occur, and no axis that leaves everything in one."""
    found: list[object] = []
    for axis in plan.axes:
        admitted = plan.predicate.admitted(plan.data_set.domain.index(axis.variable))
        groups = [[atom for atom in group if admitted >> atom & 1] for group in axis.groups]
        if len(groups) > 1 or sum(1 << atom for atom in groups[0]) != admitted:
            found.append([axis.variable.name, groups])
    return found


def prices(valid: ValidQuery, policy: Policy) -> Mapping[Aggregate, int]:
    """nano-ρ per measurement; raises InvalidQuery where the query may not cost that much."""
    aggregates, asked = valid.plan.aggregates, valid.query.rho
    precise = [m for m in valid.measures if m.subject.measure.precision]
    if policy.mode is Mode.OFFICIAL:
        if asked is not None or precise:
            raise _out_of_range("This data set has no noise to buy: leave rho and precision out.")
        return dict.fromkeys(aggregates, 0)
    if not policy.sells_precision and (asked is not None or precise):
        raise _out_of_range("This data set measures once, at its own price: leave rho and precision out.")
    if asked is not None and precise:
        raise _out_of_range("Give rho or a precision, not both.")
    found = (
        _by_measure(valid, policy)
        if asked is None
        else dict(zip(aggregates, split(asked, len(aggregates)), strict=True))
    )
    if min(found.values()) < LEAST_PRICE:
        raise _out_of_range(f"Each of the {len(found)} measurements must cost at least rho {rho(LEAST_PRICE)}.")
    if sum(found.values()) > policy.query_cap:
        total = rho(sum(found.values()))
        raise _out_of_range(f"The price would be rho {total}; a query may cost at most {rho(policy.query_cap)}.")
    return found


def _out_of_range(message: str, path: str = "rho") -> InvalidQuery:
    return InvalidQuery((Problem("PriceOutOfRange", message, path),))


def _by_measure(valid: ValidQuery, policy: Policy) -> dict[Aggregate, int]:
    """The policy's default, or the least price for the precision wanted; shared aggregates at the higher price."""
    found: dict[Aggregate, int] = {}
    for measure in valid.measures:
        for aggregate, price in _of_measure(measure, valid, policy).items():
            found[aggregate] = max(price, found.get(aggregate, 0))
    return found


def _of_measure(measure: ValidMeasure, valid: ValidQuery, policy: Policy) -> Mapping[Aggregate, int]:
    wanted = measure.subject.measure.precision
    if wanted is None:
        return dict.fromkeys(measure.aggregates, policy.default_price)
    try:
        return least_price(measure, valid, wanted, policy)
    except OutOfReach as refused:
        best = "nothing that can be shown" if refused.best is None else f"a margin of {refused.best:.4g}"
        message = f"No price that a query may cost is enough: rho {rho(policy.query_cap)} gives {best}."
        raise _out_of_range(message, f"{measure.subject.measure.path}.precision") from None


def events(valid: ValidQuery, cut: HostedCut) -> Mapping[Aggregate, Event]:
    """What each measurement would put on the ledger."""
    return {
        aggregate: event(aggregate, valid.plan.contribution, price, fingerprint(aggregate, valid.plan, cut), cut.policy)
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
