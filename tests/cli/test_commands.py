"""Every command as a person runs it: what it says, how it ends, and what it leaves on the disk."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

from datasets.catalogue_toml import load_catalogue
from datasets.ingest import ingest
from privacy_api.app import create_app
from privacy_api.bootstrap import open_services, open_stores
from privacy_api.cli import app
from privacy_api.cli.cuts import bind, preset
from privacy_api.gate import Gate
from privacy_api.ports import AuditFilter, Project
from privacy_api.settings import load_settings
from tests.lib import school
from tests.lib.structural import SMALL, generate

TEXT = school.CATALOGUE.replace("rows_per_period = 2", "rows_per_period = 1")
URL = "/v1/data-sets/school.census/query"
QUESTIONS = [{"measures": [{"statistic": "count"}], "groupBy": [by]} for by in ("la", "sex")]
DEMO = ("--mode", "demo")


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever runs the tests may have settings of their own."""
    for name in [n for n in os.environ if n.startswith("PRIVACY_API_")]:
        monkeypatch.delenv(name)


def run(*arguments: object, **environ: str) -> Result:
    result = CliRunner().invoke(app, [str(a) for a in arguments], env=environ)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise AssertionError("a person would see a traceback") from result.exception
    return result


def done(*arguments: object, **environ: str) -> str:
    result = run(*arguments, **environ)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def refused(*arguments: object, **environ: str) -> str:
    """One message on standard error, nothing on standard output, exit code 1."""
    result = run(*arguments, **environ)
    assert (result.exit_code, result.stdout) == (1, ""), result.stderr
    return result.stderr


def listing(directory: Path) -> list[str]:
    return sorted(str(p.relative_to(directory)) for p in directory.rglob("*"))


def served(cuts: Path) -> list[str]:
    """Without what is kept of files that were read, and of what goes with it."""
    kept = ("/parts", "ranks.secret", "units.duckdb")
    return [path for path in listing(cuts) if not any(name in path for name in kept)]


@dataclass(frozen=True)
class Files:
    """A catalogue with a good and a bad file for it."""

    catalogue: Path
    good: Path
    bad: Path


@pytest.fixture(scope="session")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("sources")
    (folder / "school.toml").write_text(TEXT, encoding="utf-8")
    good = generate(load_catalogue(TEXT), 400, 1, folder)["census"]
    lines = good.read_text(encoding="utf-8").splitlines()
    lines[6] = lines[6].replace(lines[6].split(",")[2], "Q7919")
    (folder / "bad.csv").write_text("\n".join(lines), encoding="utf-8")
    return Files(folder / "school.toml", good, folder / "bad.csv")


@dataclass(frozen=True)
class House:
    """A home directory in use: a cut, a project with a key, and a ledger of two answered questions."""

    home: Path
    key: str

    @property
    def database(self) -> Path:
        return self.home / "service.db"

    def sql(self, *statements: str) -> None:
        """By somebody who holds the file, and takes the fences of the chains down first."""
        with sqlite3.connect(self.database) as connection:
            for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'").fetchall():
                connection.execute(f"drop trigger {name}")
            for statement in statements:
                connection.execute(statement)
        connection.close()

    def without_terms(self) -> None:
        """As before the first start, when the policy is what its file says."""
        self.sql("delete from cut_terms", "delete from policy_versions", "delete from audit")
        (self.home / "audit-anchor.json").unlink()


@pytest.fixture(scope="session")
def lived_in(sources: Files, tmp_path_factory: pytest.TempPathFactory) -> House:
    """Made once and copied by each test; `yesterday.db` beside it is the database before the second question."""
    home = tmp_path_factory.mktemp("lived") / "home"
    home.mkdir()
    settings = load_settings({}, home=home, mode="demo")
    ingest(load_catalogue(TEXT), TEXT, {"census": [sources.good]}, settings.cuts)
    bind(settings.policies, "school", preset("dp-default"))
    stores = open_stores(settings)
    stores.projects.create_project(Project("tests", "Tests", 500_000_000, school.GRANTS))
    key = stores.projects.create_key("tests", "", settings.environment)[1]
    stores.close()
    for question in QUESTIONS:
        services = open_services(settings)
        with TestClient(create_app(services, Gate(1, 1))) as client:
            assert client.post(URL, json=question, headers={"Authorization": f"Bearer {key}"}).status_code == 200
        services.close()
        if not (home.parent / "yesterday.db").exists():
            shutil.copy(home / "service.db", home.parent / "yesterday.db")
    assert not (home / "service.db-wal").exists(), "everything is in the one file, which can be copied"
    return House(home, key)


@pytest.fixture
def house(lived_in: House, tmp_path: Path) -> House:
    shutil.copytree(lived_in.home, tmp_path / "home")
    return House(tmp_path / "home", lived_in.key)


@pytest.fixture
def empty(tmp_path: Path) -> Path:
    (tmp_path / "empty").mkdir()
    return tmp_path / "empty"


# Catalogues and policies


