"""Each flag is raised by what it is about, and by nothing in a complete and modest application."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from datasets.variables import Code, Sensitivity
from privacy_api.governance.red_flags import FLAGS, Case, Severity, raised
from privacy_api.ports.applications import Content, Justification
from tests.lib.applications import ADA, COMPLETE, DATA_SETS, PLAIN, TODAY, with_data, with_part

CENSUS = DATA_SETS["school.census"]
MANY = tuple(Code(f"L{i}", f"Area {i}") for i in range(150))
WIDE = {
    "school.census": replace(
        CENSUS,
        variables=tuple(
            replace(v, atoms=MANY, bandings=())
            if v.name == "la"
            else replace(v, sensitivity=Sensitivity.B)
            if v.name == "need"
            else v
            for v in CENSUS.variables
        ),
    )
}
"""With 150 areas, and a need that is class B."""
TELLING = {
    "school.census": replace(
        CENSUS, variables=tuple(replace(v, identifiability=4) if v.name == "la" else v for v in CENSUS.variables)
    )
}
"""The local authority can tell who somebody is."""
WHY = "No other variable tells what the second question is about."
BOTH = (Justification("school.census", "sex", WHY), Justification("school.census", "need", f"{WHY} So we need it."))

RAISED: dict[str, tuple[Content, dict[str, object], str]] = {
    "sensitive-not-named": (
        with_part(COMPLETE, "purpose", title="Scores", purpose="Scores.", research_questions=("Why?",)),
        {},
        "school.census:sex",
    ),
    "all-years": (with_data(COMPLETE, periods=("202122", "202223", "202324")), {}, "3 years"),
    "small-areas-rare-groups": (
        with_data(COMPLETE, references=("la", "need")),
        {"data_sets": WIDE},
        "Local authority with Need",
    ),
    "accreditation": (
        with_part(COMPLETE, "people", people=(replace(ADA, accreditation_expires="2026-11-20"),)),
        {},
        "lapsed on 20 November 2026",
    ),
    "finer-than-needed": (
        with_data(COMPLETE, references=("la", "sex")),
        {"data_sets": TELLING},
        "Local authority (banding offered: Region)",
    ),
    "commercial": (with_part(COMPLETE, "purpose", commercial=True), {}, "commercial"),
    "duplicates-official": (with_part(COMPLETE, "purpose", duplicates_official=True), {}, "official statistics"),
    "poor-justification": (
        with_part(COMPLETE, "sensitive", justifications=(Justification("school.census", "sex", "Needed"),)),
        {},
        "school.census:sex",
    ),
    "few-questions": (
        with_part(
            with_data(
                COMPLETE,
                references=(
                    "la.region",
                    "need",
                    "need.some",
                    "score",
                    "score.wide",
                    "days",
                    "sex",
                    "la",
                    "year",
                    "la.region",
                    "sex",
                ),
            ),
            "purpose",
            research_questions=("One?",),
        ),
        {"least": 1},
        "1 research question",
    ),
    "end-too-far": (with_part(COMPLETE, "data", ends="2032-01-01"), {}, "more than 5 years"),
}


def flags(content: Content, data_sets: object = DATA_SETS, today: str = TODAY) -> dict[str, str]:
    case = Case(content, data_sets, date.fromisoformat(today))  # type: ignore[arg-type]
    return {each.id: each.found for each in raised(case)}


def test_every_flag_has_a_case_and_a_modest_application_raises_none() -> None:
    assert list(RAISED) == [flag.id for flag in FLAGS]
    assert flags(COMPLETE) == flags(PLAIN) == {}
    assert all(flag.plain and flag.severity in Severity for flag in FLAGS)


@pytest.mark.parametrize("flag", RAISED)
def test_a_flag_is_raised_by_what_it_is_about(flag: str, monkeypatch: pytest.MonkeyPatch) -> None:
    content, facts, says = RAISED[flag]
    if "least" in facts:
        monkeypatch.setattr("privacy_api.governance.red_flags.VARIABLES_PER_QUESTION", 8)
    found = flags(content, facts.get("data_sets", DATA_SETS))
    assert says in found[flag]


def test_accreditation_that_is_missing_or_ends_too_early() -> None:
    for changes, says in (
        ({"accreditation": ""}, "has none"),
        ({"accreditation_expires": ""}, "has none"),
        ({"accreditation_expires": "2027-06-01"}, "before the project ends"),
    ):
        assert says in flags(with_part(COMPLETE, "people", people=(replace(ADA, **changes),)))["accreditation"]


def test_copies_are_poor_justifications() -> None:
    two = with_data(COMPLETE, references=("sex", "need"))
    copied = with_part(two, "sensitive", justifications=(BOTH[0], replace(BOTH[1], why=f"  {WHY.upper()}")))
    assert "the same words" in flags(copied, WIDE)["poor-justification"].lower()
    assert "poor-justification" not in flags(with_part(two, "sensitive", justifications=BOTH), WIDE)
    purpose = with_part(COMPLETE, "sensitive", justifications=(replace(BOTH[0], why=COMPLETE.purpose.purpose),))
    assert "poor-justification" in flags(purpose)


def test_an_end_in_the_past() -> None:
    assert "would have ended" in flags(with_part(COMPLETE, "data", ends="2026-11-20"))["end-too-far"]
    assert "end-too-far" not in flags(with_part(COMPLETE, "data", ends="2031-12-01"))


def test_the_most_severe_come_first() -> None:
    everything = with_part(with_part(COMPLETE, "purpose", commercial=True, duplicates_official=True), "people", people=(
        replace(ADA, accreditation=""),))  # fmt: skip
    severities = [each.severity for each in raised(Case(everything, DATA_SETS, date.fromisoformat(TODAY)))]
    assert severities == sorted(severities, key=list(Severity).index, reverse=True)
    assert len(severities) == 3


def test_a_blank_application_can_be_looked_at() -> None:
    assert flags(Content()) == {}
