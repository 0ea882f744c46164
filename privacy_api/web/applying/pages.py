"""The pages of an application that are nothing but fields: one thing each, in the order they are asked.

A flat catalogue: a new question is a field here, of a record in `ports/applications.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol

from privacy_api.governance.checklist import GATEWAYS, MEMBERS, ORGANISATION_TYPES, SAFES
from privacy_api.governance.records import camel
from privacy_api.ports.applications import Step


class Kind(StrEnum):
    TEXT = "text"
    AREA = "area"
    LINES = "lines"
    YES_NO = "yes-no"
    CHOICE = "choice"
    DATE = "date"
    CONFIRM = "confirm"


@dataclass(frozen=True, slots=True)
class Field:
    """name: of the record. hint: words under the label."""

    name: str
    label: str
    kind: Kind = Kind.TEXT
    hint: str = ""
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FieldPage:
    """title: its heading, and its label where it has one field."""

    name: str
    step: Step
    title: str
    fields: tuple[Field, ...]
    intro: str = ""


_F, _K, _S = Field, Kind, Step
_SAFE = tuple(Field(name, told, Kind.CONFIRM) for name, told in SAFES.items())
FIELD_PAGES: tuple[FieldPage, ...] = (
    FieldPage("title", _S.PURPOSE, "What is the project called?", (_F("title", "Title"),)),
    FieldPage("purpose", _S.PURPOSE, "What is the project for?", (
        _F("purpose", "Purpose", _K.AREA, "In plain words. This is published in the register."),
        _F("research_questions", "Research questions", _K.LINES,
           "One on each line. Every variable that you ask for should be of use to one of them."))),
    FieldPage("benefit", _S.PURPOSE, "How does the public benefit?", (
        _F("public_benefit", "Public benefit", _K.AREA),
        _F("audience", "Who are the results for?", _K.TEXT))),
    FieldPage("organisation", _S.PURPOSE, "Who is responsible?", (
        _F("organisation", "Organisation"),
        _F("organisation_type", "Kind of organisation", _K.CHOICE, "",
           tuple((each, each.capitalize()) for each in ORGANISATION_TYPES)),
        _F("ico_number", "Registration number with the Information Commissioner", _K.TEXT, "If it has one."))),
    FieldPage("use", _S.PURPOSE, "What kind of use is it?", (
        _F("commercial", "Is the use solely commercial?", _K.YES_NO),
        _F("duplicates_official", "Do official statistics answer this already?", _K.YES_NO))),
    FieldPage("law", _S.PURPOSE, "On which law does it stand?", (
        _F("legal_gateway", "Legal gateway", _K.CHOICE, "", tuple(GATEWAYS.items())),
        _F("gdpr_article_6", "Lawful basis under Article 6 of the UK GDPR", _K.TEXT, "For example, 6(1)(e)."),
        _F("gdpr_article_9", "Condition under Article 9 of the UK GDPR", _K.TEXT,
           "Wanted where you ask for class B or D variables. For example, 9(2)(j)."),
        _F("dpia", "Reference of the data protection impact assessment"),
        _F("ethics", "Ethical approval", _K.TEXT, "Its reference, or why none is needed."))),
    FieldPage("dates", _S.DATA, "When does it start and end, and how much budget does it want?", (
        _F("starts", "Start", _K.DATE),
        _F("ends", "End", _K.DATE),
        _F("destroy_by", "When results that are not published are destroyed", _K.DATE),
        _F("agreement", "Reference of the data sharing agreement", _K.TEXT, "If there is one already."),
        _F("rho", "Privacy budget wanted, in ρ", _K.TEXT,
           "For example, 0.1. Leave it empty for the department to say. More budget is less noise."))),
    FieldPage("publication", _S.PUBLICATION, "How will you publish?", (
        _F("outputs", "What will you publish?", _K.AREA),
        _F("where", "Where?"),
        _F("when", "When?"),
        _F("whatever_they_say", "I agree that results are published whatever they say", _K.CONFIRM))),
    FieldPage("five-safes", _S.FIVE_SAFES, "Check list: the five safes", (
        *_SAFE, _F("notes", "Notes", _K.AREA, "What is behind your answers, if you want to say more.")),
        "Confirm each of these before you send. Whoever decides goes through the same list."),
)  # fmt: skip
BY_NAME: Mapping[str, FieldPage] = {page.name: page for page in FIELD_PAGES}


class Sent(Protocol):
    """What a form sent."""

    def text(self, name: str) -> str: ...


def read_field(field: Field, sent: Sent) -> Any:
    """As the record's JSON has it."""
    match field.kind:
        case Kind.LINES:
            return [line.strip() for line in sent.text(field.name).splitlines() if line.strip()]
        case Kind.YES_NO:
            return {"yes": True, "no": False}.get(sent.text(field.name))
        case Kind.CONFIRM:
            return True if sent.text(field.name) == "yes" else None
        case Kind.DATE:
            day, month, year = (sent.text(f"{field.name}-{part}") for part in ("day", "month", "year"))
            return f"{year:0>4}-{month:0>2}-{day:0>2}" if day or month or year else ""
        case _:
            return sent.text(field.name).replace("\r\n", "\n")


def shown(page: FieldPage, record: Any, problems: Mapping[str, str]) -> list[dict[str, Any]]:
    """For the template: each field with what it holds and what is wrong with it."""
    return [
        {
            "field": field,
            "value": getattr(record, field.name),
            "error": {"text": problems[field.name]} if field.name in problems else None,
        }
        for field in page.fields
    ]


def problems_of(page: FieldPage, found: Mapping[str, str], member: str) -> dict[str, str]:
    """Of the page's fields. found: path of the content → what is wrong."""
    told = {field.name: found.get(f"{member}.{camel(field.name)}", "") for field in page.fields}
    return {name: text for name, text in told.items() if text}


def page_of(path: str) -> str:
    """Where a problem is mended, by its path in the content."""
    member, _, name = path.partition(".")
    for page in FIELD_PAGES:
        if camel(MEMBERS[page.step]) == member and name in {camel(field.name) for field in page.fields}:
            return page.name
    return {"people": "people", "data": "data-sets"}.get(member, "sensitive")


def for_people(message: str) -> str:
    """Without what is accepted, which programs read: a page offers it."""
    return message.partition(". Accepted: ")[0]


def next_after(page: FieldPage) -> FieldPage | None:
    """The next page of the same step."""
    of_step = [each for each in FIELD_PAGES if each.step is page.step]
    place = of_step.index(page) + 1
    return of_step[place] if place < len(of_step) else None
