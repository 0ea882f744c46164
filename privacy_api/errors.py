"""The closed set of errors, and the one place where each becomes an RFC 9457 problem.

Every error is a function of the request, the schema, the policy and the ledger; none of the data, but one: in
`official` mode a table that cannot be protected is refused, which its numbers decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum

from datasets.query import Problem


class ErrorCode(Enum):
    """name → (status, title)."""

    INVALID_QUERY = (422, "The query is not valid")
    INVALID_REQUEST = (400, "The request is not valid")
    NOT_AUTHENTICATED = (401, "A valid API key is needed")
    FORBIDDEN = (403, "Your role does not allow this")
    NO_PROJECT = (403, "It is not clear which project asks")
    ANOTHER_PERSON = (403, "Another person has to decide this")
    NOT_AS_THINGS_STAND = (409, "This is not possible as things stand")
    REASON_WANTED = (422, "Your words cannot be taken as they are")
    INVALID_APPLICATION = (422, "The application is not complete")
    INVALID_TERMS = (422, "The terms are not valid")
    FROZEN = (403, "This was frozen")
    EXPIRED = (403, "This has ended")
    NOT_FROM_HERE = (403, "The request does not come from a page of this service")
    NOT_FOUND = (404, "There is no such thing here")
    METHOD_NOT_ALLOWED = (405, "This address does not take that method")
    NOT_ACCEPTABLE = (406, "No such format")
    TOO_LARGE = (413, "The request is too large")
    UNSUPPORTED_MEDIA_TYPE = (415, "The body must be application/json")
    AD_HOC_NOT_ALLOWED = (403, "This data set answers registered tables only")
    INVALID_TABLE = (422, "The table to be checked is not valid")
    NOT_A_CHECKER = (403, "This key may not have outputs checked")
    OUTPUT_CHECKS_NOT_OFFERED = (403, "Outputs are checked where the policy is official; this data set adds noise")
    OUTPUT_CHECK_FAILED = (503, "The output could not be checked")
    CANNOT_PROTECT = (403, "The table cannot be released under the policy of the data set")
    BUDGET_EXHAUSTED = (403, "The privacy budget does not cover this query")
    TOO_MANY_REQUESTS = (429, "Too many requests at once")
    QUERY_FAILED = (503, "The query could not be answered; its price stays charged")
    IN_PROGRESS = (503, "The same question is being answered; ask again")
    LEDGER_UNAVAILABLE = (503, "The ledger cannot be written, so nothing is answered")
    PROVIDER_UNREACHABLE = (503, "The identity provider does not answer, so nobody new can sign in")
    INTERNAL = (500, "Something went wrong here")

    @property
    def status(self) -> int:
        return self.value[0]

    @property
    def title(self) -> str:
        return self.value[1]

    @property
    def slug(self) -> str:
        return self.name.lower().replace("_", "-")


class ApiError(Exception):
    def __init__(
        self,
        code: ErrorCode,
        problems: Sequence[Problem] = (),
        detail: str = "",
        retry_after: int | None = None,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        """facts: members of the problem document that programs may want, beside the words."""
        super().__init__(code.slug)
        self.code, self.problems, self.detail = code, tuple(problems), detail
        self.retry_after, self.facts = retry_after, dict(facts or {})

    def document(self) -> dict[str, object]:
        body: dict[str, object] = {
            "type": f"urn:privacy-api:problem:{self.code.slug}",
            "title": self.code.title,
            "status": self.code.status,
            "code": self.code.slug,
        }
        if self.detail:
            body["detail"] = self.detail
        body |= self.facts
        if self.problems:
            body["errors"] = [{"code": p.code, "message": p.message, "path": p.path} for p in self.problems]
        return body
