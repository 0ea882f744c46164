"""Pupils: who they are and what becomes of them, year group by year group, from Reception (0) to Year 13.

A chunk of pupils is made whole; every table is a view of it, so that all of them agree.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from synthetic.npd.facts import facts
from synthetic.npd.schools import PRIMARY, SECONDARY, SPECIAL, Schools
from synthetic.npd.streams import Bools, Floats, Ints, pick, stream

YEAR_GROUPS = 14
LAST_PRIMARY, END_OF_KS4, LAST = 6, 11, 13
NONE, SUPPORT, PLAN = range(3)
ETHNICITIES = tuple(facts()["ethnicity"]["heads"])
"""NPD's minor groups."""
MAJOR = {"W": "WHIT", "M": "MIXD", "A": "ASIA", "B": "BLAC", "C": "CHIN", "O": "AOEG", "R": "UNCL", "N": "UNCL"}
"""The major group of a minor one, by its first letter."""
NEEDS = tuple(facts()["sen_type"]["support"])
STAY_AFTER_16, LATE, LEAVE_EARLY, MOVE, SPECIAL_OF_PLAN = 0.45, 0.10, 0.03, 0.12, 0.38
"""Shares of pupils; assumed."""
LASTING = 0.975
"""Correlation of what makes a pupil poor with what makes the same pupil poor in another year; assumed."""


@dataclass(frozen=True)
class Pupils:
    """One array per fact, one element (or row) per pupil; two dimensions: by year group 0–13.

    numbers: consecutive and unlike in all chunks. start: the academic year (of its end) that they are of Reception
    age. month: months after September at birth. talent, want: standard normal; want is the propensity to be poor.
    first, first_term, last: first year group on roll in England, the term (0–2) in it, and the last one.
    """

    numbers: Ints
    start: Ints
    month: Ints
    male: Bools
    ethnicity: Ints
    english: Bools
    talent: Floats
    want: Floats
    first: Ints
    first_term: Ints
    last: Ints
    need: Ints
    second_need: Ints
    sen: npt.NDArray[np.int8]
    fsm: Bools
    school: Ints

    def group(self, year: int) -> Ints:
        """Year group in the academic year ending in `year`, whether or not there is such a one."""
        return year - self.start

    def on_roll(self, year: int, term: int = 2) -> Ints:
        """Places of the pupils who are on a roll by that term."""
        group = self.group(year)
        arrived = (group > self.first) | ((group == self.first) & (term >= self.first_term))
        return np.flatnonzero(arrived & (group <= self.last))

    def in_group(self, year: int, group: int) -> Ints:
        """Places of the pupils on roll in the summer of that year in that year group."""
        found = self.on_roll(year)
        return np.asarray(found[self.group(year)[found] == group])


def make_pupils(seed: int, chunk: int, numbers: Ints, years: range, schools: Schools) -> Pupils:
    """Pupils who are of school age, or two years younger, in at least one of the years."""
    n = len(numbers)
    rng = stream(seed, "pupils", 0, chunk)
    start = rng.integers(years[0] - LAST, years[-1] + 3, n)
    male = pick(rng, [facts()["sex"]["F"], facts()["sex"]["M"]], n) == 1
    ethnicity = pick(rng, list(facts()["ethnicity"]["heads"].values()), n)
    want = rng.standard_normal(n)
    talent = -0.37 * want + np.sqrt(1 - 0.37**2) * rng.standard_normal(n)
    risk = -0.6 * talent + 0.8 * rng.standard_normal(n) + np.where(male, 0.3, -0.3)
    sen = _sen(rng, risk)
    first, first_term, last = _stay(rng, n)
    return Pupils(
        numbers=numbers,
        start=start,
        month=rng.integers(0, 12, n),
        male=male,
        ethnicity=ethnicity,
        english=rng.random(n) >= _other_language(ethnicity),
        talent=talent,
        want=want,
        first=first,
        first_term=first_term,
        last=last,
        need=_needs(rng, sen[:, -1]),
        second_need=_needs(rng, sen[:, -1]),
        sen=sen,
        fsm=_fsm(rng, want),
        school=_schools(rng, schools, sen[:, -1]),
    )


