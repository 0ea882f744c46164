"""The way of a query, from a domain query to a stored release. Read `docs/design.md`, "The way of a query"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from datasets.answer import finish
from datasets.fold import scans, tables
from datasets.plan import EngineFailed, Quantity
from datasets.query import Groups, InvalidQuery, Query
from datasets.validate import ValidQuery, validate
from disclosure.accounting import Event
from disclosure.aggregates import Aggregate, as_json, contributors
from disclosure.policy import Mode
from disclosure.protect import protect
from disclosure.refine import Paid, combine
from disclosure.sensitivity import Contribution
from disclosure.tables import ExactTable, Measurement
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import BudgetExhausted, InProgress, LedgerBroken, Principal, Request, Reserved, Wanted
from privacy_api.service import answer_listed
from privacy_api.service.cuts import HostedDataSet
from privacy_api.service.document import record, release_document
from privacy_api.service.questions import Priced, priced, release_id
from privacy_api.service.services import Services

Measure: TypeAlias = Callable[
    [ValidQuery, Mapping[Quantity, Event], HostedDataSet, Services], Mapping[str, Measurement]
]
Document: TypeAlias = Callable[
    [str, ValidQuery, Mapping[Quantity, Event], Mapping[str, Paid], HostedDataSet, Services], bytes
]


@dataclass(frozen=True, slots=True)
class Answered:
    """body: the stored release, as JSON. nano_rho: what this request was charged. repeat: all of it was there."""

    release: str
    body: bytes
    nano_rho: int
    repeat: bool


def answer_query(query: Query, principal: Principal, services: Services) -> Answered:
    hosted = find_data_set(query.data_set, services)
    valid, price = check(query, hosted, principal)
    wanted = price.events
    release = release_id(valid, wanted, hosted.cut)
    try:
        if stored := services.ledger.release(release):
            return Answered(release, stored.body, 0, True)
        services.step("asked")
        reserved = _reserve(_request(release, valid, wanted, hosted, principal), services)
        services.step("reserved")
        return _measure(valid, wanted, hosted, reserved, services)
    except InProgress:
        # The gate asks again in a moment: what another is having measured will be ours, for nothing.
        raise ApiError(ErrorCode.IN_PROGRESS, retry_after=5) from None
    except LedgerBroken:
        detail = "If this query was charged before the ledger failed, it stays charged."
        raise ApiError(ErrorCode.LEDGER_UNAVAILABLE, detail=detail) from None


def find_data_set(name: str, services: Services) -> HostedDataSet:
    hosted = services.data_sets.get(name)
    if hosted is None:
        raise ApiError(ErrorCode.NOT_FOUND, detail="No such data set; /v1/data-sets lists them.")
    return hosted


def check(query: Query, hosted: HostedDataSet, principal: Principal) -> tuple[ValidQuery, Priced]:
    """A valid query and what each of its measurements costs, or an error that says all that is wrong."""
    if not hosted.cut.policy.answers_ad_hoc:
        raise ApiError(ErrorCode.AD_HOC_NOT_ALLOWED)
    try:
        official = hosted.cut.policy.mode is Mode.OFFICIAL
        valid = validate(query, hosted.data_set, principal.project.grants, hosted.cut.limits, official)
        return valid, priced(valid, hosted.cut)
    except InvalidQuery as invalid:
        raise ApiError(ErrorCode.INVALID_QUERY, invalid.problems) from None


def _request(
    release: str, valid: ValidQuery, wanted: Mapping[Quantity, Event], hosted: HostedDataSet, principal: Principal
) -> Request:
    return Request(
        principal=principal,
        cut=hosted.cut.catalogue.cut,
        cut_cap=hosted.cut.policy.cut_cap,
        release=release,
        query=record(valid),
        wanted=tuple(Wanted(event) for event in wanted.values()),
        delta_cap=rule.delta_total if (rule := hosted.cut.policy.listed_groups) else 0,
    )


def _reserve(request: Request, services: Services) -> Reserved:
    try:
        return services.ledger.reserve(request)
    except BudgetExhausted as refused:
        raise _exhausted(refused, request) from None


def _exhausted(refused: BudgetExhausted, request: Request) -> ApiError:
    if refused.scope == "delta":
        told, amounts = answer_listed.delta_exhausted(refused.balance, sum(w.event.delta for w in request.wanted))
        return ApiError(ErrorCode.BUDGET_EXHAUSTED, detail=told, facts=amounts)
    price = sum(w.event.nano_rho for w in request.wanted)
    left, cap = refused.balance.left, refused.balance.cap
    detail = f"The budget of the {refused.scope} has {left} nano-rho left of {cap}; at most {price} are wanted."
    facts = {"scope": refused.scope, "leftNanoRho": left, "capNanoRho": cap, "priceNanoRho": price}
    return ApiError(ErrorCode.BUDGET_EXHAUSTED, detail=detail, facts=facts)


def _measure(
    valid: ValidQuery, wanted: Mapping[Quantity, Event], hosted: HostedDataSet, reserved: Reserved, services: Services
) -> Answered:
    """From here on the charge stands: whatever happens, it is recorded and never given back."""
    try:
        missing = {w.question: w.event for w in reserved.missing}
        lacking = {q: missing[e.question] for q, e in wanted.items() if e.question in missing}
        measure, document = _ways(valid)
        measured = measure(valid, lacking, hosted, services)
        services.step("measured")
        together = _together(reserved, measured)
        body = document(reserved.request.release, valid, wanted, together, hosted, services)
        stored = services.ledger.store(reserved, measured, body)
        services.step("stored")
        return Answered(stored.id, stored.body, reserved.nano_rho, not reserved.missing)
    except EngineFailed:
        services.ledger.fail(reserved)
        raise ApiError(ErrorCode.QUERY_FAILED) from None
    except Exception:
        services.ledger.fail(reserved)
        raise


def _ways(valid: ValidQuery) -> tuple[Measure, Document]:
    """How it is measured and how it is told: all cells of the code lists, or the groups that are listed."""
    if valid.query.groups is Groups.LISTED:
        return answer_listed.list_them, answer_listed.document_of
    return _measurements, _document


def _measurements(
    valid: ValidQuery, missing: Mapping[Quantity, Event], hosted: HostedDataSet, services: Services
) -> Mapping[str, Measurement]:
    """Aggregate and protect what no stored measurement gives, by question; one scan for all layouts it will do for."""
    official = hosted.cut.policy.mode is Mode.OFFICIAL
    here: dict[int, dict[Aggregate, Event]] = {}
    for quantity, event in missing.items():
        here.setdefault(quantity.layout, {})[quantity.aggregate] = event
    needed = {layout: _needed(events, official) for layout, events in here.items()}
    found: dict[str, Measurement] = {}
    for scan in scans(valid, needed):
        exact = hosted.cut.engine.aggregate(valid.plan(scan.layout, scan.aggregates))
        services.step("aggregated")
        for layout, table in tables(scan, exact, valid):
            found |= _protected(table, here[layout], valid.layouts[layout].contribution, hosted, services)
    return found


def _needed(events: Mapping[Aggregate, Event], official: bool) -> tuple[Aggregate, ...]:
    """In canonical order; rules of `official` mode look at the contributors too."""
    needed = set(events) | ({contributors(a) for a in events} if official else set())
    return tuple(sorted(needed, key=lambda a: str(as_json(a))))


def _protected(
    exact: ExactTable,
    missing: Mapping[Aggregate, Event],
    contribution: Contribution,
    hosted: HostedDataSet,
    services: Services,
) -> Mapping[str, Measurement]:
    prices = {a: e.nano_rho for a, e in missing.items()}
    only = exact if hosted.cut.policy.mode is Mode.OFFICIAL else exact.only(missing)
    table = protect(only, prices, contribution, hosted.cut.policy, services.noise)
    return {event.question: table[a] for a, event in missing.items()}


def _together(reserved: Reserved, measured: Mapping[str, Measurement]) -> Mapping[str, Paid]:
    """What was measured before and what was measured now, as one measurement per question."""
    new = {w.question: Paid(measured[w.question], w.event.nano_rho) for w in reserved.missing}
    before = reserved.stored
    return {**before, **{q: combine([before[q], paid]) if q in before else paid for q, paid in new.items()}}


def _document(
    release: str,
    valid: ValidQuery,
    wanted: Mapping[Quantity, Event],
    paid: Mapping[str, Paid],
    hosted: HostedDataSet,
    services: Services,
) -> bytes:
    measured = {q: paid[e.question].measurement for q, e in wanted.items()}
    answer = finish(valid, measured, hosted.cut.policy)
    worth = sum(paid[e.question].nano_rho for e in wanted.values())
    return release_document(release, services.now(), hosted, valid, answer, worth)
