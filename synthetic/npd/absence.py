"""Absence by term and year, and the register of a few weeks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from synthetic.npd.deal import assign
from synthetic.npd.facts import facts, of_area, tuned
from synthetic.npd.fit import Known, coded
from synthetic.npd.layout import PHASES
from synthetic.npd.pupils import NONE
from synthetic.npd.schools import PRIMARY, SECONDARY
from synthetic.npd.settle import Family, towards_means
from synthetic.npd.streams import Floats, Ints, pick
from synthetic.npd.targets import BANDS
from synthetic.npd.world import TERMS, Chunk, Rows, same

PERSISTENT = 2
"""The first band of persistent absence, of ten per cent or more."""
SESSIONS = (140, 110, 130)
"""Possible in each term; assumed, 380 a year as usual."""
REASONS = {
    "illness": "I", "medical": "M", "religious": "R", "study_leave": "S", "traveller": "T", "holiday_agreed": "H",
    "suspended": "E", "other_authorised": "C", "holiday_not_agreed": "G", "late": "U", "other_unauthorised": "O",
    "no_reason": "N",
}  # fmt: skip
UNAUTHORISED = "GUON"
FIRST_WITHOUT_HOLIDAYS = 2025
"""From then on there is no code for holidays that a school agreed to."""
FIRST_DAY, DAYS = "11-13", 10
"""The register is kept for ten school days from mid-November."""


@dataclass(frozen=True)
class Missed:
    """of: places of the pupils (compulsory age only). possible and each reason: by pupil and term."""

    of: Ints
    rate: Floats
    possible: Ints
    reasons: dict[str, Ints]


def _phase(chunk: Chunk, who: Ints, year: int) -> Ints:
    """Place in PHASES."""
    kind = chunk.world.schools.kind[chunk.school(who, year)]
    return np.where(kind == PRIMARY, 0, np.where(kind == SECONDARY, 1, 2))


def _bands(chunk: Chunk, who: Ints, year: int) -> Ints:
    """Bands as many as published by phase and free school meals; who is in the high ones is lasting, half of it, and
    goes with special needs, attainment and the region."""
    p, f = chunk.pupils, facts()["absence"]
    lasting = _normal(np.modf(p.numbers[who] * 0.7548776662)[0])
    score = 0.7 * lasting + 0.71 * chunk.stream("absence", year).standard_normal(len(p.numbers))[who]
    score += f["special_needs"] * (chunk.sen(who, year) != NONE) - f["attainment"] * p.talent[who]
    phase, school = _phase(chunk, who, year), chunk.school(who, year)
    of = np.array([[tuned("absence", name, r) for r in chunk.world.schools.regions] for name in PHASES])
    score += of[phase, chunk.world.schools.la[school]]
    stratum, numbers = 2 * phase + ~chunk.fsm(who, year), chunk.targets.bands(year)[chunk.number]

    def persistent(moved: Floats) -> Floats:
        return np.where(assign(-score - moved, stratum, numbers) >= PERSISTENT, 100.0, 0.0)

    if not chunk.targets.flat:
        score += towards_means(persistent, [_of_regions(chunk, phase, school)], lambda mean: _normal(mean / 100))
    return np.asarray(assign(-score, stratum, numbers))


def _of_regions(chunk: Chunk, phase: Ints, school: Ints) -> Family:
    """Persistent absence by region and phase, per cent. How common it is in a phase is said by the bands; by these,
    how regions differ."""
    schools = chunk.world.schools
    regions = list(dict.fromkeys(schools.regions))
    region = np.array([regions.index(r) for r in schools.regions])[schools.la[school]]
    wanted = [of_area("persistent", name, r) for name in PHASES for r in regions]
    return Family(phase * len(regions) + region, np.array(wanted))


def _normal(share: Floats) -> Floats:
    return np.asarray(ndtri(np.clip(share, 1e-6, 1 - 1e-6)))


@lru_cache(maxsize=4)
def missed(chunk: Chunk, year: int) -> Missed:
    """Of pupils on roll in the summer, from Reception to Year 11."""
    p = chunk.pupils
    who = p.on_roll(year)
    who = who[chunk.group(who, year) <= 11]
    rng = chunk.stream("sessions", year)
    there = np.stack([np.isin(who, p.on_roll(year, term)) for term in range(3)], axis=1)
    possible = np.array(SESSIONS) * there
    total = _in_band(rng, _bands(chunk, who, year), possible.sum(axis=1))
    return Missed(
        who,
        total / possible.sum(axis=1),
        possible,
        _split(rng, _terms(rng, total, possible), _phase(chunk, who, year), year),
    )


def _in_band(rng: np.random.Generator, band: Ints, possible: Ints) -> Ints:
    """Whole sessions above the lower end of a band of five per cent and up to its upper end, but neither exactly 10 nor
    50 per cent: those count as persistent and severe absence, and as the band below."""
    low = np.where(band == 0, 0, 5 * band * possible // 100 + 1)
    high = np.where(band == BANDS - 1, possible, (5 * (band + 1) * possible - np.isin(band, (1, 9))) // 100)
    share = rng.random(len(band))
    share = np.where(band == 0, share**0.8, np.where(band == BANDS - 1, share**1.3, share))
    return np.asarray(low + np.floor(share * (high - low + 1)).astype(np.int64))


def _terms(rng: np.random.Generator, total: Ints, possible: Ints) -> Ints:
    """Of the sessions missed in the year, those of each term, as if they had been drawn from the year's."""
    autumn = rng.hypergeometric(possible[:, 0], possible[:, 1:].sum(axis=1), total)
    spring = rng.hypergeometric(possible[:, 1], possible[:, 2], total - autumn)
    return np.stack([autumn, spring, total - autumn - spring], axis=1)


