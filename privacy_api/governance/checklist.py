"""What each step of an application wants before it can be sent. The same for all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from enum import StrEnum

from datasets.catalogue import DataSet
from datasets.names import some
from datasets.query import Problem
from privacy_api.governance.asked_for import DataSets, find, grants_of, sensitive
from privacy_api.governance.records import camel, record_value
from privacy_api.ports.applications import Content, NamedPerson, Step, WantedData

TITLES: Mapping[Step, str] = {
    Step.PURPOSE: "Purpose and public benefit",
    Step.PEOPLE: "People and accreditation",
    Step.DATA: "Data sets, variables and years",
    Step.SENSITIVE: "Why you need each sensitive variable",
    Step.PUBLICATION: "How you will publish",
    Step.FIVE_SAFES: "Check list: the five safes",
    Step.CHECK: "Check your answers and send",
}
MEMBERS: Mapping[Step, str] = {
    Step.PURPOSE: "purpose",
    Step.PEOPLE: "people",
    Step.DATA: "data",
    Step.SENSITIVE: "sensitive",
    Step.PUBLICATION: "publication",
    Step.FIVE_SAFES: "five_safes",
}
"""Where a step's answers are in the content."""
GATEWAYS: Mapping[str, str] = {
    "dea-2017-s64": "Digital Economy Act 2017, section 64",
    "ea-1996-s537a": "Education Act 1996, section 537A",
    "ea-2005-s114": "Education Act 2005, section 114",
    "ca-1989-s83": "Children Act 1989, section 83",
    "pp-regulations-2009": "Prescribed Persons Regulations 2009",
}
ORGANISATION_TYPES = (
    "university",
    "research institute",
    "government",
    "local authority",
    "charity",
    "company",
    "other",
)


class StepStatus(StrEnum):
    NOT_STARTED = "not started"
    IN_PROGRESS = "in progress"
    COMPLETED = "completed"
    NOT_YET = "cannot start yet"


def step_status(step: Step, content: Content, data_sets: DataSets) -> StepStatus:
    if step is Step.CHECK:
        return StepStatus.NOT_YET if problems(content, data_sets) else StepStatus.NOT_STARTED
    wanting = step_problems(step, content, data_sets)
    if step is Step.SENSITIVE and not content.data.wanted:
        return StepStatus.NOT_YET
    if not wanting:
        return StepStatus.COMPLETED
    blank = record_value(getattr(content, MEMBERS[step])) == record_value(getattr(Content(), MEMBERS[step]))
    return StepStatus.NOT_STARTED if blank else StepStatus.IN_PROGRESS


def problems(content: Content, data_sets: DataSets) -> tuple[Problem, ...]:
    """All that is wanted before it can be sent; none when it is complete."""
    return tuple(problem for step in MEMBERS for problem in step_problems(step, content, data_sets))


def step_problems(step: Step, content: Content, data_sets: DataSets) -> tuple[Problem, ...]:
    return tuple(_OF_STEP[step](content, data_sets))


def _purpose(content: Content, data_sets: DataSets) -> Iterator[Problem]:
    purpose = content.purpose
    for name, told in (
        ("title", "Give the project a title"),
        ("organisation", "Name the organisation that is responsible"),
        ("purpose", "Say what the project is for"),
        ("public_benefit", "Say how the public benefits"),
        ("audience", "Say who the results are for"),
        ("gdpr_article_6", "Give the lawful basis under Article 6 of the UK GDPR"),
        ("dpia", "Give the reference of the data protection impact assessment"),
        ("ethics", "Give the reference of the ethical approval, or say why none is needed"),
    ):
        yield from _wanted(getattr(purpose, name), told, f"purpose.{camel(name)}")
    kinds, gateways = ORGANISATION_TYPES, tuple(GATEWAYS)
    yield from _one_of(purpose.organisation_type, kinds, "Choose the kind of organisation", "purpose.organisationType")
    yield from _one_of(purpose.legal_gateway, gateways, "Choose the legal gateway", "purpose.legalGateway")
    if not any(purpose.research_questions):
        yield Problem("RequiredValue", "Give at least one research question", "purpose.researchQuestions")
    if grants_of(content, data_sets):
        told = "You ask for class B or D variables: give the condition under Article 9 of the UK GDPR"
        yield from _wanted(purpose.gdpr_article_9, told, "purpose.gdprArticle9")
    commercial, official = (
        "Say whether the use is solely commercial",
        "Say whether official statistics answer this already",
    )
    yield from _answered(purpose.commercial, commercial, "purpose.commercial")
    yield from _answered(purpose.duplicates_official, official, "purpose.duplicatesOfficial")


