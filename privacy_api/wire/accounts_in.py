"""Bodies about keys and accounts."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from datasets.query import Problem
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.audit_kinds import MOST_TEXT, TEXT

In = TypeVar("In", bound=BaseModel)


def _recordable(text: str) -> str:
    """What goes on the record has to be such as the record takes; nothing is nothing to record."""
    if text and not TEXT.accepts(text):
        raise ValueError(f"wants {TEXT.words}")
    return text


class _In(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, str_strip_whitespace=True)


class NewKeyIn(_In):
    project: str = Field(max_length=63, pattern=r"^[a-z0-9][a-z0-9-]*$", description="A project you are a member of.")
    label: Annotated[str, AfterValidator(_recordable)] = Field("", max_length=100, description="What you use it for.")
    days: int = Field(365, ge=1, le=365, description="Days until it ends.")


class ReasonIn(_In):
    reason: Annotated[str, AfterValidator(_recordable)] = Field(min_length=1, max_length=MOST_TEXT)


class RolesIn(ReasonIn):
    roles: list[str] = Field(max_length=6, description="All the roles that the account is to have.")


def read_new_key(value: Any) -> NewKeyIn:
    return _read(NewKeyIn, value)


def read_reason(value: Any) -> str:
    return _read(ReasonIn, value).reason


def read_roles(value: Any) -> RolesIn:
    return _read(RolesIn, value)


def _read(model: type[In], value: Any) -> In:
    try:
        return model.model_validate(value)
    except ValidationError as invalid:
        problems = [Problem("InvalidValue", each["msg"], ".".join(map(str, each["loc"]))) for each in invalid.errors()]
        raise ApiError(ErrorCode.INVALID_REQUEST, problems) from None
