"""Schools, and who is on which roll: census, registrations, early years, special needs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
from scipy.special import ndtr

from synthetic.npd.fit import Known, coded
from synthetic.npd.mess import MORE_DUAL, RECODED
from synthetic.npd.pupils import ETHNICITIES, NEEDS, NONE, PLAN, SUPPORT, Pupils
from synthetic.npd.schools import Schools
from synthetic.npd.streams import Bools, Ints, pick
from synthetic.npd.world import Chunk, Lazy, Rows, academic_year, same

PROVISION = ("N", "K", "E")
FIRST_OF_PROVISION = 2015
"""Support and plans; before, school action (plus) and statements."""
LEGACY = ("N", "A", "S")
DUAL = 0.006
"""Share of pupils with a second registration; assumed."""
SMALL_AREAS = 32_844


def schools(of: Schools) -> Rows:
    names = ("laestab", "la", "phase", "type", "admissions", "sixth_form")
    everyone = np.arange(len(of.la))
    known: dict[str, Known] = {name: _listed(of.rows[name]) for name in names}
    known["intake"] = coded(("mixed", "girls", "boys"), of.sex)
    return Rows(everyone, known | {"school": coded(of.rows["code"], everyone)})


def _listed(values: tuple[str, ...]) -> Known:
    texts = tuple(dict.fromkeys(values))
    place = {text: i for i, text in enumerate(texts)}
    return coded(texts, np.array([place[v] for v in values]))


def census(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    for term, name in chunk.world.in_terms():
        who = chunk.pupils.on_roll(year, term)
        chunk.world.spoilt.append(("ethnic groups", int(_recoded(chunk, year)[who].sum())))
        yield name, census_of(chunk, who, year, name)


def census_of(chunk: Chunk, who: Ints, year: int, term: str) -> Rows:
    known: dict[str, Callable[[], Known]] = {k: _given(v) for k, v in chunk.common(who, year).items()}
    known |= _background(chunk, who, year)
    known["term"] = partial(same, term, who)
    known["enrol_status"] = partial(_enrolment, chunk, who, year)
    known["on_roll"] = partial(np.ones, len(who), np.bool_)
    return Rows(who, Lazy(known))


def _given(value: Known) -> Callable[[], Known]:
    return lambda: value


def _enrolment(chunk: Chunk, who: Ints, year: int) -> Known:
    return coded(("C", "M"), _dual(chunk, year)[who])


def _background(chunk: Chunk, who: Ints, year: int) -> dict[str, Callable[[], Known]]:
    p, numbers = chunk.pupils, chunk.pupils.numbers[who]

    def rank() -> Ints:
        return _idaci_rank(p, who)

    return {
        "age": lambda: chunk.group(who, year) + 4,
        "month_of_birth": lambda: month_of_birth(p, who),
        "ethnicity": lambda: _ethnicity(chunk, who, year),
        "ethnicity_detail": lambda: _ethnicity(chunk, who, year),
        "language": lambda: _language(chunk, who),
        "language_group": lambda: coded(("2_OTH", "1_ENG"), p.english[who]),
        "fsm_eligible": lambda: chunk.fsm(who, year),
        "sen_provision": lambda: provision(chunk, who, year),
        "primary_need": lambda: coded(needs(year), _need(chunk, who, year)),
        "secondary_need": lambda: coded(needs(year), _second_need(chunk, who, year)),
        "idaci_rank": rank,
        "idaci_score": lambda: 0.5 * (1 - rank() / SMALL_AREAS) ** 2,
        "home_la": lambda: chunk.world.la_of(chunk.school(who, year)),
        "post_care": lambda: coded(("A", "G"), np.where(numbers % 250 == 0, numbers // 250 % 2, -1)),
        "boarder": lambda: same("N", who),
        "service_child": lambda: coded(("N", "Y"), numbers % 110 == 7),
        "part_time": lambda: np.zeros(len(who), np.bool_),
    }


def _need(chunk: Chunk, who: Ints, year: int) -> Ints:
    return np.where(chunk.sen(who, year) == NONE, -1, chunk.pupils.need(who, year))


def _second_need(chunk: Chunk, who: Ints, year: int) -> Ints:
    has = _has_second(chunk.pupils, who, year) & (chunk.sen(who, year) != NONE)
    return np.where(has, chunk.pupils.need(who, year, second=True), -1)


def month_of_birth(p: Pupils, who: Ints) -> Known:
    return coded([str(m) for m in range(1, 13)], (p.month[who] + 8) % 12)


def needs(year: int) -> tuple[str, ...]:
    """NEEDS in the codes of that year: two came with SEN support."""
    before = {"SEMH": "BESD", "NSA": "OTH"}
    return NEEDS if year >= FIRST_OF_PROVISION else tuple(before.get(need, need) for need in NEEDS)


def provision(chunk: Chunk, who: Ints, year: int) -> Known:
    return coded(PROVISION if year >= FIRST_OF_PROVISION else LEGACY, chunk.sen(who, year))


def _has_second(p: Pupils, who: Ints, year: int) -> Bools:
    return np.asarray((p.numbers[who] % 4 == 0) & (p.need(who, year, second=True) != p.need(who, year)))


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
    share = DUAL + MORE_DUAL * chunk.world.messiness
    return (chunk.stream("dual", year).random(len(chunk.pupils.numbers)) < share).astype(np.int64)


def _ethnicity(chunk: Chunk, who: Ints, year: int) -> Known:
    found = chunk.pupils.ethnicity[who]
    return coded(ETHNICITIES, np.where(_recoded(chunk, year)[who], (found + 1) % len(ETHNICITIES), found))


def _recoded(chunk: Chunk, year: int) -> Bools:
    """With messiness, some pupils are recorded in another group from the middle of the years on."""
    world, everyone = chunk.world, len(chunk.pupils.numbers)
    if not world.messiness or not year > world.years[0] or year < world.years[len(world.years) // 2]:
        return np.zeros(everyone, np.bool_)
    return np.asarray(chunk.stream("recoded", 0).random(everyone) < RECODED * world.messiness)


def registrations(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    """The main registrations of the census, and second ones in alternative provision."""
    for term, name in chunk.world.in_terms():
        main = chunk.pupils.on_roll(year, term)
        dual = _dual(chunk, year)[main]
        place = chunk.stream("second school", year).random(len(chunk.pupils.numbers))[main]
        second = main[(dual == 1) & (chunk.world.schools.alternative(place) >= 0)]
        place = place[np.isin(main, second)]
        who = np.concatenate([main, second])
        school = np.concatenate([chunk.school(main, year), chunk.world.schools.alternative(place)])
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
        "la": chunk.world.la_of(chunk.school(who, year)),
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
    second = first[_has_second(p, first, year)]
    who = np.concatenate([first, second])
    in_unit = (chunk.sen(who, year) == PLAN) & (p.numbers[who] % 20 == 0)
    known: dict[str, Known] = {
        "year": same(academic_year(year), who),
        "rank": coded(("1", "2"), np.repeat([0, 1], [len(first), len(second)])),
        "need": coded(needs(year), np.concatenate([p.need(first, year), p.need(second, year, second=True)])),
        "provision": provision(chunk, who, year),
        "unit": in_unit,
        "resourced": (chunk.sen(who, year) == SUPPORT) & (p.numbers[who] % 50 == 0),
    }
    yield "", Rows(who, known)