def test_catalogue_check(sources: Files, tmp_path: Path) -> None:
    assert done("catalogue", "check", sources.catalogue) == (
        "school.census: 6 variables\nthe catalogue is good: 1 data set, 6 variables, 7 code lists\n"
    )
    bad = tmp_path / "bad.toml"
    bad.write_text(TEXT.replace('level = "LA"', 'level = "ZZ"').replace("synthetic = true", "synthetic = 1"))
    told = refused("catalogue", "check", bad)
    assert "cut.synthetic: wants true or false" in told
    assert "data_sets.census.variables.la.level: wants one of" in told
    assert "cannot be read" in refused("catalogue", "check", tmp_path / "none.toml")
    bad.write_bytes(b"\xff\xfe")
    assert "cannot be read" in refused("catalogue", "check", bad)


@pytest.mark.parametrize("name", ["dp-default", "dfe-draft"])
def test_policy_check_and_explain(name: str, tmp_path: Path) -> None:
    policy = tmp_path / "policy.toml"
    policy.write_text(preset(name), encoding="utf-8")
    assert done("policy", "check", policy).startswith(f"{name} version 1, mode ")
    told = done("policy", "explain", policy)
    assert "minimum_count: Counts " in told
    assert "[not verified; disclosure officer" in told
    assert ("At the cap epsilon is 6.84" in told) == (name == "dp-default"), "only one of them has a cap"
    assert ("99.9 % of the time" in told) == (name == "dp-default")


def test_a_bad_policy_is_refused_by_every_command(house: House, tmp_path: Path) -> None:
    bad = tmp_path / "bad.toml"
    bad.write_text(preset("dp-default").replace("base = 5", "base = 0").replace("cut_rho = 0.5", "cut_rho = -1"))
    before = (house.home / "policies" / "school.toml").read_bytes()
    for command in (("check", bad), ("explain", bad), ("bind", "school", bad, "--home", house.home)):
        told = refused("policy", *command)
        assert "rounding.base: wants a whole number from 1 to 1000" in told
        assert "budget.cut_rho: wants a number above 0" in told
    assert (house.home / "policies" / "school.toml").read_bytes() == before
    assert listing(house.home / "policies") == ["school.toml"]


def test_policy_bind_replaces(house: House, tmp_path: Path) -> None:
    policy, bound = tmp_path / "policy.toml", house.home / "policies" / "school.toml"
    policy.write_text(preset("dp-default").replace("base = 5", "base = 10"), encoding="utf-8")
    assert bound.read_text(encoding="utf-8") != policy.read_text(encoding="utf-8")
    assert done("policy", "bind", "school", policy, "--home", house.home) == "school: policy bound\n"
    assert bound.read_text(encoding="utf-8") == policy.read_text(encoding="utf-8")
    assert listing(house.home / "policies") == ["school.toml"]


# Projects and keys


def test_projects_are_made_and_listed(empty: Path) -> None:
    place = ("--home", empty, *DEMO)
    assert done("project", "list", *place) == ""
    made = done("project", "create", "reading-2026", "--title", "Reading", "--rho", "0.1", "--grant", "sex", *place)
    assert made == "reading-2026: created\n"
    assert done("project", "list", *place) == "reading-2026\tReading\trho 0 of 0.1\n"
    stores = open_stores(load_settings({}, home=empty, mode="demo"))
    assert stores.projects.project("reading-2026") == Project(
        "reading-2026", "Reading", 100_000_000, frozenset({"sex"})
    )
    stores.close()


def test_a_projects_spending_is_listed(house: House) -> None:
    assert done("project", "list", "--home", house.home, *DEMO) == "tests\tTests\trho 0.01 of 0.5\n"


@pytest.mark.parametrize(
    ("project", "rho", "told"),
    [
        ("good", "x", "--rho wants a number such as 0.1"),
        ("good", "", "--rho wants a number such as 0.1"),
        ("good", "nan", "--rho wants a number such as 0.1"),
        ("good", "-0.1", "between 0 and 2**63 - 1 nano-ρ"),
        ("good", "1e30", "between 0 and 2**63 - 1 nano-ρ"),
        ("Bad Id", "0.1", "a project id is 1 to 63 of a-z, 0-9 and -"),
        ("../bad", "0.1", "a project id is 1 to 63 of a-z, 0-9 and -"),
        ("", "0.1", "a project id is 1 to 63 of a-z, 0-9 and -"),
        ("x" * 64, "0.1", "a project id is 1 to 63 of a-z, 0-9 and -"),
    ],
)
def test_bad_projects_are_refused(empty: Path, project: str, rho: str, told: str) -> None:
    place = ("--home", empty, *DEMO)
    assert told in refused("project", "create", project, "--title", "T", f"--rho={rho}", *place)
    assert done("project", "list", *place) == ""


