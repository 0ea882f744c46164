"""An output to be checked, as it comes over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationError

from datasets.output_check.table_in import MOST_BYTES
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.service.output_check import Output
from privacy_api.wire.query_in import QueryIn, WireModel, problems_of

MOST_BODY = 2 * MOST_BYTES
"""JSON writes line ends and quotes as two characters."""


class OutputCheckIn(WireModel):
    """dataSet: its id. table: the CSV. query: the question that made it, as it would be sent to the data set; without
    one the verdict is `review` at best.
    """

    data_set: Annotated[str, Field(max_length=200)]
    table: Annotated[str, Field(min_length=1, max_length=MOST_BYTES)]
    query: QueryIn | None = None


def read_output(value: Any) -> Output:
    """Raises ApiError with every problem and its path."""
    try:
        found = OutputCheckIn.model_validate(value)
    except ValidationError as invalid:
        raise ApiError(ErrorCode.INVALID_REQUEST, tuple(problems_of(invalid))) from None
    query = None if found.query is None else found.query.to_domain(found.data_set)
    return Output(found.data_set, found.table, query)
