"""All answers of an application in the order they were asked, for people to check."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from privacy_api.governance.asked_for import DataSets, asked_for, sensitive
from privacy_api.governance.checklist import MEMBERS, TITLES
from privacy_api.governance.dates import told
from privacy_api.ports.applications import Content, Step
from privacy_api.web.applying.pages import FIELD_PAGES, Field, Kind

NOT_GIVEN = "Not given"


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
        return "\n".join(value) or NOT_GIVEN
    if field.kind in (Kind.YES_NO, Kind.CONFIRM):
        return NOT_GIVEN if value is None else "Yes" if value else "No"
    if field.kind is Kind.CHOICE:
        return dict(field.choices).get(value, NOT_GIVEN)
    if field.kind is Kind.DATE:
        return told(value) or NOT_GIVEN
    return str(value) or NOT_GIVEN


def _people(content: Content) -> list[Answer]:
    people = content.people.people
    found = [
        Answer(
            each.name,
            f"{each.job_title}, {each.email}\n{each.reason}\nAccreditation {each.accreditation or 'none'}"
            f"{f', until {told(each.accreditation_expires)}' if each.accreditation_expires else ''}",
            "people",
        )
        for each in people
    ]
    return found or [Answer("People", NOT_GIVEN, "people")]


def _data(content: Content, data_sets: DataSets) -> list[Answer]:
    found = []
    variables = [(each.data_set, each.label) for each in asked_for(content, data_sets)]
    for wanted in content.data.wanted:
        data_set = data_sets.get(wanted.data_set)
        title = data_set.title if data_set else wanted.data_set
        years = {period.code: period.label or period.period for period in data_set.time_periods} if data_set else {}
        lines = [
            "; ".join(label for of, label in variables if of == wanted.data_set) or "No variable yet",
            ", ".join(years.get(code, code) for code in wanted.periods) or "No year yet",
            *(f"Only {each.variable}: {', '.join(each.codes)}" for each in wanted.keeps_to),
        ]
        found.append(Answer(title, "\n".join(lines), f"data-sets/{wanted.data_set}"))
    return found or [Answer("Data sets", NOT_GIVEN, "data-sets")]


def _sensitive(content: Content, data_sets: DataSets) -> list[Answer]:
    said = {(j.data_set, j.reference): j for j in content.sensitive.justifications}
    found = []
    for each in sensitive(content, data_sets):
        reason = said.get((each.data_set, each.reference))
        coarser = f"\nWhy nothing coarser: {reason.coarser}" if reason and reason.coarser else ""
        found.append(Answer(each.label, f"{(reason and reason.why) or NOT_GIVEN}{coarser}", "sensitive"))
    return found or [Answer("Sensitive variables", "None asked for", "data-sets")]