def _people(content: Content, data_sets: DataSets) -> Iterator[Problem]:
    people = content.people.people
    if not people:
        yield Problem("RequiredValue", "Name at least one person", "people.people")
    for place, person in enumerate(people):
        yield from _person(person, f"people.people[{place}]")
    emails = [person.email.casefold() for person in people if person.email]
    if len(set(emails)) < len(emails):
        yield Problem("InvalidValue", "Two people have the same email address", "people.people")


def _person(person: NamedPerson, path: str) -> Iterator[Problem]:
    yield from _wanted(person.name, "Give the person's name", f"{path}.name")
    yield from _wanted(person.job_title, "Give the person's job title", f"{path}.jobTitle")
    yield from _wanted(person.reason, "Say why this person needs access", f"{path}.reason")
    if "@" not in person.email:
        yield Problem("InvalidValue", "Give the email address that the person signs in with", f"{path}.email")
    if person.accreditation_expires:
        told = "Give the day when the person's accreditation runs out"
        yield from _date(person.accreditation_expires, told, f"{path}.accreditationExpires")


def _data(content: Content, data_sets: DataSets) -> Iterator[Problem]:
    data = content.data
    if not data.wanted:
        yield Problem("RequiredValue", "Choose at least one data set", "data.wanted")
    if len({wanted.data_set for wanted in data.wanted}) < len(data.wanted):
        yield Problem("InvalidValue", "A data set is there twice", "data.wanted")
    for place, wanted in enumerate(data.wanted):
        yield from _wanted_data(wanted, f"data.wanted[{place}]", data_sets)
    for name, told in (
        ("starts", "Give the day when the project starts"),
        ("ends", "Give the day when the project ends"),
        ("destroy_by", "Give the day by which results that are not published are destroyed"),
    ):
        yield from _date(getattr(data, name), told, f"data.{camel(name)}")
    dates = [data.starts, data.ends, data.destroy_by]
    if all(map(_is_date, dates)) and dates != sorted(dates):
        yield Problem("InvalidValue", "The dates must follow each other: start, end, destruction", "data.ends")
    if data.rho and not _is_amount(data.rho):
        yield Problem("InvalidValue", "The budget must be a number above 0, such as 0.1", "data.rho")


def _wanted_data(wanted: WantedData, path: str, data_sets: DataSets) -> Iterator[Problem]:
    data_set = data_sets.get(wanted.data_set)
    if data_set is None:
        yield Problem("NotFound", f"No such data set. Accepted: {some(data_sets)}.", f"{path}.dataSet")
        return
    if not wanted.references:
        yield Problem("RequiredValue", "Choose at least one variable", f"{path}.references")
    for place, reference in enumerate(wanted.references):
        yield from _reference(reference, f"{path}.references[{place}]", data_set)
    yield from _periods(wanted, path, data_set)
    for place, kept in enumerate(wanted.keeps_to):
        yield from _kept(kept.variable, kept.codes, f"{path}.keepsTo[{place}]", data_set)


def _reference(reference: str, path: str, data_set: DataSet) -> Iterator[Problem]:
    found = find(data_set, reference)
    if found is None:
        yield Problem("NotFound", f"No such variable or banding. Accepted: {some(data_set.by_name)}.", path)
    elif found[0].needs_banding and found[1] is None and found[0].bandings:
        bands = some(f"{reference}.{banding.name}" for banding in found[0].bandings)
        yield Problem("BandingRequired", f"{found[0].label} is used only in bands. Accepted: {bands}.", path)


def _periods(wanted: WantedData, path: str, data_set: DataSet) -> Iterator[Problem]:
    known = [period.code for period in data_set.time_periods]
    if known and not wanted.periods:
        yield Problem("RequiredValue", "Choose at least one year", f"{path}.periods")
    for place, period in enumerate(wanted.periods):
        if period not in known:
            told = f"No such year in this data set. Accepted: {some(known) or 'none'}."
            yield Problem("NotFound", told, f"{path}.periods[{place}]")


