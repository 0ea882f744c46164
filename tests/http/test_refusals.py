"""Bad requests: a clear error from a closed set, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from datasets.plan import EngineFailed
from privacy_api.errors import ErrorCode
from tests.lib.service import URL, Service, pupils, running

GOOD = {"measures": [{"statistic": "count"}]}
DEEP: dict[str, object] = {"filters": {"sex": {"eq": "F"}}}
for _ in range(9):
    DEEP = {"not": DEEP}


@pytest.mark.parametrize(
    ("body", "status", "code", "path"),
    [
        (b"", 400, "NotEmptyBody", ""),
        (b"{", 400, "InvalidValue", ""),
        (b'{"measures": [], "measures": []}', 400, "InvalidValue", ""),
        (b'{"rho": NaN, "measures": [{"statistic": "count"}]}', 400, "InvalidValue", ""),
        (b'{"rho": 99999999999999999999, "measures": []}', 400, "InvalidValue", ""),
        (b"[" * 40 + b"]" * 40, 400, "InvalidValue", ""),
        (b"[]", 422, "InvalidValue", ""),
        (b"{}", 422, "RequiredValue", "measures"),
        (json.dumps(GOOD | {"sql": "select 1"}).encode(), 422, "UnknownField", "sql"),
        (json.dumps(GOOD | {"groupBy": ["la; drop"]}).encode(), 422, "InvalidValue", "groupBy[0]"),
        (json.dumps(GOOD | {"groupBy": "la"}).encode(), 422, "InvalidValue", "groupBy"),
        (json.dumps(GOOD | {"rho": -1}).encode(), 422, "InvalidValue", "rho"),
        (json.dumps(GOOD | {"rho": 0.2}).encode(), 422, "PriceOutOfRange", "rho"),
        (json.dumps(GOOD | {"criteria": {}}).encode(), 422, "InvalidValue", "criteria"),
        (
            json.dumps(GOOD | {"criteria": {"filters": {"sex": {}}}}).encode(),
            422,
            "InvalidValue",
            "criteria.filters.sex",
        ),
        (
            json.dumps(GOOD | {"criteria": {"filters": {"sex": {"in": []}}}}).encode(),
            422,
            "InvalidValue",
            "criteria.filters.sex.in",
        ),
        (
            json.dumps(GOOD | {"criteria": {"filters": {"sex": {"eq": "Q"}}}}).encode(),
            422,
            "CodesNotFound",
            "criteria.filters.sex.eq",
        ),
        (
            json.dumps(GOOD | {"criteria": {"and": [{"or": [{"filters": {"x": {"eq": "1"}}}]}]}}).encode(),
            422,
            "VariableNotFound",
            "criteria.and[0].or[0].filters.x.eq",
        ),
        (json.dumps(GOOD | {"criteria": DEEP}).encode(), 422, "CriteriaTooComplex", "criteria" + ".not" * 8),
        (
            json.dumps({"measures": [{"statistic": "count", "variable": "sex"}]}).encode(),
            422,
            "InvalidValue",
            "measures[0].variable",
        ),
        (
            json.dumps(GOOD | {"criteria": {"filters": {"need": {"in": ["a"] * 201}}}}).encode(),
            422,
            "TooManyValues",
            "criteria.filters.need.in",
        ),
    ],
)
def test_each_bad_body(service: Service, body: bytes, status: int, code: str, path: str) -> None:
    response = service.client.post(URL, content=body, headers=service.auth | {"Content-Type": "application/json"})
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert [(e["code"], e["path"]) for e in response.json()["errors"]] == [(code, path)]


def test_a_long_body_is_refused(service: Service) -> None:
    response = service.client.post(URL, content=b" " * 70_000, headers=service.auth)
    assert response.status_code == 413


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Bearer",
        "Bearer x",
        "Basic abc",
        "Bearer npd_test_aaaaaaaa_" + "a" * 43,
        "Bearer npd_live_{rest}",
        "{key}",
    ],
)
def test_a_bad_key_is_refused_and_told_nothing(service: Service, header: str | None) -> None:
    rest = service.key.split("_", 2)[2]
    headers = {} if header is None else {"Authorization": header.format(rest=rest, key=service.key)}
    response = service.client.post(URL, json=GOOD, headers=headers)
    assert response.status_code == 401
    assert response.json()["code"] == "not-authenticated"
    assert response.headers["www-authenticate"] == "Bearer"


def test_a_revoked_key_stops_at_once(service: Service) -> None:
    key_id = service.key.split("_")[2]
    assert service.ask(GOOD).status_code == 200
    service.services.projects.revoke_key(key_id)
    assert service.ask(GOOD).status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("DELETE", URL, 405),
        ("PUT", "/v1/data-sets", 405),
        ("POST", "/v1/data-sets/other.census/query", 404),
        ("GET", f"{URL}?measures=count&format=xml", 406),
        ("GET", f"{URL}?measures=count&measures=count", 422),
        ("GET", f"{URL}?measures=count&sql=1", 422),
        ("GET", f"{URL}?measures=count&filters.sex.like=F", 422),
    ],
)
def test_other_bad_requests(service: Service, method: str, path: str, status: int) -> None:
    response = service.client.request(method, path, headers=service.auth, json=GOOD if method == "POST" else None)
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["status"] == status


def test_a_body_of_another_type_is_refused(service: Service) -> None:
    response = service.client.post(URL, content=b"a=b", headers=service.auth | {"Content-Type": "text/plain"})
    assert response.status_code == 415


def test_every_response_has_the_safety_headers(service: Service) -> None:
    for path in ("/health", "/v1/data-sets", "/nothing", "/docs", "/openapi.json"):
        response = service.client.get(path)
        assert response.headers["cache-control"] == "no-store"
        assert response.headers["x-content-type-options"] == "nosniff"
        assert "default-src 'none'" in response.headers["content-security-policy"]
        assert "etag" not in response.headers


class Failing:
    """An engine that fails as DuckDB would, or as nobody foresaw, with a value in the text of its error."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def aggregate(self, plan: object) -> object:
        raise self._error

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (EngineFailed(), 503, "query-failed"),
        (RuntimeError("pupil 7919"), 500, "internal"),
        (MemoryError("7919"), 500, "internal"),
    ],
)
def test_a_failed_query_is_charged_and_says_nothing(
    tmp_path: Path, error: Exception, status: int, code: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path, engine=Failing(error)) as service:  # type: ignore[arg-type]
        response = service.ask(GOOD)
        assert (response.status_code, response.json()["code"]) == (status, code)
        assert "7919" not in response.text
        spent = service.client.get("/v1/projects/tests/budget", headers=service.auth).json()["budget"]["spentRho"]
        assert spent == 0.005
        assert service.services.ledger.verify() == 2
        again = service.ask(GOOD)
        assert again.status_code == status, "a failed question can be asked again, and is charged again"
    assert "7919" not in "".join(capfd.readouterr())


def test_logs_hold_no_value_and_no_query(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with running(tmp_path, pupils(7919), noise=lambda values, l2, rho: values) as service:
        shown = service.ask({"measures": [{"statistic": "count"}], "criteria": {"filters": {"la": {"eq": "A1"}}}})
        assert shown.json()["results"][0]["value"] == 7920
    logged = "".join(capfd.readouterr())
    assert "/query" in logged
    assert "5000000" in logged
    for text in ("7919", "7920", "A1", service.key):
        assert text not in logged


def test_errors_are_a_closed_set() -> None:
    assert {code.status for code in ErrorCode} == {400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429, 500, 503}
    assert len({code.slug for code in ErrorCode}) == len(ErrorCode)
