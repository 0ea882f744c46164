"""Schools, and who is on which roll: census, registrations, early years, special needs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy.special import ndtr

from synthetic.npd.fit import Known, coded
from synthetic.npd.pupils import ETHNICITIES, NEEDS, NONE, PLAN, SUPPORT, Pupils
from synthetic.npd.schools import ALTERNATIVE, Schools
from synthetic.npd.streams import Bools, Ints, pick
from synthetic.npd.world import TERMS, Chunk, Rows, academic_year, same

PROVISION = ("N", "K", "E")
FIRST_OF_PROVISION = 2015
"""Support and plans; before, school action (plus) and statements."""
LEGACY = ("N", "A", "S")
DUAL = 0.006
"""Share of pupils with a second registration; assumed."""
SMALL_AREAS = 32_844


def schools(of: Schools) -> Rows:
    names = ("laestab", "la", "phase", "type", "intake", "admissions", "sixth_form")
    everyone = np.arange(len(of.la))
    known: dict[str, Known] = {name: _listed(of.rows[name]) for name in names}
    return Rows(everyone, known | {"school": coded(of.rows["code"], everyone)})


def _listed(values: tuple[str, ...]) -> Known:
    texts = tuple(dict.fromkeys(values))
    place = {text: i for i, text in enumerate(texts)}
    return coded(texts, np.array([place[v] for v in values]))


def census(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    for term, name in enumerate(TERMS):
        who = chunk.pupils.on_roll(year, term)
        known = chunk.common(who, year) | _background(chunk, who, year)
        known |= {"term": same(name, who), "enrol_status": coded(("C", "M"), _dual(chunk, year)[who])}
        yield name, Rows(who, known | {"on_roll": np.ones(len(who), np.bool_)})


def _background(chunk: Chunk, who: Ints, year: int) -> dict[str, Known]:
    p, school = chunk.pupils, chunk.school(who, year)
    need = np.where(chunk.sen(who, year) == NONE, -1, p.need[who])
    second = np.where(_has_second(p, who) & (need >= 0), p.second_need[who], -1)
    rank = _idaci_rank(p, who)
    return {
        "age": chunk.group(who, year) + 4,
        "month_of_birth": month_of_birth(p, who),
        "ethnicity": coded(ETHNICITIES, p.ethnicity[who]),
        "ethnicity_detail": coded(ETHNICITIES, p.ethnicity[who]),
        "language": _language(chunk, who),
        "language_group": coded(("2_OTH", "1_ENG"), p.english[who]),
        "fsm_eligible": chunk.fsm(who, year),
        "sen_provision": provision(chunk, who, year),
        "primary_need": coded(NEEDS, need),
        "secondary_need": coded(NEEDS, second),
        "idaci_rank": rank,
        "idaci_score": 0.5 * (1 - rank / SMALL_AREAS) ** 2,
        "home_la": chunk.world.la_of(school),
        "post_care": coded(("A", "G"), np.where(p.numbers[who] % 250 == 0, p.numbers[who] // 250 % 2, -1)),
        "boarder": same("N", who),
        "service_child": coded(("N", "Y"), p.numbers[who] % 110 == 7),
        "part_time": np.zeros(len(who), np.bool_),
    }


def month_of_birth(p: Pupils, who: Ints) -> Known:
    return coded([str(m) for m in range(1, 13)], (p.month[who] + 8) % 12)


def provision(chunk: Chunk, who: Ints, year: int) -> Known:
    return coded(PROVISION if year >= FIRST_OF_PROVISION else LEGACY, chunk.sen(who, year))


def _has_second(p: Pupils, who: Ints) -> Bools:
    return np.asarray((p.numbers[who] % 4 == 0) & (p.second_need[who] != p.need[who]))


def _idaci_rank(p: Pupils, who: Ints) -> Ints:
    """Poorer pupils live in poorer areas; the rest of the difference is chance by number, for good."""
    chance = np.modf(p.numbers[who] * 0.6180339887)[0]
    share = 0.55 * ndtr(p.want[who]) + 0.45 * chance
    return np.asarray(np.clip(1 + np.floor((1 - share) * (SMALL_AREAS - 1)), 1, SMALL_AREAS), np.int64)


def _language(chunk: Chunk, who: Ints) -> Known:
    """English, or one of the catalogue's other languages, the first of its list the commonest."""
    banding = chunk.world.variable("census", "language").banding("group")
    codes = chunk.world.codes("census", "language")
    groups = dict(zip((c.code for c in banding.codes), banding.groups, strict=True)) if banding else {}
    others = [codes[i] for i in groups.get("2_OTH", ())]
    which = 1 + chunk.pupils.numbers[who] ** 2 % max(len(others), 1)
    return coded(("ENG", *others), np.where(chunk.pupils.english[who] | (not others), 0, which))


