"""A cut for Spark: the same rows in Parquet files, codes as their places, keys as signed numbers, nothing else."""

from __future__ import annotations

import hashlib
from pathlib import Path

import duckdb
import pytest

from datasets.catalogue import DataSet
from datasets.ingest import CutDamaged, IngestFailed, Published, SourceFile, open_current
from datasets.ingest import parquet as writing
from datasets.ingest.parquet import write_parquet
from datasets.ingest.sql import Sql
from tests.ingest.builders import CENSUS, Workplace, tiny
from tests.lib import school

Rows = list[tuple[object, ...]]


def for_spark(work: Workplace) -> Published:
    return work.ingest(work.files(), engine="spark")


def stored(published: Published) -> list[SourceFile]:
    return [file for facts in published.manifest.data_sets.values() for file in facts.stored]


def rows_of(database: Path, query: str) -> Rows:
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.execute(query).fetchall()


def parquet_rows(folder: Path, columns: str) -> Rows:
    query = f"SELECT {columns} FROM read_parquet('{folder}/**/*.parquet', hive_partitioning = true) ORDER BY ALL"
    with duckdb.connect() as connection:
        return connection.execute(query).fetchall()


def test_files_are_private_listed_and_in_place_of_the_database(work: Workplace) -> None:
    published = for_spark(work)
    found = {str(p.relative_to(published.path)): p.stat().st_mode & 0o777 for p in published.path.rglob("*")}
    files = [f"parquet/{name}/year={year}/part.parquet" for name in ("census", "exams") for year in (0, 1)]
    folders = {str(parent) for file in files for parent in list(Path(file).parents)[:-1]}
    cubes = [cube.file.name for of in published.manifest.data_sets.values() for cube in of.cubes]
    beside = [*cubes, "catalogue.toml", "manifest.json"]
    assert found == dict.fromkeys(folders, 0o700) | dict.fromkeys([*files, *beside], 0o600)
    facts = published.manifest.data_sets.values()
    assert published.manifest.engine == "spark" and {of.database for of in facts} == {None}
    assert [f.name for f in stored(published)] == files
    for file in stored(published):
        content = (published.path / file.name).read_bytes()
        assert (file.bytes, file.sha256) == (len(content), hashlib.sha256(content).hexdigest())
    assert open_current(work.cuts, "tiny", check=True) == published


def test_codes_are_their_places_and_ticks_are_themselves(work: Workplace) -> None:
    """The same files, once for each engine; which pupil has which number is another matter each time."""
    database, folder = work.ingest(work.files()).databases["census"], for_spark(work).parquet
    names = "year", "la", "la.region", "la.some", "sex", "score.bin", "score.wide"
    coded = ", ".join(f'enum_code("{name}")' for name in names)
    stored = rows_of(database, f"SELECT {coded}, score, points FROM census ORDER BY ALL")
    shown = ", ".join(f'"{name}"' for name in names)
    assert parquet_rows(folder / "census", f"{shown}, score, points") == stored
    assert len(stored) == 5 and any(None in row for row in stored)


def test_columns_are_whole_numbers_that_spark_has(work: Workplace) -> None:
    types = "SELECT DISTINCT type FROM parquet_schema(?) WHERE num_children IS NULL"
    for file in for_spark(work).parquet.rglob("*.parquet"):
        with duckdb.connect() as connection:
            found = connection.execute(types, [str(file)]).fetchall()
            signed = connection.execute(
                "SELECT count(*) FROM parquet_schema(?) WHERE converted_type LIKE 'UINT%'", [str(file)]
            )
            assert set(found) <= {("INT32",), ("INT64",)} and signed.fetchall() == [(0,)]


def test_record_keys_keep_their_bits(tmp_path: Path) -> None:
    keys = [0, 1, 2**63 - 1, 2**63, 2**64 - 1]
    census = school.keyed_census()
    atoms = {"year": 0, "la": 0, "sex": 0, "need": 0, "score": 0}
    rows = [school.Row(i, atoms, {"score": 0, "days": 0}, key) for i, key in enumerate(keys)]
    school.write_cut(tmp_path / "cut.duckdb", census, rows)
    write_parquet(tmp_path / "cut.duckdb", census, tmp_path, "500MB", 1)
    found = [key for (_, key) in parquet_rows(tmp_path / "parquet" / "census", "unit, record_key")]
    assert found == [0, 1, 2**63 - 1, -(2**63), -1]


