"""Published figures beside those of generated files, as a table that people read (docs/calibration.md)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from datasets.catalogue_toml import load_catalogue
from datasets.catalogue_toml.bundle import bundle
from synthetic.checking.files import opened
from synthetic.checking.run import cells, regions_of, years_of
from synthetic.npd.claims import CLAIMS
from synthetic.npd.facts import areas, facts, of_area

NEAR = 0.02
"""Relative difference that counts as met."""
VIEWS = {
    "who": """SELECT r.pupil, r.y, r.fsm_eligible, r.sen, left(r.ethnicity, 1) AS major, region, kind
      FROM roll r JOIN school_of s ON s.urn = r.school JOIN region_of USING (la) WHERE r.term = 'SPR'""",
    "junior": """SELECT w.*, reading_score, maths_score, gps_score, writing,
        coalesce(reading_score >= 100 AND maths_score >= 100 AND writing IN ('EXS', 'GDS'), false) AS rwm
      FROM ks2 k JOIN who w ON w.pupil = k.pupil AND w.y = ending(k.year)""",
    "senior": """SELECT w.*, k.in_progress8, k.sex, CASE english_pair WHEN '1' THEN 2 ELSE 1 END * slot_english
        + 2 * slot_maths + slot_ebacc_1 + slot_ebacc_2 + slot_ebacc_3 + slot_open_1 + slot_open_2
        + slot_open_3 AS points
      FROM ks4 k JOIN who w ON w.pupil = k.pupil AND w.y = ending(k.year)""",
    "absent": """SELECT w.*, 10 * (authorised + unauthorised) >= sessions_possible AS persistent,
        2 * (authorised + unauthorised) >= sessions_possible AS severe
      FROM absence_year a JOIN who w ON w.pupil = a.pupil AND w.y = ending(a.year)""",
    "suspended": """SELECT w.*, coalesce(e.suspensions, 0) AS suspensions, coalesce(e.permanent, 0) AS permanent
      FROM who w LEFT JOIN exclusions_year e ON e.pupil = w.pupil AND ending(e.year) = w.y""",
    "reading_first": """SELECT w.*, coalesce(mark >= 32, false) AS met
      FROM phonics p JOIN who w ON w.pupil = p.pupil AND w.y = ending(p.year) WHERE p.year_group = '1'""",
}
GROUPS = {
    "fsm": "fsm_eligible = '1'", "other": "fsm_eligible = '0'", "none": "sen = 'none'", "support": "sen = 'support'",
    "plan": "sen = 'plan'", "white": "major = 'W'", "mixed": "major = 'M'", "asian": "major = 'A'",
    "black": "major = 'B'", "chinese": "major = 'C'", "all": "true", "primary": "kind = 'primary'",
    "secondary": "kind = 'secondary'",
    "special": "kind = 'special'",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """A line of the table. published, obtained: in the unit of the section."""

    section: str
    what: str
    published: float
    obtained: float | None

    @property
    def off(self) -> float | None:
        return None if self.obtained is None or not self.published else self.obtained / self.published - 1


SECTIONS = {
    # section: (view, measure, facts, groups, with regions)
    "Key stage 2, expected standard in reading, writing and mathematics, per cent": (
        "junior", "100.0 * avg(rwm::INT)", "ks2_rwm",
        ("all", "fsm", "other", "none", "support", "plan", "white", "mixed", "asian", "black", "chinese"), True),
    "Attainment 8, mean": (
        "senior", "avg(points)", "attainment8",
        ("all", "fsm", "other", "none", "support", "plan", "white", "mixed", "asian", "black", "chinese"), True),
    "Suspensions per 100 pupils": (
        "suspended", "100.0 * avg(suspensions)", "suspensions", ("primary", "secondary", "special"), False),
    "Suspensions per 100 pupils, secondary, by region": (
        "suspended WHERE kind = 'secondary'", "100.0 * avg(suspensions)", "suspensions:secondary", (), True),
    "Permanent exclusions per 100 pupils": (
        "suspended", "100.0 * avg(permanent)", "permanent", ("primary", "secondary"), False),
    "Phonics standard in Year 1, per cent": (
        "reading_first", "100.0 * avg(met::INT)", "phonics", ("all", "fsm", "none", "support", "plan"), False),
}  # fmt: skip
Ask = Callable[[str], float | None]


def figures(folder: Path) -> list[Figure]:
    """Of the last year of the files; every claim is of whole pupils, so what is off is less than one."""
    catalogue = load_catalogue(bundle(folder / "catalogue"))
    with opened(folder, catalogue, regions_of(catalogue)) as connection:
        last = connection.execute("SELECT max(ending(year)) FROM census").fetchone()
        for name, query in VIEWS.items():
            connection.execute(f"CREATE VIEW {name}_ever AS {query}")
            connection.execute(f"CREATE TEMP TABLE {name} AS FROM ({query}) WHERE y = {last[0] if last else 0}")

        def ask(query: str) -> float | None:
            row = connection.execute(query).fetchone()
            return None if row is None or row[0] is None else float(row[0])

        found = [*_claimed(connection)]
        for section, (view, measure, table, groups, by_region) in SECTIONS.items():
            found += _section(ask, section, view, measure, table, groups, by_region)
        return [*found, *_subjects(ask), *_absence(ask), *_transition(ask, connection)]


def _section(
    ask: Ask, section: str, view: str, measure: str, table: str, groups: tuple[str, ...], by_region: bool
) -> Iterator[Figure]:
    name, _, figure = table.partition(":")
    condition = " AND " if " WHERE " in view else " WHERE "
    for group in groups:
        published = of_area(name, group, "ENG")
        yield Figure(section, group, published, ask(f"SELECT {measure} FROM {view}{condition}{GROUPS[group]}"))  # noqa: S608
    if by_region:
        for region in _regions():
            published = of_area(name, figure or "all", region)
            query = f"SELECT {measure} FROM {view}{condition}region = '{region}'"  # noqa: S608
            yield Figure(section, region, published, ask(query))


def _regions() -> list[str]:
    return sorted(set(areas()["fsm"]["primary"]) - {"ENG"})


def _claimed(connection: duckdb.DuckDBPyConnection) -> Iterator[Figure]:
    for claim in CLAIMS:
        year = years_of(connection, claim)[-1]
        numbers = cells(connection, claim, year)
        for stratum in sorted({key[:-1] for key, _, _ in numbers}):
            of = [(key[-1], expected, found) for key, expected, found in numbers if key[:-1] == stratum]
            total = sum(found for _, _, found in of)
            for value, expected, found in sorted(of):
                what = " ".join((*stratum, value))
                yield Figure(f"Claimed: {claim.name}, per cent", what, 100 * expected / total, 100 * found / total)


def _subjects(ask: Ask) -> Iterator[Figure]:
    section = "Key stage 2 by subject"
    for subject in ("reading", "maths", "gps"):
        column = f"{subject}_score"
        for table, limit in (("ks2_expected", 100), ("ks2_higher", 110)):
            query = f"SELECT 100.0 * avg((coalesce({column}, 0) >= {limit})::INT) FROM junior"  # noqa: S608
            yield Figure(section, f"{subject}, {limit} or more, per cent", of_area(table, subject, "ENG"), ask(query))
        query = f"SELECT avg({column}) FROM junior"  # noqa: S608
        yield Figure(section, f"{subject}, mean", of_area("ks2_score", subject, "ENG"), ask(query))
    query = "SELECT 100.0 * avg((writing IN ('EXS', 'GDS'))::INT) FROM junior"
    yield Figure(section, "writing, expected, per cent", of_area("ks2_expected", "writing", "ENG"), ask(query))


def _absence(ask: Ask) -> Iterator[Figure]:
    for phase in ("primary", "secondary", "special"):
        for name in ("fsm", "other"):
            shares = areas()["absence_bands"][phase][name]
            query = f"SELECT 100.0 * avg(persistent::INT) FROM absent WHERE {GROUPS[phase]} AND {GROUPS[name]}"  # noqa: S608
            published = 100 * sum(shares[2:]) / sum(shares)
            yield Figure("Persistent absence, per cent", f"{phase}, {name}", published, ask(query))
    section = "Persistent absence by region, as a multiple of England's"
    for phase in ("primary", "secondary"):
        england = ask(f"SELECT avg(persistent::INT) FROM absent WHERE {GROUPS[phase]}")  # noqa: S608
        for region in _regions():
            query = f"SELECT avg(persistent::INT) / {england} FROM absent WHERE {GROUPS[phase]} AND region = '{region}'"  # noqa: S608
            published = of_area("persistent", phase, region) / of_area("persistent", phase, "ENG")
            yield Figure(section, f"{phase}, {region}", published, ask(query))


def _transition(ask: Ask, connection: duckdb.DuckDBPyConnection) -> Iterator[Figure]:
    """Share with grade 4 or more, by the band of the average score at key stage 2."""
    section = "Mathematics, grade 4 or more by key stage 2 band, per cent"
    matrix, starts = facts()["transition"]["subjects"]["Mathematics"]["pupils"], facts()["transition"]["bands_from"]
    connection.execute("""CREATE TEMP TABLE graded AS SELECT grade, (reading_points + maths_points) / 2 AS average
        FROM ks4_entries e JOIN ks2 k USING (pupil) WHERE subject = 'Mathematics'""")
    for i, start in enumerate(starts):
        end = starts[i + 1] if i + 1 < len(starts) else 1000
        query = f"""SELECT 100.0 * avg((grade IN ('4','5','6','7','8','9'))::INT) FROM graded
            WHERE average >= {start} AND average < {end}"""  # noqa: S608
        yield Figure(section, f"from {start}", 100 * sum(matrix[i][5:]) / sum(matrix[i]), ask(query))


def page(folder: Path) -> str:
    """Markdown."""
    found = figures(folder)
    compared = [f for f in found if f.off is not None]
    near = sum(abs(f.off or 0) <= NEAR for f in compared)
    lines = [
        "# Generated pupils and published figures",
        "",
        "Made by `privacy-api synthetic check OUT --table docs/calibration.md`. Claimed figures are exact to the",
        "pupil: what is published is shown as the share that so many whole pupils make. Others are met nearly: groups",
        "are moved to them, published means contradict each other, and of few pupils chance decides.",
        "",
        f"{near} of {len(compared)} figures are within {NEAR:.0%} of the published ones, relatively.",
        "",
    ]
    for section in dict.fromkeys(f.section for f in found):
        lines += [f"## {section}", "", "| | published | obtained | off, % |", "|---|---:|---:|---:|"]
        for f in (f for f in found if f.section == section):
            obtained = "" if f.obtained is None else f"{f.obtained:.2f}"
            off = "" if f.off is None else f"{100 * f.off:+.1f}"
            lines.append(f"| {f.what} | {f.published:.2f} | {obtained} | {off} |")
        lines.append("")
    return "\n".join(lines)
