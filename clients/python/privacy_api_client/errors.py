"""What can go wrong, as one tree: catch the branch that you can do something about.

    PrivacyApiError
    ├── ConnectionFailed   no answer came: address, network, certificate, or time ran out
    ├── NotAuthenticated   the key is unknown or revoked
    ├── NotAllowed         this data set does not answer questions of one's own
    ├── NotFound           no such data set, release or project (or not yours to see)
    ├── InvalidQuery       .problems says all that is wrong with the question, and where
    ├── BudgetExhausted    the project's or the cut's privacy budget does not cover the price
    ├── TooBusy            ask again later; .retry_after says in how many seconds, if the service does
    └── ServerError        the service failed, or what answered is not this service
        └── QueryFailed    the question could not be answered and its price stays charged

All of them have .status (HTTP), .code (the service's word for it) and .request_id (what to quote to staff); each is
None where there is none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a question. path: where in the query, as in ``criteria.filters.la.in``."""

    code: str
    message: str
    path: str

    def __str__(self) -> str:
        return f"{self.path or 'query'}: {self.message} [{self.code}]"


class PrivacyApiError(Exception):
    """Anything that this package raises once a client exists, but for mistakes in calling it."""

    def __init__(
        self, message: str, *, status: int | None = None, code: str | None = None, request_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.request_id = status, code, request_id


class ConnectionFailed(PrivacyApiError):
    """No answer came. If it was a question, asking exactly the same again costs nothing once it has been answered."""


class NotAuthenticated(PrivacyApiError):
    """The key is unknown or revoked."""


class NotAllowed(PrivacyApiError):
    """The key is good, but not for this."""


class NotFound(PrivacyApiError):
    """No such thing; another project's things look the same as things that do not exist."""


class InvalidQuery(PrivacyApiError):
    """Nothing was charged. str() lists the problems, one a line."""

    def __init__(
        self,
        message: str,
        *,
        problems: Sequence[Problem] = (),
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, status=status, code=code, request_id=request_id)
        self.problems = tuple(problems)

    def __str__(self) -> str:
        return "\n".join([super().__str__(), *(f"  {problem}" for problem in self.problems)])


class BudgetExhausted(PrivacyApiError):
    """Nothing was charged. Ask for fewer measures or a lower rho, or have staff decide on more."""


class TooBusy(PrivacyApiError):
    """The service cannot answer now. Raised once the client's own retries are used up."""

    def __init__(
        self,
        message: str,
        *,
        retry_after: float | None = None,
        status: int | None = None,
        code: str | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message, status=status, code=code, request_id=request_id)
        self.retry_after = retry_after


class ServerError(PrivacyApiError):
    """The service failed, or what answered is not this service."""


class QueryFailed(ServerError):
    """The price of the question stays charged, and is charged again if it is asked again: never retried for you."""
