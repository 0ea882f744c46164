from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from privacy_api.cli import app


def test_files_and_their_catalogue_are_written(root: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    given = ["synthetic", "make", str(out), "--catalogue", str(root / "datasets" / "npd"), "--pupils", "1000"]
    done = CliRunner().invoke(app, [*given, "--years", "2024", "--schools", "500"])
    assert done.exit_code == 0, done.output
    assert (out / "census" / "2024-SPR-000.parquet").is_file()
    assert len((out / "catalogue" / "codes" / "schools.csv").read_text().splitlines()) == 501
    again = CliRunner().invoke(app, given)
    assert again.exit_code == 1
    assert "is not empty" in again.output


def test_refusals_say_what_is_wanted(root: Path, tmp_path: Path) -> None:
    npd = str(root / "datasets" / "npd")
    wrong_years = ["synthetic", "make", str(tmp_path / "a"), "--catalogue", npd, "--years", "2024-2018"]
    no_catalogue = ["synthetic", "make", str(tmp_path / "b"), "--catalogue", str(tmp_path)]
    for given, wanted in ((wrong_years, "such as 2018-2024"), (no_catalogue, "cut.toml")):
        done = CliRunner().invoke(app, given)
        assert done.exit_code == 1
        assert wanted in done.output
