"""Asks all rules and claims of a folder of files."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import duckdb

from datasets.catalogue import Catalogue, DataSet
from datasets.catalogue_toml import load_catalogue
from datasets.catalogue_toml.bundle import bundle
from synthetic.checking import coarse
from synthetic.checking.files import answerable, opened
from synthetic.checking.finding import Finding
from synthetic.checking.rules import Codes, Condition, Rule, codes, conditions, rules
from synthetic.folder import MANIFEST, sha256
from synthetic.npd.claims import CLAIMS, EVERY, ROLLS, Claim, compared
from synthetic.npd.cover import coverable
from synthetic.npd.cover import wanted as codes_of
from synthetic.npd.mess import RECODED
from synthetic.plan import TERMS

FILES, COVERAGE = "files", "coverage"
Progress = Callable[[str, int, int], None]
OF_CENSUS = """SELECT {by}, count(*) FROM (SELECT region, kind AS phase, j.* FROM junior_roll j
    JOIN school_of s ON s.urn = j.school JOIN region_of USING (la)) WHERE y = {year} GROUP BY ALL"""
OF_ABSENCE = """SELECT phase, fsm_eligible, band, count(*) FROM (SELECT s.kind AS phase, c.fsm_eligible, CASE
      WHEN 2 * (authorised + unauthorised) > sessions_possible THEN '50'
      ELSE (greatest(1, ceil(20 * (authorised + unauthorised) / sessions_possible)) * 5 - 5)::INT::VARCHAR END AS band
    FROM absence_year a JOIN school_of s ON s.urn = a.school
    JOIN census c ON c.pupil = a.pupil AND c.year = a.year AND c.term = 'SUM'
    WHERE ending(a.year) = {year}) GROUP BY ALL"""


def check(folder: Path, progress: Progress | None = None, only: Sequence[str] | None = None) -> list[Finding]:
    """One finding for each rule that could be asked. only: names of rules, for all of them otherwise.

    The folder is one that `make` wrote, with its catalogue. Raises ValueError where there is none, and what loading a
    catalogue raises.
    """
    if coarse.is_coarse(folder):
        return coarse.check(folder)
    if not (folder / "catalogue").is_dir():
        raise ValueError(f"{folder}: wants a folder that `synthetic make` wrote, with its catalogue")
    catalogue = load_catalogue(bundle(folder / "catalogue"))
    wanted = None if only is None else frozenset(only)
    with opened(folder, catalogue, regions_of(catalogue)) as connection:
        asked = list(_questions(connection, folder, catalogue, wanted))
        found = []
        for done, (name, ask) in enumerate(asked):
            if progress:
                progress(name, done, len(asked))
            found += ask()
        if progress:
            progress("checked", len(asked), len(asked))
        return found


Question = tuple[str, Callable[[], list[Finding]]]


def _questions(
    connection: duckdb.DuckDBPyConnection, folder: Path, catalogue: Catalogue, wanted: frozenset[str] | None
) -> Iterator[Question]:
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8")) if (folder / MANIFEST).is_file() else {}
    if manifest and _is(FILES, wanted):
        yield (
            FILES,
            partial(_one, Rule(FILES, "files are those of the manifest", ""), partial(_changed, folder, manifest)),
        )
    for data_set in catalogue.data_sets:
        if not answerable(connection, f"FROM {data_set.id}"):
            continue
        several = [c for c in conditions(data_set) if _is(c.name, wanted)]
        if several:
            yield f"{data_set.id}: numbers", partial(_of_rows, connection, data_set.id, several)
        of_codes = [c for c in codes(data_set) if _is(c.name, wanted)]
        if of_codes:
            yield f"{data_set.id}: codes", partial(_of_codes, connection, data_set, of_codes)
    whole = _terms(connection) == len(TERMS)
    for rule in rules(catalogue):
        if _is(rule.name, wanted) and (whole or not rule.all_terms) and answerable(connection, rule.query):
            allowed = _recoded(manifest) if rule.name == "stable" else 0
            yield rule.name, partial(_one, rule, partial(_beyond, connection, rule.query, allowed))
    if manifest.get("plan", {}).get("coverage") and _is(COVERAGE, wanted):
        rule = Rule(COVERAGE, "every code that is in use occurs, keys, places and provision apart", "")
        yield COVERAGE, partial(_one, rule, partial(_uncovered, connection, catalogue))
    claimed = manifest.get("claims", ())
    if ROLLS in claimed and _is(ROLLS, wanted):
        rule = Rule(ROLLS, "each school has the pupils of the plan in each year group", "")
        yield ROLLS, partial(_one, rule, partial(_rolls, connection, folder))
    for claim in CLAIMS:
        if (
            claim.name in claimed
            and _is(f"claim: {claim.name}", wanted)
            and answerable(connection, _query(claim, 2000))
        ):
            says = f"{claim.table} by {', '.join(claim.by)}, {claim.years}: exactly as published ({claim.source})"
            yield claim.name, partial(_one, Rule(f"claim: {claim.name}", says, ""), partial(_off, connection, claim))


def _is(name: str, wanted: frozenset[str] | None) -> bool:
    return wanted is None or name in wanted


def _one(rule: Rule, ask: Callable[[], int]) -> list[Finding]:
    return [Finding(rule.name, rule.says, ask())]


def _of_rows(connection: duckdb.DuckDBPyConnection, table: str, several: Sequence[Condition]) -> list[Finding]:
    """In one pass over the data set; conditions on variables that the files lack are left out."""
    several = [c for c in several if answerable(connection, f"SELECT 1 FROM {table} WHERE {c.broken}")]  # noqa: S608
    counts = ", ".join(f"count(*) FILTER ({c.broken})" for c in several)
    row = connection.execute(f"SELECT {counts} FROM {table}").fetchone() if several else ()  # noqa: S608
    return [Finding(c.name, c.says, int(n)) for c, n in zip(several, row or (), strict=True)]


def _of_codes(connection: duckdb.DuckDBPyConnection, data_set: DataSet, several: Sequence[Codes]) -> list[Finding]:
    year = f"ending({data_set.key.time})" if data_set.key.time else "0"
    found = []
    for variable in dict.fromkeys(c.variable for c in several):
        query = f'SELECT "{variable}"::VARCHAR, {year}, count(*) FROM {data_set.id} GROUP BY ALL'  # noqa: S608
        if answerable(connection, query):
            rows = connection.execute(query).fetchall()
            found += [
                Finding(c.name, c.says, sum(int(n) for value, y, n in rows if c.broken(value, int(y))))
                for c in several
                if c.variable == variable
            ]
    return found


def _recoded(manifest: dict[str, Any]) -> int:
    """Most pupils whose ethnic group was corrected on purpose."""
    plan = manifest.get("plan", {})
    return int(2 * RECODED * plan.get("messiness", 0) * plan.get("pupils", 0))


def _beyond(connection: duckdb.DuckDBPyConnection, query: str, allowed: int) -> int:
    return max(0, _number(connection, query) - allowed)


def _terms(connection: duckdb.DuckDBPyConnection) -> int:
    query = "SELECT count(DISTINCT term) FROM census"
    return _number(connection, query) if answerable(connection, query) else 0


def _uncovered(connection: duckdb.DuckDBPyConnection, catalogue: Catalogue) -> int:
    """Codes in use in a year that none of its rows has."""
    lacking = 0
    for data_set in catalogue.data_sets:
        time = data_set.key.time
        if data_set.public or not time or not answerable(connection, f"FROM {data_set.id}"):
            continue
        for v in coverable(data_set):
            query = f'SELECT ending({time}), "{v.name}" FROM {data_set.id} GROUP BY ALL'  # noqa: S608
            found = {(int(y), dict(v.recode).get(c, c)) for y, c in connection.execute(query).fetchall()}
            lacking += sum((y, code) not in found for y in {y for y, _ in found} for code in codes_of(v, y))
    return lacking


def _number(connection: duckdb.DuckDBPyConnection, query: str) -> int:
    row = connection.execute(query).fetchone()
    return int(row[0]) if row else 0


def _changed(folder: Path, manifest: dict[str, dict[str, dict[str, object]]]) -> int:
    return sum(
        not (folder / name).is_file() or sha256(folder / name) != facts["sha256"]
        for name, facts in manifest["files"].items()
    )


def _rolls(connection: duckdb.DuckDBPyConnection, folder: Path) -> int:
    query = """SELECT count(*) FROM (SELECT school, y, g, term, count(*) AS n FROM roll GROUP BY ALL) r
        FULL JOIN (SELECT school, year AS y, year_group AS g, pupils, term
          FROM read_parquet($file), (SELECT DISTINCT term FROM roll)) p USING (school, y, g, term)
        WHERE n IS DISTINCT FROM pupils"""
    row = connection.execute(query, {"file": str(folder / "rolls.parquet")}).fetchone()
    return int(row[0]) if row else 0


def _query(claim: Claim, year: int) -> str:
    return (OF_CENSUS if claim.table == "census" else OF_ABSENCE).format(by=", ".join(claim.by), year=year)


def _off(connection: duckdb.DuckDBPyConnection, claim: Claim) -> int:
    return sum(e != f for year in years_of(connection, claim) for _, e, f in cells(connection, claim, year))


def years_of(connection: duckdb.DuckDBPyConnection, claim: Claim) -> list[int]:
    found = connection.execute(f"SELECT DISTINCT ending(year) FROM {claim.table} ORDER BY 1").fetchall()  # noqa: S608
    years = [int(y) for (y,) in found]
    return years if claim.years == EVERY else years[-1:]


def cells(connection: duckdb.DuckDBPyConnection, claim: Claim, year: int) -> list[tuple[tuple[str, ...], int, int]]:
    rows = connection.execute(_query(claim, year)).fetchall()
    return list(compared(claim, {tuple(map(str, row[:-1])): int(row[-1]) for row in rows}))


def regions_of(catalogue: Catalogue) -> dict[str, str]:
    """Of each authority of the schools."""
    schools = catalogue.data_set("schools")
    found: dict[str, str] = {}
    for banding in schools.by_name["la"].bandings if schools else ():
        if banding.level == "REG" and schools:
            for code, group in zip(banding.codes, banding.groups, strict=True):
                found |= {schools.by_name["la"].atoms[i].code: code.code for i in group}
    return found
