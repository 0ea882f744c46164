"""What users ask of a release: a tier, coverage, mess, few tables, CSV, an import that costs nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from datasets.catalogue_toml import load_catalogue
from datasets.catalogue_toml.bundle import bundle
from datasets.ingest import ingest
from privacy_api.cli import app
from synthetic import Plan, check, make
from synthetic.demo import TABLES, make_demo


@pytest.fixture(scope="module")
def npd(root: Path) -> Path:
    return root / "datasets" / "npd"


def broken(folder: Path) -> list[str]:
    return [f.rule for f in check(folder) if f.broken]


def count(folder: Path, query: str) -> int:
    with duckdb.connect() as connection:
        row = connection.execute(query.replace("CENSUS", f"read_parquet('{folder}/census/*.parquet')")).fetchone()
    return int(row[0]) if row else 0


def test_importing_it_costs_nothing() -> None:
    program = "import sys, time; import synthetic; print(len(sys.modules), time.process_time(), sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules, seconds, names = done.stdout.split(" ", 2)
    assert not {"numpy", "duckdb", "scipy", "sqlglot", "pydantic"} & set(
        names.strip("[]\n").replace("'", "").split(", ")
    )
    assert int(modules) < 400
    assert float(seconds) < 0.3


@pytest.mark.slow
def test_the_demonstration_can_be_served(npd: Path, tmp_path: Path) -> None:
    demo = make_demo(tmp_path / "demo", npd, pupils=2_000, workers=1)
    assert set(demo.sources) == set(TABLES)
    text = bundle(demo.catalogue)
    catalogue = load_catalogue(text)
    assert 25 <= sum(v.is_own for d in catalogue.data_sets for v in d.variables) <= 90
    ingest(catalogue, text, demo.sources, tmp_path / "cuts")
    assert broken(tmp_path / "demo") == []


def test_few_tables_in_csv_have_their_own_catalogue(npd: Path, tmp_path: Path) -> None:
    tables = {"census": ("sex", "fsm_eligible"), "ks2": ("reading_score",)}
    made = make(Plan(1_000, range(2024, 2025), tables=tables, terms=("SPR",)), tmp_path / "few", npd, as_csv=True)
    catalogue = load_catalogue(bundle(tmp_path / "few" / "catalogue"))
    assert {d.id for d in catalogue.data_sets} == {"schools", "census", "ks2"}
    header = (tmp_path / "few" / "census" / "2024-SPR-000.csv").read_text(encoding="utf-8").splitlines()[0]
    columns = ["PupilMatchingRefAnonymous", "year", "term", "school", "sex", "fsm_eligible", "is_synthetic"]
    assert header.split(",") == columns
    assert all(n.endswith(".csv") for n in made["files"] if n != "rolls.parquet")
    with pytest.raises(ValueError, match="tables: nothing is no data set"):
        make(Plan(1_000, range(2024, 2025), tables={"nothing": ()}), tmp_path / "none", npd)


def test_a_duckdb_file_has_all_tables_and_says_what_it_is(npd: Path, tmp_path: Path) -> None:
    tables = {"census": ("sex",), "ks2": ("reading_score",)}
    made = make(Plan(1_000, range(2024, 2025), tables=tables), tmp_path / "few", npd)
    asked = ["synthetic", "duckdb", str(tmp_path / "few"), str(tmp_path / "all.duckdb")]
    assert CliRunner().invoke(app, asked).exit_code == 0
    with duckdb.connect(str(tmp_path / "all.duckdb"), read_only=True) as connection:
        about = dict(connection.execute("FROM about").fetchall())
        comments = dict(connection.execute("SELECT table_name, comment FROM duckdb_tables()").fetchall())
        rows = connection.execute("SELECT count(*), count(*) FILTER (is_synthetic) FROM census").fetchone()
    assert (about["provenance"], about["tier"]) == ("synthetic", "T1")
    assert set(comments) == {"about", "schools", "census", "ks2", "rolls"}
    assert all("nobody in these rows exists" in said for name, said in comments.items() if name != "about")
    expected = sum(f["rows"] for name, f in made["files"].items() if name.startswith("census/"))
    assert rows == (expected, expected)
    again = CliRunner().invoke(app, asked)
    assert (again.exit_code, "is there already" in again.output) == (1, True)


@pytest.mark.slow
def test_structure_alone_keeps_every_rule_and_claims_nothing(npd: Path, tmp_path: Path) -> None:
    made = make(Plan(3_000, range(2023, 2025), tier="T0"), tmp_path / "flat", npd)
    assert made["claims"] == []
    assert broken(tmp_path / "flat") == []
    eligible = count(tmp_path / "flat", "SELECT count(*) FILTER (fsm_eligible = '1') * 100 // count(*) FROM CENSUS")
    assert 45 <= eligible <= 55


@pytest.mark.slow
def test_with_coverage_every_code_occurs_and_rules_hold(npd: Path, tmp_path: Path) -> None:
    make(Plan(25_000, range(2024, 2025), coverage=True), tmp_path / "covered", npd)
    findings = check(tmp_path / "covered")
    assert [f for f in findings if f.broken] == []
    assert "coverage" in {f.rule for f in findings}
    make(Plan(25_000, range(2024, 2025)), tmp_path / "plain", npd)
    content = json.loads((tmp_path / "plain" / "manifest.json").read_text(encoding="utf-8"))
    content["plan"]["coverage"] = True
    (tmp_path / "plain" / "manifest.json").write_text(json.dumps(content), encoding="utf-8")
    (found,) = check(tmp_path / "plain", only=["coverage"])
    assert found.broken > 0
    with pytest.raises(ValueError, match="coverage: wants more pupils"):
        make(Plan(1_000, range(2024, 2025), coverage=True), tmp_path / "few", npd)


@pytest.mark.slow
def test_mess_is_counted_and_what_ingest_would_refuse_stands_apart(npd: Path, tmp_path: Path) -> None:
    folder = tmp_path / "messy"
    made = make(Plan(4_000, range(2023, 2025), messiness=1.0, tables={"census": (), "registrations": ()}), folder, npd)
    counts = made["messiness"]
    kinds = {"missing", "duplicates", "corrections", "ethnic groups", "late joiners", "second registrations"}
    assert set(counts) == kinds
    assert min(counts.values()) > 0
    anew = """SELECT count(*) FROM CENSUS n JOIN CENSUS o USING (PupilMatchingRefAnonymous, term)
        WHERE n.year = '202324' AND o.year = '202223' AND n.ethnicity <> o.ethnicity"""
    assert 0.7 * counts["ethnic groups"] <= count(folder, anew) <= counts["ethnic groups"], "few were not there before"
    assert broken(folder) == []
    for kind in ("duplicates", "corrections"):
        apart = f"SELECT count(*) FROM read_parquet('{folder}/mess/{kind}/*.parquet')"
        again = f"{apart} m JOIN CENSUS c USING (PupilMatchingRefAnonymous, year, term)"
        assert count(folder, apart) == count(folder, again) == counts[kind]
    clean = make(Plan(4_000, range(2023, 2025), tables={"census": (), "registrations": ()}), tmp_path / "clean", npd)
    assert clean["messiness"] == {}
    empty = "SELECT count(*) FILTER (boarder IS NULL) FROM CENSUS"
    assert count(folder, empty) > count(tmp_path / "clean", empty) == 0


@pytest.mark.slow
def test_workers_do_not_change_a_byte(npd: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synthetic.npd.release.LINES_PER_CHUNK", 700)
    plan = Plan(2_000, range(2024, 2025), seed=9)
    one, two = (make(plan, tmp_path / str(n), npd, workers=n) for n in (1, 2))
    assert one == two
    assert len([n for n in one["files"] if n.startswith("census/2024-SPR")]) > 1
    assert broken(tmp_path / "2") == []
