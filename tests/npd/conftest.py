"""The NPD catalogue, read once, and the reference's facts, read in place."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path

import pytest

from datasets.catalogue import Catalogue
from datasets.catalogue_toml import bundle, load_catalogue
from datasets.npd import FOLDER

Facts = Callable[[str], list[dict[str, str]]]


@pytest.fixture(scope="session")
def npd() -> Catalogue:
    return load_catalogue(bundle(FOLDER))


@pytest.fixture(scope="session")
def codesets(root: Path) -> Path:
    folder = root.parent / "shared" / "reference" / "codesets"
    if not folder.is_dir():
        pytest.skip("the reference's code lists are not in ../shared/reference/codesets")
    return folder


@pytest.fixture(scope="session")
def facts(codesets: Path) -> Facts:
    def read(name: str) -> list[dict[str, str]]:
        with (codesets / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    return read
