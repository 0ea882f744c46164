"""T3 from the command line: a hosted cut, a fit that is charged, rows, a report, two signatures, a download."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import duckdb
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from datasets.catalogue_toml import bundle, load_catalogue
from datasets.ingest import ingest
from datasets.npd import FOLDER
from privacy_api.app import create_app
from privacy_api.bootstrap import open_services
from privacy_api.cli import app
from privacy_api.cli.cuts import bind, preset
from privacy_api.cli.progress import Bar
from privacy_api.gate import Gate
from privacy_api.ports import Project
from privacy_api.service.sandbox import grants_of
from privacy_api.settings import load_settings
from synthetic.demo import TABLES
from synthetic.npd.release import make
from synthetic.plan import Plan
from tests.lib.service import SYNTHETIC_MODEL

pytestmark = pytest.mark.slow
PUPILS, ROWS, RHO = 4_000, 5_000, "0.01497"
CENSUS = load_catalogue(bundle(FOLDER)).data_set("census")
assert CENSUS is not None
CODES = {v.name: [code.code for code in v.atoms] for v in CENSUS.variables}
COLUMNS = {
    "groupBy": [
        *("sex", "year_group", "ethnicity.major", "language_group", "fsm_eligible", "fsm6", "sen_provision", "REG"),
        *("primary_need", "school_type", "school_phase", "month_of_birth"),
    ],
    "impossible": [
        {"sen_provision": ["N"], "primary_need": [code for code in CODES["primary_need"] if code != "missing"]},
        {"sen_provision": [code for code in CODES["sen_provision"] if code != "N"], "primary_need": ["missing"]},
        {"fsm_eligible": ["1"], "fsm6": ["0"]},
    ],
    "criteria": {"timePeriods": {"eq": {"period": "2023/2024", "code": "AY"}}, "filters": {"term": {"eq": "SPR"}}},
}


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home to be copied: a cut that may be fitted, and a project."""
    folder = tmp_path_factory.mktemp("hosted")
    home = folder / "home"
    home.mkdir()
    tables = {**TABLES, "census": (*TABLES["census"], "summer_born", "english_additional", "fsm6")}
    made = folder / "made"
    make(Plan(PUPILS, range(2022, 2025), 2026, tables=tables, terms=("SPR",)), made, FOLDER)
    sources = {name: sorted((made / name).glob("*.parquet")) for name in tables}
    text = bundle(made / "catalogue")
    with Bar() as bar:
        ingest(load_catalogue(text), text, sources, home / "cuts", bar)
    bind(home / "policies", "npd-synthetic", preset("dp-default") + SYNTHETIC_MODEL)
    services = open_services(load_settings({}, home=home, mode="demo"))
    grants = grants_of(load_catalogue(text))
    services.projects.create_project(Project("models", "Models", 10**9, grants))
    services.close()
    return home


@pytest.fixture
def home(hosted: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(hosted, tmp_path / "home"))


def run(*arguments: object, code: int = 0) -> str:
    found = CliRunner().invoke(app, [str(a) for a in arguments])
    assert found.exit_code == code, found.output + repr(found.exception)
    return found.output


def spent(home: Path) -> int:
    services = open_services(load_settings({}, home=home, mode="demo"))
    try:
        return services.ledger.cut_balance("npd-synthetic", 10**9).spent
    finally:
        services.close()


def test_from_a_hosted_cut_to_a_release_that_anybody_downloads(home: Path, tmp_path: Path) -> None:
    columns, model, out = tmp_path / "columns.json", tmp_path / "model.json", tmp_path / "out"
    columns.write_text(json.dumps(COLUMNS), encoding="utf-8")
    here = ("--home", home, "--mode", "demo")
    fit = ("synthetic", "fit", "npd-synthetic.census", columns, model, "--project", "models", "--rho", RHO, *here)
    assert "charged 14970000 nano-rho" in run(*fit)
    assert spent(home) == 14_970_000
    first = model.read_bytes()
    assert "charged 0 nano-rho" in run(*fit)
    assert (spent(home), model.read_bytes()) == (14_970_000, first)

    assert f"{ROWS} rows" in run("synthetic", "draw", model, out, "--rows", ROWS, "--seed", 3)
    run("synthetic", "check", out)
    assert "1-way score" in run("synthetic", "report", out)
    report = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert report["reference"].startswith("the noisy margins")
    assert report["about"]["price"]["rho"] == float(RHO)

    def sign(officer: str, code: int = 0) -> str:
        return run("synthetic", "release", out, "--officer", officer, "--reason", "Looked at.", *here, code=code)

    assert "signed by 1 of 2" in sign("ada")
    assert listed(home) == []
    assert "signed this release already" in sign("ada", code=1)
    assert "released: signed by ada, olive" in sign("olive")
    (release,) = listed(home)
    assert (release["tier"], release["pupils"]) == ("T3", ROWS)
    assert [(t["name"], t["rows"]) for t in release["tables"]] == [("census", ROWS)]
    assert release["tables"][0]["sha256"] == sha256((out / "census" / "pupils-001.parquet").read_bytes()).hexdigest()
    assert spent(home) == 14_970_000, "all after the fit is free"