def _other_language(ethnicity: Ints) -> Floats:
    """Chance of another first language than English: hardly any of White British pupils, the rest of all others."""
    share = (facts()["language"]["primary"] + facts()["language"]["secondary"]) / 200
    white_british = facts()["ethnicity"]["heads"]["WBRI"] / sum(facts()["ethnicity"]["heads"].values())
    others = (share - 0.01 * white_british) / (1 - white_british)
    return np.where(ethnicity == ETHNICITIES.index("WBRI"), 0.01, others)


def _sen(rng: np.random.Generator, risk: Floats) -> npt.NDArray[np.int8]:
    """Provision by year group: none until it is found, then support or a plan."""
    n = len(risk)
    plan = facts()["sen"]["plan"]["all"] / 100
    support = (facts()["sen"]["support"]["primary"] + facts()["sen"]["support"]["secondary"]) / 200
    spread = np.sqrt(1 + 0.3**2)
    kind = np.where(risk > -ndtri(plan) * spread, PLAN, np.where(risk > -ndtri(plan + support) * spread, SUPPORT, NONE))
    found = np.minimum(rng.integers(0, 7, n), rng.integers(0, 7, n))
    return np.where(np.arange(YEAR_GROUPS) >= found[:, None], kind[:, None], NONE).astype(np.int8)


def _needs(rng: np.random.Generator, kind: npt.NDArray[np.int8]) -> Ints:
    """Place in NEEDS of a type of need as common as it is for the provision; for pupils without, of no meaning."""
    support, plan = (pick(rng, list(facts()["sen_type"][k].values()), len(kind)) for k in ("support", "plan"))
    return np.where(kind == PLAN, plan, support)


def _fsm(rng: np.random.Generator, want: Floats) -> Bools:
    """Eligibility by year group: the same pupils mostly, since want changes little from year to year."""
    share = np.where(np.arange(YEAR_GROUPS) <= LAST_PRIMARY, facts()["fsm"]["primary"], facts()["fsm"]["secondary"])
    changing = rng.standard_normal((len(want), YEAR_GROUPS))
    return np.asarray(LASTING * want[:, None] + np.sqrt(1 - LASTING**2) * changing > -ndtri(share / 100))


def _stay(rng: np.random.Generator, n: int) -> tuple[Ints, Ints, Ints]:
    late = rng.random(n) < LATE
    first = np.where(late, rng.integers(1, 11, n), 0)
    first_term = np.where(late, rng.integers(0, 3, n), 0)
    last = np.where(rng.random(n) < STAY_AFTER_16, LAST, END_OF_KS4)
    leaves = rng.random(n) < LEAVE_EARLY
    return first, first_term, np.where(leaves, np.maximum(first, rng.integers(1, 11, n)), last)


def _schools(rng: np.random.Generator, schools: Schools, kind: npt.NDArray[np.int8]) -> Ints:
    """The school by year group. A pupil who moves lives elsewhere from some year group on, mostly nearby."""
    n = len(kind)
    before = rng.random(n)
    near = np.clip(before + 0.01 * rng.standard_normal(n), 0, 1 - 1e-9)
    after = np.where(rng.random(n) < 0.7, near, rng.random(n))
    moved = np.where(rng.random(n) < MOVE, rng.integers(1, LAST, n), YEAR_GROUPS)
    groups = np.arange(YEAR_GROUPS)
    place = np.where(groups < moved[:, None], before[:, None], after[:, None])
    ordinary = np.where(groups <= LAST_PRIMARY, schools.near(PRIMARY, place), schools.near(SECONDARY, place))
    special = (kind == PLAN) & (rng.random(n) < SPECIAL_OF_PLAN)
    return np.where(special[:, None], schools.near(SPECIAL, place), ordinary)
