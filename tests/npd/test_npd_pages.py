"""The pages of the catalogue: complete, and not stale."""

from __future__ import annotations

from pathlib import Path

import pytest

from datasets.catalogue import Catalogue
from datasets.npd.pages import pages
from datasets.npd.words import rule


@pytest.fixture(scope="module")
def made(npd: Catalogue) -> dict[str, str]:
    return pages(npd)


def test_pages_are_not_stale(root: Path, made: dict[str, str]) -> None:
    """If this fails: privacy-api catalogue pages docs/npd"""
    folder = root / "docs" / "npd"
    assert {path.name for path in folder.iterdir()} == set(made)
    assert [name for name, text in made.items() if (folder / name).read_text(encoding="utf-8") != text] == []


def test_pages_name_every_variable_alias_and_banding(npd: Catalogue, made: dict[str, str]) -> None:
    for data_set in npd.data_sets:
        page = made[f"{data_set.id}.md"]
        names = [v.name for v in data_set.variables]
        names += [a.pattern for v in data_set.variables if v.linked is None for a in v.aliases]
        names += [b.name for v in data_set.variables if v.linked is None for b in v.bandings]
        assert [name for name in names if f"`{name}`" not in page] == [], data_set.id


def test_pages_end_lines_without_spaces(made: dict[str, str]) -> None:
    assert [name for name, text in made.items() if any(line != line.rstrip() for line in text.splitlines())] == []


def test_derived_variables_are_told_in_words(npd: Catalogue) -> None:
    def told(data_set: str, name: str) -> list[str]:
        found = npd.data_set(data_set)
        assert found is not None
        return rule(found.by_name[name], found.by_name)

    assert told("ks2", "average_score") == ["0.5 × (`reading_points` + `maths_points`)"]
    assert told("absence_year", "persistent") == [
        "`1` Yes where `sessions_possible` is above 0 and 10 × `missed` is at least `sessions_possible`",
        "otherwise `0` No",
    ]
    assert told("census", "fsm6")[0] == (
        "`1` Yes where in any row of the pupil in this academic year or in one of the 5 years before, "
        "`fsm_eligible` is `1` Yes"
    )
    assert told("census", "suspensions") == ["the first that is there of `exclusions_suspensions`, 0"]
    assert told("census", "sex") == []
