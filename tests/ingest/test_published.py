"""Versions, pointer, manifest and modes; damage is noticed."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from datasets.ingest import CutDamaged, CutNotFound, Manifest, list_cuts, open_current
from tests.ingest.builders import CATALOGUE, CENSUS, EXAMS, Workplace, tiny


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_versions_count_up_and_the_pointer_follows(work: Workplace) -> None:
    first = work.ingest(work.files())
    before = {p.name: p.read_bytes() for p in first.path.iterdir()}
    second = work.ingest(work.files(kind="parquet"))
    assert (first.version, second.version) == ("1", "2")
    assert (work.cuts / "tiny" / "current").read_text() == "2\n"
    assert open_current(work.cuts, "tiny", check=True) == second
    assert {p.name: p.read_bytes() for p in first.path.iterdir()} == before
    assert list_cuts(work.cuts) == ("tiny",)


def test_layout_and_modes(work: Workplace) -> None:
    published = work.ingest(work.files())
    found = {str(p.relative_to(work.cuts)): p.stat().st_mode & 0o777 for p in work.cuts.rglob("*")}
    parts = [name for name in found if name.startswith("tiny/parts/")]
    assert len(parts) == 2
    assert found == {
        "tiny": 0o700,
        "tiny/current": 0o600,
        "tiny/1": 0o700,
        "tiny/1/census.duckdb": 0o600,
        "tiny/1/exams.duckdb": 0o600,
        "tiny/parts": 0o700,
        "tiny/ranks.secret": 0o600,
        "tiny/units.duckdb": 0o600,
        **dict.fromkeys(parts, 0o600),
        "tiny/1/manifest.json": 0o600,
        "tiny/1/catalogue.toml": 0o600,
        **{f"tiny/1/{file.name}": 0o600 for file in published.manifest.written},
    }
    assert published.catalogue_text == CATALOGUE
    assert published.path == work.cuts / "tiny" / "1"


def test_the_manifest_states_facts(work: Workplace) -> None:
    files = work.files()
    published = work.ingest(files)
    manifest = published.manifest
    assert (manifest.cut, manifest.title, manifest.synthetic, manifest.version) == ("tiny", "A tiny cut", True, "1")
    assert manifest.catalogue_sha256 == tiny().digest
    for data_set, path in published.databases.items():
        database = manifest.data_sets[data_set].database
        assert (database.sha256, database.bytes) == (_sha256(path), path.stat().st_size)
    assert {k: v.rows for k, v in manifest.data_sets.items()} == {"census": len(CENSUS), "exams": len(EXAMS)}
    for name, (path,) in files.items():
        (file,) = manifest.data_sets[name].files
        assert (file.name, file.bytes, file.sha256) == (path.name, path.stat().st_size, _sha256(path))
    created = datetime.fromisoformat(manifest.created)
    assert created.tzinfo == UTC and datetime.now(UTC) - created < timedelta(minutes=5)
    assert set(manifest.tool) == {"privacy-controlling-api", "duckdb"}
    assert Manifest.read(manifest.text()) == manifest
    assert str(work.sources) not in manifest.text()
    assert published.report_text.splitlines()[0] == "census: 5 records of census.csv"


@pytest.mark.parametrize("cut", ["other", "", "..", "tiny/1", "TINY"])
def test_a_cut_that_is_not_there(work: Workplace, cut: str) -> None:
    work.ingest(work.files())
    with pytest.raises(CutNotFound):
        open_current(work.cuts, cut)


def test_no_cuts(work: Workplace) -> None:
    assert list_cuts(work.cuts) == ()
    (work.cuts / "unfinished").mkdir(parents=True)
    assert list_cuts(work.cuts) == ()


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("../current", "3\n"),
        ("../current", "../1\n"),
        ("../current", ""),
        ("manifest.json", ""),
        ("manifest.json", "[]"),
        ("manifest.json", '{"database": {}}'),
        ("manifest.json", None),
        ("catalogue.toml", CATALOGUE + "# changed\n"),
        ("catalogue.toml", None),
        ("exams.duckdb", "short"),
        ("exams.duckdb", None),
    ],
)
def test_damage_is_noticed(work: Workplace, file: str, content: str | None) -> None:
    path = work.ingest(work.files()).path / file
    path.unlink() if content is None else path.write_text(content)
    with pytest.raises(CutDamaged):
        open_current(work.cuts, "tiny")


def test_a_swapped_manifest_is_noticed(work: Workplace) -> None:
    published = work.ingest(work.files())
    raw = json.loads(published.manifest.text()) | {"version": "2"}
    (published.path / "manifest.json").write_text(json.dumps(raw))
    with pytest.raises(CutDamaged):
        open_current(work.cuts, "tiny")


def test_a_changed_byte_is_noticed_on_check(work: Workplace) -> None:
    published = work.ingest(work.files())
    path = published.databases["exams"]
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    assert open_current(work.cuts, "tiny") == published
    with pytest.raises(CutDamaged):
        open_current(work.cuts, "tiny", check=True)
