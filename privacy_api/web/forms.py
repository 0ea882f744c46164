"""Forms: what was posted, as a pydantic model, or the same page again with what is wrong beside each field.

    class Reason(FormIn):
        reason: str = Field(title="a reason", max_length=500)

    form = await posted(request, Reason)
    if form.value is None:
        return render(request, "reason.html", 422, form=form)

A field's title is what people are asked for ("Enter a reason"). In the template `{{ errors(form) }}` of kit.html is the
summary, and `form.values`, `form.error` fill fields of the GOV.UK macros.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, Literal, TypeVar, get_origin
from urllib.parse import parse_qsl

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from privacy_api.errors import ApiError, ErrorCode

MOST_BODY = 256 * 1024
MOST_FIELDS = 2000
URLENCODED = "application/x-www-form-urlencoded"
OF_THE_PAGE = frozenset({"csrf"})
"""Fields that the page adds to every form."""


class FormIn(BaseModel):
    """Of every form: spaces around text go, and a field that the form has not is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


Model = TypeVar("Model", bound=FormIn)
Fields = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Form(Generic[Model]):
    """values: as they were typed, to be shown again. problems: field → what is wrong with it, in words."""

    value: Model | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    problems: Mapping[str, str] = field(default_factory=dict)

    def error(self, name: str) -> dict[str, str] | None:
        """What `errorMessage` of a GOV.UK macro wants."""
        return {"text": self.problems[name]} if name in self.problems else None

    def summary(self) -> list[dict[str, str]]:
        """What `errorList` wants; each leads to its field, whose id is its name."""
        return [{"text": text, "href": f"#{name}"} for name, text in self.problems.items()]

    def with_problem(self, name: str, text: str) -> Form[Model]:
        """The same form, refused for what only the service could know."""
        return Form(None, self.values, {**self.problems, name: text})


async def fields_of(request: Request) -> Fields:
    """What was posted, in order; refused as soon as it is too long. A second look at the same request is free."""
    if (known := getattr(request.state, "fields", None)) is None:
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != URLENCODED:
            raise ApiError(ErrorCode.UNSUPPORTED_MEDIA_TYPE)
        known = request.state.fields = _parsed(await _body(request))
    return known


async def _body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BODY:
            raise ApiError(ErrorCode.TOO_LARGE, detail=f"At most {MOST_BODY} bytes are accepted.")
    return bytes(body)


def _parsed(body: bytes) -> Fields:
    try:
        found = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS, separator="&"
        )
    except ValueError:  # not ASCII, not UTF-8 behind it, or too many fields
        raise ApiError(ErrorCode.INVALID_REQUEST) from None
    if any("\0" in name or "\0" in text for name, text in found):  # which PostgreSQL would not store
        raise ApiError(ErrorCode.INVALID_REQUEST)
    return found


async def posted(request: Request, model: type[Model]) -> Form[Model]:
    return read(await fields_of(request), model)


def read(fields: Fields, model: type[Model]) -> Form[Model]:
    """Check boxes and the like may come several times, and are lists; of any other field the last one counts."""
    values: dict[str, Any] = {name: [] for name, info in model.model_fields.items() if _is_list(info)}
    for name, text in fields:
        if name in OF_THE_PAGE:
            continue
        if isinstance(values.get(name), list):
            values[name].append(text)
        else:
            values[name] = text.replace("\r\n", "\n")
    try:
        return Form(model.model_validate({k: v for k, v in values.items() if v != ""}), values)
    except ValidationError as invalid:
        return Form(None, values, _problems(invalid, model))


def _is_list(info: FieldInfo) -> bool:
    return get_origin(info.annotation) in (list, tuple, set, frozenset)


def _problems(invalid: ValidationError, model: type[FormIn]) -> dict[str, str]:
    """The first of each field, in the order of the form."""
    found: dict[str, str] = {}
    for error in invalid.errors():
        name = str(error["loc"][0]) if error["loc"] else next(iter(model.model_fields))
        info = model.model_fields.get(name)
        found.setdefault(name, _said(error["type"], error.get("ctx", {}), _asked(name, info), _is_choice(info)))
    return {name: found[name] for name in sorted(found, key=[*model.model_fields, *found].index)}


def _asked(name: str, info: FieldInfo | None) -> str:
    return (info and info.title) or name.replace("_", " ")


def _is_choice(info: FieldInfo | None) -> bool:
    """Whether people choose rather than type."""
    kind = None if info is None else info.annotation
    return get_origin(kind) is Literal or kind is bool or (isinstance(kind, type) and issubclass(kind, Enum))


MISSING = frozenset({"missing", "string_too_short", "too_short"})
CHOSEN = frozenset({"enum", "literal_error", "bool_parsing", "too_short"})
TOLD: Mapping[str, str] = {
    "string_too_long": "{asked} must be {max_length} characters or fewer",
    "int_parsing": "{asked} must be a whole number",
    "int_from_float": "{asked} must be a whole number",
    "decimal_parsing": "{asked} must be a number",
    "float_parsing": "{asked} must be a number",
    "decimal_max_places": "{asked} must have {decimal_places} decimal places or fewer",
    "greater_than": "{asked} must be more than {gt}",
    "greater_than_equal": "{asked} must be {ge} or more",
    "less_than": "{asked} must be less than {lt}",
    "less_than_equal": "{asked} must be {le} or less",
    "too_long": "Select {max_length} or fewer",
    "date_from_datetime_parsing": "{asked} must be a real date, like 2026-11-30",
    "date_parsing": "{asked} must be a real date, like 2026-11-30",
    "string_pattern_mismatch": "{asked} is not in the form that is wanted",
    "extra_forbidden": "The form has no field {asked}",
}


def _said(kind: str, facts: Mapping[str, Any], asked: str, is_choice: bool) -> str:
    """The way the GOV.UK Design System words errors; a ValueError of the model's own says its own."""
    if kind in MISSING or kind in CHOSEN:
        return f"{'Select' if is_choice or kind in CHOSEN else 'Enter'} {asked}"
    if kind == "value_error":
        return str(facts["error"])
    plain = asked.removeprefix("a ").removeprefix("an ").removeprefix("the ")
    capital = plain[:1].upper() + plain[1:]
    return TOLD[kind].format(asked=capital, **facts) if kind in TOLD else f"{capital} is not valid"
