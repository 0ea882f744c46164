"""What the client makes of refusals, and when it asks again."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import privacy_api_client as api
import pytest
from privacy_api_client import Client, PrivacyApiError
from privacy_api_client.connection import wait_before_retry
from privacy_api_client.problems import seconds

from datasets.query import Problem
from privacy_api.app import PROBLEM
from privacy_api.errors import ApiError, ErrorCode

KEY = "npd_test_a1b2c3d4_secret"
KINDS: dict[ErrorCode, type[PrivacyApiError]] = {
    ErrorCode.INVALID_QUERY: api.InvalidQuery,
    ErrorCode.INVALID_REQUEST: api.InvalidQuery,
    ErrorCode.NOT_AUTHENTICATED: api.NotAuthenticated,
    ErrorCode.NOT_FOUND: api.NotFound,
    ErrorCode.METHOD_NOT_ALLOWED: api.ServerError,
    ErrorCode.NOT_ACCEPTABLE: api.ServerError,
    ErrorCode.TOO_LARGE: api.InvalidQuery,
    ErrorCode.UNSUPPORTED_MEDIA_TYPE: api.ServerError,
    ErrorCode.AD_HOC_NOT_ALLOWED: api.NotAllowed,
    ErrorCode.CANNOT_PROTECT: api.NotAllowed,
    ErrorCode.INVALID_TABLE: api.InvalidQuery,
    ErrorCode.NOT_A_CHECKER: api.NotAllowed,
    ErrorCode.OUTPUT_CHECKS_NOT_OFFERED: api.NotAllowed,
    ErrorCode.OUTPUT_CHECK_FAILED: api.TooBusy,
    ErrorCode.BUDGET_EXHAUSTED: api.BudgetExhausted,
    ErrorCode.TOO_MANY_REQUESTS: api.TooBusy,
    ErrorCode.QUERY_FAILED: api.QueryFailed,
    ErrorCode.IN_PROGRESS: api.TooBusy,
    ErrorCode.LEDGER_UNAVAILABLE: api.TooBusy,
    ErrorCode.INTERNAL: api.ServerError,
    ErrorCode.FORBIDDEN: api.NotAllowed,
    ErrorCode.NO_PROJECT: api.NotAllowed,
    ErrorCode.ANOTHER_PERSON: api.NotAllowed,
    ErrorCode.NOT_AS_THINGS_STAND: api.NotAllowed,
    ErrorCode.FROZEN: api.NotAllowed,
    ErrorCode.EXPIRED: api.NotAllowed,
    ErrorCode.NOT_FROM_HERE: api.NotAllowed,
    ErrorCode.REASON_WANTED: api.InvalidQuery,
    ErrorCode.INVALID_APPLICATION: api.InvalidQuery,
    ErrorCode.INVALID_TERMS: api.InvalidQuery,
    ErrorCode.PROVIDER_UNREACHABLE: api.TooBusy,
}
ANSWER: dict[str, list[object]] = {"results": []}


class Replies:
    """Gives the replies one after the other, the last one for good."""

    def __init__(self, *replies: httpx2.Response | Exception) -> None:
        self.replies = list(replies)
        self.asked = 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        reply = self.replies[min(self.asked, len(self.replies) - 1)]
        self.asked += 1
        if isinstance(reply, Exception):
            raise reply
        return httpx2.Response(reply.status_code, headers=reply.headers, content=reply.content)


@contextmanager
def asking(replies: Replies, retries: int = 3) -> Iterator[Client]:
    with Client("https://pupils.example", KEY, retries=retries, transport=httpx2.MockTransport(replies)) as client:
        yield client


def refusal(code: ErrorCode, retry_after: str | None = "0", problems: tuple[Problem, ...] = ()) -> httpx2.Response:
    headers = {"Content-Type": PROBLEM, "Request-Id": "4f2a"}
    headers |= {} if retry_after is None else {"Retry-After": retry_after}
    return httpx2.Response(code.status, json=ApiError(code, problems).document(), headers=headers)


def free(client: Client) -> object:
    return client.data_sets()


def charged(client: Client) -> object:
    return client.query("demo.census", measures="count")


@pytest.mark.parametrize("code", ErrorCode)
def test_each_of_the_services_errors_has_its_branch(code: ErrorCode) -> None:
    with asking(Replies(refusal(code)), retries=0) as client, pytest.raises(PrivacyApiError) as raised:
        charged(client)
    assert type(raised.value) is KINDS[code]
    assert (raised.value.status, raised.value.code, raised.value.request_id) == (code.status, code.slug, "4f2a")
    assert code.title in str(raised.value)


def test_problems_are_listed() -> None:
    found = Problem("CodesNotFound", "Some codes do not exist.", "criteria.filters.la.in")
    replies = Replies(refusal(ErrorCode.INVALID_QUERY, problems=(found, Problem("InvalidValue", "No.", ""))))
    with asking(replies) as client, pytest.raises(api.InvalidQuery) as raised:
        charged(client)
    assert str(raised.value).splitlines()[1:] == [
        "  criteria.filters.la.in: Some codes do not exist. [CodesNotFound]",
        "  query: No. [InvalidValue]",
    ]
    assert raised.value.problems[0] == api.Problem("CodesNotFound", "Some codes do not exist.", found.path)


@pytest.mark.parametrize(
    ("code", "of_free", "of_charged"),
    [
        (ErrorCode.TOO_MANY_REQUESTS, True, True),
        (ErrorCode.IN_PROGRESS, True, True),
        # The ledger may have failed after the charge, so that asking again could be charged again.
        (ErrorCode.LEDGER_UNAVAILABLE, True, False),
        (ErrorCode.QUERY_FAILED, False, False),
        (ErrorCode.INTERNAL, False, False),
        (ErrorCode.BUDGET_EXHAUSTED, False, False),
        (ErrorCode.INVALID_QUERY, False, False),
    ],
)
def test_what_is_asked_again(code: ErrorCode, of_free: bool, of_charged: bool) -> None:
    for ask, again in ((free, of_free), (charged, of_charged)):
        replies = Replies(refusal(code))
        with asking(replies) as client, pytest.raises(PrivacyApiError):
            ask(client)
        assert replies.asked == (4 if again else 1)


def test_a_service_that_comes_free_answers() -> None:
    replies = Replies(
        refusal(ErrorCode.IN_PROGRESS), refusal(ErrorCode.TOO_MANY_REQUESTS), httpx2.Response(200, json=ANSWER)
    )
    with asking(replies) as client:
        assert client.data_sets() == []
    assert replies.asked == 3


def test_the_pace_is_the_services() -> None:
    replies = Replies(refusal(ErrorCode.IN_PROGRESS, "0.2"), httpx2.Response(200, json=ANSWER))
    started = time.monotonic()
    with asking(replies) as client:
        free(client)
    assert time.monotonic() - started >= 0.2


def test_a_service_that_wants_a_long_pause_is_not_waited_for() -> None:
    replies = Replies(refusal(ErrorCode.TOO_MANY_REQUESTS, "3600"))
    with asking(replies) as client, pytest.raises(api.TooBusy) as raised:
        charged(client)
    assert replies.asked == 1 and raised.value.retry_after == 3600


def test_without_a_pace_the_pauses_grow() -> None:
    busy = api.TooBusy("", status=429)
    assert [wait_before_retry(busy, asked, charged=True) for asked in range(3)] == [1, 2, 4]


def test_retry_after_as_a_date_or_nonsense() -> None:
    soon = seconds(format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True))
    assert soon is not None and 25 < soon <= 30
    assert seconds("Thu, 01 Jan 2015 00:00:00 GMT") == 0
    assert seconds("-5") == 0
    assert seconds(None) is seconds("soon") is seconds("nan") is None


@pytest.mark.parametrize("status", [403, 429, 500, 502, 503, 504])
def test_a_proxy_in_between_does_not_confuse(status: int) -> None:
    replies = Replies(httpx2.Response(status, html="<h1>No</h1>"))
    with (
        asking(replies, retries=0) as client,
        pytest.raises(PrivacyApiError, match="not an answer of the service's own"),
    ):
        charged(client)


def test_a_question_is_not_repeated_for_a_503_that_is_not_the_services() -> None:
    replies = Replies(httpx2.Response(503, html="<h1>Gateway</h1>", headers={"Retry-After": "0"}))
    with asking(replies) as client, pytest.raises(api.TooBusy):
        charged(client)
    assert replies.asked == 1


@pytest.mark.parametrize(
    "answer",
    [
        httpx2.Response(200, html="<h1>Welcome to the guest network</h1>"),
        httpx2.Response(200, json={"hello": "world"}),
        httpx2.Response(200, json=[1, 2]),
        httpx2.Response(200, json=None),
    ],
)
def test_something_else_that_answers(answer: httpx2.Response) -> None:
    for ask in (free, charged, lambda client: client.preview("demo.census", measures="count")):
        with asking(Replies(answer)) as client, pytest.raises(api.ServerError):
            ask(client)


def test_the_key_follows_no_redirect() -> None:
    replies = Replies(httpx2.Response(307, headers={"Location": "https://elsewhere.example/"}))
    with asking(replies) as client, pytest.raises(api.ServerError, match=r"redirect to https://elsewhere\.example/"):
        free(client)
    assert replies.asked == 1


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (httpx2.ConnectError("[Errno 111] Connection refused"), "cannot be reached: .* refused"),
        (httpx2.ConnectTimeout("slow"), "cannot be reached in time"),
        (httpx2.ReadTimeout("slow"), "asking exactly the same again is free once it has been answered"),
        (httpx2.RemoteProtocolError(""), "RemoteProtocolError"),
    ],
)
def test_no_answer(failure: Exception, said: str) -> None:
    replies = Replies(failure)
    with asking(replies) as client, pytest.raises(api.ConnectionFailed, match=said) as raised:
        charged(client)
    assert replies.asked == 1
    assert raised.value.__context__ is None


@pytest.mark.parametrize("make", [lambda: refusal(ErrorCode.NOT_AUTHENTICATED), lambda: httpx2.ReadError("broken")])
def test_the_key_is_never_shown(make: Callable[[], httpx2.Response | Exception]) -> None:
    with asking(Replies(make())) as client:
        try:
            free(client)
        except PrivacyApiError as error:
            shown = "".join(traceback.format_exception(error))
        assert "secret" not in repr(client) + str(vars(client)) + shown
        assert repr(client) == "<Client https://pupils.example>"
