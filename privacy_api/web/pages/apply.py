"""Applying for a project, page by page: a task list with numbered steps, one thing each, check answers, send."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.applications import HAPPENED, PLAIN, WAITS_FOR, WRITABLE, Side, seconds_with, stages
from privacy_api.governance.asked_for import DataSets, sensitive
from privacy_api.governance.checklist import MEMBERS, TITLES, StepStatus, problems, step_status
from privacy_api.governance.records import camel, record_value
from privacy_api.governance.red_flags import Case, raised
from privacy_api.ports.applications import Application, Step
from privacy_api.routes.access import CallerDep, ServicesDep
from privacy_api.routes.forms import FormDep
from privacy_api.service import applications as applying
from privacy_api.service.services import Services
from privacy_api.web.applying.answers import sections
from privacy_api.web.applying.data import described, read_data_set, read_person, read_sensitive, with_data_sets
from privacy_api.web.applying.pages import (
    BY_NAME,
    FieldPage,
    for_people,
    next_after,
    page_of,
    problems_of,
    read_field,
    shown,
)
from privacy_api.web.forms import Filled
from privacy_api.web.pages_base import Pages, render

router = Pages()
FIRST_PAGE: Mapping[Step, str] = {
    Step.PURPOSE: "title",
    Step.PEOPLE: "people",
    Step.DATA: "data-sets",
    Step.SENSITIVE: "sensitive",
    Step.PUBLICATION: "publication",
    Step.FIVE_SAFES: "five-safes",
    Step.CHECK: "check",
}


@router.page("/apply")
def mine(request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    found = applying.mine(caller, services)
    account = caller.account
    projects = services.accounts.projects_of(account.id) if account else []
    return render(request, "apply/mine.html", applications=found, plain=PLAIN, projects=projects)


@router.post("/apply")
def start(form: FormDep, caller: CallerDep, services: ServicesDep) -> Response:
    made = applying.start(form.text("changes") or None, caller, services)
    return _to(made.id)


@router.page("/apply/{application}")
def tasks(application: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    found = applying.own(application, caller, services)
    data_sets, now = applying.data_sets_of(services), services.now()
    clock = stages(services.applications.moves(found.id), now)
    return render(
        request,
        "apply/tasks.html",
        application=found,
        plain=PLAIN[found.state],
        writable=found.state in WRITABLE,
        ended=found.state not in WAITS_FOR,
        steps=[(step, TITLES[step], FIRST_PAGE[step], _status(step, found, data_sets)) for step in Step],
        happened=HAPPENED,
        moves=services.applications.moves(found.id),
        days={side.value: seconds_with(side, clock) // 86_400 for side in Side},
        comments=services.applications.comments(found.id),
    )


def _status(step: Step, found: Application, data_sets: DataSets) -> StepStatus:
    """The last step is done once it was sent, until it comes back."""
    if step is Step.CHECK and found.submission and found.state not in WRITABLE:
        return StepStatus.COMPLETED
    return step_status(step, found.content, data_sets)


@router.page("/apply/{application}/check")
def check(application: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    return _check(applying.own(application, caller, services), request, services)


def _check(found: Application, request: Request, services: Services, status: int = 200) -> Response:
    data_sets, today = applying.data_sets_of(services), date.fromisoformat(services.now()[:10])
    return render(
        request,
        "apply/check.html",
        status,
        application=found,
        writable=found.state in WRITABLE,
        sections=sections(found.content, data_sets),
        lacking=[(page_of(each.path), for_people(each.message)) for each in problems(found.content, data_sets)],
        flags=raised(Case(found.content, data_sets, today)),
    )


@router.post("/apply/{application}/send")
def send(application: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    try:
        applying.submit(application, caller, services)
    except ApiError as refused:
        if refused.code is not ErrorCode.INVALID_APPLICATION:
            raise
        return _check(applying.own(application, caller, services), request, services, 422)
    return _to(application)


@router.post("/apply/{application}/withdraw")
def withdraw(application: str, form: FormDep, caller: CallerDep, services: ServicesDep) -> Response:
    applying.withdraw(application, form.text("reason"), caller, services)
    return _to(application)


@router.post("/apply/{application}/comments")
def comment(application: str, form: FormDep, caller: CallerDep, services: ServicesDep) -> Response:
    applying.comment(application, form.text("text"), None, caller, services)
    return _to(application, "#comments")


@router.page("/apply/{application}/people")
def people(application: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    found = applying.own(application, caller, services)
    return _people(found, request, {}, {}, 200)


def _people(
    found: Application, request: Request, values: Mapping[str, str], wrong: Mapping[str, str], status: int
) -> Response:
    return render(
        request, "apply/people.html", status, application=found, writable=found.state in WRITABLE, values=values,
        form=Filled(problems=wrong),
    )  # fmt: skip


@router.post("/apply/{application}/people")
def add_person(application: str, request: Request, form: FormDep, caller: CallerDep, services: ServicesDep) -> Response:
    """Adds one, or takes one away."""
    found = applying.own(application, caller, services)
    people, values, wrong = read_person(form, found.content.people)
    if wrong:
        return _people(found, request, values, wrong, 422)
    applying.write_step(application, Step.PEOPLE, record_value(people), caller, services)
    return _to(application, "/people")


@router.page("/apply/{application}/data-sets")
def data_sets(application: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    return _data_sets(applying.own(application, caller, services), request, {}, services, 200)


def _data_sets(
    found: Application, request: Request, wrong: Mapping[str, str], services: Services, status: int
) -> Response:
    chosen = {wanted.data_set for wanted in found.content.data.wanted}
    return render(
        request, "apply/data-sets.html", status, application=found, writable=found.state in WRITABLE, chosen=chosen,
        data_sets=applying.data_sets_of(services), form=Filled(problems=wrong),
    )  # fmt: skip


@router.post("/apply/{application}/data-sets")
def choose_data_sets(
    application: str, request: Request, form: FormDep, caller: CallerDep, services: ServicesDep
) -> Response:
    found = applying.own(application, caller, services)
    known = [name for name in form.all("data_set") if name in applying.data_sets_of(services)]
    if not known:
        return _data_sets(found, request, {"data_set": "Select at least one data set"}, services, 422)
    data = with_data_sets(found.content.data, known)
    applying.write_step(application, Step.DATA, record_value(data), caller, services)
    return _to(application, f"/data-sets/{known[0]}")


@router.page("/apply/{application}/data-sets/{data_set}")
def variables(application: str, data_set: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    found = applying.own(application, caller, services)
    return _variables(found, data_set, request, {}, services, 200)


def _variables(
    found: Application, data_set: str, request: Request, wrong: Mapping[str, str], services: Services, status: int
) -> Response:
    known = applying.data_sets_of(services).get(data_set)
    wanted = next((each for each in found.content.data.wanted if each.data_set == data_set), None)
    if known is None or wanted is None:
        raise ApiError(ErrorCode.NOT_FOUND)
    return render(
        request, "apply/variables.html", status, application=found, writable=found.state in WRITABLE, name=data_set,
        data_set=known, wanted=wanted, variables=described(known, wanted), form=Filled(problems=wrong),
    )  # fmt: skip


@router.post("/apply/{application}/data-sets/{data_set}")
def choose_variables(
    application: str, data_set: str, request: Request, form: FormDep, caller: CallerDep, services: ServicesDep
) -> Response:
    found = applying.own(application, caller, services)
    known = applying.data_sets_of(services).get(data_set)
    if known is None:
        raise ApiError(ErrorCode.NOT_FOUND)
    data, wrong = read_data_set(form, found.content.data, data_set, known)
    written = applying.write_step(application, Step.DATA, record_value(data), caller, services)
    if wrong:
        return _variables(written, data_set, request, wrong, services, 422)
    names = [wanted.data_set for wanted in data.wanted]
    later = names[names.index(data_set) + 1 :]
    return _to(application, f"/data-sets/{later[0]}" if later else "/dates")


@router.page("/apply/{application}/sensitive")
def reasons(application: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    return _reasons(applying.own(application, caller, services), request, {}, services, 200)


def _reasons(
    found: Application, request: Request, wrong: Mapping[str, str], services: Services, status: int
) -> Response:
    said = {(j.data_set, j.reference): j for j in found.content.sensitive.justifications}
    asked = [
        (f"{each.data_set}:{each.reference}", each, said.get((each.data_set, each.reference)))
        for each in sensitive(found.content, applying.data_sets_of(services))
    ]
    return render(
        request, "apply/sensitive.html", status, application=found, writable=found.state in WRITABLE, asked=asked,
        form=Filled(problems=wrong),
    )  # fmt: skip


@router.post("/apply/{application}/sensitive")
def justify(application: str, request: Request, form: FormDep, caller: CallerDep, services: ServicesDep) -> Response:
    """A coarser banding that is taken takes the place of the variable; else both reasons are wanted."""
    found = applying.own(application, caller, services)
    asked = sensitive(found.content, applying.data_sets_of(services))
    data, reasons, wrong = read_sensitive(form, found.content, asked)
    if data != found.content.data:
        applying.write_step(application, Step.DATA, record_value(data), caller, services)
    written = applying.write_step(application, Step.SENSITIVE, record_value(reasons), caller, services)
    return _reasons(written, request, wrong, services, 422) if wrong else _to(application)


@router.page("/apply/{application}/{page}")
def fields(application: str, page: str, request: Request, caller: CallerDep, services: ServicesDep) -> Response:
    return _fields(applying.own(application, caller, services), _page(page), request, {}, 200)


@router.post("/apply/{application}/{page}")
def save(
    application: str, page: str, request: Request, form: FormDep, caller: CallerDep, services: ServicesDep
) -> Response:
    """What was written is kept, complete or not; who continues is told what the page still wants."""
    found, asked = applying.own(application, caller, services), _page(page)
    value = record_value(getattr(found.content, MEMBERS[asked.step]))
    value |= {camel(field.name): read_field(field, form) for field in asked.fields}
    try:
        written = applying.write_step(application, asked.step, value, caller, services)
    except ApiError as refused:
        if refused.code is not ErrorCode.INVALID_APPLICATION:
            raise
        wrong = {f.name: p.message for f in asked.fields for p in refused.problems if p.path == camel(f.name)}
        return _fields(found, asked, request, wrong, 422)
    if form.text("then") == "later":
        return _to(application)
    wrong = _wrong(written, asked, services)
    if wrong:
        return _fields(written, asked, request, wrong, 422)
    onward = next_after(asked)
    return _to(application, f"/{onward.name}" if onward else "")


def _wrong(found: Application, page: FieldPage, services: Services) -> dict[str, str]:
    told = {p.path: for_people(p.message) for p in problems(found.content, applying.data_sets_of(services))}
    return problems_of(page, told, camel(MEMBERS[page.step]))


def _fields(found: Application, page: FieldPage, request: Request, wrong: Mapping[str, str], status: int) -> Response:
    record = getattr(found.content, MEMBERS[page.step])
    return render(
        request, "apply/fields.html", status, application=found, writable=found.state in WRITABLE, page=page,
        step_title=TITLES[page.step], fields=shown(page, record, wrong), form=Filled(problems=wrong),
    )  # fmt: skip


def _page(name: str) -> FieldPage:
    if name not in BY_NAME:
        raise ApiError(ErrorCode.NOT_FOUND)
    return BY_NAME[name]


def _to(application: str, tail: str = "") -> Response:
    return RedirectResponse(f"/apply/{application}{tail}", 303)
