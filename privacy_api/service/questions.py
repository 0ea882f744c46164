"""Fingerprints and prices: what a question is, and what it costs. Functions of public things only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from datasets.answer_listed import terms_of
from datasets.families import Family, Key, Totals, default_totals, families, prices
from datasets.official.table import OfficialTable
from datasets.plan import Quantity
from datasets.pricing import OutOfReach, chosen_totals, least_totals
from datasets.query import Groups, InvalidQuery, Measure, Problem
from datasets.validate import ValidQuery, cells_of
from disclosure.accounting import LEAST_PRICE, Event, rho
from disclosure.aggregates import as_json
from disclosure.listing import Terms
from disclosure.policy import Mode, Policy
from disclosure.protect import event
from privacy_api.service.cuts import HostedCut, HostedDataSet


def _digest(value: object) -> str:
    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def fingerprint(quantity: Quantity, valid: ValidQuery, cut: HostedCut, table: OfficialTable | None = None) -> str:
    """One measurement, however the question around it is spelled.

    Two are equal exactly when they are the same aggregate of the same (canonical) population over the same cells of
    the same cut version, under what `Policy.of_a_measurement` says; and, where cells are hidden for the sake of others,
    in the same table.
    """
    policy = cut.policy.of_a_measurement
    whole = [table.identity] if table else []
    return _digest([cut.policy.mode, policy, _population(quantity, valid, cut), as_json(quantity.aggregate), *whole])


def fingerprint_listed(quantity: Quantity, valid: ValidQuery, cut: HostedCut, terms: Terms) -> str:
    """The same of listed groups: they are listed once, on these terms; on others it is another measurement."""
    told = [terms.nano_rho, terms.delta, terms.threshold]
    return _digest(["listed", told, _population(quantity, valid, cut), as_json(quantity.aggregate)])


def _population(quantity: Quantity, valid: ValidQuery, cut: HostedCut) -> list[object]:
    """Who is measured, and over which cells."""
    cells = cells_of(valid.layouts[quantity.layout].axes, valid.predicate, valid.data_set)
    return [cut.id, valid.data_set.id, valid.predicate.canonical(), cells]


@dataclass(frozen=True, slots=True, eq=False)
class Priced:
    """What each measurement would put on the ledger, and how the price is made up. families: empty without noise."""

    events: Mapping[Quantity, Event]
    families: Mapping[Key, Family]
    totals: Totals

    @property
    def nano_rho(self) -> int:
        return sum(event.nano_rho for event in self.events.values())


@dataclass(frozen=True, eq=False)
class Asked:
    """A question that may be asked, and what it costs. table: what is protected as a whole for it, in `official` mode;
    registered: by an officer."""

    hosted: HostedDataSet
    valid: ValidQuery
    price: Priced
    table: OfficialTable | None = None
    registered: bool = False

    @property
    def wanted(self) -> Mapping[Quantity, Event]:
        return self.price.events

    @cached_property
    def release(self) -> str:
        return release_id(self.valid, self.wanted, self.hosted.cut)


def priced(valid: ValidQuery, cut: HostedCut, table: OfficialTable | None = None) -> Priced:
    """Raises InvalidQuery where the query may not cost that much. table: what is protected whole, without noise."""
    known, totals = _totals(valid, cut.policy)
    each = prices(totals, known) if known else dict.fromkeys(valid.quantities, 0)
    if known:
        _check_range(each, cut.policy)
    return Priced({q: _event(q, each[q], valid, cut, table) for q in valid.quantities}, known, totals)


def _event(quantity: Quantity, price: int, valid: ValidQuery, cut: HostedCut, table: OfficialTable | None) -> Event:
    if valid.query.groups is Groups.LISTED:
        terms = terms_of(valid, price, cut.policy)
        return terms.event(fingerprint_listed(quantity, valid, cut, terms))
    contribution = valid.layouts[quantity.layout].contribution
    question = fingerprint(quantity, valid, cut, table)
    return event(quantity.aggregate, contribution, price, question, cut.policy)


def _totals(valid: ValidQuery, policy: Policy) -> tuple[Mapping[Key, Family], Totals]:
    """The policy's default, the price that was chosen, or the least price for the precision wanted."""
    asked = valid.query.rho
    precise = any(m.subject.measure.precision for m in valid.measures)
    if policy.mode is Mode.OFFICIAL:
        if asked is not None or precise:
            raise _out_of_range("This data set has no noise to buy: leave rho and precision out.")
        return {}, {}
    if not policy.sells_precision and (asked is not None or precise):
        raise _out_of_range("This data set measures once, at its own price: leave rho and precision out.")
    known = families(valid, policy.noise)
    if asked is not None and precise:
        raise _out_of_range("Give rho or a precision, not both.")
    if asked is not None:
        return known, chosen_totals(asked, valid, known)
    return known, _precise(valid, known, policy) if precise else default_totals(known, policy)


def _precise(valid: ValidQuery, known: Mapping[Key, Family], policy: Policy) -> Totals:
    try:
        return least_totals(valid, known, policy)
    except OutOfReach as refused:
        best = "nothing that can be shown" if refused.best is None else f"a margin of {refused.best:.4g}"
        message = f"No price that a query may cost is enough: rho {rho(policy.query_cap)} gives {best}."
        raise _out_of_range(message, f"{refused.path}.precision") from None


def _check_range(found: Mapping[Quantity, int], policy: Policy) -> None:
    if min(found.values()) < LEAST_PRICE:
        raise _out_of_range(f"Each of the {len(found)} measurements must cost at least rho {rho(LEAST_PRICE)}.")
    if sum(found.values()) > policy.query_cap:
        total = rho(sum(found.values()))
        raise _out_of_range(f"The price would be rho {total}; a query may cost at most {rho(policy.query_cap)}.")


def _out_of_range(message: str, path: str = "rho") -> InvalidQuery:
    return InvalidQuery((Problem("PriceOutOfRange", message, path),))


def release_id(valid: ValidQuery, events: Mapping[Quantity, Event], cut: HostedCut) -> str:
    """The measurements and how they are presented: order of groups, totals, measures, display, policy."""
    measures = [_shown(m.subject.measure) for m in valid.measures]
    tables = [list(table.names) for table in valid.tables]
    measured = sorted([e.question, e.nano_rho] for e in events.values())
    return "rel-" + _digest([measured, measures, tables, valid.query.display, cut.policy.digest])[:32]


def _shown(measure: Measure) -> list[object]:
    """All of a measure but the precision it wants, which is in the price."""
    return [
        *(measure.id, measure.statistic, measure.variable, measure.other, measure.codes, measure.terms),
        [str(p) for p in measure.probabilities],
        [_shown(each) for each in measure.of],
    ]
