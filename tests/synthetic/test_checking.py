"""What `synthetic check` asks of files: nothing broken in what `make` writes, and each planted fault found."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from synthetic import Plan, check, make

FIRST = "pupil = (SELECT min(pupil) FROM t)"
SWAPPED = "UPDATE t SET pupil = '{of_ks4}' WHERE {first}"
PLANTED = {
    # rule: (data set, file, statement on its rows, a table `t` with the file's columns)
    "census: key": ("census", "2024-SPR-000", "INSERT INTO t SELECT * FROM t LIMIT 1"),
    "census.sex: values": ("census", "2024-SPR-000", "UPDATE t SET sex = 'Q' WHERE {first}"),
    "census.idaci_rank: values": ("census", "2024-SPR-000", "UPDATE t SET idaci_rank = 40000 WHERE {first}"),
    "exclusions.reason: in use": ("exclusions", "2024-000", "UPDATE t SET reason = 'OT'"),
    "absence.holiday_extended: years": ("absence", "2024-SPR-000", "UPDATE t SET holiday_extended = 1"),
    "year groups": ("census", "2024-SPR-000", "UPDATE t SET year_group = '3' WHERE year_group = '5'"),
    "ages": ("census", "2024-SPR-000", "UPDATE t SET age = age + 1 WHERE {first}"),
    "stable": ("census", "2024-SPR-000", "UPDATE t SET month_of_birth = (month_of_birth::INT % 12 + 1)::VARCHAR"),
    "ks2: sex": ("ks2", "2024-000", "UPDATE t SET sex = CASE sex WHEN 'M' THEN 'F' ELSE 'M' END"),
    "ks2 before ks4": ("ks2", "2024-000", SWAPPED),
    "ks2: year group": ("ks2", "2024-000", SWAPPED),
    "ks4: year group": ("ks4", "2024-000", "UPDATE t SET pupil = '{of_ks2}' WHERE {first}"),
    "ks4: on roll": ("ks4", "2024-000", "UPDATE t SET pupil = '999999999999999999' WHERE {first}"),
    "schools: known": ("census", "2024-SPR-000", "UPDATE t SET school = '123456' WHERE {first}"),
    "schools: ages": ("census", "2024-SPR-000", "UPDATE t SET school = (SELECT min(school) FROM t WHERE year_group = '2')"),  # noqa: E501
    "schools: sexes": ("schools", "schools", "UPDATE t SET intake = 'girls'"),
    "schools: authority": ("cin", "2024-000", "UPDATE t SET la = 'E09000001'"),
    "needs": ("census", "2024-SPR-000", "UPDATE t SET primary_need = NULL"),
    "languages": ("census", "2024-SPR-000", "UPDATE t SET language_group = '1_ENG'"),
    "sen: provision": ("sen", "2024-000", "UPDATE t SET provision = 'N'"),
    "absence_year: sessions": ("absence_year", "2024-000", "UPDATE t SET sessions_possible = 0 WHERE authorised > 0"),
    "absence_year: authorised": ("absence_year", "2024-000", "UPDATE t SET illness = illness + 1 WHERE {first}"),
    "absence: terms": ("absence_year", "2024-000", "UPDATE t SET unauthorised = unauthorised + 1, late = late + 1"),
    "exclusions: order": ("exclusions", "2024-000", "UPDATE t SET \"order\" = '7' WHERE {first}"),
    "exclusions: totals": ("exclusions_year", "2024-000", "UPDATE t SET suspensions = suspensions + 1 WHERE {first}"),
    "ks4: entries": ("ks4", "2024-000", "UPDATE t SET entries = entries + 1 WHERE {first}"),
    "rolls": ("census", "2024-SPR-000", "DELETE FROM t WHERE {first}"),
    "files": ("census", "2024-SPR-000", "DELETE FROM t WHERE {first}"),
    "claim: free school meals": ("census", "2024-SPR-000", "UPDATE t SET fsm_eligible = '1' WHERE year_group = '4'"),
    "claim: special needs": ("census", "2024-SPR-000", "UPDATE t SET sen_provision = 'N' WHERE year_group = '4'"),
    "claim: first language": ("census", "2024-SPR-000", "UPDATE t SET language_group = '2_OTH' WHERE year_group = '4'"),
    "claim: ethnic group": ("census", "2024-SPR-000", "UPDATE t SET ethnicity = 'WBRI' WHERE year_group = '4'"),
    "claim: sex": ("census", "2024-SPR-000", "UPDATE t SET sex = 'F' WHERE year_group = '4'"),
    "claim: absence": ("absence_year", "2024-000", "UPDATE t SET authorised = 0, unauthorised = 0"),
}  # fmt: skip
QUICK = {"census: key", "ks2 before ks4", "absence: terms", "claim: free school meals"}


@pytest.fixture(scope="module")
def made(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release") / "made"
    make(Plan(1_000, range(2023, 2025), seed=3), folder, root / "datasets" / "npd")
    return folder


def test_nothing_is_broken_in_what_is_made(made: Path) -> None:
    findings = check(made)
    assert [f for f in findings if f.broken] == []
    assert {f.rule for f in findings} >= set(PLANTED)


@pytest.mark.parametrize("rule", [r if r in QUICK else pytest.param(r, marks=pytest.mark.slow) for r in PLANTED])
def test_a_planted_fault_is_found(made: Path, tmp_path: Path, rule: str) -> None:
    data_set, name, statement = PLANTED[rule]
    folder = tmp_path / "planted"
    shutil.copytree(made, folder)
    plant(folder, folder / data_set / f"{name}.parquet", statement)
    (found,) = check(folder, only=[rule])
    assert found.broken > 0


def plant(folder: Path, path: Path, statement: str) -> None:
    with duckdb.connect() as connection:
        run = connection.execute
        some = {
            of: run(f"SELECT min(PupilMatchingRefAnonymous) FROM '{folder}/{of}/2024-000.parquet'").fetchone()
            for of in ("ks2", "ks4")
        }
        run(f"CREATE TABLE t AS FROM '{path}'")
        columns = {str(r[0]): str(r[1]) for r in run("DESCRIBE t").fetchall()}
        for column, kind in columns.items():
            if kind.startswith("ENUM"):
                run(f'ALTER TABLE t ALTER "{column}" TYPE VARCHAR')
        if unit := "PupilMatchingRefAnonymous" in columns:
            run("ALTER TABLE t RENAME PupilMatchingRefAnonymous TO pupil")
        run(statement.format(first=FIRST, of_ks2=(some["ks2"] or [""])[0], of_ks4=(some["ks4"] or [""])[0]))
        if unit:
            run("ALTER TABLE t RENAME pupil TO PupilMatchingRefAnonymous")
        run(f"COPY t TO '{path}'")


def test_the_manifest_says_what_the_files_are(made: Path) -> None:
    content = json.loads((made / "manifest.json").read_text(encoding="utf-8"))
    assert content["provenance"] == "synthetic"
    assert content["plan"] == {
        "pupils": 1_000, "years": [2023, 2024], "seed": 3, "tables": {}, "terms": ["AUT", "SPR", "SUM"],
        "coverage": False, "messiness": 0.0, "schools": 0,
    }  # fmt: skip
    assert set(content["files"]) == {str(p.relative_to(made)) for p in made.rglob("*.parquet")}
    with duckdb.connect() as connection:
        query = f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{made}/census/2024-SPR-000.parquet')"
        marks = dict(connection.execute(query).fetchall())
    assert marks["provenance"] == "synthetic"
    assert marks["seed"] == "3"


def test_a_folder_without_a_release_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="synthetic make"):
        check(tmp_path)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"pupils": 999}, "pupils"), ({"pupils": 10_000_001}, "pupils"), ({"years": range(2024, 2024)}, "years"),
        ({"years": range(1999, 2001)}, "years"), ({"seed": -1}, "seed"), ({"tier": "T9"}, "tier"),
        ({"messiness": 1.5}, "messiness"), ({"terms": ("JAN",)}, "terms"), ({"schools": -1}, "schools"),
        ({"tables": {"no; such": ()}}, "tables"), ({"coverage": 1}, "coverage"),
    ],
)  # fmt: skip
def test_a_plan_says_what_it_wants(change: dict[str, object], field: str) -> None:
    given: dict[str, object] = {"pupils": 1_000, "years": range(2024, 2025)} | change
    with pytest.raises(ValueError, match=f"^{field}: wants"):
        Plan(**given)  # type: ignore[arg-type]