def _dual(chunk: Chunk, year: int) -> Ints:
    return (chunk.stream("dual", year).random(len(chunk.pupils.numbers)) < DUAL).astype(np.int64)


def registrations(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    """The main registrations of the census, and second ones in alternative provision."""
    for term, name in enumerate(TERMS):
        main = chunk.pupils.on_roll(year, term)
        dual = _dual(chunk, year)[main]
        second = main[dual == 1]
        who = np.concatenate([main, second])
        place = chunk.stream("second school", year).random(len(chunk.pupils.numbers))[second]
        school = np.concatenate([chunk.school(main, year), chunk.world.schools.near(ALTERNATIVE, place)])
        status = np.concatenate([dual, np.full(len(second), 2)])
        known: dict[str, Known] = {
            "year": same(academic_year(year), who),
            "term": same(name, who),
            "school": coded(chunk.world.schools.rows["code"], school),
            "enrol_status": coded(("C", "M", "S"), status),
            "on_roll": np.ones(len(who), np.bool_),
            "part_time": status == 2,
        }
        yield name, Rows(who, known)


def early_years(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    """Children in the two years before Reception, some of whom are outside schools."""
    p = chunk.pupils
    group = p.group(year)
    rng = chunk.stream("early years", year)
    who = np.flatnonzero((group < 0) & (group >= -2) & (rng.random(len(group)) < 0.4))
    hours = pick(rng, [0.6, 0.4], len(who)) * 15.0
    known: dict[str, Known] = {
        "year": same(academic_year(year), who),
        "la": chunk.world.la_of(p.school[who, 0]),
        "sex": coded(("F", "M"), p.male[who]),
        "age": group[who] + 4,
        "ethnicity": coded(ETHNICITIES, p.ethnicity[who]),
        "sen_provision": coded(PROVISION if year >= FIRST_OF_PROVISION else LEGACY, np.zeros(len(who), np.int64)),
        "funded_hours": np.full(len(who), 15.0),
        "extended_hours": hours,
        "hours_at_setting": 15 + hours,
    }
    yield "", Rows(who, known)


def sen(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    """One row for each need of a pupil with special needs in the spring."""
    p = chunk.pupils
    first = p.on_roll(year, 1)
    first = first[chunk.sen(first, year) != NONE]
    second = first[_has_second(p, first)]
    who = np.concatenate([first, second])
    in_unit = (chunk.sen(who, year) == PLAN) & (p.numbers[who] % 20 == 0)
    known: dict[str, Known] = {
        "year": same(academic_year(year), who),
        "rank": coded(("1", "2"), np.repeat([0, 1], [len(first), len(second)])),
        "need": coded(NEEDS, np.concatenate([p.need[first], p.second_need[second]])),
        "provision": provision(chunk, who, year),
        "unit": in_unit,
        "resourced": (chunk.sen(who, year) == SUPPORT) & (p.numbers[who] % 50 == 0),
    }
    yield "", Rows(who, known)
