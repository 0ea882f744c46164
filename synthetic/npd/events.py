"""What befalls few pupils: suspensions and exclusions, children in need, children looked after."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import numpy as np
from scipy.special import ndtri

from synthetic.npd.census import provision
from synthetic.npd.facts import facts, of_area
from synthetic.npd.fit import Known, coded
from synthetic.npd.layout import PHASES
from synthetic.npd.pupils import ETHNICITIES
from synthetic.npd.schools import PRIMARY, SECONDARY
from synthetic.npd.streams import Floats, Ints, pick
from synthetic.npd.world import TERMS, Chunk, Rows, academic_year, same

FIRST_OF_NEW_REASONS = 2021
MOST = 40
"""Suspensions of a pupil in a year that files have room for."""
FSM_TIMES, NOT_FSM_TIMES = 2.3, 0.65
"""How much oftener pupils eligible for free school meals are suspended, near to 2016/17's 3.7 times; assumed."""


@lru_cache(maxsize=4)
def _suspended(chunk: Chunk, year: int) -> tuple[Ints, Ints, Ints]:
    """Pupils on roll, and how many suspensions and permanent exclusions each has in the year."""
    who = chunk.pupils.on_roll(year)
    rng = chunk.stream("suspensions", year)
    relative, place = _relative(chunk, who, year), _place(chunk, who, year)
    often = _level(relative * rng.gamma(0.25, 4.0, len(who)), place, _wanted(chunk, "suspensions", place))
    times = _shared(rng, often, place)
    excluded = _once(rng, _level(relative, place, _wanted(chunk, "permanent", place)), place)
    return who, np.minimum(times, MOST - 1), excluded


def _relative(chunk: Chunk, who: Ints, year: int) -> Floats:
    """By ethnic group and sex, times what year group and free school meals add; of no level."""
    f, p = facts()["suspensions"], chunk.pupils
    groups = np.array([f["by_ethnicity"][e] for e in ETHNICITIES])[p.ethnicity[who], 1 - p.male[who].astype(np.int64)]
    by_age = np.array(f["by_year_group"]["rates"])[chunk.group(who, year)]
    return np.asarray(groups * by_age * np.where(chunk.fsm(who, year), FSM_TIMES, NOT_FSM_TIMES))


def _place(chunk: Chunk, who: Ints, year: int) -> Ints:
    """Of the region and phase of each pupil's school: its place among those of `_wanted`."""
    schools = chunk.world.schools
    school = chunk.school(who, year)
    kind = schools.kind[school]
    phase = np.where(kind == PRIMARY, 0, np.where(kind == SECONDARY, 1, 2))
    regions = list(dict.fromkeys(schools.regions))
    return np.array([regions.index(r) for r in schools.regions])[schools.la[school]] * len(PHASES) + phase


def _wanted(chunk: Chunk, table: str, place: Ints) -> Floats:
    """Of each region and phase, per pupil: in proportion to the published figures, and England's in each phase."""
    regions = dict.fromkeys(chunk.world.schools.regions)
    wanted = np.array([[of_area(table, name, region) for name in PHASES] for region in regions]) / 100
    number = np.bincount(place, minlength=wanted.size).reshape(wanted.shape)
    england = np.array([of_area(table, name, "ENG") for name in PHASES]) / 100
    got = (wanted * number).sum(axis=0)
    return np.asarray(wanted * np.where(got > 0, england * number.sum(axis=0) / np.maximum(got, 1e-9), 1)).ravel()


def _level(relative: Floats, place: Ints, wanted: Floats) -> Floats:
    """Expected number of each pupil, so that the mean of each place is the one wanted."""
    number = np.bincount(place, minlength=len(wanted))
    mean = np.bincount(place, relative, len(wanted)) / np.maximum(number, 1)
    return np.asarray(relative * (wanted / np.where(mean > 0, mean, 1))[place])


def _once(rng: np.random.Generator, expected: Floats, place: Ints) -> Ints:
    """Whether each pupil is drawn, as often as expected; of each place as many as expected, to the nearest pupils."""
    order = np.argsort(place, kind="stable")
    reach = np.floor(np.cumsum(expected[order]) + rng.random())
    found = np.zeros(len(place), np.int64)
    found[order] = np.diff(reach, prepend=0.0) > 0
    return found


def _shared(rng: np.random.Generator, expected: Floats, place: Ints) -> Ints:
    """How often each pupil is drawn; all of a place together as often as expected, to the nearest whole number."""
    order = np.argsort(place, kind="stable")
    reach = np.cumsum(expected[order])
    ends = np.searchsorted(place[order], np.arange(place.max(initial=-1) + 1), side="right")
    ends = np.append(0.0, reach)[ends]
    number = np.diff(np.floor(ends + rng.random()), prepend=0.0).astype(np.int64)
    wide = np.diff(ends, prepend=0.0)
    drawn = np.repeat(ends - wide, number) + np.repeat(wide, number) * rng.random(int(number.sum()))
    times = np.bincount(np.searchsorted(reach, drawn, side="right"), minlength=len(place))[: len(place)]
    found = np.zeros(len(place), np.int64)
    found[order] = times
    return found


def _reasons(year: int) -> dict[str, float]:
    """How common each is. In 2020/21 five took the place of "other"; their shares of it are assumed."""
    reasons = dict(facts()["suspensions"]["reasons"])
    if year >= FIRST_OF_NEW_REASONS:
        other = reasons.pop("OT")
        reasons |= {code: other * share for code, share in facts()["suspensions"]["of_other_since_2021"].items()}
    return reasons


