"""What pupils attain from the early years to Year 13. Key stage 4 follows key stage 2 as published."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import ndtri

from synthetic.npd.facts import facts, tuned
from synthetic.npd.pupils import ETHNICITIES, MAJOR, PLAN, Pupils
from synthetic.npd.settle import families_of, meals_and_provision, of_sexes, towards_means, towards_shares
from synthetic.npd.streams import Bools, Floats, Ints, stream
from synthetic.npd.subjects import (
    COMBINED,
    CORE,
    FIRST_GRADE,
    SCIENCES,
    SUBJECTS,
    attainment8,
    points_of,
    slots,
)

NO_SCORE = -1.0
TESTS = ("reading", "maths", "gps")
PASS, MARKS = 32, 6.0
"""Marks in phonics that meet the standard, and nearly one standard deviation of them."""
AVERAGE = 20
POINTS_OF_ONE = 14.0
"""Attainment 8, nearly, of one standard deviation away from what was expected."""
SAME = 0.8
"""How much of a pupil's distance from what was expected is the same in all subjects; assumed."""


@dataclass(frozen=True)
class Attainment:
    """One element (or row) per pupil of a chunk, whether or not the pupil was there to attain it.

    early, ks1: normal, 0 for the mean pupil. ks2: points in reading, maths and grammar (under 80: below the level of
    the test). average: of reading and maths, or NO_SCORE for pupils who came after Year 6. writing: normal. taken:
    by place in SUBJECTS; grade: places in GRADES. triple: takes three sciences. second: the lower of the two grades
    of combined science, whose higher one is in `grade`.
    """

    early: Floats
    phonics: Ints
    ks1: Floats
    ks2: Ints
    writing: Floats
    average: Floats
    taken: Bools
    grade: Ints
    second: Ints


def attain(seed: int, chunk: int, pupils: Pupils, settle: bool = True) -> Attainment:
    """settle: whether groups are moved to their published means in the years of the cut (`settle.py`)."""
    n = len(pupils.numbers)
    rng = stream(seed, "attainment", 0, chunk)
    able = _ability(pupils)
    early = 0.75 * able + 0.66 * rng.standard_normal(n) - 0.9 * _young(pupils) - 0.4 * (pupils.male - 0.5)
    ks1 = 0.85 * able + 0.53 * rng.standard_normal(n) - 0.5 * _young(pupils)
    layout = pupils.lines.targets.layout
    years = layout.years if settle and not pupils.lines.targets.flat else range(0)
    parts = _parts(rng, pupils, able)
    for year in years:
        _settle_ks2(rng, parts, pupils, year)
    ks2, writing = _scores(parts), parts[:, 3]
    average = np.where(pupils.first <= 6, (ks2[:, 0] + ks2[:, 1]) / 2, NO_SCORE)
    plan = pupils.lines.in_group(11).sen[pupils.line] == PLAN
    band = band_of(average)
    away = _away(rng, pupils, band)
    taken, own = _taken(rng, pupils, plan), rng.standard_normal((n, len(SUBJECTS)))
    results = Results(band, own, taken, rng.random(n) < 0.5)
    for year in years:
        who = pupils.in_group(year, 11)
        away[who] += _towards_published(results, away, pupils, who, year)
    grade = results.grades(away)
    return Attainment(
        early=early,
        phonics=_phonics(rng, pupils, 36.5 + 4 * early + 3 * ks1, years),
        ks1=ks1,
        ks2=ks2,
        writing=writing,
        average=average,
        taken=taken,
        grade=grade,
        second=results.second(grade),
    )


def _ability(pupils: Pupils) -> Floats:
    """What all tests up to key stage 2 share: talent, and what is tuned for groups as they are in Year 6."""
    return pupils.talent + _shift(pupils, "key_stage_2", 6)


def _shift(pupils: Pupils, table: str, group: int) -> Floats:
    """Tuned: of the region and free school meals, the provision and the ethnic group of each pupil in a year group."""
    then, schools = pupils.lines.in_group(group), pupils.lines.targets.layout.schools
    areas = np.array([[tuned(table, name, r) for r in schools.regions] for name in ("other", "fsm")])
    provision = np.array([tuned(table, "sen", k) for k in "NKE"])
    major = np.array([tuned(table, "major", MAJOR[e[0]]) for e in ETHNICITIES])
    sex = np.array([tuned(table, "sex", s) for s in "FM"])
    line = pupils.line
    place = areas[then.fsm[line].astype(np.int64), schools.la[then.school[line]]]
    return np.asarray(place + provision[then.sen[line]] + major[pupils.ethnicity] + sex[pupils.male.astype(np.int64)])


def _young(pupils: Pupils) -> Floats:
    """From -0.5 for those born in September to 0.5 for those born in August."""
    return pupils.month / 11 - 0.5


def _parts(rng: np.random.Generator, pupils: Pupils, able: Floats) -> Floats:
    """In reading, maths, grammar and writing, in standard deviations."""
    own = able - 0.25 * _young(pupils)
    return own[:, None] + tuned("scale", "noise", "all", 0.55) * rng.standard_normal((len(own), 4))


def _scores(parts: Floats) -> Ints:
    """Points in the tests."""
    means = np.array([tuned("scale", "mean", s, 105) for s in TESTS])
    sds = np.array([tuned("scale", "sd", s, 7) for s in TESTS])
    return np.asarray(np.clip(np.round(means + sds * parts[:, :3]), 59, 120), np.int64)


