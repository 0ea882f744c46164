"""Bodies about keys and accounts."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from datasets.query import Problem
from privacy_api.errors import ApiError, ErrorCode

In = TypeVar("In", bound=BaseModel)


class _In(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, str_strip_whitespace=True)


class NewKeyIn(_In):
    project: str = Field(max_length=63, pattern=r"^[a-z0-9][a-z0-9-]*$", description="A project you are a member of.")
    label: str = Field("", max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$", description="What you use it for.")
    days: int = Field(365, ge=1, le=365, description="Days until it ends.")


class ReasonIn(_In):
    reason: str = Field(min_length=1, max_length=2000, pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")


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