def test_a_project_is_made_once(house: House) -> None:
    again = ("project", "create", "tests", "--title", "Other", "--rho", "3", "--home", house.home, *DEMO)
    assert "there is a project tests already" in refused(*again)
    assert done("project", "list", "--home", house.home, *DEMO).startswith("tests\tTests\t")
    assert [e for e in entries(house) if e["kind"] == "project-created"] == [], "what was refused is not on the record"
    done("project", "create", "second", "--title", "Second", "--rho", "1", "--home", house.home, *DEMO)
    made = [e["subject"] for e in entries(house) if e["kind"] == "project-created"]
    assert made == ["project:second"]


def test_a_key_is_shown_once_and_can_be_revoked(house: House) -> None:
    place = ("--home", house.home, *DEMO)
    made = run("key", "create", "tests", "--label", "A. Researcher", *place)
    key, key_id = made.stdout.strip(), made.stderr.split()[1]
    assert (made.exit_code, made.stderr) == (0, f"id {key_id}\n")
    assert key.startswith(f"npd_test_{key_id}_")
    secret = key.removeprefix(f"npd_test_{key_id}_")
    listed = {line.split("\t")[0]: line for line in done("key", "list", *place).splitlines()}
    assert len(listed) == 2
    assert listed[key_id].startswith(f"{key_id}\ttests\tA. Researcher\t")
    assert listed[key_id].endswith("\tactive")
    stored = b"".join(p.read_bytes() for p in house.home.glob("service.db*"))
    assert key_id.encode() in stored
    assert secret.encode() not in stored
    assert not any(secret in line for line in listed.values())

    assert done("key", "revoke", key_id, *place) == f"{key_id}: revoked\n"
    assert f"{key_id}: no such active key" in refused("key", "revoke", key_id, *place)
    states = {line.split("\t")[0]: line.split("\t")[-1] for line in done("key", "list", *place).splitlines()}
    assert states.pop(key_id) == "revoked"
    assert list(states.values()) == ["active"], "the other key is as it was"
    record = [(e["kind"], e["actor"].split(":")[0]) for e in entries(house) if e["subject"] == f"key:{key_id}"]
    assert record == [("key-created", "console"), ("key-revoked", "console")]
    secret_label = ("key", "create", "tests", "--label", key, *place)
    assert "wants" in refused(*secret_label), "what may not stand on the record is not done"
    assert len(done("key", "list", *place).splitlines()) == 2


def entries(house: House) -> list[Any]:
    """The record, oldest first."""
    stores = open_stores(load_settings({}, home=house.home, mode="demo"))
    try:
        found = stores.audit.happenings(AuditFilter(), None, 500)
        return [{"kind": each.kind, "actor": each.actor, "subject": each.subject} for each in found]
    finally:
        stores.close()


def test_keys_are_for_projects_that_exist(house: House) -> None:
    told = refused("key", "create", "nobody", "--home", house.home, *DEMO)
    assert "create it with: privacy-api project create" in told
    assert len(done("key", "list", "--home", house.home, *DEMO).splitlines()) == 1


# People, and what was spent


def test_people_are_made_and_listed(house: House) -> None:
    place = ("--home", house.home, *DEMO)
    assert done("person", "list", *place) == ""
    assert done("person", "create", "ann", "--rho", "0.2", *place) == "ann: created\n"
    assert "there is a person ann already" in refused("person", "create", "ann", "--rho", "1", *place)
    assert "--rho wants a number" in refused("person", "create", "bob", "--rho", "x", *place)
    assert "a person id is 1 to 63 of" in refused("person", "create", "B B", "--rho", "1", *place)
    assert done("person", "list", *place) == "ann\trho 0 of 0.2\n"
    key = done("key", "create", "tests", "--person", "ann", *place).strip()
    assert "create them with: privacy-api person create" in refused("key", "create", "tests", "--person", "x", *place)
    assert [line.split("\t")[4] for line in done("key", "list", *place).splitlines()] == ["-", "ann"]
    kinds = [each["kind"] for each in entries(house)]
    assert "key-created" in kinds
    assert kinds.count("person-created") == 1, "what was refused is not on the record"
    services = open_services(load_settings({}, home=house.home, mode="demo"))
    question = {"measures": [{"statistic": "count"}], "groupBy": ["need"]}
    with TestClient(create_app(services, Gate(1, 1))) as client:
        assert client.post(URL, json=question, headers={"Authorization": f"Bearer {key}"}).status_code == 200
    services.close()
    assert done("person", "list", *place) == "ann\trho 0.005 of 0.2\n"
    assert done("project", "list", *place) == "tests\tTests\trho 0.015 of 0.5\n"
    assert "\ttests\tann\trel-" in done("budget", "odometer", *place)


def epsilon_of(rho: float, delta: float) -> float:
    """By OpenDP, of one Gaussian measurement of all of it."""
    import opendp.prelude as dp

    dp.enable_features("contrib")
    space = (dp.vector_domain(dp.atom_domain(T="i64")), dp.l2_distance(T="f64"))
    return float(
        dp.c.make_zCDP_to_approxDP(dp.m.make_gaussian(*space, scale=(2 * rho) ** -0.5)).map(1.0).epsilon(delta)
    )


