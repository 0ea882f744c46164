"""Each file is read once, whatever ends the run; what is kept of it is private, and can be thrown away."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pytest

from datasets.catalogue_toml import load_catalogue
from datasets.ingest import IngestFailed, IngestRefused, Published, ingest, open_current, prune, slices
from tests.ingest.builders import CATALOGUE, CENSUS, EXAMS, Row, Workplace, changed, write_file
from tests.lib.cuts import opened

YEARS = ("202122", "202223")


class Told:
    def __init__(self) -> None:
        self.steps: list[str] = []

    def step(self, name: str, done: int, total: int) -> None:
        self.steps.append(name)

    def of(self, verb: str) -> list[str]:
        return [step.removeprefix(f"{verb} ") for step in self.steps if step.startswith(f"{verb} ")]


def by_year(work: Workplace, census: Sequence[Row] = CENSUS) -> dict[str, list[Path]]:
    """The census as a file for each year."""
    files = [
        write_file(work.sources / f"census{year}.csv", [row for row in census if row["year"] == year]) for year in YEARS
    ]
    return {**work.files(), "census": files}


def run(work: Workplace, sources: Mapping[str, Sequence[Path]], text: str = CATALOGUE) -> tuple[Published, Told]:
    told = Told()
    return ingest(load_catalogue(text), text, sources, work.cuts, told), told


def rows(published: Published, data_set: str = "census") -> list[tuple[object, ...]]:
    with opened(published) as connection:
        return connection.execute(f'SELECT * FROM "{data_set}" ORDER BY ALL').fetchall()


def told_of(published: Published) -> list[str]:
    """The rows without pseudonyms, which differ from cut to cut."""
    return sorted(str(row[1:]) for row in rows(published))


def test_an_amended_file_is_the_only_one_that_is_read(work: Workplace) -> None:
    run(work, by_year(work))
    amended = changed(CENSUS, 0, points="42")  # of 202223
    second, told = run(work, by_year(work, amended))
    assert told.of("read") == ["census census202223.csv"]
    assert told.of("know") == ["census census202122.csv", "exams exams.csv"]
    assert [row[-1] for row in rows(second)].count(42) == 1


def test_a_data_set_that_is_the_same_is_the_same_file(work: Workplace) -> None:
    first, _ = run(work, by_year(work))
    text = CATALOGUE.replace('title = "Exams"', 'title = "Exams of all kinds"').replace(
        'label = "Subject"', 'label = "S"'
    )
    second, told = run(work, by_year(work), text)
    assert told.of("keep") == ["census", "exams"] and told.of("write") == []
    for data_set, path in first.databases.items():
        assert path.samefile(second.databases[data_set])
    third, told = run(work, {**by_year(work), "exams": [write_file(work.sources / "e.csv", EXAMS[:2])]}, text)
    assert told.of("keep") == ["census"] and told.of("write") == ["exams"]
    assert first.databases["census"].samefile(third.databases["census"])
    assert not first.databases["exams"].samefile(third.databases["exams"])
    assert open_current(work.cuts, "tiny", check=True) == third


def test_a_smaller_max_rows_is_checked_though_the_table_stays(work: Workplace) -> None:
    run(work, work.files())
    with pytest.raises(IngestRefused) as refused:
        run(work, work.files(), CATALOGUE.replace("max_rows = 6", "max_rows = 3"))
    assert [(p.rule.name, p.data_set, p.count) for p in refused.value.report.problems] == [
        ("too-many-rows", "exams", 4)
    ]


def test_what_it_refers_to_is_checked_again(work: Workplace) -> None:
    """Exams are the same, but an area of theirs has gone from the census."""
    sources = work.files()
    run(work, sources)
    without = [row for row in CENSUS if row["LA code"] != "A2"]
    with pytest.raises(IngestRefused) as refused:
        run(work, {**sources, "census": [write_file(work.sources / "less.csv", without)]})
    assert [(p.rule.name, p.data_set) for p in refused.value.report.problems] == [("orphan", "exams")]
    assert open_current(work.cuts, "tiny").version == "1"


def test_a_new_code_reads_no_file_again(work: Workplace) -> None:
    first, _ = run(work, by_year(work))
    text = CATALOGUE.replace(
        '[["202122", "2021/2022", "AY"]', '[["202021", "2020/2021", "AY"], ["202122", "2021/2022", "AY"]'
    )
    second, told = run(work, by_year(work), text)
    assert told.of("read") == [] and told.of("write") == ["census", "exams"]
    assert told_of(first) == told_of(second)


def test_pupils_keep_their_pseudonyms_and_new_ones_get_others(work: Workplace) -> None:
    first, _ = run(work, work.files())
    more = [{**CENSUS[0], "pupil": f"N{i}", "points": str(i)} for i in range(20, 60)]
    second, _ = run(work, work.files([*more, *CENSUS]))
    before, after = ({row[-1]: row[0] for row in rows(one)} for one in (first, second))
    assert {points: after[points] for points in before} == before
    assert sorted(set(after.values()) | {row[0] for row in rows(second, "exams")}) == list(range(45))


def test_blanks_around_an_identifier_make_no_other_pupil(work: Workplace) -> None:
    again = [{**CENSUS[1], "pupil": " P1\t"}]
    files = {**work.files(), "census": [*work.files()["census"], write_file(work.sources / "again.csv", again)]}
    with pytest.raises(IngestRefused) as refused:
        run(work, files)
    assert [(p.rule.name, p.count) for p in refused.value.report.problems] == [("repeated-key", 1)]


def test_a_map_that_was_put_back_is_not_used_with_later_parts(work: Workplace) -> None:
    """Else a number that was given after the copy would be given again, to another pupil."""
    run(work, work.files())
    units = work.cuts / "tiny" / "units.duckdb"
    yesterday = units.read_bytes()
    late = [{**CENSUS[0], "pupil": "LATE", "points": "1"}]
    run(work, {**work.files(), "census": [*work.files()["census"], write_file(work.sources / "late.csv", late)]})
    units.write_bytes(yesterday)
    other = [{**CENSUS[0], "pupil": "OTHER", "points": "2"}]
    files = [write_file(work.sources / name, [row]) for name, row in (("other.csv", other[0]), ("late.csv", late[0]))]
    published, told = run(work, {**work.files(), "census": [*work.files()["census"], *files]})
    assert told.of("read") == ["census other.csv", "census late.csv"]
    units_of = {row[-1]: row[0] for row in rows(published)}
    assert units_of[1] != units_of[2]


def test_a_file_that_changes_while_it_is_read_is_refused(work: Workplace) -> None:
    """Else its part would stand for the content of before, and be taken whenever that is given again."""

    class Amends:
        def step(self, name: str, done: int, total: int) -> None:
            if name == "read exams exams.csv":
                write_file(work.sources / "exams.csv", EXAMS[:2])

    with pytest.raises(IngestFailed, match=r"exams.csv changed while it was read"):
        ingest(load_catalogue(CATALOGUE), CATALOGUE, work.files(), work.cuts, Amends())
    published, told = run(work, work.files())
    assert told.of("read") == ["exams exams.csv"]
    assert len(rows(published, "exams")) == len(EXAMS)


def test_a_map_without_tables_is_as_none(work: Workplace) -> None:
    """What a run leaves that was killed when it had made the file, and nothing in it."""
    run(work, work.files())
    units = work.cuts / "tiny" / "units.duckdb"
    units.unlink()
    duckdb.connect(str(units)).close()
    published, told = run(work, work.files())
    assert len(told.of("read")) == 2 and published.version == "2"


def test_a_damaged_map_is_told(work: Workplace) -> None:
    run(work, work.files())
    units = work.cuts / "tiny" / "units.duckdb"
    units.write_bytes(units.read_bytes()[:100])
    with pytest.raises(IngestFailed, match=r"units.duckdb of the cut is damaged: restore it, or remove it"):
        run(work, work.files())
    units.unlink()
    assert run(work, work.files())[0].version == "2"


PROGRAM = textwrap.dedent("""
    import os, signal, sys
    from pathlib import Path
    from tests.ingest.builders import CATALOGUE, tiny
    from datasets.ingest import ingest
    class Kill:
        def step(self, name, done, total):
            if name == sys.argv[2]:
                os.kill(os.getpid(), signal.SIGKILL)
    sources = Path(sys.argv[1])
    files = {"census": [sources / "census202122.csv", sources / "census202223.csv"], "exams": [sources / "exams.csv"]}
    ingest(tiny(), CATALOGUE, files, sources.parent / "cuts", Kill())
