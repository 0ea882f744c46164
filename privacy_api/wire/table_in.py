"""A table that an officer registers, as the file says it."""

from __future__ import annotations

import tomllib
from typing import Annotated, Any

from pydantic import Field, StringConstraints, ValidationError

from datasets.query import Problem
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.wire.query_in import WireModel


class TableIn(WireModel):
    """policy, policy_version: those that the table was approved under; it is released under no other. question: as it
    would be sent to the data set. Its criteria are the table's population."""

    table: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9-]{0,79}$")]
    title: Annotated[str, StringConstraints(min_length=1, max_length=300)]
    data_set: Annotated[str, Field(alias="data_set"), StringConstraints(max_length=200)]
    policy: Annotated[str, StringConstraints(min_length=1, max_length=120)]
    policy_version: Annotated[int, Field(alias="policy_version", ge=1)]
    question: dict[str, Any]


def read_table(text: str) -> TableIn:
    """Raises ApiError with every problem."""
    try:
        return TableIn.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ApiError(ErrorCode.INVALID_REQUEST, detail=f"not TOML: {error}") from None
    except ValidationError as error:
        problems = [
            Problem("InvalidValue", each["msg"], ".".join(str(part) for part in each["loc"])) for each in error.errors()
        ]
        raise ApiError(ErrorCode.INVALID_REQUEST, problems) from None