def test_the_odometer_runs_to_the_balance(house: House) -> None:
    head, columns, *charges, total, bar = done("budget", "odometer", "--home", house.home, *DEMO).splitlines()
    assert head == "school: loss so far, epsilon at delta 1e-10"
    assert columns.split("\t")[-3:] == ["rho", "rho so far", "epsilon so far"]
    with sqlite3.connect(house.database) as connection:
        rows = list(connection.execute("select at, project, release, events from ledger where kind = 'charge'"))
    connection.close()
    so_far = 0.0
    for line, (at, project, release, events) in zip(charges, rows, strict=True):
        cost = sum(event["nano_rho"] for event in json.loads(events)) / 1e9
        so_far += cost
        shown = line.split("\t")
        assert shown[:4] == [at[:10], project, "-", release]
        assert [float(x) for x in shown[4:]] == pytest.approx([cost, so_far, epsilon_of(so_far, 1e-10)], abs=1e-4)
    assert total == f"total\trho {so_far:g} of 0.5\tepsilon {epsilon_of(so_far, 1e-10):.4f}"
    assert bar == "[--------------------] 2.0 % of the cap"
    short = done("budget", "odometer", "--cut", "school", "--last", "1", "--home", house.home, *DEMO).splitlines()
    assert short[1] == "(the last 1 charges; --last shows more)"
    assert short[3:] == [charges[-1], total, bar]


def test_the_odometer_refuses_an_edited_ledger(house: House) -> None:
    house.sql("update ledger set nano_rho = nano_rho - 1 where seq = 1")
    assert "rolled back or edited" in refused("budget", "odometer", "--home", house.home, *DEMO)


@pytest.mark.parametrize(("option", "price"), [((), 0.005), (("--rho", "0.02"), 0.02)])
def test_the_budget_is_explained_in_numbers_that_are_true(house: House, option: tuple[str, ...], price: float) -> None:
    told = done("budget", "explain", *option, "--home", house.home, *DEMO)
    for rho in (0.5, 0.01, price):
        eps = epsilon_of(rho, 1e-10)
        assert f"rho {rho:g}, epsilon {eps:.2f} at delta 1e-10" in told
        assert f"to at most {100 * math.exp(eps) / (1 + math.exp(eps)):.1f} %, but for the chance delta" in told
        assert f"to at most {100 * (0.5 + math.sqrt(rho / 2) / 2):.1f} % on average" in told
    sd = 1 / math.sqrt(2 * price)
    assert f"standard deviation {sd:.1f}:" in told
    margin = int(re.search(r"± (\d+) pupils on a count", told)[1])  # type: ignore[index]
    assert 1.96 * sd <= margin + 0.5 <= 1.96 * sd + 5
    assert f"100 ± {margin} %" in told
    assert f"Left: {math.floor(0.49 / price + 1e-9)} such questions" in told
    assert "1 in 10,000,000,000" in told
    assert ("at the default price" in told) == (price == 0.005)


def test_a_laplace_budget_is_explained(house: House, tmp_path: Path) -> None:
    policy = tmp_path / "p.toml"
    policy.write_text(preset("dp-default").replace('"gaussian"', '"laplace"'), encoding="utf-8")
    house.without_terms()
    done("policy", "bind", "school", policy, "--home", house.home)
    told = done("budget", "explain", "--cut", "school", "--home", house.home, *DEMO)
    assert "(Laplace noise)" in told
    assert "pure 0.1000-DP: at most 52.5 % whatever comes out" in told
    assert "standard deviation 14.1: ± 30 pupils" in told


def test_an_official_policy_has_no_budget_to_explain(house: House, tmp_path: Path) -> None:
    policy = tmp_path / "p.toml"
    policy.write_text(preset("dfe-draft"), encoding="utf-8")
    house.without_terms()
    done("policy", "bind", "school", policy, "--home", house.home)
    assert "no privacy loss" in done("budget", "explain", "--home", house.home, *DEMO)
    assert "no privacy loss" in done("budget", "odometer", "--home", house.home, *DEMO)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("explain", "--cut", "none"), "none: no such cut is published; published are school"),
        (("odometer", "--cut", "none"), "none: no such cut is published; published are school"),
        (("explain", "--rho", "x"), "--rho wants a number such as 0.1"),
        (("explain", "--rho", "0"), "--rho: a question may cost 0.000001 to 0.1"),
        (("explain", "--rho", "0.2"), "--rho: a question may cost 0.000001 to 0.1"),
    ],
)
def test_what_cannot_be_explained_is_refused(house: House, arguments: tuple[str, ...], told: str) -> None:
    assert told in refused("budget", *arguments, "--home", house.home, *DEMO)


# Settings


