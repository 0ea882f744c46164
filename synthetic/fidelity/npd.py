"""NPD-shaped files as tables that can be compared, and the published figures that they are compared with.

Three populations, each counted in one pass: pupils of Reception to Year 11 in the spring census of the last year; their
absence in all years; and pupils at the end of key stage 4, with their key stage 2 of five years before.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from datasets.catalogue import Catalogue
from datasets.catalogue_toml import load_catalogue
from datasets.catalogue_toml.bundle import bundle
from synthetic.checking.files import answerable, opened
from synthetic.checking.run import regions_of
from synthetic.fidelity.groups import Outcome
from synthetic.fidelity.margins import Margin, Measured, Names, Variable
from synthetic.fidelity.report import Asked
from synthetic.folder import MANIFEST, digest_of
from synthetic.npd.claims import CLAIMS, Claim
from synthetic.npd.facts import facts
from synthetic.npd.layout import PHASES

GRADES, STARTS = tuple(facts()["transition"]["grades"]), tuple(facts()["transition"]["bands_from"])
SUBJECTS = {"ks4_maths": "Mathematics", "ks4_english": "English Language"}
BANDS = tuple(str(5 * i) for i in range(11))
CENSUS: Names = ("region", "phase", "sex", "ethnicity", "language_group", "fsm_eligible", "sen")
ABSENCE: Names = ("year", "phase", "fsm_eligible", "band")
KS4: Names = ("ks2", "sex", "ks4_maths", "ks4_english")
OF = ("sex", "ethnicity", "language_group", "fsm_eligible", "sen", "band", *SUBJECTS)
"""What is published of pupils. Of where and when they are it is how large a cut somebody asked for."""

_CENSUS = """SELECT {names}, count(*) FROM (SELECT region, kind AS phase, j.* FROM junior_roll j
    JOIN school_of s ON s.urn = j.school JOIN region_of USING (la)) WHERE y = {year} GROUP BY ALL"""
_ABSENCE = """SELECT ending(a.year)::VARCHAR, s.kind, c.fsm_eligible, CASE
      WHEN 2 * (authorised + unauthorised) > sessions_possible THEN '50'
      ELSE (greatest(1, ceil(20 * (authorised + unauthorised) / sessions_possible)) * 5 - 5)::INT::VARCHAR END, count(*)
    FROM absence_year a JOIN school_of s ON s.urn = a.school
    JOIN census c ON c.pupil = a.pupil AND c.year = a.year AND c.term = 'SUM' GROUP BY ALL"""
_KS4 = """WITH grades AS (SELECT pupil, {grades} FROM ks4_entries GROUP BY pupil),
    points AS (SELECT pupil, (reading_score + maths_score) / 2 AS average FROM ks2)
  SELECT {band}, k.sex, ks4_maths, ks4_english, count(*)
  FROM ks4 k JOIN grades USING (pupil) LEFT JOIN points USING (pupil)
  WHERE ending(k.year) - 5 IN (SELECT ending(year) FROM ks2) GROUP BY ALL"""


@dataclass(frozen=True, eq=False, slots=True)
class Release:
    """What a folder that `synthetic make` wrote has in it. manifest: as it stands beside the files."""

    manifest: Mapping[str, Any]
    source: Measured
    reference: Measured

    @property
    def digest(self) -> str:
        return digest_of(self.manifest)


def read(folder: Path) -> Release:
    """Raises ValueError where the folder is not one that `synthetic make` wrote."""
    if not (folder / MANIFEST).is_file() or not (folder / "catalogue").is_dir():
        raise ValueError(f"{folder}: wants a folder that `synthetic make` wrote, with its manifest and catalogue")
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    catalogue = load_catalogue(bundle(folder / "catalogue"))
    variables = {v.name: v for v in _variables(catalogue, manifest["plan"]["years"])}
    with opened(folder, catalogue, regions_of(catalogue)) as connection:
        counted = [
            Margin(names, _counted(connection.execute(query).fetchall(), [variables[n] for n in names]))
            for names, query in _queries(manifest["plan"]["years"][1])
            if answerable(connection, query)
        ]
    tables = [table for table in counted if table.counts.any()]  # key stage 2 of five years ago may not be in the files
    if not tables:
        raise ValueError(
            f"{folder}: has nothing that figures are published of. Make it with census or absence_year, and schools, "
            "and all their variables"
        )
    there = [v for v in variables.values() if any(v.name in t.names for t in tables)]
    return Release(manifest, Measured(there, tables), Measured(there, list(_published(tables, variables)), OF))


def _queries(last_year: int) -> Iterator[tuple[Names, str]]:
    yield CENSUS, _CENSUS.format(names=", ".join(CENSUS), year=last_year)
    yield ABSENCE, _ABSENCE
    graded = (f"max(CASE WHEN subject = '{subject}' THEN grade END) AS {n}" for n, subject in SUBJECTS.items())
    ends = " ".join(f"WHEN average < {end} THEN {i}" for i, end in enumerate(STARTS[1:]))
    band = f"CASE WHEN average IS NULL THEN {len(STARTS)} {ends} ELSE {len(STARTS) - 1} END::VARCHAR AS ks2"
    yield KS4, _KS4.format(grades=", ".join(graded), band=band)


def _counted(rows: Iterable[Sequence[Any]], variables: Sequence[Variable]) -> Any:
    """Rows with a code that is in no list (spoilt on purpose, or empty) are left out."""
    places = [{code: i for i, code in enumerate(v.codes)} for v in variables]
    counts = np.zeros([len(v.codes) for v in variables])
    for *codes, number in rows:
        at = tuple(place.get(str(code), -1) for place, code in zip(places, codes, strict=True))
        if -1 not in at:
            counts[at] += number
    return counts


def _variables(catalogue: Catalogue, years: Sequence[int]) -> Iterator[Variable]:
    regions = {code: code for code in regions_of(catalogue).values()}
    yield Variable("region", "Region", tuple(sorted(regions)), tuple(_region(catalogue, r) for r in sorted(regions)))
    yield Variable("phase", "Phase", PHASES)
    yield Variable("sex", "Sex", ("F", "M"), ("Girls", "Boys"))
    yield _listed(catalogue, "ethnicity", "Ethnic group", tuple(facts()["ethnicity"]["heads"]))
    yield Variable("language_group", "First language", ("1_ENG", "2_OTH"), ("English", "Other than English"))
    yield Variable("fsm_eligible", "Free school meals", ("1", "0"), ("Eligible", "Not eligible"))
    yield Variable("sen", "Special needs", ("plan", "support", "none"), ("EHC plan", "SEN support", "None"))
    yield Variable("year", "Year", tuple(str(y) for y in range(years[0], years[1] + 1)))
    yield Variable("band", "Absence, % of sessions", BANDS, tuple(_band(int(b)) for b in BANDS))
    starts = tuple(str(i) for i in range(len(STARTS) + 1))
    yield Variable("ks2", "Key stage 2 score", starts, (*_spans(), "No score"))
    for name, subject in SUBJECTS.items():
        yield Variable(name, f"GCSE {subject}", GRADES)


def _listed(catalogue: Catalogue, name: str, label: str, codes: tuple[str, ...]) -> Variable:
    census = catalogue.data_set("census")
    meanings = {a.code: a.label for a in census.by_name[name].atoms} if census and name in census.by_name else {}
    return Variable(name, label, codes, tuple(meanings.get(c, c) for c in codes))


def _region(catalogue: Catalogue, code: str) -> str:
    schools = catalogue.data_set("schools")
    for banding in schools.by_name["la"].bandings if schools else ():
        for one in banding.codes:
            if one.code == code:
                return one.label
    return code


def _band(start: int) -> str:
    return "over 50" if start == 50 else f"{start} to {start + 5}"


def _spans() -> Iterator[str]:
    yield "under 80"
    yield from (f"{a:g} to {b:g}" for a, b in pairwise(STARTS[1:]))
    yield f"from {STARTS[-1]:g}"


def _published(tables: Sequence[Margin], variables: Mapping[str, Variable]) -> Iterator[Margin]:
    """What is expected of groups as large as they are in the files, and the national transitions as they are."""
    for claim in CLAIMS:
        for table in tables:
            time = () if "year" not in table.names else ("year",)
            if {*claim.by} <= {*table.names}:
                yield _expected(claim, table.onto((*time, *claim.by)), variables, len(time))
    for name, subject in SUBJECTS.items():
        counts = np.asarray(facts()["transition"]["subjects"][subject]["pupils"], np.float64)
        yield Margin(("ks2", name), counts)


def _expected(claim: Claim, found: Margin, variables: Mapping[str, Variable], skipped: int) -> Margin:
    """skipped: leading variables that are no part of the claim's strata."""
    counts = np.zeros(found.counts.shape)
    codes = [variables[name].codes for name in found.names]
    for at in np.ndindex(found.counts.shape[:-1]):
        pupils = round(found.counts[at].sum())
        if pupils:
            stratum = tuple(codes[i][place] for i, place in enumerate(at))[skipped:]
            shares = claim.expected(stratum, pupils)
            counts[at] = [shares.get(code, 0) for code in codes[-1]]
    return Margin(found.names, counts)


PERSISTENT = Outcome("persistent absence (10 % of sessions or more)", "band", BANDS[2:])
STRONG = Outcome("grade 5 or above in mathematics", "ks4_maths", GRADES[GRADES.index("5") :])
FREE_MEALS = Outcome("free school meals", "fsm_eligible", ("1",))
PLAN = Outcome("an education, health and care plan", "sen", ("plan",))
ASKED = Asked(
    transitions=(("ks2", "ks4_maths"), ("ks2", "ks4_english")),
    trends=(("year", PERSISTENT),),
    subgroups=(
        ("phase", PERSISTENT), ("fsm_eligible", PERSISTENT), ("region", FREE_MEALS), ("phase", FREE_MEALS),
        ("region", PLAN), ("ks2", STRONG),
    ),
)  # fmt: skip
