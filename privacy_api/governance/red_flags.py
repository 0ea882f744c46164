"""What an application should be looked at for. Flags inform whoever decides and decide nothing; the same for all.

A new flag is a function here and a line in FLAGS.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TypeAlias

from datasets.names import some
from privacy_api.governance.asked_for import AskedFor, DataSets, asked_for, sensitive
from privacy_api.governance.dates import in_words, told
from privacy_api.ports.applications import Content

ALL_YEARS_FROM = 3
"""A data set of fewer years is not asked for in part."""
SMALL_AREAS_FROM = 100
"""Codes of a geography from which its areas are small: local authorities, schools."""
RARE_FROM = 6
"""Codes from which some group of a class B or D variable is rare everywhere."""
VARIABLES_PER_QUESTION = 10
LONGEST_YEARS = 5
SHORTEST_REASON = 40
"""Characters below which a justification says nothing."""


class Severity(StrEnum):
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Case:
    content: Content
    data_sets: DataSets
    today: date


Finder: TypeAlias = Callable[[Case], str]
"""What was found, in words; empty where there is nothing."""


@dataclass(frozen=True, slots=True)
class RedFlag:
    id: str
    plain: str
    severity: Severity
    find: Finder


@dataclass(frozen=True, slots=True)
class Raised:
    id: str
    plain: str
    severity: Severity
    found: str


def raised(case: Case) -> tuple[Raised, ...]:
    """The most severe first; in the order of the register otherwise."""
    found = [Raised(f.id, f.plain, f.severity, told) for f in FLAGS if (told := f.find(case))]
    return tuple(sorted(found, key=lambda each: -list(Severity).index(each.severity)))


def _more_than_named(case: Case) -> str:
    purpose = case.content.purpose
    said = _words(" ".join([purpose.title, purpose.purpose, purpose.public_benefit, *purpose.research_questions]))
    unnamed = [each for each in sensitive(case.content, case.data_sets) if not _is_named(each, said)]
    return f"Not named in the purpose or the research questions: {_listed(unnamed)}." if unnamed else ""


def _is_named(asked: AskedFor, said: set[str]) -> bool:
    """A word of its label, concept or name that is long enough to mean something."""
    of = _words(f"{asked.variable.label} {asked.variable.concept} {asked.variable.name.replace('_', ' ')}")
    return bool({word for word in of if len(word) > 2 and word not in _EMPTY} & said)


def _all_years(case: Case) -> str:
    whole = []
    for wanted in case.content.data.wanted:
        data_set = case.data_sets.get(wanted.data_set)
        periods = {period.code for period in data_set.time_periods} if data_set else set()
        if len(periods) >= ALL_YEARS_FROM and periods <= set(wanted.periods):
            whole.append(f"{wanted.data_set} ({len(periods)} years)")
    return f"Every year is asked for of {some(whole)}." if whole else ""


def _small_areas_and_rare_groups(case: Case) -> str:
    found = []
    every = list(asked_for(case.content, case.data_sets))
    for name in dict.fromkeys(each.data_set for each in every):
        here = [each for each in every if each.data_set == name]
        areas = [each for each in here if _is_small_area(each)]
        rare = [each for each in here if _has_rare_groups(each)]
        if areas and rare:
            found.append(f"{name}: {_named(areas)} with {_named(rare)}")
    return "; ".join(found) + "." if found else ""


def _is_small_area(asked: AskedFor) -> bool:
    level = asked.banding.level if asked.banding else asked.variable.level
    return level is not None and _groups(asked) >= SMALL_AREAS_FROM


def _has_rare_groups(asked: AskedFor) -> bool:
    return asked.needs_grant and (asked.variable.sensitivity == "B" or _groups(asked) >= RARE_FROM)


def _groups(asked: AskedFor) -> int:
    return len(asked.banding.groups) if asked.banding else len(asked.variable.atoms)


def _accreditation(case: Case) -> str:
    ends = case.content.data.ends
    found = []
    for person in case.content.people.people:
        expires = person.accreditation_expires
        if not person.accreditation or not expires:
            found.append(f"{person.name or 'Somebody'} has none")
        elif expires < case.today.isoformat():
            found.append(f"{person.name}'s lapsed on {told(expires)}")
        elif ends and expires < ends:
            found.append(f"{person.name}'s lapses on {told(expires)}, before the project ends")
    return "; ".join(found) + "." if found else ""


def _finer_than_needed(case: Case) -> str:
    """Of variables that can tell who somebody is, or want a reason."""
    whole = [
        each
        for each in asked_for(case.content, case.data_sets)
        if each.coarser and (each.variable.identifiability <= 4 or each.needs_justification)
    ]
    bands = [f"{each.label} (banding offered: {each.coarser[0].label})" for each in whole]
    return f"Asked for more finely than it is offered: {some(bands)}." if whole else ""


def _commercial(case: Case) -> str:
    return "The applicant says that the use is solely commercial." if case.content.purpose.commercial else ""


def _duplicates_official(case: Case) -> str:
    found = case.content.purpose.duplicates_official
    return "The applicant says that official statistics have this already." if found else ""


def _poor_justifications(case: Case) -> str:
    justifications = case.content.sensitive.justifications
    said = {(j.data_set, j.reference): j.why for j in justifications}
    wanted = [(each, said.get((each.data_set, each.reference), "")) for each in sensitive(case.content, case.data_sets)]
    short = [each for each, why in wanted if len(why.strip()) < SHORTEST_REASON]
    often = Counter(_plain(why) for _, why in wanted if why.strip())
    purpose = _plain(case.content.purpose.purpose)
    copies = [each for each, why in wanted if why.strip() and (often[_plain(why)] > 1 or _plain(why) == purpose)]
    found = [f"Says next to nothing: {_listed(short)}"] if short else []
    found += [f"The same words as another: {_listed(copies)}"] if copies else []
    return " ".join(f"{each}." for each in found)


def _few_questions(case: Case) -> str:
    questions = len([q for q in case.content.purpose.research_questions if q])
    variables = len(list(asked_for(case.content, case.data_sets)))
    if variables <= VARIABLES_PER_QUESTION * max(questions, 1):
        return ""
    return f"{variables} variables for {questions} research question{'' if questions == 1 else 's'}."


def _end_too_far(case: Case) -> str:
    starts, ends = _day(case.content.data.starts) or case.today, _day(case.content.data.ends)
    if ends is None:
        return ""
    if ends < case.today:
        return f"The project would have ended on {in_words(ends)}."
    latest = _years_after(max(starts, case.today), LONGEST_YEARS)
    return f"It would end on {in_words(ends)}, more than {LONGEST_YEARS} years on." if ends > latest else ""


_R, _S = RedFlag, Severity
FLAGS: tuple[RedFlag, ...] = (
    _R("sensitive-not-named", "More sensitive variables than the purpose speaks of", _S.HIGH, _more_than_named),
    _R("all-years", "Every year there is", _S.MEDIUM, _all_years),
    _R("small-areas-rare-groups", "Small areas together with rare groups", _S.HIGH, _small_areas_and_rare_groups),
    _R("accreditation", "Accreditation that is missing or lapses", _S.HIGH, _accreditation),
    _R("finer-than-needed", "An identifying variable where a banding may do", _S.MEDIUM, _finer_than_needed),
    _R("commercial", "Solely commercial use", _S.HIGH, _commercial),
    _R("duplicates-official", "Duplicates official statistics", _S.MEDIUM, _duplicates_official),
    _R("poor-justification", "Reasons that are empty, or copies of each other", _S.MEDIUM, _poor_justifications),
    _R("few-questions", "Few research questions for many variables", _S.LOW, _few_questions),
    _R("end-too-far", "An end that is too far off, or past", _S.LOW, _end_too_far),
)
"""The register: every application is looked at for all of them."""

_EMPTY = frozenset("and for the with any all from main type code major minor group status level indicator".split())
"""Words of labels that name nothing."""


def _listed(found: list[AskedFor]) -> str:
    return some(f"{each.label} ({each.data_set}:{each.reference})" for each in found)


def _named(found: list[AskedFor]) -> str:
    return some(each.label for each in found)


def _plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.casefold()))


def _words(text: str) -> set[str]:
    return set(re.findall(r"\w+", text.casefold()))


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _years_after(day: date, years: int) -> date:
    """The last of February for a leap day."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)
