"""`privacy-api account`: the first administrator, and no second one without the first."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from privacy_api.bootstrap import open_stores
from privacy_api.cli import app
from privacy_api.ports import AuditFilter, Person, Role
from privacy_api.settings import load_settings


def test_the_first_administrator_is_made_at_the_console_and_gives_roles_from_then_on(tmp_path: Path) -> None:
    stores = open_stores(load_settings({}, home=tmp_path, mode="demo"))
    ada, bob = (stores.accounts.create("i", s, s, "", frozenset({Role.RESEARCHER})).id for s in ("ada", "bob"))

    def run(*arguments: str) -> tuple[int, str]:
        ran = CliRunner().invoke(app, ["account", *arguments, "--home", str(tmp_path), "--mode", "demo"])
        return ran.exit_code, ran.output

    assert run("roles", ada, "data-custodian", "--why", "x")[0] == 1, "nobody else is made without an administrator"
    assert run("roles", "u-000000000000", "admin", "--why", "x")[0] == 1
    assert run("roles", ada, "admin", "--why", "first administrator")[0] == 0
    assert run("roles", bob, "admin", "--why", "x")[0] == 1, "there is one now"
    assert run("roles", bob, "data-custodian", "--why", "x", "--as", bob)[0] == 1
    assert run("roles", ada, "data-custodian", "--why", "x", "--as", ada)[0] == 1, "nobody changes their own"
    assert run("roles", bob, "data-custodian", "--why", "is one", "--as", ada) == (0, f"{bob}: data-custodian\n")
    assert f"{bob}\tbob\t\tdata-custodian\tactive" in run("list")[1]
    stores.projects.create_person(Person("dr-bob", 10**9))
    assert run("person", bob, "nobody", "--why", "x") == (
        1, "There is no person nobody. Create them with: privacy-api person create\n",
    )  # fmt: skip
    assert run("person", bob, "dr-bob", "--why", "one researcher") == (0, f"{bob}: counts against dr-bob\n")
    told = stores.audit.newest(AuditFilter(kinds=frozenset({"roles-changed"})), None, 9)
    assert told[0].actor == ada
    assert told[1].actor.startswith("console:")
    assert len(stores.audit.newest(AuditFilter(kinds=frozenset({"bootstrap"})), None, 9)) == 1, (
        "what failed began nothing"
    )
    stores.close()
