"""All answers of an application in the order they were asked, for people to check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from privacy_api.governance.asked_for import DataSets, sensitive
from privacy_api.governance.checklist import GATEWAYS, MEMBERS, TITLES
from privacy_api.ports.applications import Content, Step
from privacy_api.web.apply_pages import FIELD_PAGES, Field, Kind

NOT_ANSWERED = "Not answered yet"


@dataclass(frozen=True, slots=True)
class Answer:
    """page: where it is changed."""

    label: str
    text: str
    page: str


def sections(content: Content, data_sets: DataSets) -> list[tuple[Step, str, list[Answer]]]:
    of_step = {
        Step.PEOPLE: _people(content),
        Step.DATA: _data(content, data_sets),
        Step.SENSITIVE: _sensitive(content, data_sets),
    }
    return [(step, TITLES[step], [*of_step.get(step, []), *_of_fields(step, content)]) for step in MEMBERS]


def _of_fields(step: Step, content: Content) -> list[Answer]:
    record = getattr(content, MEMBERS[step])
    return [
        Answer(field.label, _said(field, getattr(record, field.name)), page.name)
        for page in FIELD_PAGES
        if page.step is step
        for field in page.fields
    ]


def _said(field: Field, value: Any) -> str:
    if field.kind is Kind.LINES:
        return "\n".join(value) or NOT_ANSWERED
    if field.kind in (Kind.YES_NO, Kind.CONFIRM):
        return NOT_ANSWERED if value is None else "Yes" if value else "No"
    if field.name == "legal_gateway":
        return GATEWAYS.get(value, NOT_ANSWERED)
    return str(value) or NOT_ANSWERED


def _people(content: Content) -> list[Answer]:
    people = content.people.people
    told = [
        Answer(
            each.name,
            f"{each.job_title}, {each.email}\n{each.reason}\nAccreditation {each.accreditation or 'none'}"
            f"{f', until {each.accreditation_expires}' if each.accreditation_expires else ''}",
            "people",
        )
        for each in people
    ]
    return told or [Answer("People", NOT_ANSWERED, "people")]


def _data(content: Content, data_sets: DataSets) -> list[Answer]:
    told = []
    for wanted in content.data.wanted:
        data_set = data_sets.get(wanted.data_set)
        title = data_set.title if data_set else wanted.data_set
        kept = "".join(f"\nOnly {each.variable}: {', '.join(each.codes)}" for each in wanted.keeps_to)
        text = (
            f"{', '.join(wanted.references) or 'No variable yet'}\n{', '.join(wanted.periods) or 'No year yet'}{kept}"
        )
        told.append(Answer(title, text, f"data-sets/{wanted.data_set}"))
    return told or [Answer("Data sets", NOT_ANSWERED, "data-sets")]


def _sensitive(content: Content, data_sets: DataSets) -> list[Answer]:
    said = {(j.data_set, j.reference): j for j in content.sensitive.justifications}
    told = []
    for each in sensitive(content, data_sets):
        found = said.get((each.data_set, each.reference))
        coarser = f"\nWhy nothing coarser: {found.coarser}" if found and found.coarser else ""
        told.append(
            Answer(
                f"{each.variable.label} ({each.reference})",
                f"{(found and found.why) or NOT_ANSWERED}{coarser}",
                "sensitive",
            )
        )
    return told or [Answer("Sensitive variables", "None asked for", "data-sets")]
