"""What the ledger refuses, as errors of the API: the same of a question and of a fit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import InProgress, LedgerBroken, Outdated, Suspended
from privacy_api.service.identity import suspended
from privacy_api.service.services import Services


@contextmanager
def ledger_errors(services: Services) -> Iterator[None]:
    """All but an exhausted budget, of which each says what it wanted it for."""
    try:
        yield
    except Suspended as found:
        raise suspended(found) from None
    except InProgress:
        # The gate asks again in a moment: what another is having measured will be ours, for nothing.
        raise ApiError(ErrorCode.IN_PROGRESS, retry_after=5) from None
    except Outdated:
        # It asks again too, then under the terms that hold now: nothing is answered or charged under others.
        services.outdated()
        raise ApiError(ErrorCode.IN_PROGRESS, retry_after=1) from None
    except LedgerBroken:
        detail = "If this query was charged before the ledger failed, it stays charged."
        raise ApiError(ErrorCode.LEDGER_UNAVAILABLE, detail=detail) from None
