"""Names of NPD files: ours are in the reference, in the years it gives, and each is found again."""

from __future__ import annotations

import re

import pytest

from datasets.aliases import TERMS, expand, linked_as, look_up, search
from datasets.catalogue import Catalogue
from datasets.variables import Alias
from tests.npd.conftest import Facts

LATEST = 2026
"""The academic year of the catalogue's writing."""


def aliases(npd: Catalogue) -> list[tuple[str, Alias]]:
    return [(f"{d.id}.{v.name}", a) for d in npd.data_sets for v in d.variables if v.linked is None for a in v.aliases]


def every(alias: Alias) -> list[str]:
    """All names that the pattern stands for, each once."""
    years = range(alias.first, (alias.last or LATEST) + 1)
    return list(dict.fromkeys(expand(alias, year, term, n) for year in years for term in TERMS for n in (1, 2, 40)))


def test_our_names_are_in_the_reference(npd: Catalogue, facts: Facts) -> None:
    index = {
        name
        for file in ("npd_variable_index", "npd_ks4_variables")
        for row in facts(file)
        for name in re.split(r"[ /]+", row["npd_alias"])  # some cells hold two names
    }
    patterns = [re.compile(_pattern(name)) for name in index if "[" in name]
    strange = [
        (where, name)
        for where, alias in aliases(npd)
        for name in every(alias)[:3]
        if name not in index and not any(p.fullmatch(name) for p in patterns)
    ]
    assert strange == []
    assert len(aliases(npd)) > 250


def _pattern(name: str) -> str:
    blanks = {"[term]": "(AUT|SPR|SUM)", "[yy]": r"\d\d", "[n]": r"\d+"}
    return "".join(blanks.get(piece, re.escape(piece)) for piece in re.split(r"(\[\w+\])", name))


def test_years_of_ks4_names_are_those_of_its_sheet(npd: Catalogue, facts: Facts) -> None:
    sheet: dict[str, list[tuple[int, int]]] = {}
    for row in facts("npd_ks4_variables"):
        sheet.setdefault(row["npd_alias"], []).append(_years(row["years_populated"]))
    checked = 0
    for where, alias in aliases(npd):
        if alias.pattern in sheet:
            checked += 1
            inside = [a <= alias.first and (alias.last or LATEST) <= b for a, b in sheet[alias.pattern]]
            assert any(inside), (where, alias, sheet[alias.pattern])
    assert checked > 50


def test_classes_of_ks4_names_are_those_of_its_sheet(npd: Catalogue, facts: Facts) -> None:
    """But for the school's number, which the sheet has as 4E among pupils and 5E among results: docs/npd.md."""
    sheet = {row["npd_alias"]: row for row in facts("npd_ks4_variables")}
    for data_set in npd.data_sets:
        for variable in data_set.own:
            rows = [sheet[a.pattern] for a in variable.aliases if a.pattern in sheet and variable.name != "school"]
            for row in rows:
                ours, theirs = (
                    f"{variable.identifiability}{variable.sensitivity}",
                    row["identifiability"] + row["sensitivity"],
                )
                assert ours == theirs, (data_set.id, variable.name, row["npd_alias"])
                assert variable.needs_justification or row["request_class"] == "default", (data_set.id, variable.name)


def _years(text: str) -> tuple[int, int]:
    """ "2010/11 - 2012/13" → (2011, 2013); an open end is as good as the latest year."""
    ends = [int(year) + 1 for year in re.findall(r"(\d{4})/\d\d", text)]
    return ends[0], LATEST if text.rstrip().endswith("-") else ends[-1]


@pytest.mark.parametrize(
    ("name", "where", "year", "term", "repeat"),
    [
        ("FSMeligible_SPR23", "census.fsm_eligible", 2023, "SPR", None),
        ("fsmeligible_spr23", "census.fsm_eligible", 2023, "SPR", None),
        ("NCyearActual_AUT07", "census.year_group", 2007, "AUT", None),
        ("LanguageGroupMajor_SUM24", "census.language_group", 2024, "SUM", None),
        ("KS4_P8SCORE", "ks4.progress8", None, None, None),
        ("KS2_RWMEXP", "ks2.rwm_expected", None, None, None),
        ("Reason_12_ex15", "exclusions.reason", 2015, None, 12),
        ("PA10_exact_6HalfTerms_ab16", "absence_year.persistent", 2016, None, None),
    ],
)
def test_a_name_is_read(
    npd: Catalogue, name: str, where: str, year: int | None, term: str | None, repeat: int | None
) -> None:
    found = look_up(name, npd)[0]
    assert found.reference == where
    assert (found.year, found.term, found.repeat) == (year, term, repeat)
    assert found.in_use


def test_a_name_in_a_year_without_it_says_so(npd: Catalogue) -> None:
    assert not look_up("EVERFSM_6_SPR09", npd)[0].in_use
    assert look_up("Reason_41_ex15", npd) == []  # files have 40 at most
    assert look_up("FSMeligible_WIN23", npd) == []


def test_a_name_tells_where_it_is_linked(npd: Catalogue) -> None:
    found = look_up("FSMeligible_SPR23", npd)[0]
    assert found.plain == "spring 2022/23"
    assert "ks4.census_fsm_eligible" in linked_as(found, npd)


def test_every_name_finds_its_variable(npd: Catalogue) -> None:
    for where, alias in aliases(npd):
        for name in (every(alias)[0], every(alias)[-1]):
            assert where in {one.reference for one in look_up(name, npd) if one.in_use}, name


def test_words_find_variables(npd: Catalogue) -> None:
    assert ("census", "fsm6") in {(d.id, v.name) for d, v in search("Free MEALS six", npd)}
    assert search("no such thing", npd) == []
