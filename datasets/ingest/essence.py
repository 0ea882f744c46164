"""A hash of what a data set's table is made of. What only people read is left out: a better label rewrites nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import Any

from datasets.catalogue import DataSet
from datasets.ingest.staged import Staged
from datasets.ingest.units import secret_id

FORMAT = 1
"""Of published tables; to be raised with any change in what they hold."""
FOR_PEOPLE = frozenset(
    {"title", "label", "description", "source", "identifiability", "sensitivity", "level", "releases"}
    | {"aliases", "concept", "populated", "needs_justification", "granted_as", "since", "until", "cubes"}
)
"""Fields of the catalogue's types that no stored column depends on. A field that is not named here counts."""


def made_of(every: Mapping[str, Staged], secret: str) -> dict[str, str]:
    """Of each data set: of itself, and of all that it depends on. The order of the files makes no difference."""
    own = {key: _hash([FORMAT, secret_id(secret), essence(s.data_set), _parts(s)]) for key, s in every.items()}
    return {key: _hash({name: own[name] for name in _reached(key, every)}) for key in every}


def _parts(staged: Staged) -> list[str]:
    return sorted(part.id for part in staged.parts.values())


def _reached(key: str, every: Mapping[str, Staged]) -> set[str]:
    """References may run in circles."""
    found, ahead = {key}, [key]
    while ahead:
        new = {name for name in needed(every[ahead.pop()].data_set) if name not in found}
        found |= new
        ahead += new
    return found


def _hash(told: object) -> str:
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def needed(data_set: DataSet) -> tuple[str, ...]:
    """Data sets whose content its table, or whether it is refused, depends on."""
    return tuple(dict.fromkeys([*(r.to for r in data_set.references), *(link.to for link in data_set.links)]))


def essence(of: object) -> Any:
    """Plain lists, texts and numbers of all fields that matter."""
    if is_dataclass(of) and not isinstance(of, type):
        told = ((f.name, getattr(of, f.name)) for f in fields(of) if f.name not in FOR_PEOPLE)
        return [type(of).__name__, {name: essence(value) for name, value in told}]
    if isinstance(of, Mapping):
        return [[essence(key), essence(value)] for key, value in of.items()]
    if isinstance(of, Sequence) and not isinstance(of, str):
        return [essence(one) for one in of]
    return of if of is None or isinstance(of, bool | int | str) else repr(of)