@pytest.mark.parametrize(
    "command",
    [("serve",), ("project", "list"), ("key", "list"), ("ledger", "verify"), ("policy", "bind", "x", "{toml}")],
)
def test_an_unknown_setting_refuses(empty: Path, sources: Files, command: tuple[str, ...]) -> None:
    arguments = [part.format(toml=sources.catalogue) for part in command]
    told = refused(*arguments, "--home", empty, PRIVACY_API_WROKERS="2", PRIVACY_API_MODE="demo")
    assert "PRIVACY_API_WROKERS: no such setting" in told
    assert "PRIVACY_API_WORKERS" in told, "what is accepted is named"
    assert listing(empty) == []


def test_all_impossible_settings_are_told_at_once(tmp_path: Path) -> None:
    told = refused(
        "serve", "--home", tmp_path / "none", "--mode", "x", "--port", "70000", PRIVACY_API_QUERY_SECONDS="0"
    )
    for name in ("HOME", "MODE", "PORT", "QUERY_SECONDS"):
        assert f"  PRIVACY_API_{name}: " in told
    assert "PRIVACY_API_HOME: Field required" in refused("project", "list")


# The ledger, and starting to serve


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens at, so that a server that is not refused cannot start in the test's process."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield int(listener.getsockname()[1])


def test_a_whole_ledger_is_verified(house: House) -> None:
    """The positive control of the refusals below; that such a home is served, `live` shows."""
    assert done("ledger", "verify", "--home", house.home, *DEMO) == "the ledger is whole: 4 entries\n"


WHAT_TO_DO = "compare it with a backup; when it is known to be right, `privacy-api ledger anchor` accepts it"
TAMPERED = {
    "a charge made smaller": ["update ledger set nano_rho = nano_rho - 1 where seq = 1"],
    "totals put down": ["update ledger set cut_total = 0, project_total = 0 where seq = 4"],
    "another key is blamed": ["update ledger set key_id = 'aaaaaaaa' where seq = 3"],
    "another answer": ["update releases set body = x'00' where entry = 2"],
    "the last entry is gone": ["delete from ledger where seq = 4"],
    "the first entry is gone": ["delete from ledger where seq = 1"],
    "a release is gone": ["delete from releases where entry = 2"],
    "everything is gone": ["delete from ledger", "delete from releases", "delete from measurements"],
}


@pytest.mark.parametrize("statements", TAMPERED.values(), ids=TAMPERED)
def test_a_ledger_that_was_edited_is_not_served(house: House, taken: int, statements: list[str]) -> None:
    house.sql(*statements)
    for command in (("serve", "--port", taken), ("ledger", "verify")):
        told = refused(*command, "--home", house.home, *DEMO)
        assert told.startswith("The ledger was rolled back or edited")
        assert WHAT_TO_DO in told


def test_yesterdays_database_is_not_served(house: House, lived_in: House, taken: int) -> None:
    shutil.copy(lived_in.home.parent / "yesterday.db", house.database)
    told = refused("serve", "--port", taken, "--home", house.home, *DEMO)
    assert told.startswith("The ledger was rolled back or edited")
    assert WHAT_TO_DO in told


def test_a_lost_anchor_is_not_made_again_silently(house: House, taken: int) -> None:
    (house.home / "anchor.json").unlink()
    told = refused("serve", "--port", taken, "--home", house.home, *DEMO)
    assert "anchor file is missing" in told
    assert WHAT_TO_DO in told
    assert not (house.home / "anchor.json").exists()
    assert "then run this with --accept" in refused("ledger", "anchor", "--home", house.home, *DEMO)
    assert not (house.home / "anchor.json").exists()
    assert done("ledger", "anchor", "--accept", "--home", house.home, *DEMO) == "anchored at entry 4\n"
    assert "4 entries" in done("ledger", "verify", "--home", house.home, *DEMO)


def test_a_broken_chain_is_never_anchored(house: House) -> None:
    house.sql("update ledger set nano_rho = nano_rho - 1 where seq = 1")
    (house.home / "anchor.json").unlink()
    assert "edited" in refused("ledger", "anchor", "--accept", "--home", house.home, *DEMO)
    assert not (house.home / "anchor.json").exists()


def test_live_mode_wants_tls(house: House, taken: int) -> None:
    told = refused("serve", "--home", house.home, "--port", taken)
    for way in ("PRIVACY_API_TLS_CERTIFICATE", "PRIVACY_API_TLS_KEY", "PRIVACY_API_BEHIND_TLS_PROXY=true"):
        assert way in told
    told = refused("serve", "--home", house.home, "--port", taken, "--tls-certificate", "cert.pem", *DEMO)
    assert "tls_certificate and tls_key are wanted together" in told


def test_demo_mode_in_the_clear_stays_on_this_machine(house: House, taken: int) -> None:
    told = refused("serve", "--home", house.home, "--port", taken, "--host", "0.0.0.0", *DEMO)  # noqa: S104 - refused
    assert "listens on 127.0.0.1 only" in told


def test_a_database_never_changes_its_mode(house: House, taken: int) -> None:
    told = refused("serve", "--home", house.home, "--port", taken, PRIVACY_API_BEHIND_TLS_PROXY="true")
    assert "belongs to demo mode; it never changes" in told


