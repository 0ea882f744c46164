"""`privacy-api catalogue`: check, pages, find."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner, Result

from privacy_api.cli import app
from tests.lib.structural import SMALL


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(app, ["catalogue", *map(str, arguments)])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise AssertionError("a person would see a traceback") from result.exception
    return result


def test_check_says_what_is_in_the_npd_catalogue() -> None:
    result = run("check")
    assert result.exit_code == 0, result.stderr
    assert "npd.ks4: 42 variables, 12 derived, 31 linked by 5 links" in result.stdout
    assert "the catalogue is good: 20 data sets" in result.stdout


def test_check_of_a_file_and_of_what_is_none(tmp_path: Path) -> None:
    assert run("check", SMALL).exit_code == 0
    for path, wanted in ((tmp_path, "wants a file cut.toml"), (tmp_path / "none.toml", "no such file")):
        result = run("check", path)
        assert (result.exit_code, wanted in result.stderr) == (1, True)


def test_check_tells_every_problem(tmp_path: Path) -> None:
    (tmp_path / "cut.toml").write_text('[cut]\nid = "a b"\n[data_sets.one]\ntitle = "One"\n')
    result = run("check", tmp_path)
    assert result.exit_code == 1
    assert "cut.id" in result.stderr
    assert "data_sets.one.variables" in result.stderr


def test_pages_are_written(tmp_path: Path) -> None:
    result = run("pages", tmp_path / "new")
    assert result.exit_code == 0, result.stderr
    assert "21 pages" in result.stdout
    assert (tmp_path / "new" / "ks4.md").read_text(encoding="utf-8").count("## ") > 50


def test_find_reads_a_name_of_npd() -> None:
    result = run("find", "FSMeligible_SPR23")
    assert result.stdout.startswith("census.fsm_eligible, spring 2022/23: Eligible for free school meals\n")
    assert "ks4.census_fsm_eligible" in result.stdout


def test_find_says_when_a_name_is_of_other_years() -> None:
    assert "files have this name from 2012 only" in run("find", "EVERFSM_6_SPR09").stdout


def test_find_searches_words_or_says_that_there_is_nothing() -> None:
    assert "ks4.progress8: Progress 8" in run("find", "Progress 8").stdout
    assert "more: say more words" in run("find", "a").stdout
    result = run("find", "unicorns")
    assert (result.exit_code, "no variable" in result.stderr) == (1, True)