""")


@pytest.mark.parametrize(
    ("at", "again"),
    [
        ("read census census202223.csv", ["census census202223.csv", "exams exams.csv"]),
        ("read exams exams.csv", ["exams exams.csv"]),
        ("write exams", []),
        ("publish", []),
    ],
)
def test_a_killed_run_goes_on_where_it_was(work: Workplace, at: str, again: list[str]) -> None:
    sources = by_year(work)
    killed = subprocess.run([sys.executable, "-c", PROGRAM, str(work.sources), at], check=False, timeout=60)
    assert killed.returncode == -signal.SIGKILL
    published, told = run(work, sources)
    assert told.of("read") == again and published.version == "1"
    assert open_current(work.cuts, "tiny", check=True) == published
    (work.sources.parent / "again").mkdir()
    elsewhere = Workplace(work.sources.parent / "again")
    fresh, _ = run(elsewhere, by_year(elsewhere))
    assert told_of(fresh) == told_of(published)


def test_a_part_that_is_damaged_is_read_again(work: Workplace) -> None:
    run(work, work.files())
    for part in (work.cuts / "tiny" / "parts").iterdir():
        part.write_bytes(part.read_bytes()[:100])
    published, told = run(work, work.files())
    assert len(told.of("read")) == 2 and published.version == "2"


def test_a_refused_file_leaves_private_parts_that_can_be_removed(work: Workplace) -> None:
    first, _ = run(work, by_year(work))
    with pytest.raises(IngestRefused):
        run(work, by_year(work, changed(CENSUS, 0, sex="wrong")))
    assert open_current(work.cuts, "tiny", check=True) == first
    parts = work.cuts / "tiny" / "parts"
    assert len([*parts.iterdir()]) == 4 and parts.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in parts.iterdir()} == {0o600}
    assert (prune(work.cuts, "tiny").files, len([*parts.iterdir()])) == (1, 3)
    _, told = run(work, by_year(work))
    assert told.of("read") == []
    assert prune(work.cuts, "tiny", every=True).files == 3
    assert len(run(work, by_year(work))[1].of("read")) == 3


def test_slices_make_no_difference(work: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys, rows per period and order are those of all rows together, however few are looked at together."""
    whole, _ = run(work, by_year(work))
    monkeypatch.setattr(slices, "AT_ONCE", 1)
    again, _ = run(work, work.files())
    assert rows(whole) == rows(again)
    twice = [*CENSUS, {**CENSUS[1], "points": "3"}]
    with pytest.raises(IngestRefused) as refused:
        run(work, by_year(work, twice))
    assert [(p.rule.name, p.count) for p in refused.value.report.problems] == [("repeated-key", 1)]


