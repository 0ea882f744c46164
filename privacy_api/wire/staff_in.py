"""What staff send: reasons, caps, drafts of policies."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, Field, ValidationError

from disclosure.accounting import nano_rho
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.governance.audit_kinds import TEXT
from privacy_api.wire.query_in import WireModel, problems_of

MOST_POLICY = 100_000
"""Characters of a policy file."""
Model = TypeVar("Model", bound=WireModel)


def _recordable(text: str) -> str:
    if not TEXT.accepts(text):
        raise ValueError(f"wants {TEXT.words}")
    return text


ReasonText = Annotated[str, AfterValidator(_recordable), Field(description="Why; it is put on the record.")]


class ReasonIn(WireModel):
    reason: ReasonText


class CapIn(WireModel):
    """rho: the new cap."""

    rho: Annotated[float, Field(ge=0, le=1e9)]
    reason: ReasonText

    @property
    def nano_rho(self) -> int:
        """Rounded up by less than a nano-ρ, as every amount is."""
        return nano_rho(Decimal(str(self.rho)))


class DraftIn(WireModel):
    """policy: the text of the file (TOML)."""

    policy: Annotated[str, Field(min_length=1, max_length=MOST_POLICY)]
    reason: ReasonText


def read_in(model: type[Model], value: Any) -> Model:
    """Raises ApiError with every problem and its path."""
    try:
        found = model.model_validate(value)
    except ValidationError as invalid:
        raise ApiError(ErrorCode.INVALID_REQUEST, tuple(problems_of(invalid))) from None
    return found
