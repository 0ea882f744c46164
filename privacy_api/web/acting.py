"""A form that does something: read, do, and lead on to a page; or the page again, with what is wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, TypeVar

from fastapi import Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import RedirectResponse
from pydantic import Field

from privacy_api.errors import ApiError
from privacy_api.governance.approvals import LONGEST_REASON
from privacy_api.web.forms import Filled, FormIn, posted

Model = TypeVar("Model", bound=FormIn)


Reason = Annotated[str, Field(title="your reason", max_length=LONGEST_REASON)]


class ReasonIn(FormIn):
    """Of whatever is done at once and wants nothing but a reason."""

    reason: Reason


AGAIN = frozenset({400, 403, 409, 422})
"""Refusals that are said in the form; others are pages of their own."""


async def acted(
    request: Request,
    model: type[Model],
    act: Callable[[Model], str],
    page: Callable[[Filled[Model], int], Response],
) -> Response:
    """act: does it, and tells the address of the page that follows. page: the form's own page, as it was sent."""
    form = await posted(request, model)

    def work() -> Response:
        if form.value is None:
            return page(form, 422)
        try:
            return RedirectResponse(act(form.value), 303)
        except ApiError as refused:
            if refused.code.status not in AGAIN:
                raise
            return page(_told(form, refused, model), refused.code.status)

    return await run_in_threadpool(work)


def _told(form: Filled[Model], refused: ApiError, model: type[Model]) -> Filled[Model]:
    """Beside the field that it is about, or the first one."""
    first = next(iter(model.model_fields))
    sent: Filled[Model] = Filled(None, form.values)
    for problem in refused.problems:
        sent = sent.with_problem(problem.path if problem.path in model.model_fields else first, problem.message)
    return sent if refused.problems else sent.with_problem(first, refused.detail or f"{refused.code.title}.")