def _split(rng: np.random.Generator, total: Ints, phase: Ints, year: int) -> dict[str, Ints]:
    """Sessions by reason, as common as published for the phase; each takes its share of what is left."""
    share = _shares()[phase]
    left, rest, found = total, np.ones(len(total)), dict[str, Ints]()
    for i, name in enumerate(REASONS):
        chance = np.clip(share[:, i] / np.maximum(rest, 1e-12), 0, 1)
        found[name] = rng.binomial(left, chance[:, None])
        left, rest = left - found[name], rest - share[:, i]
    found["no_reason"] = found["no_reason"] + left
    if year >= FIRST_WITHOUT_HOLIDAYS:
        found["other_authorised"] = found["other_authorised"] + found["holiday_agreed"]
        found["holiday_agreed"] = np.zeros_like(left)
    return found


def _shares() -> Floats:
    """By phase and reason; reasons that the tables do not have count as other."""
    shares = []
    for phase in PHASES:
        counts = dict(facts()["attendance"][phase]["reasons"])
        counts["C"] += counts.pop("C1") + counts.pop("C2") + counts.pop("J1")
        shares.append([counts[code] for code in REASONS.values()])
    found = np.array(shares, np.float64)
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def _columns(possible: Ints, reasons: dict[str, Ints]) -> dict[str, Known]:
    groups = {name: [reasons[r] for r, code in REASONS.items() if (code in UNAUTHORISED) == held]
              for name, held in (("authorised", False), ("unauthorised", True))}  # fmt: skip
    totals = {name: np.sum(parts, axis=0) for name, parts in groups.items()}
    return {"sessions_possible": possible, "holiday_extended": np.zeros(len(possible)), **reasons, **totals}


def absence(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    of = missed(chunk, year)
    for term, name in enumerate(TERMS):
        there = np.flatnonzero(of.possible[:, term])
        known = chunk.common(of.of[there], year) | {"term": same(name, there)}
        parts = {reason: counts[there, term] for reason, counts in of.reasons.items()}
        yield name, Rows(of.of[there], known | _columns(of.possible[there, term], parts))


def absence_year(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    of = missed(chunk, year)
    parts = {reason: counts.sum(axis=1) for reason, counts in of.reasons.items()}
    yield "", Rows(of.of, chunk.common(of.of, year) | _columns(of.possible.sum(axis=1), parts))


def attendance(chunk: Chunk, year: int) -> Iterator[tuple[str, Rows]]:
    days = [d for d in chunk.world.codes("attendance", "date") if d >= f"{year - 1}-{FIRST_DAY}"][:DAYS]
    if not days or not days[0].startswith(str(year - 1)):
        return
    of = missed(chunk, year)
    there = np.isin(of.of, chunk.pupils.on_roll(year, 0))
    pupils, rate = of.of[there], np.minimum(of.rate[there], 0.95)
    who = np.repeat(pupils, 2 * len(days))
    absent = _spells(chunk.stream("register", year), rate, len(days))
    known = chunk.common(who, year) | {
        "term": same("AUT", who),
        "date": coded(days, np.tile(np.repeat(np.arange(len(days)), 2), len(pupils))),
        "session": coded(("AM", "PM"), np.tile([0, 1], len(pupils) * len(days))),
        "mark": _marks(chunk, who, year, absent.ravel()),
    }
    yield "", Rows(who, known)


def _spells(rng: np.random.Generator, rate: Floats, days: int) -> npt.NDArray[np.bool_]:
    """By pupil and session. An absence goes on to the next session four times in five."""
    absent = np.empty((len(rate), 2 * days), np.bool_)
    absent[:, 0] = rng.random(len(rate)) < rate
    begins = np.minimum(1, 0.2 * rate / np.maximum(1 - rate, 1e-9))
    for i in range(1, 2 * days):
        absent[:, i] = rng.random(len(rate)) < np.where(absent[:, i - 1], 0.8, begins)
    return absent


def _marks(chunk: Chunk, who: Ints, year: int, absent: npt.NDArray[np.bool_]) -> Known:
    """Reasons as common as published; those that came in 2024 count as other before."""
    rng = chunk.stream("marks", year)
    codes = ["/", "\\", "L", *facts()["attendance"]["primary"]["reasons"]]
    late = facts()["attendance"]["primary"]["late"] / facts()["attendance"]["primary"]["present"]
    present = np.where(rng.random(len(who)) < late, 2, np.tile([0, 1], len(who) // 2))
    phase = _phase(chunk, who, year)
    reason = np.empty(len(who), np.int64)
    for p, name in enumerate(PHASES):
        of = phase == p
        reason[of] = 3 + pick(rng, list(facts()["attendance"][name]["reasons"].values()), int(of.sum()))
    if year < 2025:
        reason[np.isin(reason, [codes.index(c) for c in ("C1", "C2", "J1")])] = codes.index("C")
    else:
        reason[reason == codes.index("H")] = codes.index("C")
    return coded(codes, np.where(absent, reason, present))
