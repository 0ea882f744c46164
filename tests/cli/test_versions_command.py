"""`privacy-api cut`: versions, what changed between them, what may go."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from privacy_api.cli import app
from tests.ingest.builders import CATALOGUE, CENSUS, EXAMS, write_file


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Two versions of a cut: the second has an exam less, and another code."""
    (tmp_path / "home").mkdir()
    text = CATALOGUE.replace('title = "Exams"', 'title = "Exams"\nreleases = [["unamended", "October"]]')
    for i, exams in enumerate((EXAMS, EXAMS[:3])):
        catalogue = tmp_path / f"catalogue{i}.toml"
        catalogue.write_text(text.replace('"SC"]', '"SC", "ZZ"]') if i else text, encoding="utf-8")
        files = [
            f"census={write_file(tmp_path / 'census.csv', CENSUS)}",
            f"exams={write_file(tmp_path / 'exams.csv', exams)}",
        ]
        told = run("ingest", catalogue, *files, "--release", "exams=unamended", "--home", tmp_path / "home")
        assert f"published tiny version {i + 1}" in told
    return tmp_path / "home"


def run(*arguments: object, code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == code, result.output
    return result.output


def test_versions_and_their_stages_are_listed(home: Path) -> None:
    first, second = (line.split() for line in run("cut", "list", "--home", home).splitlines())
    assert first[:2] == ["tiny", "1"] and second[:3] == ["*", "tiny", "2"]
    assert first[-1] == second[-1] == "exams=unamended"


def test_exact_numbers_are_told_only_when_asked_for(home: Path) -> None:
    told = ["exams: subject: codes added: ZZ", "exams: periods removed: 202223"]
    told.append("exams: files that are new or amended: exams.csv")
    assert run("cut", "diff", "tiny", 1, 2, "--home", home).splitlines() == told
    assert run("cut", "diff", "tiny", 1, 2, "--rows", "--home", home).splitlines() == [
        *told,
        "exams: records was 4, is 3",
    ]
    assert run("cut", "diff", "tiny", 2, 2, "--home", home) == "nothing changed\n"


@pytest.mark.parametrize("version", ["3", "x", "../1"])
def test_a_version_that_is_not_there(home: Path, version: str) -> None:
    assert "there is none" in run("cut", "diff", "tiny", 1, version, "--home", home, code=1)


def test_what_no_version_needs_is_removed(home: Path) -> None:
    assert run("cut", "prune", "tiny", "--home", home).startswith("removed 1 parts")
    assert run("cut", "prune", "tiny", "--all", "--home", home).startswith("removed 2 parts")
    assert "no cut 'other'" in run("cut", "prune", "other", "--home", home, code=1)


@pytest.mark.parametrize("release", ["exams", "exams=", "=final"])
def test_a_stage_is_of_a_data_set(tmp_path: Path, release: str) -> None:
    (tmp_path / "home").mkdir()
    catalogue = tmp_path / "catalogue.toml"
    catalogue.write_text(CATALOGUE, encoding="utf-8")
    census, exams = (write_file(tmp_path / f"{n}.csv", rows) for n, rows in (("census", CENSUS), ("exams", EXAMS)))
    files = (f"census={census}", f"exams={exams}")
    told = run("ingest", catalogue, *files, "--release", release, "--home", tmp_path / "home", code=1)
    assert "--release wants DATA_SET=STAGE" in told
