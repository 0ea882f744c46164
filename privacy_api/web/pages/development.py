"""Signing in as one of the made-up people of a demonstration. Outside of demo mode there is no such route."""

from __future__ import annotations

from typing import Literal

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.csrf import is_own
from privacy_api.ports import Suspended
from privacy_api.routes.access import ServicesDep, caller_of
from privacy_api.routes.admission import origin_of
from privacy_api.service.identity import suspended
from privacy_api.service.sign_in import PEOPLE, sign_in
from privacy_api.web import cookies
from privacy_api.web.forms import FormIn, posted
from privacy_api.web.pages_base import Pages

router = Pages()


class Person(FormIn):
    person: Literal["ada", "dev", "olive", "oscar", "cora", "audrey", "adam"]
    next: str = "/"


@router.post("/sign-in/development")
async def sign_in_as(request: Request, services: ServicesDep) -> Response:
    form = (await posted(request, Person)).value
    if form is None:
        raise ApiError(ErrorCode.INVALID_REQUEST)
    if not is_own(request.headers, origin_of(request)):
        raise ApiError(ErrorCode.NOT_FROM_HERE)
    identity = next(each for each in PEOPLE if each.subject == form.person)
    ends = caller_of(request).session
    try:
        _, cookie = await run_in_threadpool(sign_in, identity, "development", services, None, ends)
    except Suspended as found:
        raise suspended(found) from None
    response = RedirectResponse(cookies.own_path(form.next), 303)
    cookies.start_session(request, response, cookie)
    return response
