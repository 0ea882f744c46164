"""`manifest.json` beside the files: what they are, what they follow from, and what they may be used for."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthetic.folder import MANIFEST, sha256
from synthetic.plan import Plan
from synthetic.tiers import Tier

if TYPE_CHECKING:
    from synthetic.drawn.file import Origin

ALLOWED = (
    "Developing and testing code, tools and services before access to the real data.",
    "Teaching, demonstrations and appathons.",
    "Planning a study: which tables and variables there are, how large, how they link.",
)
NOT_ALLOWED = (
    "Findings about pupils, schools or authorities: nobody in these files exists.",
    "Judging a school, an authority or a policy. School names and what is said of schools are made up.",
    "Operational decisions of any kind.",
)
TIERS = {
    "T0": "Structure alone: data sets, codes, keys and rules. Shares are even and mean nothing.",
    "T1": "Calibrated to published figures: the claimed margins are exact, other relations plausible. "
    "No real pupil was read.",
    "T2": "Coarsened: made from released tables that passed disclosure control. "
    "Nothing else of the real data was read.",
    "T3": "Drawn from a differentially private model: tables that were measured with noise are kept, with that noise.",
}


def provenance(plan: Plan, digest: str) -> dict[str, str]:
    """What each file says of itself. digest: of the catalogue."""
    return {
        "provenance": "synthetic",
        "tier": plan.tier,
        "seed": str(plan.seed),
        "catalogue": digest,
        "generator": generator(),
        "notice": "Made-up pupils: nobody in this file exists.",
    }


def generator() -> str:
    try:
        return f"privacy-api {version('privacy-api')}"
    except PackageNotFoundError:
        return "privacy-api"


def manifest(
    plan: Plan,
    digest: str,
    folder: Path,
    files: Sequence[tuple[Path, int]],
    claims: Sequence[str],
    counts: Mapping[str, int],
) -> dict[str, Any]:
    """files: with their rows. counts: what was spoilt on purpose, by kind."""
    return _head(plan.tier, digest) | {
        "plan": {
            "pupils": plan.pupils,
            "years": [plan.years[0], plan.years[-1]],
            "seed": plan.seed,
            "tables": {name: list(variables) for name, variables in plan.tables.items()},
            "terms": list(plan.terms),
            "coverage": plan.coverage,
            "messiness": plan.messiness,
            "schools": plan.schools,
        },
        "claims": list(claims),
        "messiness": dict(counts),
        "allowed": list(ALLOWED),
        "notAllowed": list(NOT_ALLOWED),
        "files": _files(folder, files),
    }


def of_coarse(
    of: Mapping[str, Any], releases: Mapping[str, str], digest: str, folder: Path, files: Sequence[tuple[Path, int]],
    rows: int, seed: int, uses: Mapping[str, Sequence[str]],
) -> dict[str, Any]:  # fmt: skip
    """Of a T2 release. of: data set, version and population of the answers; releases: the digest of each."""
    return _head(Tier.COARSENED, digest) | {
        "of": dict(of),
        "plan": {"rows": rows, "seed": seed},
        "claims": [],
        "margins": dict(releases),
        "allowed": list(uses["allowed"]),
        "notAllowed": list(uses["forbidden"]),
        "files": _files(folder, files),
    }


def _head(tier: str, digest: str) -> dict[str, Any]:
    return {
        "provenance": "synthetic",
        "is_synthetic": True,
        "tier": str(tier),
        "keeps": TIERS[tier],
        "generator": generator(),
        "catalogue": digest,
    }


def _files(folder: Path, files: Iterable[tuple[Path, int]]) -> dict[str, Any]:
    return {
        path.relative_to(folder).as_posix(): {"rows": rows, "bytes": path.stat().st_size, "sha256": sha256(path)}
        for path, rows in files
    }


def of_drawn(
    origin: Origin, digest: str, folder: Path, files: Mapping[Path, int], pupils: int, seed: int
) -> dict[str, Any]:
    """Of a T3 release: what it was drawn from, and what that was charged."""
    return _head(Tier.PRIVATE, digest) | {
        "plan": {"pupils": pupils, "seed": seed},
        "model": asdict(origin),
        "claims": [],
        "messiness": {},
        "allowed": list(ALLOWED),
        "notAllowed": list(NOT_ALLOWED),
        "files": _files(folder, files.items()),
    }


def write(folder: Path, content: Mapping[str, Any]) -> Path:
    path = folder / MANIFEST
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    return path
