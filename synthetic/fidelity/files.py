"""The report of a folder that `synthetic make` wrote: T0 and T1, against published figures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from synthetic.checking import coarse
from synthetic.checking.finding import Finding
from synthetic.checking.run import Progress, check
from synthetic.fidelity.document import to_json
from synthetic.fidelity.npd import ASKED, Release, read
from synthetic.fidelity.page import to_html
from synthetic.fidelity.report import About, Constraint, Kept, Reference, Report, build
from synthetic.folder import DOCUMENT, PAGE
from synthetic.npd.claims import CLAIMS, ROLLS
from synthetic.tiers import Tier

OF_VALUES = {
    "values": "Values are codes and numbers of the catalogue",
    "in use": "Codes occur only in years in which they were in use",
    "years": "Values occur only in years in which they were collected",
    "key": "No two rows have the same key",
    "on roll": "Pupils of each data set were on a roll in that year",
}


def report_of(folder: Path, release_id: str | None = None, progress: Progress | None = None) -> Report:
    """Checks all rules too. Raises ValueError where there is no such folder."""
    if coarse.is_coarse(folder):
        return coarse.report_of(folder, check(folder, progress), release_id)
    release = read(folder)
    findings = check(folder, progress)
    return build(_about(release, findings, release_id), release.source, release.reference, Reference.PUBLISHED, ASKED)


def write(report: Report, folder: Path) -> tuple[Path, Path]:
    folder.mkdir(parents=True, exist_ok=True)
    page, document = folder / PAGE, folder / DOCUMENT
    page.write_text(to_html(report), encoding="utf-8")
    document.write_text(to_json(report) + "\n", encoding="utf-8")
    return page, document


def _about(release: Release, findings: Sequence[Finding], release_id: str | None) -> About:
    manifest, plan = release.manifest, release.manifest["plan"]
    return About(
        title="National Pupil Database, synthetic",
        tier=Tier(manifest["tier"]),
        release=release_id or f"npd-synthetic@{release.digest[:12]}",
        pupils=plan["pupils"],
        digest=release.digest,
        provenance=_provenance(manifest, plan),
        kept=tuple(_kept(manifest["claims"])),
        constraints=tuple(constraints(findings)),
    )


def _provenance(manifest: Any, plan: Any) -> dict[str, str]:
    return {
        "Academic years": f"{plan['years'][0] - 1}/{plan['years'][0] % 100:02d} to "
        f"{plan['years'][1] - 1}/{plan['years'][1] % 100:02d}",
        "Generator": manifest["generator"],
        "Seed": str(plan["seed"]),
        "Messiness": str(plan["messiness"]),
        "Catalogue": manifest["catalogue"],
        "Files": f"{len(manifest['files'])}, {sum(f['rows'] for f in manifest['files'].values()):,} rows",
    }


def _kept(claims: Sequence[str]) -> Iterator[Kept]:
    if ROLLS in claims:
        yield Kept(("school", "year group", "year"), None, "each school's roll, exactly")
    for claim in CLAIMS:
        if claim.name in claims:
            yield Kept(claim.by, None, f"{claim.years}; {claim.source}")


def constraints(findings: Sequence[Finding]) -> Iterator[Constraint]:
    """Rules of a kind together, all others one by one."""

    def kind(found: Finding) -> str:
        return OF_VALUES.get(found.rule.rpartition(": ")[2], "")

    for label, several in groupby(sorted(findings, key=kind), kind):
        together = list(several)
        if label:
            yield Constraint(label, len(together), sum(f.broken for f in together))
        else:
            yield from (Constraint(f"{f.rule}: {f.says}", 1, f.broken) for f in together)
