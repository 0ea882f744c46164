from __future__ import annotations

import runpy
from pathlib import Path

from datasets.catalogue_toml import load_catalogue
from datasets.catalogue_toml.bundle import bundle
from tests.analyses.conftest import analyses


def test_the_page_is_what_the_files_say(root: Path) -> None:
    made = runpy.run_path(str(root / "examples" / "analyses" / "page.py"))["page"]()
    stale = "run: python examples/analyses/page.py"
    assert (root / "docs" / "analyses.md").read_text(encoding="utf-8") == made, stale


def test_questions_name_variables_of_the_catalogue(root: Path) -> None:
    catalogue = load_catalogue(bundle(root / "datasets" / "npd"))
    for number, analysis in analyses(root).items():
        assert set(analysis) == {"title", "answers", "dataSet", "query", "notes"}, number
        data_set = catalogue.data_set(analysis["dataSet"].removeprefix("npd."))
        assert data_set is not None, number
        names = {name.partition(".")[0] for name in analysis["query"]["groupBy"]}
        assert names <= set(data_set.by_name), number