def test_a_stage_that_the_catalogue_does_not_name_is_refused(work: Workplace) -> None:
    with pytest.raises(IngestFailed, match=r"release of exams: .*'amended'; the catalogue names none"):
        ingest(load_catalogue(CATALOGUE), CATALOGUE, work.files(), work.cuts, releases={"exams": "amended"})


@pytest.mark.slow
def test_memory_is_bounded(work: Workplace) -> None:
    """900,000 records, of which texts alone are some 60 MB, under a limit that holds a fraction of them."""
    path = work.sources / "census.parquet"
    text = CATALOGUE[: CATALOGUE.index("[data_sets.exams]")]
    with duckdb.connect() as con:
        con.execute(
            "COPY (SELECT md5(i::VARCHAR) AS pupil, CASE WHEN i % 3 = 0 THEN '202122' ELSE '202223' END AS year, "
            "'A1' AS \"LA code\", 'N' AS region, 'F' AS sex, (i % 101) / 10 AS score, i % 100 AS points "
            f"FROM range(900000) r(i)) TO '{path}' (FORMAT parquet)"
        )
    published = ingest(load_catalogue(text), text, {"census": [path]}, work.cuts, memory_limit="200MB")
    assert published.manifest.data_sets["census"].periods == {"202122": 300_000, "202223": 600_000}
    with pytest.raises(IngestFailed, match="out of memory"):
        ingest(load_catalogue(text), text, {"census": [path]}, work.cuts / "other", memory_limit="10MB")
