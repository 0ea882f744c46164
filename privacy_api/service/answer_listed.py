"""Listed groups on the way of a query: what differs from other answers between the charge and the stored release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from datasets.answer_listed import finish_listed, rule_of, shown_from, terms_of
from datasets.plan import Quantity
from datasets.validate import ValidQuery
from disclosure.accounting import Event, delta
from disclosure.listing import Listing, Terms
from disclosure.policy import Policy
from disclosure.refine import Paid
from disclosure.tables import Measurement
from privacy_api.ports import Balance
from privacy_api.service.cuts import HostedDataSet
from privacy_api.service.document import release_document
from privacy_api.service.services import Services

NOT_LISTED = "Groups that are not listed are small or empty; which of the two is not told."


def list_them(
    valid: ValidQuery, missing: Mapping[Quantity, Event], hosted: HostedDataSet, services: Services
) -> Mapping[str, Measurement]:
    """Find the groups that have rows, and list those that pass on the terms that were charged, by question."""
    found: dict[str, Measurement] = {}
    for quantity, event in missing.items():
        terms = terms_of(valid, event.nano_rho, hosted.cut.policy)
        if terms.event(event.question) != event:
            raise RuntimeError("the terms are not those that were charged")
        exact = hosted.cut.engine.listed(valid.plan(quantity.layout, (quantity.aggregate,)))
        services.step("aggregated")
        found[event.question] = services.lister(exact, terms).as_measurement(terms)
    return found


def document_of(
    release: str,
    valid: ValidQuery,
    wanted: Mapping[Quantity, Event],
    paid: Mapping[str, Paid],
    hosted: HostedDataSet,
    services: Services,
) -> bytes:
    (event,) = wanted.values()
    policy = hosted.cut.policy
    terms = terms_of(valid, event.nano_rho, policy)
    answer, least = finish_listed(valid, Listing.of(paid[event.question].measurement), terms, policy)
    listing = terms_told(terms, policy) | {"leastListed": least, "truncated": least > shown_from(terms, policy)}
    return release_document(release, services.now(), hosted, valid, answer, event.nano_rho, listing)


def terms_told(terms: Terms, policy: Policy) -> dict[str, Any]:
    """From which noisy count on groups are listed, at which δ, and how many at most."""
    return {
        "threshold": shown_from(terms, policy),
        "delta": float(delta(terms.delta)),
        "mostGroups": rule_of(policy).most_groups,
        "plain": NOT_LISTED,
    }


def delta_exhausted(balance: Balance, price: int) -> tuple[str, dict[str, object]]:
    """Detail and facts of the refusal where the cut's δ would not do. Amounts in atto-δ."""
    left, cap, wanted = (f"{float(delta(amount)):g}" for amount in (balance.left, balance.cap, price))
    detail = f"Listed groups may cost this cut delta {cap} in all; {left} is left, {wanted} is wanted."
    facts = {"leftAttoDelta": balance.left, "capAttoDelta": balance.cap, "priceAttoDelta": price}
    return detail, {"scope": "delta", **facts}
