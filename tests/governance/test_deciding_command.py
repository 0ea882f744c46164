"""The console's side of an application: it proposes, and a second person signs in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from privacy_api.cli import app
from privacy_api.ports import Role
from privacy_api.service import applications as applying
from privacy_api.service import deciding
from tests.lib.applications import COMPLETE, PLAIN
from tests.lib.people import House, settled
from tests.lib.service import running

pytestmark = pytest.mark.slow


def run(home: Path, *arguments: str, code: int = 0) -> str:
    found = CliRunner().invoke(app, [*arguments, "--home", str(home), "--mode", "demo"])
    assert found.exit_code == code, found.output
    return found.output


@pytest.fixture
def place(tmp_path: Path) -> Iterator[tuple[Path, House]]:
    """The service's own database, with two applications; the console opens no cut, since there is none."""
    with running(tmp_path) as service:
        people = settled(service)
        for content in (PLAIN, COMPLETE):
            services, ada = service.services, people.caller("ada")
            made = applying.start(None, ada, services)
            services.applications.write(made, content)
            applying.submit(made.id, ada, services)
        yield tmp_path, people


def test_a_console_proposes_and_does_not_approve(place: tuple[Path, House]) -> None:
    home, people = place
    plain, sensitive = (a.id for a in people.service.services.applications.applications())
    listed = run(home, "application", "list", "--as", "olive@example.org")
    assert plain in listed
    assert sensitive in listed
    assert '"redFlags"' in run(home, "application", "show", plain, "--as", people.accounts["olive"].id)
    proposals = people.service.services.proposals
    for arguments in (
        ["application", "approve", sensitive, "--reason", "Good.", "--as", "ada@example.org"],
        ["application", "approve", sensitive, "--reason", "Good.", "--as", "nobody"],
        ["application", "approve", sensitive, "--reason", " ", "--as", "olive@example.org"],
        ["application", "approve", sensitive, "--reason", "Good.", "--tighten", "x", "--as", "olive@example.org"],
    ):
        run(home, *arguments, code=1)
    assert proposals.proposals() == []
    assert people.service.services.projects.project("ds00002") is None


def test_the_second_person_signs_in(place: tuple[Path, House]) -> None:
    home, people = place
    services = people.service.services
    sensitive = services.applications.applications()[1].id
    proposal = people.post("olive", f"/v1/applications/{sensitive}/approve", {"reason": "Good."}, 202)["id"]
    found = CliRunner().invoke(app, ["proposal", "approve", proposal])
    assert found.exit_code == 1
    assert "could name two accounts" in found.output
    assert proposal in run(home, "proposal", "list", "--as", "oscar@example.org")
    run(home, "proposal", "refuse", proposal, "--reason", "No.", "--as", "olive@example.org", code=1)
    assert "refused" in run(home, "proposal", "refuse", proposal, "--reason", "No.", "--as", "oscar@example.org")
    again = people.post("olive", f"/v1/applications/{sensitive}/approve", {"reason": "Good."}, 202)["id"]
    assert "withdrawn" in run(home, "proposal", "withdraw", again, "--reason", "A slip.", "--as", "olive@example.org")
    with pytest.raises(Exception, match="not-as-things-stand"):
        deciding.approve(again, "Yes.", people.caller("oscar"), services)


def test_a_project_is_frozen_from_a_console(place: tuple[Path, House]) -> None:
    home, people = place
    run(home, "project", "freeze", "tests", "--reason", "A key was lost.", "--as", "adam@example.org")
    assert people.service.ask({"measures": [{"statistic": "count"}]}).status_code == 403
    run(home, "project", "unfreeze", "tests", "--reason", "Found.", "--as", "adam@example.org", code=1)
    run(home, "project", "unfreeze", "tests", "--reason", "Found.", "--as", "cora@example.org")
    assert people.service.ask({"measures": [{"statistic": "count"}]}).status_code == 200


def test_the_console_grants_no_class_b_or_d_variable_once_there_are_accounts(tmp_path: Path) -> None:
    from privacy_api.bootstrap import open_stores
    from privacy_api.settings import load_settings

    def create(name: str, *more: str) -> int:
        arguments = ["project", "create", name, "--title", "T", "--rho", "0.1", *more, "--home", str(tmp_path)]
        return CliRunner().invoke(app, [*arguments, "--mode", "live"]).exit_code

    assert create("first", "--grant", "sex") == 0
    stores = open_stores(load_settings({}, home=tmp_path, mode="live"))
    stores.accounts.create("i", "1", "Olive", "o@example.org", frozenset({Role.DISCLOSURE_OFFICER}))
    stores.close()
    assert create("second", "--grant", "sex") == 1
    assert create("third") == 0
