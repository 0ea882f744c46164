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

from fastapi import Request
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo

from privacy_api.governance.csrf import FIELD
from privacy_api.routes.forms import form_of

OF_THE_PAGE = frozenset({FIELD})
"""Fields that the page adds to every form."""


class FormIn(BaseModel):
    """Of every form: spaces around text go, and a field that the form has not is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)


Model = TypeVar("Model", bound=FormIn)


@dataclass(frozen=True, slots=True)
class Filled(Generic[Model]):
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

    def with_problem(self, name: str, text: str) -> Filled[Model]:
        """The same form, refused for what only the service could know."""
        return Filled(None, self.values, {**self.problems, name: text})


async def posted(request: Request, model: type[Model]) -> Filled[Model]:
    return read((await form_of(request)).values, model)


def read(sent: Mapping[str, Sequence[str]], model: type[Model]) -> Filled[Model]:
    """Check boxes and the like may come several times, and are lists; of any other field the last one counts."""
    several = {name for name, info in model.model_fields.items() if _is_list(info)}
    values: dict[str, Any] = {name: [] for name in several}
    for name, texts in sent.items():
        if name not in OF_THE_PAGE:
            values[name] = list(texts) if name in several else texts[-1].replace("\r\n", "\n")
    try:
        return Filled(model.model_validate({k: v for k, v in values.items() if v != ""}), values)
    except ValidationError as invalid:
        return Filled(None, values, _problems(invalid, model))


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
