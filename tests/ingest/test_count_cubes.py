"""Count cubes that ingest makes: what is in them, how they are kept, and that damaged ones are refused."""

from __future__ import annotations

import hashlib
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from datasets.catalogue_toml import load_catalogue
from datasets.cubes import chosen, dtype_of, shape_of
from datasets.engines.cubes import CubeEngine
from datasets.engines.duckdb import DuckDBEngine
from datasets.ingest import CutDamaged, Manifest, Published, open_cubes, open_current
from datasets.query import Measure, Query
from datasets.validate import Limits, validate
from disclosure.aggregates import Count
from tests.ingest.builders import CATALOGUE, CENSUS, Workplace, changed, tiny


def test_every_data_set_gets_the_cubes_of_its_catalogue(work: Workplace) -> None:
    published = work.ingest(work.files())
    assert {key: tuple(cube.axes for cube in facts.cubes) for key, facts in published.manifest.data_sets.items()} == {
        data_set.id: chosen(data_set) for data_set in tiny().data_sets
    }
    assert Manifest.read(published.manifest.text()) == published.manifest


def test_files_are_described_and_as_private_as_the_rows(work: Workplace) -> None:
    published = work.ingest(work.files())
    cubes = [file for file in published.manifest.written if file.name.endswith(".npy")]
    assert cubes
    for file in cubes:
        path = published.path / file.name
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert (file.bytes, file.sha256) == (path.stat().st_size, digest)
        assert file.name.endswith(f".{digest[:16]}.npy")
        assert path.stat().st_mode & 0o777 == 0o600


def test_a_cube_counts_each_record_once(work: Workplace) -> None:
    published = work.ingest(work.files())
    for data_set in tiny().data_sets:
        for cube in open_cubes(published, tiny())[data_set.id]:
            assert cube.axes[0] == "year"
            assert (cube.counts.shape, cube.counts.dtype) == (shape_of(data_set, cube.axes), dtype_of(data_set))
            assert cube.counts.sum() == published.manifest.data_sets[data_set.id].rows


def test_a_cube_of_what_was_asked_for_is_what_the_rows_say(work: Workplace) -> None:
    work.text = CATALOGUE.replace('sort_by = ["la"]', 'sort_by = ["la"]\ncubes = [["sex"], ["score"]]')
    published = work.ingest(work.files())
    sex, score = open_cubes(published, load_catalogue(work.text))["census"]
    assert (sex.axes, score.axes) == (("year", "sex"), ("year", "score"))
    assert np.array_equal(sex.counts, [[1, 1, 1], [1, 1, 0]]), "years × M, F, U"
    assert np.array_equal(score.counts, [[0, 1, 0, 2], [1, 0, 1, 0]]), "years × <2, <5, to 10, missing"


def test_a_table_that_stays_gets_the_cubes_that_are_now_asked_for(work: Workplace) -> None:
    files = work.files()
    first = work.ingest(files).manifest.data_sets["census"]
    work.text = CATALOGUE.replace('sort_by = ["la"]', 'sort_by = ["la"]\ncubes = [["sex"]]')
    second = work.ingest(files)
    assert second.manifest.data_sets["census"].database == first.database
    assert [cube.axes for cube in open_cubes(second, load_catalogue(work.text))["census"]] == [("year", "sex")]
    work.text = work.text.replace('title = "Exams"\nmax_rows = 6', 'title = "Exams"\nmax_rows = 5_000_000_000')
    third = open_cubes(work.ingest(files), load_catalogue(work.text))
    assert third["census"][0].counts.dtype == np.uint32
    assert {cube.counts.dtype for cube in third["exams"]} == {np.dtype(np.uint64)}


def test_rows_that_are_left_out_are_not_counted(work: Workplace) -> None:
    """Of a key that bounds the rows of a pupil, a cube counts those that are kept, as a scan does."""
    work.text = CATALOGUE.replace('unit = "pupil"\ntime = "year"', 'unit = "pupil"\nbound_rows = 1')
    published = work.ingest(work.files())
    assert work.text != CATALOGUE and published.manifest.data_sets["census"].rows == 5
    for cube in open_cubes(published, load_catalogue(work.text))["census"]:
        assert cube.counts.sum() == 4, "P1 has two records"


def test_queries_share_what_none_can_change(work: Workplace) -> None:
    for cubes in open_cubes(work.ingest(work.files()), tiny()).values():
        for cube in cubes:
            with pytest.raises(ValueError, match="read-only"):
                cube.counts += np.uint32(1)


def test_what_is_published_answers_as_the_table_does(work: Workplace) -> None:
    published = work.ingest(work.files())
    census = tiny().data_sets[0]
    query = Query("census", (Measure("n", "count"),), ("la.region", "sex"))
    plan = validate(query, census, frozenset({"sex"}), Limits(1000, 4)).plan(0, [Count()])
    with closing(DuckDBEngine(published.databases)) as scan:
        engine = CubeEngine(scan, open_cubes(published, tiny()))
        assert engine.cube_for(plan)
        assert np.array_equal(engine.aggregate(plan)[Count()], scan.aggregate(plan)[Count()])


def _cube(published: Published) -> Path:
    return published.path / published.manifest.data_sets["census"].cubes[0].file.name


def test_a_cube_that_is_cut_short_or_gone_is_refused(work: Workplace) -> None:
    path = _cube(work.ingest(work.files()))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(CutDamaged, match="cube"):
        open_current(work.cuts, "tiny")
    path.unlink()
    with pytest.raises(CutDamaged):
        open_current(work.cuts, "tiny")


def test_a_changed_count_is_noticed_on_check(work: Workplace) -> None:
    path = _cube(work.ingest(work.files()))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    open_current(work.cuts, "tiny")
    with pytest.raises(CutDamaged, match="cube"):
        open_current(work.cuts, "tiny", check=True)


def test_a_cube_of_another_version_is_not_found_under_its_name(work: Workplace) -> None:
    first = work.ingest(work.files())
    second = work.ingest(work.files(census=changed(CENSUS, 0, sex="M")))
    assert _cube(first).name != _cube(second).name
    _cube(second).unlink()
    _cube(first).rename(second.path / _cube(first).name)
    with pytest.raises(CutDamaged):
        open_current(work.cuts, "tiny")


@pytest.mark.parametrize("counts", [np.zeros((2, 3), np.uint32), np.zeros(0), b"no array", b""])
def test_a_file_of_another_shape_or_kind_is_refused(work: Workplace, counts: object) -> None:
    published = work.ingest(work.files())
    if isinstance(counts, bytes):
        _cube(published).write_bytes(counts)
    else:
        np.save(_cube(published), counts)
    with pytest.raises(CutDamaged, match="cut tiny, version 1"):
        open_cubes(published, tiny())


def test_a_pickle_is_not_even_looked_into(work: Workplace) -> None:
    published = work.ingest(work.files())
    np.save(_cube(published), np.array([object()]), allow_pickle=True)
    with pytest.raises(CutDamaged):
        open_cubes(published, tiny())
