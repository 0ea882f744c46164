"""The generated cut: made once, ingested, and served by the whole application under the default policy."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from datasets.catalogue import Catalogue
from datasets.catalogue_toml import load_catalogue
from datasets.catalogue_toml.bundle import bundle
from datasets.ingest import ingest
from disclosure.accounting import nano_rho
from privacy_api.bootstrap import make_app, open_stores
from privacy_api.cli.cuts import bind
from privacy_api.ports import Project
from privacy_api.settings import load_settings
from synthetic.npd import make

PUPILS, YEARS, SEED = 20_000, range(2018, 2025), 2026


@dataclass(frozen=True)
class Served:
    catalogue: Catalogue
    files: Mapping[str, Sequence[Path]]
    client: TestClient
    key: str

    def ask(self, analysis: Mapping[str, Any], path: str = "query") -> Any:
        headers = {"Authorization": f"Bearer {self.key}"}
        url = f"/v1/data-sets/{analysis['dataSet']}/{path}"
        return self.client.post(url, json=analysis["query"], headers=headers)


def analyses(root: Path) -> dict[str, dict[str, Any]]:
    """The examples, by the number that their file names begin with."""
    return {
        p.name[:2]: json.loads(p.read_text(encoding="utf-8"))
        for p in sorted((root / "examples/analyses").glob("*.json"))
    }


@pytest.fixture(scope="session")
def served(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home, npd = tmp_path_factory.mktemp("home"), root / "datasets" / "npd"
    files = make(npd, home / "files", PUPILS, YEARS, SEED)
    text = bundle(npd)
    catalogue = load_catalogue(text)
    settings = load_settings({}, home=home, behind_tls_proxy=True)
    ingest(catalogue, text, files, settings.cuts)
    bind(settings.policies, catalogue.cut, None)
    stores = open_stores(settings)
    stores.projects.create_project(Project("tests", "Tests", nano_rho(Decimal("0.5")), grants(catalogue)))
    key = stores.projects.create_key("tests", "", settings.environment)[1]
    stores.close()
    app = make_app(settings)
    with TestClient(app) as client:
        yield Served(catalogue, files, client, key)
    app.state.services.close()


def grants(catalogue: Catalogue) -> frozenset[str]:
    """Everything that needs a grant."""
    needing = [v for d in catalogue.data_sets for v in d.variables if v.sensitivity.needs_grant]
    return frozenset(name for v in needing for name in (v.name, v.granted_as) if name)
