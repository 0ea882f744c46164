"""`privacy-api output-check` as a person in a safe room runs it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from datasets.catalogue_toml import load_catalogue
from datasets.ingest import ingest
from privacy_api.bootstrap import open_stores
from privacy_api.cli import app
from privacy_api.cli.cuts import bind, preset
from privacy_api.settings import load_settings
from tests.lib import school
from tests.lib.structural import generate

TEXT = school.CATALOGUE.replace("rows_per_period = 2", "rows_per_period = 1")
QUERY = {
    "dataSet": "school.census",
    "measures": [{"statistic": "count"}],
    "groupBy": ["LA"],
    "criteria": {"timePeriods": {"eq": {"period": "2021/2022", "code": "AY"}}},
}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("room") / "home"
    home.mkdir()
    settings = load_settings({}, home=home, mode="demo")
    catalogue = load_catalogue(TEXT)
    files = generate(catalogue, 2000, 7, home)
    ingest(catalogue, TEXT, {name: [path] for name, path in files.items()}, settings.cuts)
    bind(settings.policies, "school", preset("dfe-draft"))
    return home


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("PRIVACY_API_")]:
        monkeypatch.delenv(name)


def run(home: Path, *arguments: object) -> Result:
    return CliRunner().invoke(app, ["output-check", *map(str, arguments), "--home", str(home), "--mode", "demo"])


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    table, query = tmp_path / "out.csv", tmp_path / "query.json"
    query.write_text(json.dumps(QUERY))
    return table, query


def test_a_table_that_is_not_the_querys_fails(home: Path, files: tuple[Path, Path]) -> None:
    table, query = files
    table.write_text("LA,count\nA1,c\nA2,990000\n")
    result = run(home, table, "--query", query)
    assert result.exit_code == 4, result.output
    first, *lines = result.stdout.splitlines()
    assert first.startswith("fail: check-")
    assert first.endswith("(1 pass, 0 review, 1 fail)")
    assert len(lines) == 1
    assert lines[0].startswith("  line 3, count: fail: The table is not that of the query")


def test_hidden_numbers_pass_and_a_bare_table_is_reviewed(home: Path, files: tuple[Path, Path]) -> None:
    table, query = files
    table.write_text("LA,count\nA1,c\n")
    assert run(home, table, "--query", query).exit_code == 0
    table.write_text("LA,count\nA1,400\n")
    reviewed = run(home, table, "--data-set", "school.census", "--json")
    assert reviewed.exit_code == 3
    assert json.loads(reviewed.stdout)["findings"][0]["code"] == "NoQuery"


def test_what_was_checked_is_listed(home: Path, files: tuple[Path, Path]) -> None:
    table, query = files
    table.write_text("LA,count\nA3,c\n")
    told = run(home, table, "--query", query).stdout
    listed = run(home, "--list")
    assert listed.exit_code == 0
    last = listed.stdout.splitlines()[-1].split("\t")
    assert last[0] in told
    assert (last[2].startswith("console:"), last[3], last[4]) == (True, "school.census", "pass")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((), "name the table"),
        (("{table}",), "say which data set"),
        (("{table}", "--data-set", "no.such"), "No such data set"),
        (("{none}", "--data-set", "school.census"), "cannot be read"),
        (("{table}", "--query", "{table}"), "not JSON"),
        (("{bad}", "--query", "{query}"), "table[2].count"),
    ],
)
def test_what_is_wrong_is_told(home: Path, files: tuple[Path, Path], arguments: tuple[str, ...], told: str) -> None:
    table, query = files
    table.write_text("LA,count\nA1,400\n")
    bad = table.with_name("bad.csv")
    bad.write_text("LA,count\nA1,many\n")
    names = {"table": table, "query": query, "bad": bad, "none": table.with_name("none.csv")}
    result = run(home, *(each.format(**names) for each in arguments))
    assert (result.exit_code, result.stdout) == (1, "")
    assert told in result.stderr


def test_a_checkers_key_is_made_and_an_unknown_role_is_not(home: Path) -> None:
    place = ["--home", str(home), "--mode", "demo"]
    made = CliRunner().invoke(app, ["project", "create", "room", "--title", "Room", "--rho", "0", *place])
    assert made.exit_code == 0, made.output
    key = CliRunner().invoke(app, ["key", "create", "room", "--role", "checker", *place])
    stores = open_stores(load_settings({}, home=home, mode="demo"))
    principal = stores.projects.principal(key.stdout.strip())
    stores.close()
    assert principal is not None
    assert principal.role == "checker"
    refused = CliRunner().invoke(app, ["key", "create", "room", "--role", "king", *place])
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert "researcher, checker" in refused.stderr
    listed = CliRunner().invoke(app, ["key", "list", *place]).stdout
    assert listed.splitlines()[-1].split("\t")[-2:] == ["checker", "active"]
