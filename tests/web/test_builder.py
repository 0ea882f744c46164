"""The builder's state: any question goes through it and comes back as the same question."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.criteria import predicate_of
from datasets.names import Names
from datasets.query import Query
from privacy_api.errors import ApiError
from privacy_api.service.document import asked
from privacy_api.web.asking.builder import (
    LONGEST,
    PACKED,
    Choice,
    Draft,
    draft_from,
    draft_of,
    field_of,
    query_of,
    step_of,
    text_of,
)
from privacy_api.wire.query_in import read_query
from tests.lib import school
from tests.lib.strategies import queries

CENSUS = school.census()


def value_of(query: Query) -> dict[str, Any]:
    """As it would come over HTTP."""
    return dict(json.loads(json.dumps(asked(query))))


@settings(max_examples=20)
@given(queries(CENSUS), st.sampled_from([None, 0.01, "0.02"]), st.sampled_from([None, "unbiased"]))
def test_any_question_comes_back_from_its_address(query: Query, rho: Any, display: Any) -> None:
    value = value_of(query) | ({"rho": rho} if rho else {}) | ({"display": display} if display else {})
    draft = draft_of(value)
    again = draft_from(text_of(draft))
    assert again == draft
    before, after = read_query(value, CENSUS.id), read_query(query_of(again), CENSUS.id)
    assert canonical(before) == canonical(after), "the same pupils, however the conditions are spelled"
    assert [unplaced(q) for q in (before, after)] == [unplaced(before)] * 2, "and the rest word for word"


def canonical(query: Query) -> object:
    return predicate_of(query.criteria, Names(CENSUS)).canonical()


def unplaced(query: Query) -> tuple[object, ...]:
    return query.measures, query.group_by, query.totals, query.rho, query.display, query.groups


def test_simple_conditions_are_shown_and_others_kept() -> None:
    other = {"or": [{"filters": {"sex": {"eq": "F"}}}, {"not": {"filters": {"need": {"eq": "a"}}}}]}
    draft = draft_of({
        "criteria": {"and": [
            {"filters": {"la": {"in": ["A1", "A2"], "notIn": ["A3"]}, "sex": {"eq": "F"}}},
            {"timePeriods": {"gte": {"period": "2022/2023", "code": "AY"}}},
            {"filters": {"la": {"in": ["A2"]}}},
            other,
        ]}
    })  # fmt: skip
    assert draft.who == (Choice("la", ("A1", "A2")), Choice("sex", ("F",)))
    assert draft.more == (
        {"filters": {"la": {"notIn": ["A3"]}}},
        {"timePeriods": {"gte": {"period": "2022/2023", "code": "AY"}}},
        {"filters": {"la": {"in": ["A2"]}}},
        other,
    )


def test_a_half_built_question_has_an_address_too() -> None:
    half = Draft(who=(Choice("la", ("A1",)),), group_by=("sex",))
    assert draft_from(text_of(half)) == half
    assert draft_from("") == Draft()
    assert draft_from(text_of(Draft())) == Draft()


def test_a_long_address_is_packed_and_a_short_one_can_be_read() -> None:
    short = Draft(group_by=("la",))
    assert text_of(short) == '{"groupBy":["la"]}'
    long = Draft(who=(Choice("la", tuple(f"E0900{n:04}" for n in range(200))),))
    assert text_of(long).startswith(PACKED)
    assert len(text_of(long)) < LONGEST
    assert draft_from(text_of(long)) == long


LONG = Draft(who=tuple(Choice(f"v{n}", tuple(map(str, range(200 * n, 200 * n + 200)))) for n in range(3)))


def packed(data: bytes) -> str:
    return PACKED + base64.urlsafe_b64encode(zlib.compress(data)).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "{", "[]", "1", '{"measures":[{}]}', '{"measures":[{"statistic":"count"}],"x":1}', '{"groupBy":"la"}',
        '{"criteria":{}}', PACKED, PACKED + "?", PACKED + "AAAA", packed(b"[]"), packed(b" " * 10_000_000),
text_of(LONG)[:-9],
    ],
)  # fmt: skip
def test_an_address_that_is_no_question_is_refused(text: str) -> None:
    with pytest.raises(ApiError):
        draft_from(text)


def test_conditions_and_measures_are_changed_in_place() -> None:
    draft = Draft().with_choice("la", ["A1"]).with_choice("sex", ["F"]).with_choice("la", ["A2", "A3"])
    assert draft.who == (Choice("la", ("A2", "A3")), Choice("sex", ("F",)))
    assert draft.with_choice("la", []).who == (Choice("sex", ("F",)),)
    several = draft.with_measure(None, {"statistic": "count"}).with_measure(None, {"statistic": "pupils"})
    assert several.with_measure(0, {"statistic": "sd"}).measures == ({"statistic": "sd"}, {"statistic": "pupils"})
    assert several.without_measure(0).measures == ({"statistic": "pupils"},)
    assert draft.with_rest(rho="0.1").with_rest(rho=None) == draft


def test_more_conditions_than_one_object_may_have_stand_in_several() -> None:
    draft = Draft(who=tuple(Choice(f"v{n}", ("a",)) for n in range(30)))
    assert draft_of(query_of(draft)) == draft


@pytest.mark.parametrize(
    ("path", "step", "field"),
    [
        ("criteria.filters.la.in[3]", "who", "conditions"),
        ("criteria", "who", "conditions"),
        ("groupBy", "rows", "row-1"),
        ("groupBy[2]", "rows", "row-3"),
        ("totals[0]", "rows", "totals"),
        ("measures", "measures", "measures"),
        ("measures[1].codes[0]", "measures", "measure-2"),
        ("measures[1].precision", "precision", "price"),
        ("rho", "precision", "price"),
        ("dataSet", "check", "price"),
    ],
)
def test_problems_are_shown_where_they_are_mended(path: str, step: str, field: str) -> None:
    assert (step_of(path), field_of(path)) == (step, field)
