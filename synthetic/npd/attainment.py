"""What pupils attain from the early years to Year 13. Key stage 4 follows key stage 2 as published."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from synthetic.npd.facts import facts, tuned
from synthetic.npd.pupils import ETHNICITIES, MAJOR, PLAN, Pupils
from synthetic.npd.streams import Bools, Floats, Ints, stream

GRADES: tuple[str, ...] = tuple(facts()["transition"]["grades"])
"""Lowest first; X is no result."""
POINTS = np.maximum(0, np.arange(len(GRADES)) - 1)
FIRST_GRADE = 2
"""Place of grade 1 in GRADES."""
SUBJECTS: tuple[str, ...] = (*facts()["transition"]["subjects"], "Combined Science")
COMBINED = len(SUBJECTS) - 1


def places(*names: str) -> list[int]:
    return [SUBJECTS.index(name) for name in names]


CORE = places("English Language", "English Literature", "Mathematics")
ENGLISH_LANGUAGE, ENGLISH_LITERATURE, MATHS = CORE
SCIENCES = places("Biology", "Chemistry", "Physics")
HUMANITIES = places("History", "Geography")
LANGUAGES = places("French", "Spanish", "German")
NO_SCORE = -1.0
TESTS = ("reading", "maths", "gps")
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


def attain(seed: int, chunk: int, pupils: Pupils) -> Attainment:
    n = len(pupils.numbers)
    rng = stream(seed, "attainment", 0, chunk)
    able = _ability(pupils)
    early = 0.75 * able + 0.66 * rng.standard_normal(n) - 0.9 * _young(pupils) - 0.4 * (pupils.male - 0.5)
    ks1 = 0.85 * able + 0.53 * rng.standard_normal(n) - 0.5 * _young(pupils)
    ks2, writing = _ks2(rng, pupils, able)
    average = np.where(pupils.first <= 6, (ks2[:, 0] + ks2[:, 1]) / 2, NO_SCORE)
    plan = pupils.lines.in_group(11).sen[pupils.line] == PLAN
    grade = _grades(rng, average, _away(rng, pupils))
    return Attainment(
        early=early,
        phonics=np.clip(np.round(36.5 + 4 * early + 3 * ks1), 0, 40).astype(np.int64),
        ks1=ks1,
        ks2=ks2,
        writing=writing,
        average=average,
        taken=_taken(rng, pupils, plan),
        grade=grade,
        second=grade[:, COMBINED] - ((grade[:, COMBINED] > FIRST_GRADE) & (rng.random(n) < 0.5)),
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


def _ks2(rng: np.random.Generator, pupils: Pupils, able: Floats) -> tuple[Ints, Floats]:
    """Points in reading, maths and grammar, and writing in standard deviations."""
    own = able - 0.25 * _young(pupils)
    parts = own[:, None] + tuned("scale", "noise", "all", 0.55) * rng.standard_normal((len(own), 4))
    means = np.array([tuned("scale", "mean", s, 105) for s in TESTS])
    sds = np.array([tuned("scale", "sd", s, 7) for s in TESTS])
    scores = means + sds * parts[:, :3]
    return np.asarray(np.clip(np.round(scores), 59, 120), np.int64), parts[:, 3]


def _away(rng: np.random.Generator, pupils: Pupils) -> Floats:
    """How far from what is expected of the prior attainment, in standard deviations of all pupils."""
    raw = _shift(pupils, "key_stage_4", 11) + rng.standard_normal(len(pupils.line))
    return (raw - tuned("scale", "away_mean", "all")) / tuned("scale", "away_sd", "all", 1)


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
def _rising(subject: int) -> npt.NDArray[np.float64]:
    """Share of pupils at or under each grade, one row for each band of prior attainment, the last for no score.

    One pupil is added to each grade, so that a band in which nobody took the subject has grades too. Combined science
    has no published matrix: its grades are as mathematics' are."""
    name = "Mathematics" if subject == COMBINED else SUBJECTS[subject]
    counts = np.asarray(facts()["transition"]["subjects"][name]["pupils"], np.float64) + 1
    return np.asarray(np.cumsum(counts, axis=1) / counts.sum(axis=1, keepdims=True))


def band_of(average: Floats) -> Ints:
    """The row of the transition matrices; the last for pupils without a score."""
    starts = facts()["transition"]["bands_from"]
    return np.where(average == NO_SCORE, len(starts), np.searchsorted(starts, average, side="right") - 1)


def _grades(rng: np.random.Generator, average: Floats, away: Floats) -> Ints:
    """Grades in all subjects: the published share in each band, the better ones to those who did well all over."""
    band = band_of(average)
    found = np.empty((len(average), len(SUBJECTS)), np.int64)
    for s in range(len(SUBJECTS)):
        rank = ndtr(SAME * away + np.sqrt(1 - SAME**2) * rng.standard_normal(len(average)))
        found[:, s] = (rank[:, None] > _rising(s)[band][:, :-1]).sum(axis=1)
    return found
