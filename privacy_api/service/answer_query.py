"""The way of a query, from a domain query to a stored release. Read `docs/design.md`, "The way of a query"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from datasets.answer import Answer, finish
from datasets.fold import scans, tables
from datasets.official.table import official_table
from datasets.plan import EngineFailed, Quantity
from datasets.query import Groups, InvalidQuery, Query
from datasets.validate import validate
from disclosure.accounting import Event
from disclosure.aggregates import Aggregate, as_json
from disclosure.policy import Mode
from disclosure.protect import protect
from disclosure.refine import Paid, combine
from disclosure.sensitivity import Contribution
from disclosure.suppression.problem import CannotProtect
from disclosure.tables import ExactTable, Measurement
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import BudgetExhausted, Principal, ReleasedTable, Request, Reserved, Wanted
from privacy_api.service import answer_listed, answer_official
from privacy_api.service.cuts import HostedDataSet
from privacy_api.service.document import record, release_document
from privacy_api.service.project_terms import held_to, refuse_unbiased, scope_in
from privacy_api.service.questions import Asked, priced
from privacy_api.service.reach import find_data_set as find_data_set
from privacy_api.service.reach import reach
from privacy_api.service.refusals import ledger_errors
from privacy_api.service.services import Services


@dataclass(frozen=True, slots=True)
class Answered:
    """body: the stored release, as JSON. nano_rho: what this request was charged. repeat: all of it was there."""

    release: str
    body: bytes
    nano_rho: int
    repeat: bool


def answer_query(query: Query, principal: Principal, services: Services) -> Answered:
    return answer(check(query, reach(query.data_set, principal, services), principal), principal, services)


def answer(asked: Asked, principal: Principal, services: Services) -> Answered:
    refuse_frozen(asked.hosted)
    with ledger_errors(services):
        if stored := services.ledger.release(asked.release, asked.hosted.cut.terms):
            return Answered(asked.release, stored.body, 0, True)
        services.step("asked")
        reserved = _reserve(_request(asked, principal), services)
        services.step("reserved")
        return _measure(asked, reserved, services)


def refuse_frozen(hosted: HostedDataSet) -> None:
    """Releases stay what they are and can be cited; questions wait until the cut is unfrozen."""
    if hosted.cut.terms.frozen:
        detail = f"The cut {hosted.cut.catalogue.cut} is frozen: what was released stays, and nothing new is answered."
        raise ApiError(ErrorCode.FROZEN, detail=detail)


def check(query: Query, hosted: HostedDataSet, principal: Principal, registered: bool = False) -> Asked:
    """A valid query and what each of its measurements costs, or an error that says all that is wrong. registered: by an
    officer, so that it is answered where free queries are not. The project may be held more tightly than its cut."""
    hosted = held_to(hosted, principal.project)
    policy = hosted.cut.policy
    if not registered:
        refuse_frozen(hosted)
    if not (registered or policy.answers_ad_hoc):
        raise ApiError(ErrorCode.AD_HOC_NOT_ALLOWED)
    try:
        official = policy.mode is Mode.OFFICIAL
        scope = scope_in(hosted, principal.project)
        refuse_unbiased(query, policy)
        valid = validate(query, hosted.data_set, principal.project.grants, hosted.cut.limits, official, scope)
        table = official_table(valid, policy, registered) if official else None
        return Asked(hosted, valid, priced(valid, hosted.cut, table), table, registered)
    except InvalidQuery as invalid:
        raise ApiError(ErrorCode.INVALID_QUERY, invalid.problems) from None


def _request(asked: Asked, principal: Principal) -> Request:
    cut = asked.hosted.cut
    return Request(
        principal=principal,
        cut=cut.account,
        cut_cap=cut.cap,
        release=asked.release,
        query=record(asked.valid),
        wanted=tuple(Wanted(event) for event in asked.wanted.values()),
        delta_cap=rule.delta_total if (rule := cut.policy.listed_groups) else 0,
        scope=asked.hosted.scope if asked.table else "",
        terms=cut.terms,
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


def _measure(asked: Asked, reserved: Reserved, services: Services) -> Answered:
    """From here on the charge stands: whatever happens, it is recorded and never given back."""
    try:
        missing = {w.question: w.event for w in reserved.missing}
        lacking = {q: missing[e.question] for q, e in asked.wanted.items() if e.question in missing}
        with services.ledger.held(reserved):
            measured, table = _measured(asked, lacking, reserved, services)
        services.step("measured")
        body = _document(asked, _together(reserved, measured), services)
        stored = services.ledger.store(reserved, measured, body, table)
        services.step("stored")
        return Answered(stored.id, stored.body, reserved.nano_rho, not reserved.missing)
    except EngineFailed:
        services.ledger.fail(reserved)
        raise ApiError(ErrorCode.QUERY_FAILED) from None
    except CannotProtect as refused:
        services.ledger.fail(reserved)
        raise ApiError(ErrorCode.CANNOT_PROTECT, detail=refused.reason) from None
    except Exception:
        services.ledger.fail(reserved)
        raise


def rehearse(asked: Asked, principal: Principal, services: Services) -> Answer:
    """The answer that would be given, measured anew of pupils who do not exist: neither charged nor stored."""
    if not asked.hosted.cut.catalogue.synthetic:
        raise ValueError("only synthetic pupils are measured without a charge")
    request = _request(asked, principal)
    reserved = Reserved(request, None, 0, {}, request.wanted)
    measured, _ = _measured(asked, asked.wanted, reserved, services)
    return finish(asked.valid, {q: measured[e.question] for q, e in asked.wanted.items()}, asked.hosted.cut.policy)


def _measured(
    asked: Asked, missing: Mapping[Quantity, Event], reserved: Reserved, services: Services
) -> tuple[Mapping[str, Measurement], ReleasedTable | None]:
    """What no stored measurement gives, by question: all cells of the code lists, the groups that are listed, or a
    table that is protected as a whole, with what later tables must know of it."""
    if not missing:
        return {}, None
    if asked.table:
        return answer_official.protect_it(asked, asked.table, missing, reserved.earlier, services)
    if asked.valid.query.groups is Groups.LISTED:
        return answer_listed.list_them(asked.valid, missing, asked.hosted, services), None
    return _noisy(asked, missing, services), None


def _noisy(asked: Asked, missing: Mapping[Quantity, Event], services: Services) -> Mapping[str, Measurement]:
    """Aggregate and protect; one scan for all layouts that it will do for."""
    here: dict[int, dict[Aggregate, Event]] = {}
    for quantity, event in missing.items():
        here.setdefault(quantity.layout, {})[quantity.aggregate] = event
    needed = {layout: tuple(sorted(events, key=lambda a: str(as_json(a)))) for layout, events in here.items()}
    found: dict[str, Measurement] = {}
    for scan in scans(asked.valid, needed):
        exact = asked.hosted.cut.engine.aggregate(asked.valid.plan(scan.layout, scan.aggregates))
        services.step("aggregated")
        for layout, table in tables(scan, exact, asked.valid):
            found |= _protected(table, here[layout], asked.valid.layouts[layout].contribution, asked, services)
    return found


def _protected(
    exact: ExactTable,
    missing: Mapping[Aggregate, Event],
    contribution: Contribution,
    asked: Asked,
    services: Services,
) -> Mapping[str, Measurement]:
    prices = {a: e.nano_rho for a, e in missing.items()}
    table = protect(exact.only(missing), prices, contribution, asked.hosted.cut.policy, services.noise)
    return {event.question: table[a] for a, event in missing.items()}


def _together(reserved: Reserved, measured: Mapping[str, Measurement]) -> Mapping[str, Paid]:
    """What was measured before and what was measured now, as one measurement per question."""
    new = {w.question: Paid(measured[w.question], w.event.nano_rho) for w in reserved.missing}
    before = reserved.stored
    return {**before, **{q: combine([before[q], paid]) if q in before else paid for q, paid in new.items()}}


def _document(asked: Asked, paid: Mapping[str, Paid], services: Services) -> bytes:
    valid, wanted, hosted = asked.valid, asked.wanted, asked.hosted
    if valid.query.groups is Groups.LISTED:
        return answer_listed.document_of(asked.release, valid, wanted, paid, hosted, services)
    measured = {q: paid[e.question].measurement for q, e in wanted.items()}
    answer = finish(valid, measured, hosted.cut.policy)
    worth = sum(paid[e.question].nano_rho for e in wanted.values())
    return release_document(asked.release, services.now(), hosted, valid, answer, worth)
