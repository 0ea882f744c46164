"""Moves of an application, the check list, and what is kept."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy_api.governance.applications import (
    MOVES,
    WAITS_FOR,
    NoSuchMove,
    Side,
    moved,
    seconds_with,
    stages,
)
from privacy_api.governance.asked_for import grants_of, scope_of, sensitive
from privacy_api.governance.checklist import MEMBERS, StepStatus, problems, step_problems, step_status
from privacy_api.governance.records import Unreadable, read_record, record_text, record_value
from privacy_api.ports.applications import (
    ApplicationState,
    Content,
    Justification,
    KeptTo,
    Move,
    Moved,
    NamedPerson,
    Sensitive,
    Step,
    WantedData,
)
from tests.lib.applications import ADA, COMPLETE, DATA_SETS, PLAIN, with_data, with_part

S = ApplicationState


def test_every_move_but_those_of_the_table_is_refused() -> None:
    for state, move in product(S, Move):
        if (state, move) in MOVES:
            assert moved(state, move) is MOVES[state, move]
        else:
            with pytest.raises(NoSuchMove, match="cannot be moved by"):
                moved(state, move)
    ended = {S.APPROVED, S.REFUSED, S.WITHDRAWN}
    assert {state for state, _ in MOVES} == set(S) - ended == set(WAITS_FOR)


def test_the_clock_says_with_whom_the_time_went() -> None:
    days = ((1, Move.START, S.DRAFT), (3, Move.SUBMIT, S.SUBMITTED), (10, Move.RETURN, S.RETURNED),
            (12, Move.SUBMIT, S.SUBMITTED), (20, Move.APPROVE, S.APPROVED))  # fmt: skip
    history = [
        Moved(i, f"2026-03-{day:02}T12:00:00+00:00", "u", move, state) for i, (day, move, state) in enumerate(days)
    ]
    found = stages(history, "2026-04-01T12:00:00+00:00")
    day = 86_400
    assert [(s.state, s.seconds // day) for s in found] == [
        (S.DRAFT, 2), (S.SUBMITTED, 7), (S.RETURNED, 2), (S.SUBMITTED, 8), (S.APPROVED, 0),
    ]  # fmt: skip
    assert (seconds_with(Side.APPLICANT, found), seconds_with(Side.STAFF, found)) == (4 * day, 15 * day)
    waiting = stages(history[:2], "2026-03-05T12:00:00+00:00")
    assert (waiting[-1].until, seconds_with(Side.STAFF, waiting)) == (None, 2 * day)


def test_a_complete_application_may_be_sent() -> None:
    for content in (COMPLETE, PLAIN):
        assert problems(content, DATA_SETS) == ()
        assert {step_status(step, content, DATA_SETS) for step in MEMBERS} == {StepStatus.COMPLETED}
    assert step_status(Step.CHECK, COMPLETE, DATA_SETS) is StepStatus.NOT_STARTED


def test_a_blank_one_says_what_each_step_wants() -> None:
    blank = Content()
    for step in set(MEMBERS) - {Step.SENSITIVE}:
        assert step_problems(step, blank, DATA_SETS)
        assert step_status(step, blank, DATA_SETS) is StepStatus.NOT_STARTED
    assert step_status(Step.SENSITIVE, blank, DATA_SETS) is StepStatus.NOT_YET
    assert step_status(Step.CHECK, blank, DATA_SETS) is StepStatus.NOT_YET
    begun = with_part(blank, "purpose", title="Scores")
    assert step_status(Step.PURPOSE, begun, DATA_SETS) is StepStatus.IN_PROGRESS


SPOILT: dict[str, tuple[Content, str]] = {
    **{
        f"purpose without {name}": (with_part(COMPLETE, "purpose", **{name: ""}), f"purpose.{path}")
        for name, path in [
            ("title", "title"), ("organisation", "organisation"), ("purpose", "purpose"), ("dpia", "dpia"),
            ("public_benefit", "publicBenefit"), ("audience", "audience"), ("gdpr_article_6", "gdprArticle6"),
            ("gdpr_article_9", "gdprArticle9"), ("legal_gateway", "legalGateway"), ("ethics", "ethics"),
            ("organisation_type", "organisationType"),
        ]
    },
    "an unknown gateway": (with_part(COMPLETE, "purpose", legal_gateway="none"), "purpose.legalGateway"),
    "no question": (with_part(COMPLETE, "purpose", research_questions=("",)), "purpose.researchQuestions"),
    "not said whether commercial": (with_part(COMPLETE, "purpose", commercial=None), "purpose.commercial"),
    "nobody": (with_part(COMPLETE, "people", people=()), "people.people"),
    "somebody twice": (with_part(COMPLETE, "people", people=(ADA, ADA)), "people.people"),
    "no address": (with_part(COMPLETE, "people", people=(NamedPerson("A", "x", "y", "z"),)), "people.people[0].email"),
    "no data set": (with_part(COMPLETE, "data", wanted=()), "data.wanted"),
    "another data set": (with_data(COMPLETE, data_set="school.none"), "data.wanted[0].dataSet"),
    "the same twice": (with_part(COMPLETE, "data", wanted=COMPLETE.data.wanted * 2), "data.wanted"),
    "no variable": (with_data(PLAIN, references=()), "data.wanted[0].references"),
    "an unknown variable": (with_data(PLAIN, references=("score", "x")), "data.wanted[0].references[1]"),
    "an unknown banding": (with_data(PLAIN, references=("la.ward",)), "data.wanted[0].references[0]"),
    "no year": (with_data(PLAIN, periods=()), "data.wanted[0].periods"),
    "an unknown year": (with_data(PLAIN, periods=("1066",)), "data.wanted[0].periods[0]"),
    "a cohort of nothing": (with_data(PLAIN, keeps_to=(KeptTo("sex"),)), "data.wanted[0].keepsTo[0].codes"),
    "a cohort by year": (with_data(PLAIN, keeps_to=(KeptTo("year", ("1",)),)), "data.wanted[0].keepsTo[0].variable"),
    "no end": (with_part(PLAIN, "data", ends=""), "data.ends"),
    "not a date": (with_part(PLAIN, "data", starts="2026-13-01"), "data.starts"),
    "an end before the start": (with_part(PLAIN, "data", ends="2026-01-01"), "data.ends"),
    "a budget in words": (with_part(PLAIN, "data", rho="much"), "data.rho"),
    "no budget at all": (with_part(PLAIN, "data", rho="NaN"), "data.rho"),
    "no reason": (with_part(COMPLETE, "sensitive", justifications=()), "sensitive[school.census:sex].why"),
    "published only if": (with_part(COMPLETE, "publication", whatever_they_say=False), "publication.whateverTheySay"),
    "not safe": (with_part(COMPLETE, "five_safes", setting=False), "fiveSafes.setting"),
}  # fmt: skip


@pytest.mark.parametrize("way", SPOILT)
def test_what_is_lacking_is_said_where_it_is(way: str) -> None:
    content, path = SPOILT[way]
    assert path in {problem.path for problem in problems(content, DATA_SETS)}


def test_the_coarser_banding_is_offered_first() -> None:
    """Of a variable that is sensitive and has bandings: the coarsest first, and no reason is wanted for a banding."""
    census = DATA_SETS["school.census"]
    la = replace(census.by_name["la"], needs_justification=True)
    data_sets = {
        "school.census": replace(census, variables=tuple(la if v.name == "la" else v for v in census.variables))
    }
    whole = with_data(PLAIN, references=("la", "score"))
    (asked,) = sensitive(whole, data_sets)
    assert [banding.name for banding in asked.coarser] == ["region"]
    said = with_part(whole, "sensitive", justifications=(Justification("school.census", "la", "Because."),))
    assert {p.path for p in problems(said, data_sets)} == {"sensitive[school.census:la].coarser"}
    banded = with_data(said, references=("la.region", "score"))
    assert [each.coarser for each in sensitive(banded, data_sets)] == [()]


def test_the_scope_and_the_grants_are_what_was_asked_for() -> None:
    wanted = WantedData("school.census", ("la.region", "sex"), ("202122",), (KeptTo("need", ("a", "b")),))
    content = with_part(COMPLETE, "data", wanted=(wanted,))
    scope = scope_of(content, DATA_SETS)["school.census"]
    assert scope.references == {"la.region", "sex"}
    assert scope.within == {"year": {"202122"}, "need": {"a", "b"}}
    assert grants_of(content, DATA_SETS) == {"sex"}
    assert grants_of(PLAIN, DATA_SETS) == frozenset()


def test_records_are_read_as_they_were_written() -> None:
    for content in (Content(), COMPLETE, PLAIN):
        value = record_value(content)
        assert read_record(Content, value) == content
        assert record_text(read_record(Content, value)) == record_text(content)


BAD: list[tuple[Any, str]] = [
    ([], ""),
    ({"purposes": {}}, "purposes"),
    ({"purpose": {"titel": "x"}}, "purpose.titel"),
    ({"purpose": {"title": 5}}, "purpose.title"),
    ({"purpose": {"title": "a\x00b"}}, "purpose.title"),
    ({"purpose": {"title": "\ud800"}}, "purpose.title"),
    ({"purpose": {"title": "x" * 5_001}}, "purpose.title"),
    ({"purpose": {"commercial": "no"}}, "purpose.commercial"),
    ({"purpose": {"researchQuestions": "one"}}, "purpose.researchQuestions"),
    ({"people": {"people": [{"name": "a"}, 5]}}, "people.people[1]"),
    ({"data": {"wanted": [{}] * 501}}, "data.wanted"),
]


@pytest.mark.parametrize(("value", "path"), BAD)
def test_what_is_no_record_is_refused_by_name(value: Any, path: str) -> None:
    with pytest.raises(Unreadable) as refused:
        read_record(Content, value)
    assert [problem.path for problem in refused.value.problems] == [path]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["purpose", "people", "data", "wanted", "title", "sensitive", "x"]), inner)
    ),
    max_leaves=8,
)


@given(JSON)
def test_anything_is_read_or_refused(value: Any) -> None:
    try:
        found = read_record(Content, value)
    except Unreadable as refused:
        assert refused.problems
    else:
        assert read_record(Content, record_value(found)) == found
        problems(found, DATA_SETS)


def test_justifications_of_what_is_not_asked_for_do_no_harm() -> None:
    more = Sensitive(
        (*COMPLETE.sensitive.justifications, Justification("school.census", "days", "No longer asked for."))
    )
    assert problems(with_part(COMPLETE, "sensitive", justifications=more.justifications), DATA_SETS) == ()
