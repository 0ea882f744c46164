"""The OpenAPI document held against the running application: made-up requests, right and wrong, and every check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.config import GenerationConfig, ProjectConfig, ProjectsConfig, SchemathesisConfig
from schemathesis.config._checks import (
    ChecksConfig,
    NegativeDataRejectionConfig,
    PositiveDataAcceptanceConfig,
)
from schemathesis.core.failures import FailureGroup

UNACCEPTED = (400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 429)
"""Of what the document does not allow."""
UNKNOWN = ("2xx", 400, 401, 403, 404, 406, 409, 422, 429)
"""Of what it allows: names, codes, dates and printable words are checked by the catalogue and the use cases, which no
schema holds. Anything else (405, 413, 415, a redirect) is a fault of the document."""

MOST_EDGES = 25
"""Of one operation."""


@dataclass
class Verdict:
    sent: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    accepted: set[str] = field(default_factory=set)
    """Operations that answered 2xx at least once."""
    failures: dict[str, str] = field(default_factory=dict)
    """By operation and check: the first, in words."""


def document_of(app: Any) -> Any:
    checks = ChecksConfig(
        negative_data_rejection=NegativeDataRejectionConfig(expected_statuses=list(UNACCEPTED)),
        positive_data_acceptance=PositiveDataAcceptanceConfig(expected_statuses=list(UNKNOWN)),
    )
    config = SchemathesisConfig(
        projects=ProjectsConfig(
            default=ProjectConfig(checks=checks, generation=GenerationConfig(with_security_parameters=False))
        )
    )
    return schemathesis.openapi.from_asgi("/openapi.json", app, config=config)


def held_against(
    app: Any,
    headers: Mapping[str, str],
    known: Mapping[str, tuple[str, ...]],
    each: int,
    only: frozenset[str] | None = None,
    start: int = 0,
) -> Verdict:
    """each: examples of an operation, half of them such as the document allows. known: ids that exist, by the name of
    the parameter. only: operations, as `GET /health`. start: the seed."""
    verdict = Verdict()
    for operation in _operations(document_of(app)):
        if only is None or operation.label in only:
            _examples(operation, dict(headers), known, each, verdict, start)
    return verdict


def covered(app: Any, headers: Mapping[str, str]) -> Verdict:
    """Each operation's edges, one by one: no body, another media type, methods that there are not, bounds."""
    verdict, document = Verdict(), document_of(app)
    for operation in _operations(document):
        cases = document.iter_coverage_cases(
            operation, generation_modes=list(GenerationMode), generation_config=document.config.generation
        )
        for case in islice(cases, MOST_EDGES):
            _send(case, dict(headers), verdict)
    return verdict


def _operations(document: Any) -> Iterator[Any]:
    for found in document.get_all_operations():
        yield found.ok()


def _examples(
    operation: Any,
    headers: dict[str, str],
    known: Mapping[str, tuple[str, ...]],
    each: int,
    verdict: Verdict,
    start: int,
) -> None:
    modes = (
        [GenerationMode.POSITIVE, GenerationMode.NEGATIVE] if _can_be_wrong(operation) else [GenerationMode.POSITIVE]
    )
    for mode in modes:

        @seed(start)
        @settings(
            max_examples=max(1, each // len(modes)),
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode), place=st.integers(0, 7))
        def sends(case: Any, place: int) -> None:
            if place:
                _somewhere(case, known, place)
            _send(case, headers, verdict)

        with suppress(Unsatisfiable):  # nothing that it could be sent is wrong
            sends()


def _can_be_wrong(operation: Any) -> bool:
    """Any text is a path's, and a parameter's that has no list of its values."""
    return bool(operation.body) or any(
        parameter.definition.get("required") or set(parameter.definition["schema"]) & {"enum", "pattern", "minimum"}
        for parameter in operation.query
    )


def _somewhere(case: Any, known: Mapping[str, tuple[str, ...]], place: int) -> None:
    """Most go to something that is there: what is not answers 404, whatever else is sent."""
    for name in list(case.path_parameters or ()):
        if name in known:
            case.path_parameters[name] = known[name][place % len(known[name])]


def _send(case: Any, headers: dict[str, str], verdict: Verdict) -> None:
    response = case.call(headers=headers)
    label = case.operation.label
    verdict.sent += 1
    verdict.statuses[response.status_code] += 1
    if response.status_code < 300:
        verdict.accepted.add(label)
    try:
        case.validate_response(response, headers=headers, transport_kwargs={"headers": headers})
    except FailureGroup as found:
        for failure in found.exceptions:
            verdict.failures.setdefault(
                f"{label}: {type(failure).__name__}",
                f"{failure}\n{case.as_curl_command()[:500]}\n{response.text[:300]}",
            )
