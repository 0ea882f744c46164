"""Rows that meet a condition: as many as asked for, and the same ones that a release of the plan has."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from typer.testing import CliRunner

from privacy_api.cli import app
from synthetic import Plan, sample

PLAN = Plan(20_000, range(2024, 2025), terms=("SPR",))


@pytest.fixture(scope="module")
def npd(root: Path) -> Path:
    return root / "datasets" / "npd"


def rows(path: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect() as connection:
        return connection.execute(query.replace("FILE", f"'{path}'")).fetchall()


def test_all_rows_meet_the_condition(npd: Path, tmp_path: Path) -> None:
    where = "school_phase = '2' and sen_need_group = 'semh' and not (sex = 'F' or age < 7)"
    path = sample(30, where, tmp_path / "rows.parquet", npd, PLAN)
    kept = "age >= 7 AND sex = 'M' AND sen_provision <> 'N' AND primary_need IN ('SEMH', 'BESD') AND is_synthetic"
    query = f"SELECT count(*), count(DISTINCT PupilMatchingRefAnonymous), bool_and({kept}) FROM FILE"
    assert rows(path, query) == [(30, 30, True)]


def test_never_fewer(npd: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"where: \d+ of the plan's 20,000 pupils have such a row, not 5000"):
        sample(5_000, "ethnicity = 'WIRT'", tmp_path / "rows.parquet", npd, PLAN)
    assert not (tmp_path / "rows.parquet").exists()


@pytest.mark.parametrize(
    ("where", "says"),
    [
        ("ethnicity = 'XX'", "has not among its codes"),
        ("age + 1", "wants a condition"),
        ("fsm6 = '1'", "other years"),
        ("cla_any_day = '1'", "linked from another data set"),
        ("age >", "cannot be read"),
    ],
)
def test_a_condition_that_cannot_be_asked_is_refused(npd: Path, tmp_path: Path, where: str, says: str) -> None:
    with pytest.raises(ValueError, match=f"^where: .*{says}"):
        sample(1, where, tmp_path / "rows.parquet", npd, PLAN)


def test_the_command_writes_csv(npd: Path, tmp_path: Path) -> None:
    out = tmp_path / "rows.csv"
    given = ["synthetic", "sample", str(out), "--catalogue", str(npd), "--where", "average_score >= 110", "-n", "5"]
    done = CliRunner().invoke(app, [*given, "--data-set", "ks2", "--pupils", "5000"])
    assert done.exit_code == 0, done.output
    assert rows(out, "SELECT count(*), bool_and((reading_points + maths_points) / 2 >= 110) FROM FILE") == [(5, True)]
