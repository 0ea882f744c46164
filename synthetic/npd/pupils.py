"""Pupils: who has each line, from when to when. A chunk is made whole; every table is a view of it, so all of them
agree."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthetic.npd.facts import facts
from synthetic.npd.layout import END_OF_KS4, LAST, YEAR_GROUPS, Layout
from synthetic.npd.lines import ETHNICITIES, NONE, PLAN, SUPPORT, Lines
from synthetic.npd.streams import Bools, Floats, Ints, pick, stream

MAJOR = {"W": "WHIT", "M": "MIXD", "A": "ASIA", "B": "BLAC", "C": "CHIN", "O": "AOEG", "R": "UNCL", "N": "UNCL"}
"""The major group of a minor one, by its first letter."""
NEEDS = tuple(facts()["sen_type"]["support"])
__all__ = ["ETHNICITIES", "MAJOR", "NEEDS", "NONE", "PLAN", "SUPPORT", "YEAR_GROUPS", "Pupils", "make_pupils"]


@dataclass(frozen=True)
class Pupils:
    """One element per pupil.

    line: place among the lines of the chunk. numbers: consecutive and unlike in all chunks. start: the academic year
    (of its end) that they are of Reception age. month: months after September at birth. talent, want: standard normal;
    want is the propensity to be poor. first, first_term, last, last_term: first and last year group on roll in
    England, and the term (0–2) in it. need, second_need: places in NEEDS, with support and with a plan.
    """

    lines: Lines
    line: Ints
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
    last_term: Ints
    needs: npt.NDArray[np.int8]
    second_needs: npt.NDArray[np.int8]

    def group(self, year: int) -> Ints:
        """Year group in the academic year ending in `year`, whether or not there is such a one."""
        return np.asarray(year - self.start)

    def on_roll(self, year: int, term: int = 2) -> Ints:
        """Places of the pupils who are on a roll in that term."""
        group = self.group(year)
        arrived = (group > self.first) | ((group == self.first) & (term >= self.first_term))
        there = (group < self.last) | ((group == self.last) & (term <= self.last_term))
        return np.flatnonzero(arrived & there)

    def in_group(self, year: int, group: int) -> Ints:
        """Places of the pupils on roll in the summer of that year in that year group."""
        found = self.on_roll(year)
        return np.asarray(found[self.group(year)[found] == group])

    def school(self, who: Ints, year: int) -> Ints:
        return self.lines.year(year).school[self.line[who]].astype(np.int64)

    def fsm(self, who: Ints, year: int) -> Bools:
        return np.asarray(self.lines.year(year).fsm[self.line[who]])

    def sen(self, who: Ints, year: int) -> Ints:
        return self.lines.year(year).sen[self.line[who]].astype(np.int64)

    def need(self, who: Ints, year: int, second: bool = False) -> Ints:
        """Place in NEEDS of a type of need as common as it is for the provision; of no meaning for pupils without."""
        of = self.second_needs if second else self.needs
        return np.asarray(of[who, (self.sen(who, year) == PLAN).astype(np.int64)], np.int64)


def make_pupils(lines: Lines, layout: Layout) -> Pupils:
    """The first pupils of all lines, then those who took a place that somebody left."""
    n, chunk = len(lines.line), lines.chunk
    rng = stream(lines.seed, "pupils", 0, chunk)
    changed = np.sort(rng.permutation(n)[: layout.changes[chunk]])
    numbers = np.asarray(layout.numbers(chunk), np.int64)
    line = np.concatenate([np.arange(n), changed])
    first, first_term, last, last_term = _stay(rng, lines, changed)
    return Pupils(
        lines=lines,
        line=line,
        numbers=numbers,
        start=lines.start[line],
        month=rng.integers(0, 12, len(line)),
        male=lines.male[line],
        ethnicity=lines.ethnicity[line],
        english=lines.english[line],
        talent=lines.talent[line],
        want=lines.want[line],
        first=first,
        first_term=first_term,
        last=last,
        last_term=last_term,
        needs=_needs(rng, len(line)),
        second_needs=_needs(rng, len(line)),
    )


def _needs(rng: np.random.Generator, n: int) -> npt.NDArray[np.int8]:
    """[pupil, with support or with a plan]."""
    kinds = [pick(rng, list(facts()["sen_type"][k].values()), n) for k in ("support", "plan")]
    return np.stack(kinds, axis=1).astype(np.int8)


def _stay(rng: np.random.Generator, lines: Lines, changed: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Who leaves goes at the end of a term, and the next pupil is there when the next one begins."""
    n = len(lines.line)
    last = np.where(lines.stays, LAST, END_OF_KS4)
    first, term = np.zeros(n, np.int64), np.full(n, 2)
    group, left = rng.integers(0, END_OF_KS4, len(changed)), rng.integers(0, 3, len(changed))
    first = np.concatenate([first, group + (left == 2)])
    first_term = np.concatenate([np.zeros(n, np.int64), (left + 1) % 3])
    end = np.concatenate([last, last[changed]])
    end[changed] = group
    last_term = np.concatenate([term, np.full(len(changed), 2)])
    last_term[changed] = left
    return first, first_term, end, last_term
