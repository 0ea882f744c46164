"""A small cut of one flat table for tests of pages: quickly made, with few codes. `privacy-api demo` serves another."""

from __future__ import annotations

import tempfile
from pathlib import Path

from datasets.catalogue_toml import load_catalogue
from datasets.ingest import ingest
from privacy_api.cli.cuts import bind
from privacy_api.cli.demo import _new_key
from privacy_api.cli.progress import Bar
from privacy_api.settings import Settings
from tests.lib.structural import SMALL, generate

CUT, DATA_SET = "demo", "demo.census"


def build(settings: Settings, pupils: int) -> str:
    """A key of the project demo, in a new home with this cut alone."""
    text = SMALL.read_text(encoding="utf-8")
    catalogue = load_catalogue(text)
    with tempfile.TemporaryDirectory(dir=settings.home) as scratch, Bar() as bar:
        sources = {name: [path] for name, path in generate(catalogue, pupils, 2026, Path(scratch)).items()}
        ingest(catalogue, text, sources, settings.cuts, bar)
    bind(settings.policies, CUT, None)
    return _new_key(settings, CUT)
