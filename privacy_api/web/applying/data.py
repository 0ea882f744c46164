"""What the pages about people, data sets, variables and reasons read from their forms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from datasets.catalogue import DataSet
from datasets.variables import Banding, Variable
from privacy_api.governance.asked_for import AskedFor, find
from privacy_api.ports.applications import (
    Content,
    DataWanted,
    Justification,
    KeptTo,
    NamedPerson,
    People,
    Sensitive,
    WantedData,
)
from privacy_api.routes.forms import Form

PERSON = {
    "name": "Enter the person's name",
    "email": "Enter the email address that they sign in with",
    "job_title": "Enter their job title",
    "reason": "Enter why they need access",
    "accreditation": "",
    "accreditation_expires": "",
}
"""Fields of a person, and what is said where one is missing."""


def read_person(form: Form, people: People) -> tuple[People, dict[str, str], dict[str, str]]:
    """The people with one more, or one fewer; what was typed; what is wrong with it."""
    if (place := form.text("remove")).isdigit():
        kept = tuple(each for i, each in enumerate(people.people) if i != int(place))
        return People(kept), {}, {}
    values = {name: form.text(name) for name in PERSON if name != "accreditation_expires"}
    parts = [form.text(f"accreditation_expires-{part}") for part in ("year", "month", "day")]
    values["accreditation_expires"] = (
        "-".join(f"{p:0>{n}}" for p, n in zip(parts, (4, 2, 2), strict=True)) if any(parts) else ""
    )
    wrong = {name: told for name, told in PERSON.items() if told and not values[name]}
    if values["email"] and "@" not in values["email"]:
        wrong["email"] = "Enter an email address in the correct format, like name@example.org"
    return People((*people.people, NamedPerson(**values))), values, wrong


def with_data_sets(data: DataWanted, chosen: Sequence[str]) -> DataWanted:
    """What was wanted of those that stay is kept."""
    before = {wanted.data_set: wanted for wanted in data.wanted}
    return replace(data, wanted=tuple(before.get(name, WantedData(name)) for name in chosen))


@dataclass(frozen=True, slots=True)
class Offered:
    """One variable as it is offered: bandings first, the coarsest of them first. chosen: references."""

    variable: Variable
    bandings: tuple[Banding, ...]
    chosen: frozenset[str]

    @property
    def whole(self) -> bool:
        """Whether the variable itself may be asked for."""
        return not self.variable.needs_banding or not self.variable.bandings


def described(data_set: DataSet, wanted: WantedData) -> list[Offered]:
    """All but the time variable, whose years are asked beside."""
    chosen = frozenset(wanted.references)
    return [
        Offered(each, tuple(sorted(each.bandings, key=lambda b: (len(b.groups), b.name))), chosen)
        for each in data_set.variables
        if not each.is_time
    ]


def read_data_set(form: Form, data: DataWanted, name: str, data_set: DataSet) -> tuple[DataWanted, dict[str, str]]:
    references = tuple(each for each in form.all("reference") if find(data_set, each))
    known = {period.code for period in data_set.time_periods}
    periods = tuple(each for each in form.all("period") if each in known)
    wrong = {} if references else {"reference": "Select at least one variable"}
    if known and not periods:
        wrong["period"] = "Select at least one year"
    kept = tuple(_kept(each, form) for each in form.all("keeps_to") if each in data_set.by_name)
    wanted = WantedData(name, references, periods, tuple(each for each in kept if each.codes))
    parts = [wanted if each.data_set == name else each for each in data.wanted]
    return replace(data, wanted=tuple(parts)), wrong


def _kept(variable: str, form: Form) -> KeptTo:
    return KeptTo(variable, tuple(form.all(f"keeps_to-{variable}")))


def read_sensitive(
    form: Form, content: Content, asked: Sequence[AskedFor]
) -> tuple[DataWanted, Sensitive, dict[str, str]]:
    """The data with bandings where they were taken instead, the reasons, and what is wrong."""
    data, reasons, wrong = content.data, [], {}
    for each in asked:
        key = f"{each.data_set}:{each.reference}"
        banding = next((b for b in each.coarser if form.text(f"take-{key}") == b.name), None)
        reference = each.reference if banding is None else f"{each.variable.name}.{banding.name}"
        if banding is not None:
            data = _instead(data, each, reference)
        why, coarser = form.text(f"why-{key}"), form.text(f"coarser-{key}")
        reasons.append(Justification(each.data_set, reference, why, "" if banding else coarser))
        if not why:
            wrong[f"why-{key}"] = f"Enter why you need {each.variable.label.lower()}"
        if each.coarser and banding is None and not coarser:
            wrong[f"coarser-{key}"] = f"Enter why no coarser banding of {each.variable.label.lower()} would do"
    return data, Sensitive(tuple(reasons)), wrong


def _instead(data: DataWanted, each: AskedFor, reference: str) -> DataWanted:
    def changed(wanted: WantedData) -> WantedData:
        if wanted.data_set != each.data_set:
            return wanted
        references = [reference if old == each.reference else old for old in wanted.references]
        return replace(wanted, references=tuple(dict.fromkeys(references)))

    return replace(data, wanted=tuple(changed(wanted) for wanted in data.wanted))
