"""What `privacy-api budget` says of a cut whose policy lists groups: their δ comes on top."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from disclosure.policy import load_policy
from privacy_api.cli import app
from privacy_api.cli.spending import _explained, _history
from privacy_api.ports import Balance, Charge
from tests.lib.service import LISTED_GROUPS, POLICY

LISTS = load_policy(POLICY + LISTED_GROUPS)
PLAIN = load_policy(POLICY)
SPENT = Balance(500_000_000, 10_000_000, 2 * 10**6)
CHARGES = [Charge(1, "2026-11-21T09:00:00+00:00", "school", "tests", None, "rel-1", 5_000_000, 5_000_000, 2 * 10**6)]


def test_each_epsilon_has_the_delta_that_belongs_to_it() -> None:
    cap, spent, last = (
        next(line for line in _explained("school", LISTS, SPENT, 5_000_000) if line.startswith(start))
        for start in ("The cap", "Spent so far", "Listed groups")
    )
    assert "at delta 1.1e-10" in cap
    assert "at delta 1.02e-10" in spent
    assert "2e-12 was spent on them, of 1e-11" in last
    assert "2e-12 of listed groups on top" in next(iter(_history("school", LISTS, SPENT, CHARGES, 9)))


def test_without_listed_groups_nothing_is_said_of_them() -> None:
    balance = Balance(500_000_000, 10_000_000)
    said = "\n".join([*_explained("school", PLAIN, balance, 5_000_000), *_history("school", PLAIN, balance, [], 9)])
    assert "isted" not in said
    assert "at delta 1e-10" in said


def test_a_policy_is_explained_with_all_its_delta(tmp_path: Path) -> None:
    file = tmp_path / "policy.toml"
    file.write_text(POLICY + LISTED_GROUPS, encoding="utf-8")
    said = CliRunner().invoke(app, ["policy", "explain", str(file)]).output
    assert "(delta 1.1e-10)" in said
    assert "listed_groups: Groups of which" in said
