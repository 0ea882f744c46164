"""/keys: the API keys of whoever is signed in. A key is shown once, on the page that answers its making."""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from pydantic import Field

from privacy_api.errors import ApiError
from privacy_api.routes.access import ServicesDep
from privacy_api.service.keys import LONGEST_DAYS, MOST_LABEL, create_key, own_keys, revoke_own_key, state_of
from privacy_api.service.services import Services
from privacy_api.web.asking.asker import account_of, projects_of, suspended
from privacy_api.web.forms import Filled, FormIn, posted
from privacy_api.web.pages_base import Pages, render

router = Pages()


class NewKey(FormIn):
    project: str = Field(title="a project", max_length=63)
    label: str = Field("", title="what the key is for", max_length=MOST_LABEL, pattern=r"^[^\x00-\x1f\x7f]*$")
    days: int = Field(90, title="days until the key ends", ge=1, le=LONGEST_DAYS)


@router.page("/keys")
def page(request: Request, services: ServicesDep) -> Response:
    return _page(request, services, Filled(values={"days": 90}))


@router.post("/keys")
async def make(request: Request, services: ServicesDep) -> Response:
    """No redirect: the secret is in this answer and nowhere else, so that loading the page again makes another key."""
    form = await posted(request, NewKey)
    return await run_in_threadpool(_made, request, services, form)


def _made(request: Request, services: Services, form: Filled[NewKey]) -> Response:
    if form.value is None:
        return _page(request, services, form, 422)
    wanted = form.value
    try:
        info, key = create_key(account_of(request), wanted.project, wanted.label, wanted.days, services)
    except ApiError as refused:
        if refused.code.status != 429:
            raise
        return _page(request, services, form.with_problem("label", refused.detail), 422)
    return render(request, "key_made.html", 201, info=info, key=key)


@router.post("/keys/{key}/revoke")
def revoke(key: str, request: Request, services: ServicesDep) -> Response:
    revoke_own_key(account_of(request), key, services)
    return RedirectResponse("/keys", 303)


def _page(request: Request, services: Services, form: Filled[NewKey], status: int = 200) -> Response:
    now, account = services.now(), account_of(request)
    keys = [(key, state_of(key, now)) for key in reversed(own_keys(account, services))]
    own = projects_of(request, services)
    projects = [project for project in own if not suspended(project, services)]
    titles = {project.id: project.title for project in own}
    return render(request, "keys.html", status, keys=keys, projects=projects, titles=titles, form=form)
