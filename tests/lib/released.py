"""A small synthetic release as `synthetic make` and `report` leave one, signed and put out by the real parts."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from privacy_api.service.services import Services
from privacy_api.service.synthetic_releases import put_out, sign
from synthetic.folder import sha256
from synthetic.npd.parquet import Coded, Ids, Writer
from synthetic.publish import id_of
from synthetic.release import digest
from synthetic.tiers import Tier

PARTS = {"census/2024-AUT-000": 40, "census/2024-SPR-000": 60, "rolls": 5}
"""Files and their rows."""


def made_up(folder: Path, tier: Tier = Tier.CALIBRATED, seed: int = 1) -> Path:
    """Two tables, one of two files, with manifest and report. No checks were made of it."""
    rng = np.random.default_rng(seed)
    with Writer({"provenance": "synthetic", "tier": tier.value}) as writer:
        for name, rows in PARTS.items():
            sexes = Coded(("F", "M"), rng.integers(0, 2, rows))
            writer.write(folder / f"{name}.parquet", {"pupil": Ids(np.arange(rows)), "sex": sexes})
    files = {f"{name}.parquet": _facts(folder / f"{name}.parquet", rows) for name, rows in PARTS.items()}
    _write(folder / "manifest.json", {**_MANIFEST, "tier": tier.value, "files": files})
    _write(folder / "report.json", {"about": {"title": "Made up", "release": "made-up@1", "pupils": 60}})
    page = "<!DOCTYPE html><html lang='en'><head><title>R</title><style>h1 { color: #123456; }</style></head>"
    (folder / "report.html").write_text(page + "<body><main><h1>Made up</h1></main></body></html>", encoding="utf-8")
    return folder


def put_out_made_up(services: Services, tier: Tier = Tier.CALIBRATED, seed: int = 1) -> str:
    """The id of the release."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = made_up(Path(scratch), tier, seed)
        of = digest(folder)
        for who in ("ada", "olive"):
            sign(of, f"console:{who}", "Looked at.", tier, services.audit)
        put_out(folder, of, "console:olive", services.audit, services.shelf)
    return id_of(of)


_MANIFEST: dict[str, Any] = {
    "provenance": "synthetic",
    "is_synthetic": True,
    "keeps": "Nothing: it is for tests.",
    "claims": [],
    "allowed": ["Tests."],
    "notAllowed": ["Anything else."],
}


def _facts(path: Path, rows: int) -> dict[str, Any]:
    return {"rows": rows, "bytes": path.stat().st_size, "sha256": sha256(path)}


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")
