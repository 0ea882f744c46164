"""The rules, each a query for what breaks it. Rules on variables or data sets that are not there are left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from datasets.catalogue import Catalogue, DataSet
from datasets.variables import Variable
from synthetic.in_use import ALWAYS, span


@dataclass(frozen=True, slots=True)
class Rule:
    """query: a number of rows or pupils that break it, in its first column."""

    name: str
    says: str
    query: str
    all_terms: bool = False
    """Whether it needs the censuses of all terms."""


@dataclass(frozen=True, slots=True)
class Condition:
    """A rule on each row of a data set: `broken` is true of the rows that break it. All are asked in one pass."""

    name: str
    says: str
    broken: str


@dataclass(frozen=True, slots=True)
class Codes:
    """A rule on the values of a variable of codes. broken: of a value (None is empty) and the year in which a row has
    it.

    A list has thousands of codes: values are counted first, and only each one is looked up."""

    name: str
    says: str
    variable: str
    broken: Callable[[str | None, int], bool]


CODES = "codes and numbers of the catalogue"
COLLECTED = "values only in years in which it was collected"
ON_ROLL = (
    *("eyfsp", "phonics", "ks1", "ks2", "ks4", "ks5", "absence", "absence_year"),
    *("exclusions", "exclusions_year", "cin", "cla"),
)
"""Data sets whose rows are of pupils who were on a roll in some term of the year. (attendance: of the autumn.)"""
REASONS = {
    "authorised": ("illness", "medical", "religious", "study_leave", "traveller", "holiday_agreed", "holiday_extended",
                   "suspended", "other_authorised"),
    "unauthorised": ("holiday_not_agreed", "late", "other_unauthorised", "no_reason"),
}  # fmt: skip


def conditions(data_set: DataSet) -> Iterator[Condition]:
    """What the catalogue says of numbers, and of codes that nobody has together."""
    for place, one in enumerate(data_set.impossible, 1):
        columns = ", ".join(name for name, _ in one.atoms)
        broken = " AND ".join(_holds(data_set.by_name[name], atoms) for name, atoms in one.atoms)
        yield Condition(f"{data_set.id}: impossible {place}", f"nobody has these codes of {columns} together", broken)
    for v in data_set.own:
        if v.numbers:
            yield Condition(f"{data_set.id}.{v.name}: values", CODES, _outside(v))
            if data_set.key.time and v.populated and v.numbers.optional:
                first, last = v.populated
                years = f"ending({data_set.key.time}) NOT BETWEEN {first} AND {last or ALWAYS[1]}"
                yield Condition(f"{data_set.id}.{v.name}: years", COLLECTED, f'"{v.name}" IS NOT NULL AND {years}')


def _holds(v: Variable, atoms: tuple[int, ...]) -> str:
    """True of rows with one of these codes, however files spell it."""
    known = {v.atoms[a].code for a in atoms}
    spelled = sorted(known | {raw for raw, code in v.recode if code in known})
    found = f'"{v.name}"::VARCHAR IN ({", ".join(map(_text, spelled))})'
    return f'({found} OR "{v.name}" IS NULL)' if v.missing in known else f"coalesce({found}, false)"


def codes(data_set: DataSet) -> Iterator[Codes]:
    """What it says of codes."""
    for v in data_set.own:
        if v.numbers:
            continue
        name = f"{data_set.id}.{v.name}"
        yield Codes(f"{name}: values", CODES, v.name, partial(_no_code, v, frozenset(_spans(v))))
        spans = {text: years for text, years in _spans(v).items() if years != ALWAYS}
        if spans and data_set.key.time:
            says = "codes only in years in which they were in use"
            yield Codes(f"{name}: in use", says, v.name, partial(_not_in_use, spans))
        if data_set.key.time and v.populated and v.missing is not None:
            yield Codes(f"{name}: years", COLLECTED, v.name, partial(_not_collected, v.populated))


def _spans(v: Variable) -> dict[str, tuple[int, int]]:
    """Of each text that files may have, the years of its code."""
    known = {a.code: span(a) for a in v.atoms}
    return known | {text: known[code] for text, code in v.recode if code in known}


def _no_code(v: Variable, texts: frozenset[str], value: str | None, _: int) -> bool:
    return v.missing is None if value is None else value not in texts


def _not_in_use(spans: dict[str, tuple[int, int]], value: str | None, year: int) -> bool:
    first, last = spans.get(value or "", ALWAYS)
    return not first <= year <= last


def _not_collected(populated: tuple[int, int | None], value: str | None, year: int) -> bool:
    return value is not None and not populated[0] <= year <= (populated[1] or ALWAYS[1])


def rules(catalogue: Catalogue) -> Iterator[Rule]:
    yield from (rule for data_set in catalogue.data_sets for rule in _of_key(data_set))
    yield from OF_PUPILS
    yield from (_on_roll(name) for name in ON_ROLL)
    yield from (_sex(d.id) for d in catalogue.data_sets if "sex" in d.by_name and d.by_name["sex"].is_own)
    yield from _languages(catalogue)
    for name in ("absence", "absence_year"):
        yield from _of_absence(name)


def _of_key(data_set: DataSet) -> Iterator[Rule]:
    name, key = data_set.id, data_set.key
    if key.is_unique:
        parts = [*(["pupil"] if key.unit else []), *([key.time] if key.time else []), *key.also]
        columns = ", ".join(f'"{p}"' for p in parts)
        query = f"SELECT coalesce(sum(n - 1), 0) FROM (SELECT count(*) AS n FROM {name} GROUP BY {columns}) WHERE n > 1"  # noqa: S608
        yield Rule(f"{name}: key", f"no two rows agree in {', '.join(parts)}", query)


def _text(code: str) -> str:
    return "'" + code.replace("'", "''") + "'"


def _outside(v: Variable) -> str:
    n, column = v.numbers, f'"{v.name}"'
    if n is None:
        raise ValueError(f"{v.name}: is no number")
    ticks = f"({column}::DOUBLE / {n.step:f})"
    wrong = f"{ticks} < {n.lowest} - 1e-6 OR {ticks} > {n.highest} + 1e-6 OR abs({ticks} - round({ticks})) > 1e-6"
    return wrong + ("" if n.optional else f" OR {column} IS NULL")


def _on_roll(name: str) -> Rule:
    query = (
        f"SELECT count(*) FROM {name} a WHERE NOT EXISTS (FROM census c WHERE c.pupil = a.pupil AND c.year = a.year)"  # noqa: S608
    )
    return Rule(f"{name}: on roll", "pupils who were on a roll in that year", query, all_terms=True)


def _languages(catalogue: Catalogue) -> Iterator[Rule]:
    census = catalogue.data_set("census")
    language = census.by_name.get("language") if census else None
    banding = language.banding("group") if language else None
    if language is not None and banding is not None:
        pairs = [(language.atoms[a].code, banding.codes[i].code) for i, of in enumerate(banding.groups) for a in of]
        listed = ", ".join(f"({_text(code)}, {_text(group)})" for code, group in pairs)
        query = f"""SELECT count(*) FROM census c JOIN (VALUES {listed}) AS g(code, of_it) ON c.language = g.code
            WHERE c.language_group <> g.of_it"""  # noqa: S608
        yield Rule("languages", "the language group is that of the language", query)


def _sex(name: str) -> Rule:
    query = f"""SELECT count(*) FROM {name}
        JOIN (SELECT pupil, min(sex) AS known FROM roll GROUP BY pupil) USING (pupil) WHERE sex <> known"""  # noqa: S608
    return Rule(f"{name}: sex", "that of the pupil's census rows", query)


def _of_absence(name: str) -> Iterator[Rule]:
    query = f"SELECT count(*) FROM {name} WHERE authorised + unauthorised > sessions_possible"  # noqa: S608
    yield Rule(f"{name}: sessions", "no more sessions missed than were possible", query)
    for total, parts in REASONS.items():
        both = " + ".join(f"coalesce({p}::INT, 0)" for p in parts)
        query = f"SELECT count(*) FROM {name} WHERE {total} <> {both}"  # noqa: S608
        yield Rule(f"{name}: {total}", "the sessions of its reasons together", query)


OF_PUPILS = (
    Rule("year groups", "the year group goes up by one a year", """
        SELECT count(*) FROM (SELECT 1 FROM roll GROUP BY pupil HAVING min(y - g) <> max(y - g))"""),
    Rule("ages", "four years more than the year group", """
        SELECT count(*) FROM census WHERE age <> grade(year_group) + 4"""),
    Rule("stable", "sex, ethnic group and month of birth stay the same", """
        SELECT count(*) FROM (SELECT 1 FROM roll GROUP BY pupil HAVING min(sex) <> max(sex)
          OR min(ethnicity) <> max(ethnicity) OR min(month_of_birth) <> max(month_of_birth))"""),
    Rule("ks2 before ks4", "key stage 2 was five years before key stage 4", """
        SELECT count(*) FROM ks2 a JOIN ks4 b USING (pupil) WHERE ending(a.year) <> ending(b.year) - 5"""),
    Rule("ks2: year group", "Year 6, on roll in the summer", """
        SELECT count(*) FROM ks2 a WHERE NOT EXISTS (FROM roll c
          WHERE c.pupil = a.pupil AND c.year = a.year AND c.term = 'SUM' AND c.g = 6)""", True),
    Rule("ks4: year group", "Year 11, on roll in the summer", """
        SELECT count(*) FROM ks4 a WHERE NOT EXISTS (FROM roll c
          WHERE c.pupil = a.pupil AND c.year = a.year AND c.term = 'SUM' AND c.g = 11)""", True),
    Rule("schools: known", "every school is in the data set of schools", """
        SELECT count(*) FROM (SELECT school FROM census UNION ALL SELECT school FROM absence_year) a
        WHERE NOT EXISTS (FROM school_of s WHERE s.urn = a.school)"""),
    Rule("schools: ages", "schools have the year groups of their phase, those after Year 11 with a sixth form only", """
        SELECT count(*) FROM roll JOIN school_of ON urn = school WHERE CASE kind WHEN 'primary' THEN g > 6
          WHEN 'secondary' THEN g < 7 ELSE false END OR (g > 11 AND sixth_form <> '1')"""),
    Rule("schools: sexes", "schools for girls have girls, those for boys boys", """
        SELECT count(*) FROM roll JOIN school_of ON urn = school
        WHERE (intake = 'girls' AND sex = 'M') OR (intake = 'boys' AND sex = 'F')"""),
    Rule("schools: authority", "an authority has one region, and children in need the authority of a school", """
        SELECT count(*) FROM cin a JOIN census c USING (pupil, year) WHERE c.term = 'SUM' AND a.la NOT IN (
          SELECT la FROM school_of s JOIN census o ON o.school = s.urn WHERE o.pupil = a.pupil
          AND o.year = a.year)""", True),
    Rule("needs", "those with provision have a primary need, no others", """
        SELECT count(*) FROM census WHERE (sen_provision = 'N') <> (primary_need IS NULL)"""),
    Rule("sen: provision", "rows of special needs agree with the spring census", """
        SELECT count(*) FROM sen a JOIN census c ON c.pupil = a.pupil AND c.year = a.year AND c.term = 'SPR'
        WHERE a.provision <> c.sen_provision"""),
    Rule("absence: terms", "the year's sessions are those of its terms", """
        SELECT count(*) FROM (SELECT pupil, year, sum(authorised) AS a, sum(unauthorised) AS u,
          sum(sessions_possible) AS s FROM absence GROUP BY ALL) t JOIN absence_year y USING (pupil, year)
        WHERE a <> authorised OR u <> unauthorised OR s <> y.sessions_possible"""),
    Rule("exclusions: order", "counted from 1 without a gap", """
        SELECT count(*) FROM (SELECT 1 FROM exclusions GROUP BY pupil, year HAVING max("order"::INT) <> count(*))"""),
    Rule("exclusions: totals", "the year's are its exclusions", """
        SELECT count(*) FROM (SELECT pupil, year, count(*) FILTER (category <> 'PERM') AS n,
          count(*) FILTER (category = 'PERM') AS p FROM exclusions GROUP BY ALL) e
        FULL JOIN exclusions_year y USING (pupil, year)
        WHERE n IS DISTINCT FROM suspensions OR p IS DISTINCT FROM permanent"""),
    Rule("ks4: entries", "as many as there are rows of entries", """
        SELECT count(*) FROM (SELECT pupil, year, count(*) AS n FROM ks4_entries GROUP BY ALL) e
        FULL JOIN (FROM ks4 WHERE entries > 0) k USING (pupil, year) WHERE n IS DISTINCT FROM entries"""),
)  # fmt: skip
