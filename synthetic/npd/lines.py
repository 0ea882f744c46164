"""The lines of one chunk: what their pupils are for good, and from year to year.

Traits belong to the line, so a pupil who comes late is like the one who left: what was published of a place holds
whoever has it. All are given out by rank within strata (`targets`), so their totals are exact.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from synthetic.npd.deal import assign
from synthetic.npd.facts import facts
from synthetic.npd.layout import END_OF_KS4, LAST, LAST_PRIMARY, PHASES
from synthetic.npd.streams import Bools, Floats, Ints, stream
from synthetic.npd.targets import OUTSIDE, Targets

NONE, SUPPORT, PLAN = range(3)
ETHNICITIES = tuple(facts()["ethnicity"]["heads"])
"""NPD's minor groups."""
MOVE, NEAR = 0.12, 0.7
"""Share of lines whose pupils change places with another's once, and of those that do so nearby; assumed."""
LASTING = 0.992
"""Correlation of what makes a pupil poor with what makes the same pupil poor in another year: near the published share
of pupils who were eligible at any time of six years."""
SEN_LASTING = 0.99


@dataclass(frozen=True, slots=True)
class YearOf:
    """One element per line, of no meaning where there is nobody on roll. school: place in the list."""

    school: npt.NDArray[np.int32]
    fsm: Bools
    sen: npt.NDArray[np.int8]


@dataclass(frozen=True, eq=False)
class Lines:
    """One element per line. line: its number among all. start: the academic year (of its end) of Reception. partner,
    moved: with whose line it changes places, from which year group on. talent, want, risk: standard normal, or
    nearly."""

    targets: Targets
    seed: int
    chunk: int
    line: Ints
    start: Ints
    partner: Ints
    moved: Ints
    male: Bools
    ethnicity: Ints
    english: Bools
    talent: Floats
    want: Floats
    risk: Floats
    found: Ints
    stays: Bools
    _years: dict[int, YearOf] = field(default_factory=dict)
    _groups: dict[int, YearOf] = field(default_factory=dict)

    def year(self, year: int) -> YearOf:
        if year not in self._years:
            self._years[year] = _year_of(self, year)
        return self._years[year]

    def seat(self, group: Ints) -> Ints:
        """The line whose school the pupil goes to in a year group."""
        return np.where(group < self.moved, self.line, self.line[self.partner])

    def in_group(self, group: int) -> YearOf:
        """What pupils are in a year group, whenever that is: as in the years of the cut, or else as is to be
        expected."""
        if group not in self._groups:
            self._groups[group] = _in_group(self, group)
        return self._groups[group]

    def draw(self, what: str, year: int) -> np.random.Generator:
        return stream(self.seed, what, year, self.chunk)


def make_lines(targets: Targets, seed: int, chunk: int) -> Lines:
    layout = targets.layout
    rng = stream(seed, "lines", 0, chunk)
    of_cohort = layout.lines_of_chunk[chunk]
    cohort = np.repeat(np.arange(len(of_cohort)), of_cohort)
    place = np.arange(len(cohort)) - np.repeat(np.cumsum(of_cohort) - of_cohort, of_cohort)
    position = chunk + layout.chunks * place
    line = layout.first_line[cohort] + position
    start = np.array(layout.cohorts)[cohort]
    block = layout.block_of(line)
    special = layout.is_special[block]
    admits = np.zeros(len(line), np.int64)
    secondary = layout.school_of(line[~special], np.ones(int((~special).sum()), np.int64))
    admits[~special] = layout.schools.sex[secondary]
    partner, moved = _moves(rng, 6 * cohort + 2 * admits + special, position / layout.lines[cohort])
    last = line[partner]
    end = layout.school_of(last, np.where(special, 2, 1))
    group = layout.years[-1] - start
    inside = (group >= 0) & (group <= END_OF_KS4)
    now = block[np.where(group < moved, np.arange(len(line)), partner)]
    phase = np.where(inside, layout.phase_of(now, group), OUTSIDE)
    english = assign(
        rng.random(len(line)), layout.region[np.where(inside, now, block)] * 4 + phase, targets.english[chunk]
    )
    ethnicity = assign(rng.random(len(line)), 2 * english + ~inside, targets.ethnicity[chunk])
    male = assign(rng.random(len(line)), 2 * admits + ~inside, targets.sex[chunk]) == 0
    want = rng.standard_normal(len(line))
    talent = -0.37 * want + np.sqrt(1 - 0.37**2) * rng.standard_normal(len(line)) - 1.5 * special
    risk = -0.6 * talent + 0.8 * rng.standard_normal(len(line)) + np.where(male, 0.3, -0.3)
    found = rng.integers(0, 7, (3, len(line))).min(axis=0)
    return Lines(
        targets, seed, chunk, line, start, partner, moved, male, ethnicity, english == 1, talent, want, risk, found,
        layout.stays(last, end),
    )  # fmt: skip


