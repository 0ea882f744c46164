"""Which table of the generator fills which data set of the catalogue."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from synthetic.npd import absence, census, early_stages, events, key_stages
from synthetic.npd.world import Chunk, Rows

Table = Callable[[Chunk, int], Iterator[tuple[str, Rows]]]
"""Of a chunk and a year: the rows of each file, with what its name says beside the year ("" or a term).

They name the catalogue's variables; those that they do not name are drawn from the catalogue's codes."""

TABLES: Mapping[str, Table] = MappingProxyType(
    {
        "census": census.census,
        "registrations": census.registrations,
        "early_years": census.early_years,
        "eyfsp": early_stages.eyfsp,
        "phonics": early_stages.phonics,
        "ks1": early_stages.ks1,
        "ks2": early_stages.ks2,
        "ks4": key_stages.ks4,
        "ks4_entries": key_stages.ks4_entries,
        "ks5": key_stages.ks5,
        "absence": absence.absence,
        "absence_year": absence.absence_year,
        "attendance": absence.attendance,
        "exclusions": events.exclusions,
        "exclusions_year": events.exclusions_year,
        "sen": census.sen,
        "cin": events.cin,
        "cin_disabilities": events.cin_disabilities,
        "cla": events.cla,
    }
)
