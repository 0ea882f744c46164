"""What changed between two versions, in words, for each kind of change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from datasets.catalogue_toml import load_catalogue
from datasets.ingest import Change, Published, changes, ingest, list_versions
from tests.ingest.builders import CATALOGUE, CENSUS, EXAMS, Workplace, changed

RELEASED = CATALOGUE.replace(
    'title = "Exams"', 'title = "Exams"\nreleases = [["unamended", "October"], ["final", "April"]]'
)
YEAR = '["202122", "2021/2022", "AY"]'


def publish(
    work: Workplace,
    text: str = RELEASED,
    files: Mapping[str, Sequence[Path]] | None = None,
    releases: Mapping[str, str] | None = None,
) -> Published:
    return ingest(load_catalogue(text), text, files or work.files(), work.cuts, releases=releases)


def between(old: Published, new: Published) -> list[tuple[str, str, str]]:
    found = changes(*((load_catalogue(p.catalogue_text), p.manifest) for p in (old, new)))
    return [(change.kind, change.data_set, change.text) for change in found]


def test_nothing(work: Workplace) -> None:
    assert between(publish(work), publish(work)) == []


REPLACED = [
    ('identifiability = 5\nsensitivity = "D"', 'identifiability = 4\nsensitivity = "C"', [
        ("schema", "census", "sex: identifiability was 5, is 4"),
        ("schema", "census", "sex: class was D, is C"),
    ]),
    ('range = ["-100", "100"]', 'range = ["-100", "200"]', [
        ("schema", "census",
         "points: type was number from -100 to 100 in steps of 1, is number from -100 to 200 in steps of 1"),
    ]),
    ('[["first", "First", ["A3"]], ["last", "Last", ["A2"]]]', '[["first", "First", ["A3", "A2"]]]', [
        ("schema", "census", "la.some: banded in another way"),
    ]),
    ('bandings.some]', 'bandings.others]', [
        ("schema", "census", "la: bandings added: others"),
        ("schema", "census", "la: bandings removed: some"),
    ]),
    ('codes = ["EN", "MA", "SC"]', 'codes = ["EN", "FR", "MA", "SC"]', [
        ("codes", "exams", "subject: codes added: FR"),
    ]),
    (YEAR, f'["202021", "2020/2021", "AY"], {YEAR}', [
        ("codes", "census", "year: codes added: 202021"),
        ("codes", "exams", "year: codes added: 202021"),
    ]),
    ("rows_per_period = 2", "rows_per_period = 3", [
        ("schema", "exams",
         "key was candidate + year + subject, up to 2 rows, is candidate + year + subject, up to 3 rows"),
    ]),
    ("variables.points]", "variables.marks]\ncolumn = \"points\"", [
        ("schema", "census", "variables added: marks"),
        ("schema", "census", "variables removed: points"),
    ]),
    ('["final", "April"]', '["amended", "January"], ["final", "May"]', [
        ("release", "exams",
         "release calendar was unamended October, final April, "
         "is unamended October, amended January, final May"),
    ]),
    ('label = "Points"', 'label = "Marks"', []),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "told"), REPLACED)
def test_a_change_of_the_catalogue(work: Workplace, old: str, new: str, told: list[tuple[str, str, str]]) -> None:
    assert old in RELEASED
    assert between(publish(work), publish(work, RELEASED.replace(old, new))) == told


def test_data_sets_come_and_go(work: Workplace) -> None:
    text = RELEASED[: RELEASED.index("[data_sets.exams]")]
    less, more = publish(work, text, {"census": work.files()["census"]}), publish(work)
    assert between(less, more) == [("schema", "exams", "data set added")]
    assert between(more, less) == [("schema", "exams", "data set removed")]


def test_coverage_and_rows(work: Workplace) -> None:
    old = publish(work, files=work.files(exams=EXAMS[:3]))
    assert between(old, publish(work)) == [
        ("coverage", "exams", "periods added: 202223"),
        ("coverage", "exams", "files that are new or amended: exams.csv"),
        ("rows", "exams", "records was 3, is 4"),
    ]
    amended = publish(work, files=work.files(changed(CENSUS, 1, year="202223", pupil="P5")))
    assert Change("rows", "census", "records in 202122 was 3, is 2") in changes(
        *((load_catalogue(p.catalogue_text), p.manifest) for p in (publish(work), amended))
    )


def test_stages_of_release(work: Workplace) -> None:
    first = publish(work, releases={"exams": "unamended"})
    assert first.manifest.data_sets["exams"].release == "unamended"
    assert first.manifest.data_sets["exams"].releases == (("unamended", "October"), ("final", "April"))
    same = publish(work)
    assert between(first, same) == [], "the same files are of the same release"
    final = publish(work, files=work.files(exams=EXAMS[:2]), releases={"exams": "final"})
    assert ("release", "exams", "release was unamended, is final") in between(first, final)
    unknown = publish(work)
    assert ("release", "exams", "release was final, is not said") in between(final, unknown)
    assert [m.version for m in list_versions(work.cuts, "tiny")] == ["1", "2", "3", "4"]
