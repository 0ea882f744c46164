from __future__ import annotations

from dataclasses import replace

import pytest

from privacy_api.ports import KeyRole, LedgerBroken, OutputCheck, Principal
from privacy_api.stores.migrate import downgrade, is_current
from privacy_api.stores.output_checks import SqlOutputChecks

from .cases import EXETER, Desk, asking, released_table

CHECK = OutputCheck(
    "check-1", "2026-03-01T09:30:00+00:00", "k2345678", "exeter", "ks4.pupils", "1", "0" * 64, "f" * 64, "{}", "fail"
)


def test_checks_come_back_as_they_were_recorded_newest_last(desk: Desk) -> None:
    checks = SqlOutputChecks(desk.engine)
    assert checks.checks(10) == []
    local = replace(CHECK, id="check-0", at="2026-03-02T09:30:00+00:00", who="local:ann", project=None, query=None)
    checks.record(CHECK)
    checks.record(local)
    assert checks.checks(10) == [CHECK, local]
    assert checks.checks(1) == [local]


@pytest.mark.parametrize("change", [{"verdict": "good"}, {"project": "nobody"}])
def test_a_check_that_makes_no_sense_is_not_recorded(desk: Desk, change: dict[str, str]) -> None:
    with pytest.raises(LedgerBroken):
        SqlOutputChecks(desk.engine).record(replace(CHECK, **change))


def test_a_key_has_the_role_that_it_was_made_with(desk: Desk) -> None:
    for role in KeyRole:
        info, key = desk.projects.create_key("exeter", "", "test", None, role)
        assert desk.projects.principal(key) == Principal(info.id, EXETER, None, role)
        assert info in desk.projects.issued_keys()


def test_keys_are_researchers_unless_somebody_says_otherwise(desk: Desk) -> None:
    info, _ = desk.projects.create_key("exeter", "", "test")
    assert info.role is KeyRole.RESEARCHER


def test_released_tables_of_a_scope_can_be_read_without_a_charge(desk: Desk) -> None:
    assert desk.ledger.released_tables("pupils") == ()
    desk.answered(asking("r1", {"a": 0}, scope="pupils"))
    (found,) = desk.ledger.released_tables("pupils")
    assert found.population == released_table("r1").population
    assert desk.ledger.released_tables("schools") == ()
    assert len(desk.rows()) == 2


@pytest.mark.parametrize("way", ["checked", "checker"])
def test_the_version_before_is_refused_where_it_would_forget(desk: Desk, way: str) -> None:
    if way == "checked":
        SqlOutputChecks(desk.engine).record(CHECK)
    else:
        desk.projects.create_key("exeter", "", "test", None, KeyRole.CHECKER)
    with pytest.raises(RuntimeError, match="cannot hold"):
        downgrade(desk.engine, "0004")
    assert is_current(desk.engine)
