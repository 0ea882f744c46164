"""Policies on the command line: are they good, what do they say, and what does another version change?"""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from disclosure.cell_key import from_csv
from privacy_api.cli import app
from privacy_api.cli.cuts import preset
from tests.lib.policies import EVERY_OFFICIAL_RULE, PRESETS, with_values
from tests.lib.service import FREE_QUERIES

DRAFT = preset("dfe-draft")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["policy", *(str(a) for a in arguments)])


@pytest.fixture
def draft(tmp_path: Path) -> Path:
    return written(tmp_path / "draft.toml", DRAFT)


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_good(name: str, tmp_path: Path) -> None:
    told = run("check", written(tmp_path / "p.toml", preset(name)))
    assert (told.exit_code, told.stderr) == (0, "")
    assert told.stdout.startswith(f"{name} version 1, mode ")


def test_every_rule_is_explained_with_its_source(tmp_path: Path) -> None:
    told = run("explain", written(tmp_path / "p.toml", EVERY_OFFICIAL_RULE)).stdout
    for line in (
        "p_percent: A sum is hidden where the second largest contributor could work out the largest to within 10 %. "
        "[not verified; disclosure officer of the cut]\n  source: Hundepool et al.",
        "cell_key: What it does. [not verified; disclosure officer of the cut]\n  source: Where it is from.\n",
        "The perturbation has variance 4.31 for a count of 1, where it has least, and 5.00 for large counts. "
        "It is no privacy guarantee.\n",
        "ad_hoc: free queries are answered; the risk: Free queries can be differenced against each other.\n",
    ):
        assert line in told


def test_what_loosens_is_told_and_ends_with_1(draft: Path, tmp_path: Path) -> None:
    other = with_values(
        DRAFT, ("minimum_count", "value", "8"), ("rounding", "base", "10"), ("denominators", "value", "9")
    )
    told = run("diff", draft, written(tmp_path / "other.toml", other + FREE_QUERIES))
    assert told.exit_code == 1
    assert told.stdout.splitlines() == [
        "minimum_count.value: from 10 to 8; loosens (the lower, the smaller the counts that are shown)",
        "denominators.value: from 20 to 9; loosens (the lower, the fewer pupils a percentage may be of)",
        "rounding.base: from 5 to 10; tightens (the lower, the nearer to the truth is what is shown)",
        "ad_hoc: added; loosens",
        "differencing: added; protects as before",
        "loosens: minimum_count.value, denominators.value, ad_hoc; tightens: rounding.base",
    ]
    back = run("diff", tmp_path / "other.toml", draft)
    assert back.exit_code == 1, "one of its changes loosens"
    assert back.stdout.endswith("loosens: rounding.base; tightens: minimum_count.value, denominators.value, ad_hoc\n")


def test_what_only_tightens_ends_with_0(draft: Path, tmp_path: Path) -> None:
    told = run("diff", draft, written(tmp_path / "other.toml", with_values(DRAFT, ("minimum_count", "value", "11"))))
    assert told.exit_code == 0
    assert told.stdout.endswith("loosens: nothing; tightens: minimum_count.value\n")
    same = run("diff", draft, draft)
    assert (same.exit_code, same.stdout) == (0, "loosens: nothing; tightens: nothing\n")


def test_another_mode_counts_as_loosening(draft: Path, tmp_path: Path) -> None:
    told = run("diff", draft, written(tmp_path / "other.toml", preset("dp-default")))
    assert told.exit_code == 1
    assert told.stdout.endswith("loosens: mode; tightens: nothing\n")


def test_a_policy_that_is_refused_is_not_compared(draft: Path, tmp_path: Path) -> None:
    bad = written(tmp_path / "bad.toml", DRAFT.replace("[sparsity]", "[sparseness]"))
    for files in ((draft, bad), (bad, draft)):
        told = run("diff", *files)
        assert (told.exit_code, told.stdout) == (1, "")
        assert "sparseness: unknown; known are ad_hoc, cell_key" in told.stderr
    assert "cannot be read" in run("diff", draft, tmp_path / "none.toml").stderr


def test_help_says_how_diff_ends() -> None:
    assert "Exit code 1 if anything loosens" in " ".join(run("diff", "--help").stdout.split())


def test_a_perturbation_table_is_written_as_a_readable_file(tmp_path: Path) -> None:
    policy, out = written(tmp_path / "p.toml", EVERY_OFFICIAL_RULE), tmp_path / "ptable.csv"
    assert run("ptable", policy, "-o", out).exit_code == 0
    assert from_csv(out.read_text(encoding="utf-8")).largest_change == 7
    assert run("ptable", policy).stdout == out.read_text(encoding="utf-8")
    none = run("ptable", written(tmp_path / "plain.toml", DRAFT))
    assert none.exit_code == 1
    assert "perturbs nothing" in none.stderr