def test_demo_mode_never_loads_a_cut_that_is_not_synthetic(sources: Files, empty: Path, taken: int) -> None:
    real = empty.parent / "real.toml"
    real.write_text(TEXT.replace("synthetic = true", "synthetic = false"), encoding="utf-8")
    done("ingest", real, sources.good, "--home", empty)
    told = refused("serve", "--home", empty, "--port", taken, *DEMO)
    assert "cut school is not synthetic: demo mode never loads real data" in told


def test_a_cut_without_a_policy_is_not_served(house: House, taken: int) -> None:
    house.without_terms()
    policy = house.home / "policies" / "school.toml"
    policy.unlink()
    told = refused("serve", "--home", house.home, "--port", taken, *DEMO)
    assert "privacy-api policy bind school FILE" in told
    policy.write_text(preset("dp-default").replace("base = 5", "base = 0"), encoding="utf-8")
    told = refused("serve", "--home", house.home, "--port", taken, *DEMO)
    assert "cut school: the policy is refused" in told
    assert "rounding.base" in told


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("1/census.duckdb", b"", "the database of census is not the one that was written"),
        ("1/catalogue.toml", TEXT.replace("A small school", "Another").encode(), "the catalogue is not the one"),
        ("1/manifest.json", b"{}", "a file is missing, unreadable"),
        ("current", b"2\n", "a file is missing, unreadable"),
        ("current", b"../1\n", "'current' names no version"),
    ],
)
def test_a_damaged_cut_is_not_served(house: House, taken: int, file: str, content: bytes, told: str) -> None:
    (house.home / "cuts" / "school" / file).write_bytes(content)
    assert told in refused("serve", "--home", house.home, "--port", taken, *DEMO)


# Ingest


def test_ingest_publishes(sources: Files, empty: Path, tmp_path: Path) -> None:
    told = done("ingest", sources.catalogue, sources.good, "--home", empty)
    assert told == "census: 1,200 records of census.csv\npublished school version 1\n"
    cubes = [name.split("/")[-1] for name in listing(empty / "cuts") if name.endswith(".npy")]
    files = sorted([*cubes, "catalogue.toml", "census.duckdb", "manifest.json"])
    assert len(cubes) == 1
    assert served(empty / "cuts") == ["school", "school/1", *(f"school/1/{f}" for f in files), "school/current"]
    bound = empty / "policies" / "school.toml"
    assert bound.read_text(encoding="utf-8") == preset("dp-default"), "a new cut gets the default"

    other = tmp_path / "other.toml"
    other.write_text(preset("dp-default").replace("base = 5", "base = 10"), encoding="utf-8")
    told = done("ingest", sources.catalogue, f"census={sources.good}", "--home", empty, "--policy", other)
    assert "published school version 2" in told
    assert (empty / "cuts" / "school" / "current").read_text() == "2\n"
    assert bound.read_text(encoding="utf-8") == other.read_text(encoding="utf-8")
    done("ingest", sources.catalogue, sources.good, "--home", empty)
    assert bound.read_text(encoding="utf-8") == other.read_text(encoding="utf-8"), "a cut keeps the policy it has"


def test_a_cut_for_spark_is_not_served_without_spark(sources: Files, empty: Path, taken: int) -> None:
    done("ingest", sources.catalogue, sources.good, "--home", empty, "--engine", "spark")
    assert "school/1/parquet/census/year=0/part.parquet" in listing(empty / "cuts")
    told = refused("serve", "--home", empty, "--port", taken, *DEMO)
    assert "cut school: it was published for Spark, which is not installed; install it with: pip install" in told
    for master in ("local[0]", "somewhere", "spark://"):
        assert "PRIVACY_API_SPARK_MASTER" in refused(
            "serve", "--home", empty, "--port", taken, *DEMO, PRIVACY_API_SPARK_MASTER=master
        )


def test_a_refused_file_publishes_nothing(sources: Files, empty: Path) -> None:
    told = refused("ingest", sources.catalogue, sources.bad, "--home", empty)
    assert "the files are refused" in told
    (row,) = [line.split() for line in told.splitlines() if "bad.csv" in line]
    assert row == ["unknown-code", "census", "la", "1", "bad.csv", "7"]
    assert "7919" not in told, "a value of the file is never told"
    assert served(empty / "cuts") == ["school"]


def test_a_refused_file_leaves_what_was_published(sources: Files, house: House) -> None:
    before = served(house.home / "cuts")
    assert "unknown-code" in refused("ingest", sources.catalogue, sources.bad, "--home", house.home)
    assert served(house.home / "cuts") == before
    assert (house.home / "cuts" / "school" / "current").read_text() == "1\n"


