"""The real files, onboarded by the examples' catalogues, served by the whole application.

Care rule of ../shared/data/SOURCES.md: no cell of these files is ever printed; failures show counts only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

import httpx2
import pytest
from fastapi.testclient import TestClient

from disclosure.accounting import nano_rho
from privacy_api.bootstrap import make_app, open_stores
from privacy_api.cli.cuts import bind, preset
from privacy_api.ports import Project
from privacy_api.settings import load_settings

Ask = Callable[[str, dict[str, object]], httpx2.Response]
GRANTS = frozenset({"sex", "sen"})


def shared(root: Path, name: str) -> Path:
    path = root.parent / "shared" / "data" / name
    if not path.is_file():
        pytest.skip(f"{name} not in ../shared/data, see SOURCES.md")
    return path


@pytest.fixture(scope="module")
def serve(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str, str], Ask]]:
    """Ingest a file of ../shared/data under an example catalogue and return a way to ask it over HTTP."""
    from datasets.catalogue_toml import load_catalogue
    from datasets.ingest import ingest

    class Quiet:
        def step(self, name: str, done: int, total: int) -> None:
            """Nobody watches."""

    with ExitStack() as stack:

        def start(catalogue: str, file: str) -> Ask:
            source, home = shared(root, file), tmp_path_factory.mktemp("home")
            text = (root / "examples" / catalogue).read_text(encoding="utf-8")
            loaded = load_catalogue(text)
            settings = load_settings({}, home=home, behind_tls_proxy=True)
            ingest(loaded, text, {loaded.data_sets[0].id: [source]}, settings.cuts, Quiet())
            bind(settings.policies, loaded.cut, preset("dp-default").replace("cells = 10000", "cells = 50000"))
            stores = open_stores(settings)
            projects = stores.projects
            projects.create_project(Project("tests", "Tests", nano_rho(Decimal("0.5")), GRANTS))
            key = projects.create_key("tests", "", settings.environment)[1]
            stores.close()
            app = make_app(settings)
            client = stack.enter_context(TestClient(app))
            stack.callback(app.state.services.close)
            headers = {"Authorization": f"Bearer {key}"}
            url = f"/v1/data-sets/{loaded.cut}.{loaded.data_sets[0].id}/query"
            return lambda path, body: client.post(url + path, json=body, headers=headers)  # type: ignore[return-value]

        yield start