def _kept(variable: str, codes: tuple[str, ...], path: str, data_set: DataSet) -> Iterator[Problem]:
    found = data_set.by_name.get(variable)
    if found is None or not found.atoms or found.is_time:
        yield Problem(
            "NotFound", "Choose a variable of this data set that has codes, not its years", f"{path}.variable"
        )
        return
    known = [atom.code for atom in found.atoms]
    if not codes or not set(codes) <= set(known):
        yield Problem("NotFound", f"Choose codes of {variable}. Accepted: {some(known)}.", f"{path}.codes")


def _sensitive(content: Content, data_sets: DataSets) -> Iterator[Problem]:
    said = {(each.data_set, each.reference): each for each in content.sensitive.justifications}
    for asked in sensitive(content, data_sets):
        justification = said.get((asked.data_set, asked.reference))
        path = f"sensitive[{asked.data_set}:{asked.reference}]"
        if justification is None or not justification.why:
            told = f"Say why you need {asked.variable.label.lower()} ({asked.why_sensitive})"
            yield Problem("RequiredValue", told, f"{path}.why")
        if asked.coarser and not (justification and justification.coarser):
            bands = some(f"{asked.variable.name}.{banding.name}" for banding in asked.coarser)
            told = f"Take a coarser banding of {asked.variable.label.lower()} ({bands}), or say why none would do"
            yield Problem("RequiredValue", told, f"{path}.coarser")


def _publication(content: Content, data_sets: DataSets) -> Iterator[Problem]:
    publication = content.publication
    yield from _wanted(publication.outputs, "Say what you will publish", "publication.outputs")
    yield from _wanted(publication.where, "Say where you will publish", "publication.where")
    yield from _wanted(publication.when, "Say when you will publish", "publication.when")
    if publication.whatever_they_say is not True:
        told = "Results are published whatever they say: you must agree to this"
        yield Problem("RequiredValue", told, "publication.whateverTheySay")


def _five_safes(content: Content, data_sets: DataSets) -> Iterator[Problem]:
    for name in ("people", "project", "setting", "data", "outputs"):
        if getattr(content.five_safes, name) is not True:
            yield Problem("RequiredValue", f"Confirm that this holds: {SAFES[name].lower()}", f"fiveSafes.{name}")


SAFES: Mapping[str, str] = {
    "people": "Everybody named is trained, accredited and knows what they agreed to",
    "project": "The use is lawful, ethical and of benefit to the public",
    "setting": "Keys and results are kept where only the people named can reach them",
    "data": "Nothing is asked for that the research questions can be answered without",
    "outputs": "Only what this service released is published, and nobody tries to find out about a pupil",
}
"""The check list before sending, in plain words."""

_OF_STEP: Mapping[Step, Callable[[Content, DataSets], Iterator[Problem]]] = {
    Step.PURPOSE: _purpose,
    Step.PEOPLE: _people,
    Step.DATA: _data,
    Step.SENSITIVE: _sensitive,
    Step.PUBLICATION: _publication,
    Step.FIVE_SAFES: _five_safes,
}


def _wanted(value: str, told: str, path: str) -> Iterator[Problem]:
    if not value:
        yield Problem("RequiredValue", told, path)


def _answered(value: bool | None, told: str, path: str) -> Iterator[Problem]:
    if value is None:
        yield Problem("RequiredValue", told, path)


def _one_of(value: str, accepted: tuple[str, ...], told: str, path: str) -> Iterator[Problem]:
    if value not in accepted:
        yield Problem("InvalidValue", f"{told}. Accepted: {some(accepted)}.", path)


def _date(value: str, told: str, path: str) -> Iterator[Problem]:
    if not _is_date(value):
        yield Problem("InvalidValue", f"{told}. Accepted: a date such as 2027-03-31.", path)


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def _is_amount(value: str) -> bool:
    try:
        amount = Decimal(value)
    except InvalidOperation:
        return False
    return amount.is_finite() and Decimal("0.000001") <= amount <= 100
