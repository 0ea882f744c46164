"""What must be so before a synthetic release leaves the house: four checks, each by machine, and who must sign.

Labelling, disclosure, structure and documentation, after Raab, McCall and Cavin's four checks for low-fidelity
synthetic data (IJPDS 2972). A gate says all that is wrong; nothing is let through with a warning.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from datasets.catalogue_toml import load_catalogue
from datasets.catalogue_toml.bundle import bundle
from synthetic.checking.finding import Finding
from synthetic.checking.labels import unmarked
from synthetic.checking.run import Progress, check
from synthetic.coarse import release as coarse
from synthetic.drawn import release as drawn
from synthetic.fidelity.document import FORMAT, uses_of
from synthetic.fidelity.report import Reference
from synthetic.folder import DOCUMENT, MANIFEST, PAGE, digest_of, manifest_of, tree, tree_digest
from synthetic.npd.claims import CLAIMS, ROLLS
from synthetic.tiers import Tier

BESIDE = {MANIFEST, PAGE, DOCUMENT}
"""Files of a release that are not data. So is its catalogue."""


class Check(StrEnum):
    LABELLING = "labelling"
    DISCLOSURE = "disclosure"
    STRUCTURE = "structure"
    DOCUMENTATION = "documentation"


@dataclass(frozen=True, slots=True)
class Gate:
    """wrong: a sentence for each thing to be mended; none where the gate is open."""

    check: Check
    wrong: tuple[str, ...]


def gates(folder: Path, progress: Progress | None = None) -> tuple[Gate, ...]:
    """All four, whatever the first ones find. Raises ValueError where the folder has no manifest that can be read."""
    manifest = manifest_of(folder)
    found = check(folder, progress)
    return (
        Gate(Check.LABELLING, tuple(_labelling(folder, manifest))),
        Gate(Check.DISCLOSURE, tuple(_disclosure(folder, manifest))),
        Gate(Check.STRUCTURE, tuple(_structure(found))),
        Gate(Check.DOCUMENTATION, tuple(_documentation(folder, manifest))),
    )


def tier_of(folder: Path) -> Tier:
    return Tier(manifest_of(folder)["tier"])


def digest(folder: Path) -> str:
    """What is signed: of every byte of every file, the manifest, the report and the catalogue among them."""
    return tree_digest(tree(folder))


def _labelling(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    if manifest.get("provenance") != "synthetic" or manifest.get("is_synthetic") is not True:
        yield f"{MANIFEST} does not say that the files are synthetic."
    for name in unmarked(folder, [n for n in manifest["files"] if n.endswith(".parquet")]):
        yield f"{name} does not say in itself that it is synthetic."
    if (folder / PAGE).is_file() and "Nobody is in these rows" not in (folder / PAGE).read_text(encoding="utf-8"):
        yield f"{PAGE} does not say at its head that nobody is in the rows."


def _disclosure(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    there = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    data = {n for n in there if n not in BESIDE and not n.startswith("catalogue/")}
    yield from (
        f"{name} is not in the manifest: nobody has said what it is." for name in sorted(data - {*manifest["files"]})
    )
    tier, known = Tier(manifest["tier"]), {ROLLS, *(c.name for c in CLAIMS)}
    if load_catalogue(bundle(folder / "catalogue")).digest != manifest.get("catalogue"):
        yield f"The catalogue is not the one of {MANIFEST}."
    if tier in (Tier.STRUCTURAL, Tier.CALIBRATED):
        for claim in manifest["claims"]:
            if claim not in known:
                yield f"The claim {claim!r} is not one of the published tables."
    if again := {Tier.PRIVATE: drawn.strange, Tier.COARSENED: coarse.strange}.get(tier):
        for name in again(folder, manifest.get("plan", {})):
            yield f"{name} is not what follows from the release's tables and seed: something else may be in it."
    yield from _of_comparison(tier, _report(folder))


def _of_comparison(tier: Tier, report: Mapping[str, Any]) -> Iterator[str]:
    """A comparison is a release too: never with real rows, and never unpaid."""
    allowed = {Reference.PUBLISHED, Reference.REHEARSAL}
    if tier is Tier.COARSENED:
        allowed |= {Reference.RELEASED}
    if tier is Tier.PRIVATE:
        allowed |= {Reference.MEASURED, Reference.PURCHASED}
        if report and not (report.get("about", {}).get("price") or {}).get("rho"):
            yield "A T3 release has no price in its report: what was the fit charged?"
    if report and report.get("reference") not in allowed:
        yield f"The report compares with {report.get('reference')!r}, which a {tier.value} release may not."


def _structure(found: list[Finding]) -> Iterator[str]:
    if not found:
        yield "No rule could be asked of the files."
    yield from (f"{f.rule}: {f.says}; {f.broken:,} do not." for f in found if f.broken)


def _documentation(folder: Path, manifest: Mapping[str, Any]) -> Iterator[str]:
    report, page = _report(folder), folder / PAGE
    if not report or not page.is_file():
        yield f"{PAGE} and {DOCUMENT} are not there: `synthetic report` writes them."
        return
    signed = digest_of(manifest)
    if report.get("about", {}).get("digest") != signed or signed not in page.read_text(encoding="utf-8"):
        yield f"{PAGE} or {DOCUMENT} is of other files than these."
    if report.get("uses") != uses_of(Tier(manifest["tier"])):
        yield f"{DOCUMENT} does not have the allowed and forbidden uses of its tier."
    if re.search(r"<(script|link|img|iframe)\b", page.read_text(encoding="utf-8")):
        yield f"{PAGE} is not whole in itself."
    if not manifest.get("allowed") or not manifest.get("notAllowed"):
        yield f"{MANIFEST} does not say what the files may be used for."


def _report(folder: Path) -> dict[str, Any]:
    """Empty where there is none, or none of ours."""
    try:
        found = json.loads((folder / DOCUMENT).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) and found.get("format") == FORMAT else {}