def test_ingest_refuses_before_it_reads_a_record(sources: Files, empty: Path, tmp_path: Path) -> None:
    bad_policy, bad_catalogue = tmp_path / "policy.toml", tmp_path / "catalogue.toml"
    bad_policy.write_text("mode = 3", encoding="utf-8")
    bad_catalogue.write_text(TEXT.replace("synthetic = true", ""), encoding="utf-8")
    place = ("--home", empty)
    good = (sources.catalogue, sources.good)
    assert "cut.synthetic: missing" in refused("ingest", bad_catalogue, sources.good, *place)
    assert "the policy is refused" in refused("ingest", *good, "--policy", bad_policy, *place)
    assert "cannot be read" in refused("ingest", *good, "--policy", tmp_path / "none.toml", *place)
    assert "cannot be read" in refused("ingest", tmp_path / "none.toml", sources.good, *place)
    assert "no such file" in refused("ingest", sources.catalogue, tmp_path / "none.csv", *place)
    assert "DATA_SET=FILE with one of census" in refused("ingest", sources.catalogue, f"ks4={sources.good}", *place)
    assert listing(empty) == []


def test_a_catalogue_of_two_data_sets_wants_a_file_for_each(sources: Files, empty: Path) -> None:
    told = refused("ingest", SMALL, sources.good, "--home", empty)
    assert "as DATA_SET=FILE with one of census, ks4" in told
    assert "no file for ks4" in refused("ingest", SMALL, f"census={sources.good}", "--home", empty)
    assert listing(empty) == []


# Programs as processes: a document, a server, and questions to it


def test_openapi_is_valid_json() -> None:
    found = subprocess.run([sys.executable, "-m", "privacy_api", "openapi"], capture_output=True, check=True)
    document = json.loads(found.stdout)
    assert document["openapi"].startswith("3.")
    assert document["info"]["title"] == "Privacy Controlling API"
    asked = document["paths"]["/v1/data-sets/{data_set}/query"]["post"]
    assert set(asked["responses"]) >= {"200", "401", "403", "422", "503"}, "the answer, and problems"
    assert "default" not in asked["responses"], "whatever is not named is not promised"
    names = set(document["components"]["schemas"])
    wanted = {p.removeprefix("#/components/schemas/") for p in references(document) if p.startswith("#/components/s")}
    assert wanted
    assert wanted <= names, "every reference leads somewhere"


def references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (v for k, v in part.items() if k == "$ref" and isinstance(v, str))
    for inner in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from references(inner)


@dataclass(frozen=True)
class Live:
    url: str
    key: str


