"""What pupils attain from the early years to Year 13. Key stage 4 follows key stage 2 as published."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

from synthetic.npd.facts import facts
from synthetic.npd.pupils import ETHNICITIES, MAJOR, PLAN, Pupils
from synthetic.npd.streams import Bools, Floats, Ints, pick, stream

GRADES: tuple[str, ...] = tuple(facts()["transition"]["grades"])
"""Lowest first; X is no result."""
POINTS = np.maximum(0, np.arange(len(GRADES)) - 1)
SUBJECTS: tuple[str, ...] = tuple(facts()["transition"]["subjects"])
CORE = ("English Language", "English Literature", "Mathematics")
NO_SCORE = -1.0
SAME = 0.8
"""How much of a pupil's distance from what was expected is the same in all subjects; assumed."""


@dataclass(frozen=True)
class Attainment:
    """One element (or row) per pupil of a chunk, whether or not the pupil was there to attain it.

    ks2: scaled scores in reading, maths and grammar; average, of reading and maths, or NO_SCORE for pupils who came
    after Year 6. taken, grade: by place in SUBJECTS; grades by place in GRADES.
    """

    early: Floats
    phonics: Ints
    ks1: Floats
    ks2: Ints
    writing: Bools
    average: Floats
    attainment8: Floats
    progress8: Floats
    taken: Bools
    grade: Ints


def attain(seed: int, chunk: int, pupils: Pupils) -> Attainment:
    n = len(pupils.numbers)
    rng = stream(seed, "attainment", 0, chunk)
    early = 0.75 * pupils.talent + 0.66 * rng.standard_normal(n) - 0.9 * _young(pupils) - 0.2 * pupils.male
    ks1 = 0.85 * pupils.talent + 0.53 * rng.standard_normal(n) - 0.5 * _young(pupils)
    ks2 = _ks2(rng, pupils)
    average = np.where(pupils.first <= 6, (ks2[:, 0] + ks2[:, 1]) / 2, NO_SCORE)
    away = _away(rng, pupils)
    sd = facts()["attainment8"]["sd"]
    expected = _expected(average, pupils.talent)
    attainment8 = np.clip(expected + away, 0, 90)
    taken = _taken(rng, pupils)
    return Attainment(
        early=early,
        phonics=np.clip(np.round(36.5 + 6 * (0.5 * early + ks1)), 0, 40).astype(np.int64),
        ks1=ks1,
        ks2=ks2,
        writing=0.85 * pupils.talent + 0.53 * rng.standard_normal(n) > -0.6,
        average=average,
        attainment8=attainment8,
        progress8=(attainment8 - expected) / 10,
        taken=taken,
        grade=_grades(rng, average, away / sd),
    )


def _young(pupils: Pupils) -> Floats:
    """From -0.5 for those born in September to 0.5 for those born in August."""
    return pupils.month / 11 - 0.5


def _ks2(rng: np.random.Generator, pupils: Pupils) -> Ints:
    f = facts()["key_stage_2"]
    own = 0.88 * pupils.talent - 0.25 * _young(pupils)
    means = np.array([f["reading"], f["maths"], f["gps"]])
    scores = means + f["sd"] * (own[:, None] + 0.47 * rng.standard_normal((len(own), 3)))
    return np.clip(np.round(scores), 80, 120).astype(np.int64)


def _away(rng: np.random.Generator, pupils: Pupils) -> Floats:
    """Attainment 8 minus what is expected of the prior attainment: differences as published, and chance.

    Half of the difference between ethnic groups and sexes; the other half would be prior attainment's."""
    f = facts()["attainment8"]
    groups = np.array([f["by_major"][MAJOR[e[0]]] for e in ETHNICITIES])[pupils.ethnicity] / 2
    sexes = np.where(pupils.male, f["by_sex"]["M"], f["by_sex"]["F"]) / 2
    fsm = 10 * np.where(pupils.fsm[:, 11], f["by_fsm"]["Y"], f["by_fsm"]["N"])
    sen = 10 * np.array([f["by_sen"][k] for k in "NKE"])[pupils.sen[:, 11]]
    return np.asarray(groups + sexes + fsm + sen + 0.93 * f["sd"] * rng.standard_normal(len(groups)))


def _expected(average: Floats, talent: Floats) -> Floats:
    """By the published table; for pupils without a score as if it were known."""
    f = facts()["attainment8"]
    score = np.where(average == NO_SCORE, np.clip(105.5 + 7.5 * talent, 80, 120), average)
    return np.asarray(f["mean"], np.float64)[np.searchsorted(f["from"], score, side="right") - 1]


def _taken(rng: np.random.Generator, pupils: Pupils) -> Bools:
    """Everybody is entered for English and mathematics, few with a plan for more; others as often as published."""
    entries = np.array([np.sum(s["pupils"]) for s in facts()["transition"]["subjects"].values()], np.float64)
    chance = entries / entries[SUBJECTS.index("Mathematics")]
    taken = rng.random((len(pupils.numbers), len(SUBJECTS))) < chance
    core = [SUBJECTS.index(name) for name in CORE]
    taken[pupils.sen[:, 11] == PLAN] &= rng.random(len(SUBJECTS)) < 0.5
    taken[:, core] = (rng.random(len(taken)) < np.where(pupils.sen[:, 11] == PLAN, 0.55, 0.99))[:, None]
    return np.asarray(taken)


@cache
def _rising(subject: int) -> npt.NDArray[np.float64]:
    """Share of pupils at or under each grade, one row for each band of prior attainment, the last for no score.

    One pupil is added to each grade, so that a band in which nobody took the subject has grades too."""
    counts = np.asarray(facts()["transition"]["subjects"][SUBJECTS[subject]]["pupils"], np.float64) + 1
    return np.cumsum(counts, axis=1) / counts.sum(axis=1, keepdims=True)


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
        found[:, s] = (rank[:, None] > _rising(s)[band]).sum(axis=1)
    return found.clip(0, len(GRADES) - 1)


def a_levels(seed: int, chunk: int, attainment: Attainment) -> tuple[Ints, Floats]:
    """How many A levels, and the average points per entry (0–60)."""
    rng = stream(seed, "a levels", 0, chunk)
    n = len(attainment.attainment8)
    number = 1 + pick(rng, [0.05, 0.10, 0.80, 0.05], n)
    points = np.clip(12 + 0.45 * attainment.attainment8 + 8 * rng.standard_normal(n), 0, 60)
    return number, points


def z(share: float) -> float:
    """The normal deviate that this share of people is above."""
    return float(-ndtri(share))
