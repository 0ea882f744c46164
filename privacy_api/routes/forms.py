"""What a page's form sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated
from urllib.parse import parse_qsl

from fastapi import Depends, Request

from privacy_api.errors import ApiError, ErrorCode

MOST_FORM = 256 * 1024
MOST_FIELDS = 2000
_TYPE = "application/x-www-form-urlencoded"


class Form:
    """The fields of a form; one name may come several times (checkboxes)."""

    def __init__(self, pairs: list[tuple[str, str]]) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def get(self, name: str) -> str | None:
        """The last value of the name, so that a checkbox may follow its hidden default."""
        values = self._values.get(name)
        return values[-1] if values else None

    def text(self, name: str) -> str:
        """Stripped; empty where there is none."""
        return (self.get(name) or "").strip()

    def all(self, name: str) -> list[str]:
        return list(self._values.get(name, ()))

    @property
    def values(self) -> Mapping[str, list[str]]:
        return self._values


def is_form(request: Request) -> bool:
    return request.headers.get("content-type", "").split(";")[0].strip().lower() == _TYPE


async def form_of(request: Request) -> Form:
    """Read once, whoever asks first; refused as soon as it is too long."""
    found: Form | None = getattr(request.state, "form", None)
    if found is None:
        found = request.state.form = await _read(request)
    return found


async def _read(request: Request) -> Form:
    if not is_form(request):
        raise ApiError(ErrorCode.UNSUPPORTED_MEDIA_TYPE, detail=f"A form is wanted, as {_TYPE}.")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_FORM:
            raise ApiError(ErrorCode.TOO_LARGE, detail=f"At most {MOST_FORM} bytes are accepted.")
    try:
        pairs = parse_qsl(body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise ApiError(ErrorCode.INVALID_REQUEST, detail="The form cannot be read.") from None
    if any("\0" in text for pair in pairs for text in pair):  # PostgreSQL would not store it
        raise ApiError(ErrorCode.INVALID_REQUEST, detail="The form cannot be read.")
    return Form(pairs)


FormDep = Annotated[Form, Depends(form_of)]
