"""The shape of the house: who imports whom, what loads when, what is documented and tested."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from datasets.statistics import STATISTICS
from disclosure.policy import TABLES
from privacy_api.errors import ErrorCode
from privacy_api.formats import FORMATS
from privacy_api.governance.audit_kinds import KINDS
from privacy_api.settings import PREFIX, Settings

HEAVY = {"pandas", "duckdb", "opendp", "sqlalchemy", "fastapi", "numpy", "scipy", "sqlglot", "pyspark", "pyarrow"}


def modules_after(code: str) -> set[str]:
    run = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('\\nMODULES', *sys.modules)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return set(run.stdout.rsplit("MODULES", 1)[1].split())


def loaded_after(code: str) -> set[str]:
    return {name.split(".")[0] for name in modules_after(code)}


def test_import_contracts_hold(root: Path) -> None:
    tool = Path(sys.executable).parent / "lint-imports"
    run = subprocess.run([tool], cwd=root, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout


@pytest.mark.parametrize("arguments", [["--help"], ["ingest", "--help"], ["serve", "--help"], ["query", "--help"]])
def test_help_loads_nothing_heavy(arguments: list[str]) -> None:
    code = (
        f"import sys; sys.argv = ['privacy-api', *{arguments!r}]\n"
        "from privacy_api.cli import app\n"
        "try:\n    app()\nexcept SystemExit as end:\n    assert not end.code"
    )
    assert not loaded_after(code) & HEAVY


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert not loaded_after("import privacy_api") & (HEAVY | {"typer", "pydantic"})


def test_a_server_starts_without_what_only_some_questions_need(tmp_path: Path) -> None:
    """Solvers and special functions of SciPy, OpenDP and, where the database is up to date, Alembic."""
    start = (
        "from pathlib import Path\n"
        "from privacy_api.bootstrap import make_app\n"
        "from privacy_api.settings import load_settings\n"
        f"make_app(load_settings({{}}, home=Path({str(tmp_path)!r}), mode='demo'))"
    )
    assert "alembic" in modules_after(start), "the first start makes the database"
    late = {"alembic", "opendp", "pandas", "scipy.optimize", "scipy.sparse", "scipy.special", "pyspark"}
    assert not modules_after(start) & late


def documented(root: Path, page: str) -> str:
    return (root / "docs" / page).read_text(encoding="utf-8")


def test_every_statistic_is_documented(root: Path) -> None:
    text = documented(root, "api.md")
    assert [name for name in STATISTICS if f"`{name}`" not in text] == []


def test_every_error_and_format_is_documented(root: Path) -> None:
    text = documented(root, "api.md")
    assert [e.slug for e in ErrorCode if f"`{e.slug}`" not in text] == []
    assert [name for name in FORMATS if f"`{name}`" not in text] == []


def test_every_problem_code_is_documented(root: Path) -> None:
    """Codes stand in the source as the first argument of a refusal."""
    sources = [
        *(root / "datasets").glob("*.py"),
        *(root / "privacy_api" / "wire").glob("*.py"),
        *(root / "privacy_api" / "service").glob("*.py"),
    ]
    found = {c for p in sources for c in re.findall(r'(?:refuse|Problem)\(\s*"([A-Z][A-Za-z]+)"', p.read_text())}
    assert len(found) > 15
    text = documented(root, "api.md")
    assert [code for code in sorted(found) if f"`{code}`" not in text] == []


def test_every_setting_is_documented(root: Path) -> None:
    text = documented(root, "running.md")
    assert [n for n in Settings.model_fields if f"`{PREFIX}{n.upper()}`" not in text] == []


def test_every_policy_field_is_documented(root: Path) -> None:
    text = documented(root, "policy.md")
    names = [f"{table.name}.{field.key}" for table in TABLES for field in table.fields] + [t.name for t in TABLES]
    assert [name for name in names if f"`{name}" not in text] == []


def test_every_statistic_has_a_test_against_numpy(root: Path) -> None:
    text = (root / "tests" / "datasets" / "test_statistics.py").read_text(encoding="utf-8")
    assert [name for name in STATISTICS if f'"{name}": (' not in text] == []


def test_every_kind_of_the_record_is_recorded(root: Path) -> None:
    """The catalogue promises nothing that never happens."""
    sources = [p for p in (root / "privacy_api").rglob("*.py") if p.name != "audit_kinds.py"]
    written = " ".join(p.read_text(encoding="utf-8") for p in sources)
    assert not [kind for kind in KINDS if f'"{kind}"' not in written]


def test_requirements_are_pinned_with_hashes_and_name_no_host(root: Path) -> None:
    for path in (root / "requirements").glob("*.txt"):
        text = path.read_text(encoding="utf-8")
        assert "://" not in text, path.name
        assert "index-url" not in text, path.name
        entries = [e for e in re.split(r"\n(?=\S)", text) if e.strip() and not e.startswith("#")]
        assert entries
        assert all("==" in e.splitlines()[0] and "--hash=sha256:" in e for e in entries), path.name


def test_the_image_is_not_root_and_checks_its_health(root: Path) -> None:
    text = (root / "Dockerfile").read_text(encoding="utf-8")
    final = text[text.rindex("\nFROM ") :]
    assert re.search(r"^USER 10001:10001$", final, re.M)
    assert "HEALTHCHECK" in final
    assert "ADD " not in text
    assert text.count("--require-hashes") == 1


def test_only_the_noise_module_makes_noise(root: Path) -> None:
    """`make_gaussian` and the like are named in one module; ruff bans other sources of randomness."""
    users = [
        p
        for d in ("disclosure", "datasets", "privacy_api", "synthetic")
        for p in (root / d).rglob("*.py")
        if "opendp" in p.read_text().lower() and "import opendp" in p.read_text()
    ]
    assert [p.name for p in users] == ["noise.py"]
    banned = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["ruff"]["lint"]["flake8-tidy-imports"]
    assert set(banned["banned-api"]) == {"numpy.random", "random"}