def listed(home: Path) -> list[dict]:  # type: ignore[type-arg]
    services = open_services(load_settings({}, home=home, mode="demo"))
    try:
        with TestClient(create_app(services, Gate(2, 8))) as client:
            found = client.get("/v1/synthetic/releases").json()["results"]
            for release in found:
                assert client.get(release["links"]["report"]).status_code == 200
                assert client.get(release["tables"][0]["links"]["parquet"]).content[:4] == b"PAR1"
            return list(found)
    finally:
        services.close()


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ({"groupBy": ["nothing"]}, "VariableNotFound"),
        ({"groupBy": "sex"}, "a list of names"),
        ({"columns": ["sex"]}, "groupBy"),
        ({"groupBy": ["sex"], "criteria": {"filters": {}}}, "criteria"),
        ({"groupBy": ["sex"], "impossible": {"sex": ["F"]}}, "a list of objects"),
        ({"groupBy": ["sex"], "impossible": [{"sex": "F"}]}, "a list of codes for each column"),
        (COLUMNS | {"impossible": [{"sex": ["F"], "fsm6": ["2"]}]}, "'2' is none of its codes: 1, 0"),
        (COLUMNS | {"groupBy": ["sex", "summer_born"]}, "is worked out from month_of_birth, not modelled"),
    ],
)
def test_what_cannot_be_fitted_is_said(home: Path, tmp_path: Path, content: object, wanted: str) -> None:
    columns = tmp_path / "columns.json"
    columns.write_text(json.dumps(content), encoding="utf-8")
    fit = ("synthetic", "fit", "npd-synthetic.census", columns, tmp_path / "model.json", "--project", "models")
    assert wanted in run(*fit, "--home", home, "--mode", "demo", code=1)
    assert spent(home) == 0


def test_a_model_that_nobody_was_charged_for_is_not_signed(home: Path, tmp_path: Path) -> None:
    columns, model, out = tmp_path / "columns.json", tmp_path / "model.json", tmp_path / "out"
    columns.write_text(json.dumps(COLUMNS | {"groupBy": ["sex", "fsm_eligible"], "impossible": []}), encoding="utf-8")
    here = ("--home", home, "--mode", "demo")
    run("synthetic", "fit", "npd-synthetic.census", columns, model, "--project", "models", "--rho", "0.001", *here)
    document = json.loads(model.read_text(encoding="utf-8"))
    document["model"]["margins"][0]["counts"][0] += 1
    model.write_text(json.dumps(document, separators=(",", ":"), ensure_ascii=False), encoding="utf-8")
    run("synthetic", "draw", model, out, "--rows", 1000)
    run("synthetic", "report", out)
    told = run("synthetic", "release", out, "--officer", "ada", "--reason", "Looked at.", *here, code=1)
    assert "none that this service fitted and charged" in told


def test_a_model_is_hosted_as_any_cut(home: Path, tmp_path: Path) -> None:
    """What was drawn can be ingested with its own catalogue."""
    columns, model, out = tmp_path / "columns.json", tmp_path / "model.json", tmp_path / "out"
    columns.write_text(json.dumps(COLUMNS), encoding="utf-8")
    here = ("--home", home, "--mode", "demo")
    run("synthetic", "fit", "npd-synthetic.census", columns, model, "--project", "models", "--rho", RHO, *here)
    run("synthetic", "draw", model, out, "--rows", 1000)
    (tmp_path / "other").mkdir()
    source = f"census={out}/census/pupils-001.parquet"
    other = tmp_path / "other"
    assert "published npd-synthetic" in run("ingest", out / "catalogue", source, "--home", other)
    bind(other / "policies", "npd-synthetic", preset("dp-default"))
    services = open_services(load_settings({}, home=other, mode="demo"))
    try:
        census = services.data_sets["npd-synthetic.census"].data_set
        assert {v.name for v in census.variables if v.derived} == {
            "summer_born",
            "sen_need_group",
            "english_additional",
        }
        with TestClient(create_app(services, Gate(2, 8))) as client:
            meta = client.get("/v1/data-sets/npd-synthetic.census/meta").json()
        assert {"summer_born", "fsm6", "primary_need"} <= {v["name"] for v in meta["variables"]}
    finally:
        services.close()
    with duckdb.connect() as connection:
        rows = f"FROM read_parquet('{out}/census/*.parquet')"
        query = f"SELECT count(*) FILTER (fsm_eligible = '1' AND fsm6 = '0'), count(*) FILTER (fsm6 = '1') {rows}"
        assert connection.execute(query).fetchone()[0] == 0  # type: ignore[index]
        assert connection.execute(query).fetchone()[1] > 100  # type: ignore[index]
