from __future__ import annotations

import re
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from sqlalchemy import select

from privacy_api.ports import Person, Principal, Project
from privacy_api.stores.accounts import SqlAccounts
from privacy_api.stores.database import reading
from privacy_api.stores.schema import metadata

from .cases import ANN, EXETER, LEEDS, Desk


def test_a_project_comes_back_as_it_was_created(desk: Desk) -> None:
    assert desk.projects.project("exeter") == EXETER
    assert desk.projects.projects() == [EXETER, LEEDS]
    assert desk.projects.project("nobody") is None


@pytest.mark.parametrize("name", ["a\0", "\0", "\ud800"])
def test_a_name_that_no_database_can_hold_is_nobodys(desk: Desk, name: str) -> None:
    """In an address anybody can write it, and it must not look like a database that is broken."""
    accounts = SqlAccounts(desk.engine)
    found = (desk.projects.project(name), desk.projects.person(name), desk.projects.key(name), accounts.account(name))
    assert found == (None,) * 4
    assert desk.saved_queries.saved(name) is None
    assert not accounts.leave(name, "exeter") and not accounts.leave("u-a", name)


@pytest.mark.parametrize("name", ["", "-a", "A", "a b", "a_b", "é", "a\n", "a" * 64, "../a"])
def test_a_malformed_id_is_refused(desk: Desk, name: str) -> None:
    with pytest.raises(ValueError, match="project id"):
        desk.projects.create_project(replace(EXETER, id=name))


@pytest.mark.parametrize("name", ["a", "0", "a-", "a" * 63])
def test_a_well_formed_id_is_taken(desk: Desk, name: str) -> None:
    assert desk.projects.create_project(replace(EXETER, id=name)).id == name


@pytest.mark.parametrize("cap", [-1, 2**63])
def test_a_cap_that_cannot_be_kept_is_refused(desk: Desk, cap: int) -> None:
    with pytest.raises(ValueError, match="cap"):
        desk.projects.create_project(replace(EXETER, id="new", cap=cap))


def test_the_largest_cap_is_kept_exactly(desk: Desk) -> None:
    big = Project("big", "Grün & 'quoted'", 2**63 - 1, frozenset({"b", "a"}))
    desk.projects.create_project(big)
    assert desk.projects.project("big") == big


def test_a_project_is_created_once(desk: Desk) -> None:
    with pytest.raises(ValueError, match="already"):
        desk.projects.create_project(replace(EXETER, cap=10**9))
    assert desk.projects.project("exeter") == EXETER


@pytest.mark.parametrize("environment", ["test", "live"])
def test_a_key_opens_its_project(desk: Desk, environment: str) -> None:
    info, key = desk.projects.create_key("exeter", "Anna's laptop", environment)
    assert re.fullmatch(rf"npd_{environment}_[a-z0-9]{{8}}_[A-Za-z0-9_-]{{43}}", key)
    assert (info.project, info.label, info.revoked) == ("exeter", "Anna's laptop", None)
    assert desk.projects.principal(key) == Principal(info.id, EXETER)
    assert desk.projects.issued_keys() == [info]


def test_keys_differ(desk: Desk) -> None:
    keys = [desk.projects.create_key("exeter", "", "test")[1] for _ in range(5)]
    assert len({key[-43:] for key in keys}) == len({key[9:17] for key in keys}) == 5


def test_a_key_needs_a_project_and_an_environment(desk: Desk) -> None:
    with pytest.raises(ValueError, match="no such project"):
        desk.projects.create_key("nobody", "", "test")
    with pytest.raises(ValueError, match="environment"):
        desk.projects.create_key("exeter", "", "production")
    assert desk.projects.issued_keys() == []


def test_a_revoked_key_opens_nothing(desk: Desk) -> None:
    info, key = desk.projects.create_key("exeter", "", "live")
    _, other = desk.projects.create_key("exeter", "", "live")
    assert desk.projects.revoke_key(info.id)
    assert desk.projects.principal(key) is None
    assert desk.projects.principal(other) is not None
    assert not desk.projects.revoke_key(info.id)
    assert not desk.projects.revoke_key("unknown0")
    shown = desk.projects.issued_keys()
    assert {each.id for each in shown if each.revoked} == {info.id}


def test_a_wrong_key_opens_nothing(desk: Desk) -> None:
    _, key = desk.projects.create_key("exeter", "", "test")
    _, other = desk.projects.create_key("leeds", "", "test")
    last = "B" if key[-1] == "A" else "A"
    wrong = [
        key[:-1] + last,
        key[:17] + other[17:],
        key[:9] + "00000000" + key[17:],
        key.replace("npd_test_", "npd_live_"),
        key.replace("npd_test_", "npd_prod_"),
        key[:-1],
        key + "A",
        key + "\n",
        f" {key}",
        key.upper(),
        key[9:],
        "",
        "npd_test__",
        "npd_test_aaaaaaaa_" + "é" * 43,
        "npd_test_" + "٠" * 8 + "_" + "A" * 43,
        "\x00",
    ]
    assert [desk.projects.principal(each) for each in wrong] == [None] * len(wrong)


def test_no_secret_is_stored(desk: Desk, tmp_path: Path) -> None:
    _, key = desk.projects.create_key("exeter", "", "live")
    secret = key[-43:]
    with reading(desk.engine) as connection:
        content = [repr(row) for table in metadata.sorted_tables for row in connection.execute(select(table))]
    files = [path.read_bytes() for path in tmp_path.iterdir() if path.is_file()]
    assert content
    assert not any(secret in row for row in content)
    assert not any(secret.encode() in file for file in files)


def test_no_secret_is_shown(desk: Desk) -> None:
    info, key = desk.projects.create_key("exeter", "", "live")
    assert key[-43:] not in repr(info) + repr(asdict(info)) + repr(desk.projects.principal(key))


def test_a_key_may_be_a_persons(desk: Desk) -> None:
    info, key = desk.projects.create_key("exeter", "", "test", "ann")
    _, other = desk.projects.create_key("leeds", "", "test")
    assert desk.projects.principal(key) == Principal(info.id, EXETER, "ann")
    holder = desk.projects.principal(other)
    assert holder is not None and holder.person is None
    assert {(each.project, each.person) for each in desk.projects.issued_keys()} == {("exeter", "ann"), ("leeds", None)}
    with pytest.raises(ValueError, match="no such person"):
        desk.projects.create_key("exeter", "", "test", "nobody")


def test_people_are_created_once_and_come_back(desk: Desk) -> None:
    bob = Person("bob", 2**63 - 1)
    assert desk.projects.create_person(bob) == desk.projects.person("bob") == bob
    assert desk.projects.people() == [ANN, bob]
    assert desk.projects.person("nobody") is None
    with pytest.raises(ValueError, match="already"):
        desk.projects.create_person(replace(bob, cap=5))


@pytest.mark.parametrize(("person", "told"), [(Person("A b", 1), "person id"), (Person("x", -1), "cap of a person")])
def test_a_malformed_person_is_refused(desk: Desk, person: Person, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        desk.projects.create_person(person)
    assert desk.projects.people() == [ANN]