def exclusions(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    """Suspensions in their order, and then the permanent exclusion."""
    on_roll, suspensions, permanent = _suspended(chunk, year)
    times = suspensions + permanent
    who = np.repeat(on_roll, times)
    order = np.arange(len(who)) - np.repeat(np.cumsum(times) - times, times)
    last = (order == np.repeat(times, times) - 1) & (np.repeat(permanent, times) == 1)
    rng = chunk.stream("exclusions", year)
    reasons = _reasons(year)
    known: dict[str, Known] = {
        "order": coded([str(i + 1) for i in range(MOST)], order),
        "term": coded(TERMS, pick(rng, [0.37, 0.31, 0.32], len(who))),
        "category": coded(("FIXD", "PERM"), last),
        "reason": coded(list(reasons), pick(rng, list(reasons.values()), len(who))),
        "sessions": np.where(last, np.nan, 1 + rng.geometric(0.3, len(who)).clip(1, 20)),
        "sen_at_the_time": provision(chunk, who, year),
    }
    yield "", Rows(who, chunk.common(who, year) | known)


def exclusions_year(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    """The totals of those who have any."""
    on_roll, suspensions, permanent = _suspended(chunk, year)
    any_ = (suspensions + permanent) > 0
    who, sessions = on_roll[any_], np.zeros(len(chunk.pupils.numbers))
    for _, rows in exclusions(chunk, year):
        np.add.at(sessions, rows.who, np.nan_to_num(np.asarray(rows.known["sessions"])))
    known: dict[str, Known] = {
        "suspensions": suspensions[any_],
        "permanent": permanent[any_],
        "sessions": np.minimum(sessions[who], 380),
        "age": chunk.group(who, year) + 4,
    }
    yield "", Rows(who, chunk.common(who, year) | known)


def _in_care(chunk: Chunk, year: int, per_10_000: int, table: str) -> Ints:
    """Pupils on roll that many per 10,000, the poorer ones oftener and mostly the same from year to year."""
    p = chunk.pupils
    rng = chunk.stream(table, 0)
    risk = 0.5 * p.want + 0.8 * rng.standard_normal(len(p.want))
    risk += 0.35 * chunk.stream(table, year).standard_normal(len(p.want))
    who = p.on_roll(year)
    cut = np.sqrt(0.5**2 + 0.8**2 + 0.35**2) * _above(per_10_000 / 10_000)
    return np.asarray(who[risk[who] > cut])


def _above(share: float) -> float:
    return -float(ndtri(share))


def cin(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    """Referrals of the year: one, now and then two."""
    children = _in_care(chunk, year, facts()["care"]["in_need"], "cin")
    rng = chunk.stream("cin rows", year)
    again = children[rng.random(len(children)) < 0.15]
    who = np.concatenate([children, again])
    plan = rng.random(len(who)) < 0.15
    known: dict[str, Known] = {
        "year": same(academic_year(year), who),
        "spell": coded(("1", "2"), np.repeat([0, 1], [len(children), len(again)])),
        "la": chunk.world.la_of(chunk.school(who, year)),
        "sex": coded(("F", "M"), chunk.pupils.male[who]),
        "ethnicity": coded(ETHNICITIES, chunk.pupils.ethnicity[who]),
        "age_at_referral": chunk.group(who, year) + 4,
        "primary_need": coded(("N1", "N2", "N4", "N5"), pick(rng, [0.55, 0.1, 0.1, 0.25], len(who))),
        "protection_plan": plan,
        "no_further_action": rng.random(len(who)) < 0.1,
        "open_31_march": rng.random(len(who)) < 0.6,
        "initial_abuse": coded(("NEG", "EMO", "PHY", "SAB"), np.where(plan, pick(rng, [5, 4, 1, 1], len(who)), -1)),
    }
    yield "", Rows(who, known)


def cin_disabilities(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    children = _in_care(chunk, year, facts()["care"]["in_need"], "cin")
    rng = chunk.stream("disabilities", year)
    kinds = ("NONE", "LD", "AUT", "BEH", "MOB")
    known: dict[str, Known] = {
        "year": same(academic_year(year), children),
        "disability": coded(kinds, pick(rng, [0.87, 0.05, 0.05, 0.02, 0.01], len(children))),
        "la": chunk.world.la_of(chunk.school(children, year)),
    }
    yield "", Rows(children, known)


def cla(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    """Looked after at some time of the year."""
    who = _in_care(chunk, year, facts()["care"]["looked_after"], "cla")
    rng = chunk.stream("cla rows", year)
    days = rng.integers(1, 1500, len(who))
    known: dict[str, Known] = {
        "year": same(academic_year(year), who),
        "sex": coded(("F", "M"), chunk.pupils.male[who]),
        "age": chunk.group(who, year) + 4,
        "ethnicity": coded(ETHNICITIES, chunk.pupils.ethnicity[who]),
        "any_day": np.ones(len(who), np.bool_),
        "six_months": days >= 183,
        "twelve_months": days >= 365,
        "days": days,
        "episodes": 1 + rng.poisson(0.4, len(who)),
        "unaccompanied": rng.random(len(who)) < 0.07,
    }
    yield "", Rows(who, known)