def _moves(rng: np.random.Generator, kind: Ints, place: Floats) -> tuple[Ints, Ints]:
    """Pairs that change places from some year group on, each of one kind (cohort, sexes admitted, special or not)."""
    n = len(kind)
    partner, moved = np.arange(n), np.full(n, LAST + 1)
    who = np.flatnonzero(rng.random(n) < MOVE)
    to = np.where(rng.random(len(who)) < NEAR, place[who] + 0.01 * rng.standard_normal(len(who)), rng.random(len(who)))
    who = who[np.lexsort((to, kind[who]))]
    rank = np.arange(len(who)) - np.searchsorted(kind[who], kind[who])
    first = np.flatnonzero((rank[:-1] % 2 == 0) & (kind[who][:-1] == kind[who][1:])) if len(who) else who
    a, b = who[first], who[first + 1]
    partner[a], partner[b] = b, a
    moved[a] = moved[b] = rng.integers(1, END_OF_KS4 + 1, len(a))
    return partner, moved


def _year_of(lines: Lines, year: int) -> YearOf:
    layout, group = lines.targets.layout, year - lines.start
    found, block, phase, poor, risk = _expected(lines, group, year)
    if year in layout.years:
        of = np.flatnonzero((group >= 0) & (group <= END_OF_KS4))
        stratum = 2 * block[of] + (phase[of] == 1)
        found.fsm[of] = assign(poor[of], stratum, lines.targets.fsm(year)[lines.chunk]) == 0
        place = layout.region[block[of]] * len(PHASES) + phase[of]
        found.sen[of] = PLAN - assign(risk[of], place, lines.targets.sen(year)[lines.chunk])
    return found


def _in_group(lines: Lines, group: int) -> YearOf:
    found, *_ = _expected(lines, np.full(len(lines.line), group), -group)
    for year in lines.targets.layout.years:
        of = np.flatnonzero(lines.start == year - group)
        if len(of):
            known = lines.year(year)
            found.school[of], found.fsm[of], found.sen[of] = known.school[of], known.fsm[of], known.sen[of]
    return found


def _expected(lines: Lines, group: Ints, draw: int) -> tuple[YearOf, Ints, Ints, Floats, Floats]:
    """Also the block, the phase and the two propensities. draw: the year, or minus a year group, to draw changes
    for."""
    layout = lines.targets.layout
    seat = lines.seat(group)
    block = layout.block_of(seat)
    phase = layout.phase_of(block, group)
    poor, risk = _poor(lines, draw, group), _risk(lines, draw, group)
    share = np.array([[lines.targets.fsm_share(r, p) for p in range(len(PHASES))] for r in range(len(layout.regions))])
    fsm = np.asarray(poor > -ndtri(share[layout.region[block], phase] / 100))
    sen = expected_sen(risk, phase, group)
    return YearOf(layout.school_of(seat, phase).astype(np.int32), fsm, sen), block, phase, poor, risk


def _poor(lines: Lines, year: int, group: Ints) -> Floats:
    """More are towards the end of primary school."""
    age = np.where(group <= LAST_PRIMARY, np.maximum(group, 0) - LAST_PRIMARY / 2, 0)
    changing = lines.draw("fsm" if year >= 0 else "fsm in group", abs(year)).standard_normal(len(lines.line))
    return LASTING * lines.want + float(np.sqrt(1 - LASTING**2)) * changing + float(facts()["fsm"]["rises"]) * age


def _risk(lines: Lines, year: int, group: Ints) -> Floats:
    """Special needs are found in some year group; whose are not yet, has none before all others do."""
    changing = lines.draw("sen" if year >= 0 else "sen in group", abs(year)).standard_normal(len(lines.line))
    risk = SEN_LASTING * lines.risk + float(np.sqrt(1 - SEN_LASTING**2)) * changing
    return risk - 20.0 * (group < lines.found)


def expected_sen(risk: Floats, phase: Ints, group: Ints) -> npt.NDArray[np.int8]:
    """By England's shares alone, for year groups and years of which no total is claimed."""
    f = facts()["sen"]
    plan = np.where(group <= LAST_PRIMARY, f["plan"]["primary"], f["plan"]["secondary"]) / 100
    support = np.where(group <= LAST_PRIMARY, f["support"]["primary"], f["support"]["secondary"]) / 100
    spread = np.sqrt(1 + 0.3**2)
    kind = np.where(risk > -ndtri(plan) * spread, PLAN, np.where(risk > -ndtri(plan + support) * spread, SUPPORT, NONE))
    return np.where(phase == 2, PLAN, kind).astype(np.int8)
