"""What anybody may look at without asking: the catalogue, and what was released. Nothing of the data itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from datasets.aliases import Found, look_up, search
from datasets.catalogue import Catalogue
from datasets.variables import Alias, Variable
from privacy_api.errors import ApiError, ErrorCode
from privacy_api.ports import ProjectKind, StoredRelease
from privacy_api.service.answer_query import find_data_set
from privacy_api.service.cuts import HostedCut, HostedDataSet
from privacy_api.service.services import Services

LONGEST = 200
"""Characters of words to search for that are looked at."""


@dataclass(frozen=True, slots=True)
class Hit:
    """A variable that fits what was searched for. named: in which file, year and term the words are its name."""

    hosted: HostedDataSet
    variable: Variable
    named: str = ""


def hosted_cuts(services: Services) -> list[HostedCut]:
    return list({h.cut.id: h.cut for h in services.data_sets.values()}.values())


def find(words: str, services: Services) -> list[Hit]:
    """By a name that files of NPD have, or by words of name, label, concept and description."""
    words = " ".join(words[:LONGEST].split())
    return [hit for cut in hosted_cuts(services) for hit in _find(words, cut.catalogue, services)] if words else []


def _find(words: str, catalogue: Catalogue, services: Services) -> Iterator[Hit]:
    if named := look_up(words, catalogue):
        yield from (_named(one, catalogue, services) for one in named)
        return
    for data_set, variable in search(words, catalogue):
        yield Hit(services.data_sets[f"{catalogue.cut}.{data_set.id}"], variable)


def _named(found: Found, catalogue: Catalogue, services: Services) -> Hit:
    when = found.plain + ("" if found.in_use else ", when files did not have it")
    return Hit(services.data_sets[f"{catalogue.cut}.{found.data_set}"], found.variable, when)


def find_variable(data_set: str, variable: str, services: Services) -> Hit:
    hosted = find_data_set(data_set, services)
    found = hosted.data_set.by_name.get(variable)
    if found is None:
        raise ApiError(ErrorCode.NOT_FOUND)
    return Hit(hosted, found)


def origin(hit: Hit, services: Services) -> Hit | None:
    """Where a linked variable comes from."""
    if (linked := hit.variable.linked) is None:
        return None
    hosted = services.data_sets[f"{hit.hosted.cut.catalogue.cut}.{linked.data_set}"]
    return Hit(hosted, hosted.data_set.by_name[linked.variable])


def linked_as(hit: Hit, services: Services) -> list[Hit]:
    """Where else the variable can be asked for."""
    catalogue, own = hit.hosted.cut.catalogue, (hit.hosted.data_set.id, hit.variable.name)
    return [
        Hit(services.data_sets[f"{catalogue.cut}.{d.id}"], v)
        for d in catalogue.data_sets
        for v in d.variables
        if v.linked and (v.linked.data_set, v.linked.variable) == own
    ]


def names_of(hit: Hit, services: Services) -> tuple[Alias, ...]:
    """Names in files of NPD, of a linked variable those of its origin."""
    first = origin(hit, services)
    return (first or hit).variable.aliases


@dataclass(frozen=True, slots=True)
class Published:
    """A release as the register lists it. asked: its question, in the words of the API."""

    id: str
    created: str
    project: str
    title: str
    data_set: str
    version: str
    synthetic: bool
    asked: Mapping[str, Any]


def published(first: int, most: int, services: Services) -> tuple[list[Published], int]:
    """The newest first; and how many there are."""
    found, total = services.ledger.releases(first, most)
    return [_published(each, services) for each in found], total


def find_release(release: str, services: Services) -> tuple[Published, dict[str, Any]]:
    """And its whole document."""
    stored = released(release, services)
    return _published(stored, services), json.loads(stored.body)


def released(release: str, services: Services) -> StoredRelease:
    """What somebody tried in a sandbox is theirs, and in no register."""
    stored = services.ledger.release(release)
    project = None if stored is None else services.projects.project(stored.project)
    if stored is None or stored.is_model or project is None or project.kind is ProjectKind.SANDBOX:
        raise ApiError(ErrorCode.NOT_FOUND)
    return stored


def _published(stored: StoredRelease, services: Services) -> Published:
    document, project = json.loads(stored.body), services.projects.project(stored.project)
    data_set = document["dataSet"]
    return Published(
        stored.id,
        stored.created,
        project.title if project else stored.project,
        data_set["title"],
        data_set["id"],
        data_set["version"],
        data_set["synthetic"],
        document["query"],
    )
