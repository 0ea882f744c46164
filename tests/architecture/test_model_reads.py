"""The model of synthetic pupils reads the cut through one door, and takes noise from one place."""

from __future__ import annotations

import ast
from pathlib import Path

MODEL = Path(__file__).parents[2] / "synthetic" / "model"
FORBIDDEN = {"datasets", "duckdb", "pathlib", "os", "io", "pyarrow", "privacy_api", "opendp"}


def test_only_the_meter_asks_for_counts() -> None:
    asking = [p.name for p in MODEL.glob("*.py") if any(_names(p, "count_cells"))]
    assert sorted(asking) == ["measure.py"]


def test_nothing_of_the_model_reads_files_or_data_sets() -> None:
    for path in MODEL.glob("*.py"):
        found = {name.split(".")[0] for name in _imported(path)}
        assert not found & FORBIDDEN, path.name


def test_random_numbers_make_rows_only() -> None:
    using = [p.name for p in MODEL.glob("*.py") if "np.random" in p.read_text(encoding="utf-8")]
    assert using == ["sample.py"]


def _names(path: Path, attribute: str) -> list[ast.Call]:
    calls = [node for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Call)]
    return [call for call in calls if isinstance(call.func, ast.Attribute) and call.func.attr == attribute]


def _imported(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    whole = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return whole | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