def _below_standard(parts: Floats) -> Floats:
    """How far in reading, mathematics or writing, in standard deviations; above nought where it is not met."""
    least = [(99.5 - tuned("scale", "mean", s, 105)) / tuned("scale", "sd", s, 7) for s in TESTS[:2]]
    least.append(tuned("scale", "writing", "EXS", -0.65))
    return np.asarray((least - parts[:, [0, 1, 3]]).max(axis=1))


def _settle_ks2(rng: np.random.Generator, parts: Floats, pupils: Pupils, year: int) -> None:
    """Moves the pupils of Year 6 so that as many of each group meet the standard as published."""
    who = pupils.in_group(year, 6)
    parts[who] += towards_shares(rng, _below_standard(parts[who]), families_of(pupils, who, year, "ks2_rwm"))[:, None]


def _phonics(rng: np.random.Generator, pupils: Pupils, marks: Floats, years: range) -> Ints:
    """Marks of 40. As many of Year 1 as published have enough, by free school meals and provision."""
    for year in years:
        who = pupils.in_group(year, 1)
        marks[who] += towards_shares(
            rng, PASS - 0.5 - marks[who], meals_and_provision(pupils, who, year, "phonics"), MARKS
        )
    return np.clip(np.round(marks), 0, 40).astype(np.int64)


def _away(rng: np.random.Generator, pupils: Pupils, band: Ints) -> Floats:
    """How far from what is expected of the prior attainment, in standard deviations of those who had the same: what is
    published of a band is met whoever is in it."""
    raw = _shift(pupils, "key_stage_4", 11) + rng.standard_normal(len(pupils.line))
    away = raw - _mean_of(band, raw)
    return np.asarray(away / np.sqrt(_mean_of(band, away**2)))


def _mean_of(band: Ints, values: Floats) -> Floats:
    """Of each pupil's band, as if there were some average pupils more in each."""
    number, total = np.bincount(band), np.bincount(band, values)
    return np.asarray((total + AVERAGE * values.mean()) / (number + AVERAGE))[band]


def _taken(rng: np.random.Generator, pupils: Pupils, plan: Bools) -> Bools:
    """Everybody is entered for English and mathematics, few with a plan for more; others as often as published.

    Sciences are three, or the combined one."""
    entries = np.array([np.sum(s["pupils"]) for s in facts()["transition"]["subjects"].values()], np.float64)
    share = entries / entries[SUBJECTS.index("Mathematics")]
    n, more = len(pupils.numbers), tuned("scale", "entries", "all", 1.25)
    taken = rng.random((n, len(SUBJECTS))) < np.append(more * share, 0)
    triple = rng.random(n) < share[SCIENCES].mean() * np.exp(0.5 * pupils.talent)
    taken[:, SCIENCES] = triple[:, None]
    taken[plan] &= rng.random((int(plan.sum()), len(SUBJECTS))) < 0.6
    taken[:, COMBINED] = ~triple & (rng.random(n) < np.where(plan, 0.6, 0.97))
    taken[:, CORE] = (rng.random(n) < np.where(plan, 0.65, 0.99))[:, None]
    return np.asarray(taken)


@cache
def _limits(subject: int) -> Floats:
    """Where each grade ends that is not the best, in standard deviations, one row for each band of prior attainment,
    the last for no score: above as many as are published to have a better one.

    One pupil is added to each grade, so that a band in which nobody took the subject has grades too. Combined science
    has no published matrix: its grades are as mathematics' are."""
    name = "Mathematics" if subject == COMBINED else SUBJECTS[subject]
    counts = np.asarray(facts()["transition"]["subjects"][name]["pupils"], np.float64) + 1
    return np.asarray(ndtri((np.cumsum(counts, axis=1) / counts.sum(axis=1, keepdims=True))[:, :-1]))


def band_of(average: Floats) -> Ints:
    """The row of the transition matrices; the last for pupils without a score."""
    starts = facts()["transition"]["bands_from"]
    return np.where(average == NO_SCORE, len(starts), np.searchsorted(starts, average, side="right") - 1)


@dataclass(frozen=True)
class Results:
    """One element (or row) per pupil: what grades follow from, but for how far the pupil is away from what was
    expected. band: of prior attainment. own: normal, by subject. lower: whether the second grade of combined science
    is."""

    band: Ints
    own: Floats
    taken: Bools
    lower: Bools

    def of(self, who: Ints) -> Results:
        return Results(self.band[who], self.own[who], self.taken[who], self.lower[who])

    def grades(self, away: Floats) -> Ints:
        """Places in GRADES in all subjects: the published share in each band, the better ones to those who did well all
        over."""
        found = np.empty(self.own.shape, np.int64)
        for s in range(len(SUBJECTS)):
            did = SAME * away + np.sqrt(1 - SAME**2) * self.own[:, s]
            found[:, s] = (did[:, None] > _limits(s)[self.band]).sum(axis=1)
        return found

    def second(self, grade: Ints) -> Ints:
        return np.asarray(grade[:, COMBINED] - ((grade[:, COMBINED] > FIRST_GRADE) & self.lower))

    def attainment8(self, away: Floats) -> Floats:
        grade = self.grades(away)
        return attainment8(slots(points_of(self.taken, grade, self.second(grade)), self.taken))


def _towards_published(results: Results, away: Floats, pupils: Pupils, who: Ints, year: int) -> Floats:
    """How far to move the pupils of Year 11, so that groups have the published mean of Attainment 8."""
    of, now = results.of(who), away[who]
    families = [of_sexes(pupils, who), *families_of(pupils, who, year, "attainment8")]
    return towards_means(lambda moved: of.attainment8(now + moved), families, lambda mean: mean / POINTS_OF_ONE)
