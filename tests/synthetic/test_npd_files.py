"""The generator of NPD-shaped files: the same seed the same bytes, keys that agree, codes of the catalogue."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import duckdb
import pytest

from datasets.catalogue import Catalogue
from datasets.catalogue_toml import load_catalogue
from datasets.catalogue_toml.bundle import bundle
from datasets.variables import Variable
from synthetic.npd import make
from synthetic.npd.make import chunks_of, silent, write_chunks
from synthetic.npd.schools import write_schools
from synthetic.npd.world import World

YEARS = range(2023, 2025)
Files = Mapping[str, Sequence[Path]]


@pytest.fixture(scope="module")
def npd(root: Path) -> Path:
    return root / "datasets" / "npd"


@pytest.fixture(scope="module")
def catalogue(npd: Path) -> Catalogue:
    return load_catalogue(bundle(npd))


@pytest.fixture(scope="module")
def files(npd: Path, tmp_path_factory: pytest.TempPathFactory) -> Files:
    return make(npd, tmp_path_factory.mktemp("made"), 1_500, YEARS, seed=7)


def rows(paths: Sequence[Path], query: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(
            query.replace("FILES", "read_parquet($paths)"), {"paths": list(map(str, paths))}
        ).fetchall()


def test_every_data_set_has_rows_in_every_column(files: Files, catalogue: Catalogue) -> None:
    for data_set in catalogue.data_sets:
        wanted = {v.column for v in data_set.own} | ({data_set.key.unit} if data_set.key.unit else set())
        found = {str(name) for name, *_ in rows(files[data_set.id], "DESCRIBE SELECT * FROM FILES")}
        assert found == wanted | {"is_synthetic"}


def test_no_value_is_outside_the_catalogue(files: Files, catalogue: Catalogue) -> None:
    for data_set in catalogue.data_sets:
        shown = [f'list(DISTINCT "{v.column}") || list(NULL) FILTER ("{v.column}" IS NULL)' for v in data_set.own]
        for v, found in zip(
            data_set.own, rows(files[data_set.id], f"SELECT {', '.join(shown)} FROM FILES")[0], strict=True
        ):
            assert outside(v, set(found or ())) == set(), f"{data_set.id}.{v.name}"  # type: ignore[call-overload]


def outside(v: Variable, found: set[object]) -> set[object]:
    """Values that ingest would refuse."""
    if v.numbers:
        n = v.numbers
        ticks = {x: float(str(x)) / float(n.step) for x in found if x is not None}
        wrong = {x for x, t in ticks.items() if not n.lowest <= t <= n.highest or abs(t - round(t)) > 1e-6}
        return wrong | ({None} & found if not n.optional else set())
    return found - {a.code for a in v.atoms} - ({None} if v.missing else set())


def test_keys_are_unique_and_pupils_the_same_everywhere(files: Files, catalogue: Catalogue) -> None:
    pupils = {p for (p,) in rows(files["census"], "SELECT DISTINCT PupilMatchingRefAnonymous FROM FILES")}
    assert all(len(str(p)) == 18 for p in pupils)
    for data_set in catalogue.data_sets:
        if data_set.key.unit is None:
            continue
        key = ", ".join(f'"{data_set.by_name[v].column}"' for v in ("year", *data_set.key.also))
        query = f"SELECT count(*), count(DISTINCT (PupilMatchingRefAnonymous, {key})) FROM FILES"
        total, distinct = rows(files[data_set.id], query)[0]
        assert total == distinct, data_set.id
        if data_set.id != "early_years":
            others = {p for (p,) in rows(files[data_set.id], "SELECT DISTINCT PupilMatchingRefAnonymous FROM FILES")}
            assert others <= pupils, data_set.id


def test_a_pupil_grows_by_one_year_group_a_year(files: Files) -> None:
    query = """
        SELECT count(*) FROM FILES a JOIN FILES b USING (PupilMatchingRefAnonymous, term)
        WHERE b.year::INT - a.year::INT = 101
          AND (CASE b.year_group WHEN 'R' THEN '0' ELSE b.year_group END)::INT
            - (CASE a.year_group WHEN 'R' THEN '0' ELSE a.year_group END)::INT <> 1
    """
    assert rows(files["census"], query) == [(0,)]
    by_pupil = "SELECT count(DISTINCT school) AS n FROM FILES GROUP BY PupilMatchingRefAnonymous"
    assert int(str(rows(files["census"], f"SELECT count(*) FROM ({by_pupil}) WHERE n > 1")[0][0])) > 50


def test_year_totals_are_of_their_parts(files: Files) -> None:
    both = {
        "absence": "SELECT sum(authorised), sum(unauthorised), sum(illness) FROM FILES",
        "absence_year": "SELECT sum(authorised), sum(unauthorised), sum(illness) FROM FILES",
    }
    assert len({rows(files[name], query)[0] for name, query in both.items()}) == 1
    suspended = rows(files["exclusions"], "SELECT count(*) FROM FILES WHERE category = 'FIXD'")[0][0]
    assert rows(files["exclusions_year"], "SELECT sum(suspensions) FROM FILES")[0][0] == suspended


def digests(files: Files) -> dict[str, list[tuple[str, str]]]:
    return {n: [(p.name, hashlib.sha256(p.read_bytes()).hexdigest()) for p in paths] for n, paths in files.items()}


def test_the_same_seed_gives_the_same_bytes(npd: Path, catalogue: Catalogue, tmp_path: Path, files: Files) -> None:
    assert digests(make(npd, tmp_path / "again", 1_500, YEARS, seed=7)) == digests(files)
    chunks = chunks_of(World(catalogue, npd, range(2024, 2025), 7), 300, 100)
    one, two = (write_chunks(chunks, tmp_path / str(n), silent, n) for n in (1, 2))
    assert [p.name for _, p, _ in one] == [p.name for _, p, _ in two]
    assert [p.read_bytes() for _, p, _ in one] == [p.read_bytes() for _, p, _ in two]
    other = write_chunks(
        chunks_of(World(catalogue, npd, range(2024, 2025), 8), 100, 100), tmp_path / "other", silent, 1
    )
    assert other[0][1].read_bytes() != one[0][1].read_bytes()


def test_schools_can_be_as_many_as_wanted(npd: Path, tmp_path: Path) -> None:
    shutil.copytree(npd, tmp_path / "npd")
    write_schools(tmp_path / "npd", 1_000)
    catalogue = load_catalogue(bundle(tmp_path / "npd"))
    schools = catalogue.data_set("schools")
    assert schools is not None
    assert len(schools.by_name["school"].atoms) == len(schools.by_name["laestab"].atoms) == 1_000
    with pytest.raises(ValueError, match="wants from"):
        write_schools(tmp_path / "npd", 10)
