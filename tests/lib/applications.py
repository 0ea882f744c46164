"""A complete application to the small school, and ways to change it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from datasets.catalogue import DataSet
from privacy_api.governance.records import record_value
from privacy_api.ports.applications import (
    Content,
    DataWanted,
    FiveSafes,
    Justification,
    NamedPerson,
    People,
    Publication,
    Purpose,
    Sensitive,
    WantedData,
)
from tests.lib import school

TODAY = "2026-11-21"
DATA_SETS: Mapping[str, DataSet] = {"school.census": school.census()}
ADA = NamedPerson(
    "Ada Researcher", "ada@example.org", "Research fellow", "She writes the models.", "AR-1", "2029-01-31"
)

COMPLETE = Content(
    Purpose(
        title="Sex differences in scores",
        organisation="University of Ashby",
        organisation_type="university",
        purpose="To learn how scores differ by sex between regions.",
        research_questions=("Do scores differ by sex?", "Do regions differ in this?"),
        public_benefit="Schools can see where help is needed.",
        audience="Schools and the public",
        commercial=False,
        duplicates_official=False,
        legal_gateway="dea-2017-s64",
        gdpr_article_6="6(1)(e)",
        gdpr_article_9="9(2)(j)",
        dpia="DPIA-12",
        ethics="Approved 2026/7",
    ),
    People((ADA,)),
    DataWanted(
        (WantedData("school.census", ("la.region", "sex", "score"), ("202122", "202223")),),
        "2026-12-01",
        "2028-11-30",
        "2028-12-31",
        "DSA-9",
        "0.2",
    ),
    Sensitive(
        (Justification("school.census", "sex", "The first question is about sex, which no other variable tells."),)
    ),
    Publication("Tables of mean scores", "A journal and the register", "Within a year", True),
    FiveSafes(True, True, True, True, True),
)
PLAIN = replace(
    COMPLETE,
    data=replace(COMPLETE.data, wanted=(WantedData("school.census", ("la.region", "score"), ("202122", "202223")),)),
    sensitive=Sensitive(),
)
"""The same without a sensitive variable: one person may approve it."""


def with_part(content: Content, part: str, **changes: Any) -> Content:
    return replace(content, **{part: replace(getattr(content, part), **changes)})


def with_data(content: Content, **changes: Any) -> Content:
    (first, *rest) = content.data.wanted
    return with_part(content, "data", wanted=(replace(first, **changes), *rest))


def value_of(content: Content) -> Any:
    """As it is sent to the API."""
    return record_value(content)