@pytest.fixture(scope="module")
def live(lived_in: House, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """`serve` as a process of its own on a real socket."""
    home = tmp_path_factory.mktemp("served") / "home"
    shutil.copytree(lived_in.home, home)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    environ = {k: v for k, v in os.environ.items() if not k.startswith("PRIVACY_API_")}
    command = [sys.executable, "-m", "privacy_api", "serve", "--home", str(home), *DEMO, "--port", str(port)]
    with (home.parent / "log").open("wb") as log:
        process = subprocess.Popen(command, env=environ, stderr=log)
        try:
            yield Live(up(f"http://127.0.0.1:{port}", process), lived_in.key)
        finally:
            process.terminate()
            process.wait(20)


def up(url: str, process: subprocess.Popen[bytes]) -> str:
    for _ in range(300):
        assert process.poll() is None, "the server did not start"
        try:
            assert httpx2.get(f"{url}/health").json()["status"] == "ok"
        except httpx2.TransportError:
            time.sleep(0.1)
        else:
            return url
    raise AssertionError("the server did not come up")


@pytest.fixture
def ask(live: Live, tmp_path: Path) -> Callable[..., Result]:
    """`privacy-api query` with a question in a file."""

    def asked(question: object, *options: object, key: str = live.key, server: str = live.url) -> Result:
        file = tmp_path / "question.json"
        file.write_text(question if isinstance(question, str) else json.dumps(question), encoding="utf-8")
        return run("query", file, *options, PRIVACY_API_KEY=key, PRIVACY_API_SERVER=server)

    return asked


QUESTION = {"dataSet": "school.census", **QUESTIONS[0]}


def test_query_prints_json(ask: Callable[..., Result]) -> None:
    told = ask(QUESTION)
    body = json.loads(told.stdout)
    assert (told.exit_code, told.stderr) == (0, "")
    assert body["charge"]["repeat"] is True, "it was asked when the house was made"
    assert [row["la"] for row in body["results"]] == ["A1", "A2", "A3", "A4", "A5"]


def test_query_writes_files(ask: Callable[..., Result], tmp_path: Path) -> None:
    body = json.loads(ask(QUESTION).stdout)
    for name in ("answer.json", "answer.csv"):
        told = ask(QUESTION, "-o", tmp_path / name)
        assert (told.exit_code, told.stdout, told.stderr) == (0, "", f"written to {tmp_path / name}\n")
    assert json.loads((tmp_path / "answer.json").read_text(encoding="utf-8"))["results"] == body["results"]
    rows = list(csv.DictReader(io.StringIO((tmp_path / "answer.csv").read_text(encoding="utf-8"))))
    shown = ["" if row["value"] is None else str(row["value"]) for row in body["results"]]
    assert [row["value"] for row in rows] == shown


def test_query_previews_for_nothing(ask: Callable[..., Result], live: Live) -> None:
    other = {"dataSet": "school.census", "measures": [{"statistic": "mean", "variable": "days"}], "rho": 0.02}
    told = json.loads(ask(other, "--preview").stdout)
    assert (told["valid"], told["price"]["nanoRho"]) == (True, 20_000_000)
    headers = {"Authorization": f"Bearer {live.key}"}
    budget = httpx2.get(f"{live.url}/v1/projects/tests/budget", headers=headers).json()["budget"]
    assert budget["spentRho"] == 0.01


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("{", "not JSON"),
        ([], "wants an object with dataSet"),
        ({"measures": []}, "wants an object with dataSet"),
        ({**QUESTION, "dataSet": 3}, "wants an object with dataSet"),
        ({**QUESTION, "dataSet": "other.census"}, "There is no such thing here (404)"),
        ({**QUESTION, "groupBy": ["school"]}, "groupBy[0]: No such variable. Accepted: year, la"),
        ({**QUESTION, "groupBy": ["school"]}, "[VariableNotFound]"),
        ({**QUESTION, "rho": 99}, "The query is not valid (422)"),
    ],
)
def test_query_tells_what_is_wrong(ask: Callable[..., Result], tmp_path: Path, question: object, told: str) -> None:
    result = ask(question, "-o", tmp_path / "answer.json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert told in result.stderr
    assert not (tmp_path / "answer.json").exists()


def test_query_with_a_wrong_key(ask: Callable[..., Result], live: Live) -> None:
    for key in ("npd", "npd_test_aaaaaaaa_" + "a" * 43, live.key[:-1]):
        result = ask(QUESTION, key=key)
        assert (result.exit_code, result.stdout) == (1, "")
        assert "A valid API key is needed (401)" in result.stderr
        assert key == "npd" or key not in result.stderr


def test_query_where_no_server_is(ask: Callable[..., Result]) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # bound and not listening: nobody else can be there
        server = f"http://127.0.0.1:{silent.getsockname()[1]}"
        result = ask(QUESTION, server=server)
    assert (result.exit_code, result.stdout) == (1, "")
    assert f"{server}/v1/data-sets/school.census/query: ConnectError; is the server running there?" in result.stderr
    assert "is the server running there?" in ask(QUESTION, server="127.0.0.1:1").stderr


def test_a_refused_ingest_leaves_no_policy(sources: Files, empty: Path) -> None:
    refused("ingest", sources.catalogue, sources.bad, "--home", empty)
    assert not (empty / "policies").exists()


def test_a_refused_ingest_changes_no_policy(sources: Files, house: House, tmp_path: Path) -> None:
    bound = house.home / "policies" / "school.toml"
    before, weaker = bound.read_bytes(), tmp_path / "weaker.toml"
    weaker.write_text(preset("dp-default").replace("cut_rho = 0.5", "cut_rho = 50"))
    refused("ingest", sources.catalogue, sources.bad, "--home", house.home, "--policy", weaker)
    assert bound.read_bytes() == before


def test_a_cut_whose_bytes_are_damaged_is_refused(house: House, taken: int) -> None:
    cut = house.home / "cuts" / "school" / "1" / "census.duckdb"
    cut.write_bytes(b"\0" * cut.stat().st_size)
    assert "cut school" in refused("serve", "--home", house.home, "--port", taken, *DEMO)


@pytest.mark.parametrize("rho", ["inf", "Infinity", "nan", "x"])
def test_a_budget_that_is_no_number_is_refused(empty: Path, rho: str) -> None:
    assert "--rho wants" in refused("project", "create", "p", "--title", "T", "--rho", rho, "--home", empty, *DEMO)


def test_policy_bind_stays_in_its_directory(house: House, tmp_path: Path) -> None:
    good = tmp_path / "p.toml"
    good.write_text(preset("dp-default"))
    refused("policy", "bind", "../evil", good, "--home", house.home)
    assert not (house.home / "evil.toml").exists()


def test_settings_from_a_given_environment_read_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PRIVACY_API_MODE", "demo")
    assert load_settings({}, home=tmp_path).mode == "live"


def test_a_demonstration_never_touches_a_home_that_is_not_its_own(house: House) -> None:
    """Above all not a live one: neither by starting there, nor by --reset."""
    before = listing(house.home)
    for option in ([], ["--reset"]):
        assert "not a demonstration's" in refused("demo", "--dir", house.home, *option)
        assert listing(house.home) == before


def test_a_demonstration_in_a_file_is_refused(tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.write_text("")
    assert "cannot be used" in refused("demo", "--dir", place)


def test_two_demonstrations_at_once_do_not_get_one_port() -> None:
    from privacy_api.cli.demo import _listen

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with _listen(port) as one, _listen(port) as two:
        assert one.getsockname() != two.getsockname()
