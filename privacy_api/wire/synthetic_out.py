"""What is told of synthetic releases: what was signed, and where to get it. Nobody's name."""

from __future__ import annotations

from typing import Any

from privacy_api.ports import ShelvedTable
from privacy_api.service.synthetic_releases import SyntheticRelease, has_csv

ADDRESS = "/v1/synthetic/releases"


def release(found: SyntheticRelease) -> dict[str, Any]:
    shelved, about = found.shelved, found.shelved.report["about"]
    here = f"{ADDRESS}/{found.id}"
    return {
        "id": found.id,
        "title": about["title"],
        "name": about["release"],
        "tier": shelved.manifest["tier"],
        "keeps": shelved.manifest["keeps"],
        "pupils": about["pupils"],
        "released": found.released,
        "signatures": found.signatures,
        "digest": shelved.digest,
        "provenance": "synthetic",
        "tables": [_table(table, here) for table in shelved.tables.values()],
        "links": {"self": here, "report": f"{here}/report"},
    }


def whole(found: SyntheticRelease) -> dict[str, Any]:
    """With the manifest as it was signed."""
    return release(found) | {"manifest": found.shelved.manifest}


def _table(table: ShelvedTable, here: str) -> dict[str, Any]:
    address = f"{here}/download/{table.name}"
    return {
        "name": table.name,
        "rows": table.rows,
        "bytes": table.bytes,
        "sha256": table.sha256,
        "links": {"parquet": address, "csv": f"{address}?format=csv" if has_csv(table) else None},
    }


EXAMPLE: dict[str, Any] = {
    "id": "0f1e2d3c4b5a6978",
    "title": "National Pupil Database, synthetic",
    "name": "npd-synthetic@8c7d6e5f4a3b",
    "tier": "T1",
    "keeps": "Calibrated to published figures: the claimed margins are exact, other relations plausible.",
    "pupils": 50_000,
    "released": "2026-12-01T09:30:00+00:00",
    "signatures": 1,
    "digest": "0f1e2d3c4b5a6978" + "0" * 48,
    "provenance": "synthetic",
    "tables": [
        {
            "name": "census",
            "rows": 119_032,
            "bytes": 1_804_233,
            "sha256": "5" * 64,
            "links": {
                "parquet": f"{ADDRESS}/0f1e2d3c4b5a6978/download/census",
                "csv": f"{ADDRESS}/0f1e2d3c4b5a6978/download/census?format=csv",
            },
        }
    ],
    "links": {
        "self": f"{ADDRESS}/0f1e2d3c4b5a6978",
        "report": f"{ADDRESS}/0f1e2d3c4b5a6978/report",
    },
}
"""What a release looks like, for the OpenAPI document. A test holds it against a real one."""
EXAMPLE_MANIFEST: dict[str, Any] = {
    "provenance": "synthetic",
    "is_synthetic": True,
    "tier": "T1",
    "claims": ["rolls"],
    "files": {"census/2024-SPR-000.parquet": {"rows": 39_677, "bytes": 601_411, "sha256": "6" * 64}},
}