def test_a_data_set_without_time_is_one_file(tmp_path: Path) -> None:
    text = school.CATALOGUE.replace('time = "year"\n', "").replace('type = "time"', 'type = "category"')
    census = school.load_catalogue(text.replace(', "AY"]', "]")).data_sets[0]
    atoms = {"year": 2, "la": 4, "sex": 1, "need": 3, "score": 2}
    school.write_cut(tmp_path / "cut.duckdb", census, [school.Row(7, atoms, {"score": 5, "days": 9})])
    (file,) = write_parquet(tmp_path / "cut.duckdb", census, tmp_path, "500MB", 1)
    assert file.name == "parquet/census/part.parquet"
    assert parquet_rows(tmp_path / "parquet" / "census", "unit, year, la, days") == [(7, 2, 4, 9)]


def test_an_empty_period_has_a_file_that_says_what_its_columns_are(tmp_path: Path) -> None:
    school.write_cut(tmp_path / "cut.duckdb", school.census(), [])
    files = write_parquet(tmp_path / "cut.duckdb", school.census(), tmp_path, "500MB", 1)
    assert len(files) == 3
    assert parquet_rows(tmp_path / "parquet" / "census", "count(*)") == [(0,)]


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    folder = tmp_path / "it's [1]* {2}"
    folder.mkdir()
    school.write_cut(folder / "cut.duckdb", school.census(), [])
    assert len(write_parquet(folder / "cut.duckdb", school.census(), folder, "500MB", 1)) == 3


def test_files_that_are_not_as_meant_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if a value had become another on its way."""
    atoms = {"year": 0, "la": 0, "sex": 0, "need": 0, "score": 0}
    school.write_cut(tmp_path / "cut.duckdb", school.census(), [school.Row(1, atoms, {"score": 0, "days": 3})])
    written = writing._written

    def changed(data_set: DataSet, columns: dict[str, Sql]) -> Sql:
        return Sql(written(data_set, columns).text.replace('"days"', '"days" + 1 AS "days"'))

    monkeypatch.setattr(writing, "_written", changed)
    with pytest.raises(IngestFailed, match="not as meant: data set census"):
        write_parquet(tmp_path / "cut.duckdb", school.census(), tmp_path, "500MB", 1)


@pytest.mark.parametrize("content", [None, b"short"])
def test_damage_is_noticed(work: Workplace, content: bytes | None) -> None:
    published = for_spark(work)
    file = published.path / stored(published)[1].name
    file.unlink() if content is None else file.write_bytes(content)
    with pytest.raises(CutDamaged):
        open_current(work.cuts, tiny().cut)


def test_a_changed_byte_is_noticed_on_check(work: Workplace) -> None:
    published = for_spark(work)
    file = published.path / stored(published)[0].name
    content = bytearray(file.read_bytes())
    content[-9] ^= 1
    file.write_bytes(content)
    assert open_current(work.cuts, "tiny") == published
    with pytest.raises(CutDamaged):
        open_current(work.cuts, "tiny", check=True)


def test_a_version_that_is_the_same_keeps_its_files_and_one_for_another_engine_does_not(work: Workplace) -> None:
    first, second = for_spark(work), for_spark(work)
    for file in stored(first):
        assert (first.path / file.name).stat().st_ino == (second.path / file.name).stat().st_ino
    assert stored(first) == stored(second) and first.version != second.version
    third = work.ingest(work.files())
    assert third.manifest.engine == "duckdb" and set(third.databases) == {"census", "exams"}
    fourth = for_spark(work)
    assert fourth.databases == {} and [f.name for f in stored(fourth)] == [f.name for f in stored(first)]


def test_where_one_data_set_changes_all_are_written_again(work: Workplace) -> None:
    """What links to another reads its database, which is gone."""
    first = for_spark(work)
    second = work.ingest(work.files(census=CENSUS[:-1]), engine="spark")
    assert second.manifest.data_sets["census"].rows == len(CENSUS) - 1
    inodes = [{(p.path / f.name).stat().st_ino for f in stored(p)} for p in (first, second)]
    assert not inodes[0] & inodes[1]
    assert open_current(work.cuts, "tiny", check=True) == second
