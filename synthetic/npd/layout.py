"""Places at schools, before there is a pupil: how many each school has in each year group, for good.

A *line* is a place in the school system from Reception to Year 13: in one of England's authorities, at one of its
primary and one of its secondary schools, or at a special school of the region. A school has the same lines of a cohort
in every year, so its roll in each year group is known before any pupil is made, and exact. Lines have one pupil after
another.

The lines of a cohort stand in a row, authority by authority (`blocks`); a chunk has every n-th of each cohort, so each
chunk is all of England in small, and what it holds of each authority and year group is counted here without making it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from synthetic.npd.deal import deal, every, largest_remainder
from synthetic.npd.facts import areas, facts
from synthetic.npd.schools import PRIMARY, SECONDARY, SPECIAL, Schools
from synthetic.npd.streams import Bools, Floats, Ints, stream

YEAR_GROUPS = 14
LAST_PRIMARY, END_OF_KS4, LAST = 6, 11, 13
PHASES = ("primary", "secondary", "special")
CHANGED = 0.07
"""Share of lines whose pupil leaves England's schools before the end, for another to take the place; assumed."""
STAY = 0.62
"""Share of pupils who stay at a school that has a sixth form; assumed."""


@dataclass(frozen=True, eq=False)
class Layout:
    """years: of the cut. pupils: all of them, on any line. size: of a chunk, in lines."""

    schools: Schools
    years: range
    pupils: int
    size: int
    groups: tuple[int, int] = (-2, LAST)
    """Lowest and highest year group in any of the years: two cohorts are younger than Reception."""
    changed: float = CHANGED

    @cached_property
    def cohorts(self) -> range:
        return range(self.years[0] - self.groups[1], self.years[-1] - self.groups[0] + 1)

    @cached_property
    def lines(self) -> Ints:
        """By cohort."""
        return largest_remainder(self.pupils - self._changes, np.ones(len(self.cohorts)))

    @property
    def _changes(self) -> int:
        return round(self.pupils * self.changed / (1 + self.changed))

    @cached_property
    def chunks(self) -> int:
        return max(1, -(-int(self.lines.sum()) // self.size))

    @cached_property
    def lines_of_chunk(self) -> Ints:
        """[chunk, cohort]."""
        return np.stack([every(np.zeros_like(self.lines), self.lines, c, self.chunks) for c in range(self.chunks)])

    @cached_property
    def changes(self) -> Ints:
        """Of each chunk: lines that have a second pupil."""
        reach = np.cumsum(self.lines_of_chunk.sum(axis=1)) * self._changes // max(1, int(self.lines.sum()))
        return np.diff(reach, prepend=0)

    def numbers(self, chunk: int) -> range:
        """Of the chunk's pupils."""
        sizes = self.lines_of_chunk.sum(axis=1) + self.changes
        begin = int(sizes[:chunk].sum())
        return range(begin, begin + int(sizes[chunk]))

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """Codes of regions in the order of their authorities; "" where the catalogue gives none."""
        return tuple(dict.fromkeys(sorted(self.schools.regions)))

    @cached_property
    def las(self) -> Ints:
        """Authorities that have lines of their own, in the order in which they stand: those with a primary and a
        secondary school."""
        region = np.array([self.regions.index(r) for r in self.schools.regions])
        both = [np.isin(np.arange(len(region)), self.schools.la[self.schools.kind == k]) for k in (PRIMARY, SECONDARY)]
        found = np.flatnonzero(both[0] & both[1])
        if not len(found):
            raise ValueError("schools.csv: wants a primary and a secondary school in one authority, or more")
        return np.asarray(found[np.argsort(region[found], kind="stable")])

    @cached_property
    def special_regions(self) -> Ints:
        """Regions (places in `regions`) whose special schools have lines."""
        of = np.array([self.regions.index(r) for r in self.schools.regions])
        with_special = set(of[self.schools.la[self.schools.kind == SPECIAL]].tolist())
        return np.array(sorted(with_special & set(of[self.las].tolist())), np.int64)

    @cached_property
    def region(self) -> Ints:
        """Of each block, its place in `regions`: the authorities, then the special schools of regions."""
        of = np.array([self.regions.index(r) for r in self.schools.regions])
        return np.concatenate([of[self.las], self.special_regions])

    @cached_property
    def is_special(self) -> Bools:
        return np.arange(len(self.region)) >= len(self.las)

    @cached_property
    def by_region(self) -> Ints:
        """Pupils of Reception to Year 11 in the last year, by region: as published, in largest remainders."""
        weights = np.bincount(self.region[: len(self.las)], self._la_weights, len(self.regions))
        return largest_remainder(int(self._of_school_age.sum()), weights)

    @property
    def _of_school_age(self) -> Ints:
        """Lines of the cohorts in Reception to Year 11 in the last year."""
        return np.where(self.school_age(self.years[-1]), self.lines, 0)

    def school_age(self, year: int) -> Bools:
        """Whether each cohort is in Reception to Year 11."""
        group = year - np.array(self.cohorts)
        return np.asarray((group >= 0) & (group <= END_OF_KS4))

    @cached_property
    def _la_weights(self) -> Floats:
        """Pupils of each authority as published; where there is no figure, its region's mean."""
        figures = areas()["pupils"]["la"]
        codes = [self.schools.las[i] for i in self.las]
        known = np.array([figures.get(code, np.nan) for code in codes], np.float64)
        region = self.region[: len(self.las)]
        for r in np.unique(region):
            of = known[region == r]
            known[region == r] = np.where(np.isnan(of), np.nanmean(of) if not np.isnan(of).all() else 1.0, of)
        return known

    @cached_property
    def blocks(self) -> Ints:
        """[cohort, block]: lines. Over the cohorts of school age they sum to `by_region`."""
        share = facts()["schools"]["special"]["pupils"] / sum(k["pupils"] for k in _kinds())
        totals = np.zeros(len(self.region), np.int64)
        for r, total in enumerate(self.by_region):
            ordinary = np.flatnonzero((self.region == r) & ~self.is_special)
            special = np.flatnonzero((self.region == r) & self.is_special)
            apart = round(int(total) * share) if len(special) else 0
            totals[special] = apart
            if len(ordinary):
                totals[ordinary] = largest_remainder(int(total) - apart, self._la_weights[ordinary])
        return self._by_cohort(totals)

    def _by_cohort(self, totals: Ints) -> Ints:
        now = self.school_age(self.years[-1])
        found = np.zeros((len(self.lines), len(totals)), np.int64)
        found[now] = deal(self.lines[now][:, None], totals[None, :])[:, 0, :]
        weights = totals if totals.sum() else np.ones(len(totals))
        for k in np.flatnonzero(~now):
            found[k] = largest_remainder(int(self.lines[k]), weights)
        return found

    @cached_property
    def starts(self) -> Ints:
        """[cohort, block]: the line that each begins with, all cohorts in one row."""
        return np.asarray((np.cumsum(self.blocks.ravel()) - self.blocks.ravel()).reshape(self.blocks.shape))

    @cached_property
    def first_line(self) -> Ints:
        """Of each cohort."""
        return np.asarray(np.cumsum(self.lines) - self.lines)

    @cached_property
    def block_counts(self) -> Ints:
        """[chunk, cohort, block]: lines."""
        start = self.starts - self.first_line[:, None]
        return np.stack([every(start, start + self.blocks, c, self.chunks) for c in range(self.chunks)])

    @cached_property
    def _ends(self) -> dict[int, tuple[Ints, Ints]]:
        """Of each kind: its schools in the order of blocks, and the line after the last one of each, [cohort,
        school]."""
        return {kind: self._ends_of(kind) for kind in (PRIMARY, SECONDARY, SPECIAL)}

    def _ends_of(self, kind: int) -> tuple[Ints, Ints]:
        block_of_la = self._block_of_la
        if kind == SPECIAL:
            place = {int(r): len(self.las) + i for i, r in enumerate(self.special_regions)}
            block_of_la = np.array([place.get(self.regions.index(r), -1) for r in self.schools.regions])
        members = np.flatnonzero((self.schools.kind == kind) & (block_of_la[self.schools.la] >= 0))
        members = members[np.argsort(block_of_la[self.schools.la[members]], kind="stable")]
        block = block_of_la[self.schools.la[members]]
        return members, self._shared_out(block, self._sizes(kind, len(members)))

    @cached_property
    def of_sexes(self) -> Ints:
        """[chunk, cohort, BOTH or GIRLS or BOYS]: lines, by whom their secondary school admits."""
        members, ends = self._ends[SECONDARY]
        starts = np.concatenate([np.zeros((len(self.lines), 1), np.int64), ends[:, :-1]], axis=1)
        starts = np.maximum(starts, self.starts[:, self._block_of_la[self.schools.la[members]]])
        found = np.zeros((self.chunks, len(self.lines), 3), np.int64)
        base = self.first_line[:, None]
        for sex in (1, 2):
            of = self.schools.sex[members] == sex
            for c in range(self.chunks):
                found[c, :, sex] = every(starts[:, of] - base, ends[:, of] - base, c, self.chunks).sum(axis=1)
        found[:, :, 0] = self.lines_of_chunk - found[:, :, 1] - found[:, :, 2]
        return found

    @cached_property
    def _block_of_la(self) -> Ints:
        found = np.full(len(self.schools.regions), -1)
        found[self.las] = np.arange(len(self.las))
        return found

    def _sizes(self, kind: int, number: int) -> Floats:
        return stream(self.schools.seed, "school sizes", 0, kind).lognormal(0.0, 0.4, number)

    def _shared_out(self, block: Ints, size: Floats) -> Ints:
        """[cohort, school]: the end of each school's lines in its block, by size; what is over goes round by cohort."""
        total = np.bincount(block, size, len(self.region))
        before = np.cumsum(size) - np.concatenate([[0.0], np.cumsum(total)])[block]
        share = np.round(before / total[block], 12)
        phase = stream(self.schools.seed, "rolls", 0, 0).random((len(self.lines), len(self.region)))[:, block]
        lines = self.blocks[:, block]
        within = np.clip(np.floor(share * lines + phase), 0, lines)
        return np.asarray(self.starts[:, block] + within, np.int64)

    def block_of(self, line: Ints) -> Ints:
        return np.asarray((np.searchsorted(self.starts.ravel(), line, side="right") - 1) % len(self.region))

    def school_of(self, line: Ints, phase: Ints) -> Ints:
        """Places in the list of schools. phase: place in PHASES."""
        found = np.empty(len(line), np.int64)
        for p, kind in enumerate((PRIMARY, SECONDARY, SPECIAL)):
            of = phase == p
            members, _ends = self._ends[kind]
            if of.any():
                found[of] = members[np.searchsorted(self._row(kind), line[of], side="right") % len(members)]
        return found

    def _row(self, kind: int) -> Ints:
        if kind not in self._rows:
            self._rows[kind] = np.ascontiguousarray(self._ends[kind][1].ravel())
        return self._rows[kind]

    @cached_property
    def _rows(self) -> dict[int, Ints]:
        return {}

    def phase_of(self, block: Ints, group: Ints) -> Ints:
        """Place in PHASES of a pupil of a block in a year group."""
        return np.where(self.is_special[block], 2, np.where(group <= LAST_PRIMARY, 0, 1))

    def stays(self, line: Ints, school: Ints) -> Bools:
        """Whether the pupil of a line is on roll after Year 11, at a school that has a sixth form."""
        mixed = (line.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(32)
        return np.asarray(self.schools.sixth_form[school] & (mixed < STAY * 2**32))

    def roll(self, year: int) -> dict[tuple[int, int], int]:
        """Pupils on roll in any term of that year, by school (place in the list) and year group."""
        found: dict[tuple[int, int], int] = {}
        for k, cohort in enumerate(self.cohorts):
            group = year - cohort
            if 0 <= group <= LAST:
                line = np.arange(self.first_line[k], self.first_line[k] + self.lines[k])
                school = self.school_of(line, self.phase_of(self.block_of(line), np.full(len(line), group)))
                if group > END_OF_KS4:
                    school = school[self.stays(line, school)]
                there, number = np.unique(school, return_counts=True)
                found |= {(int(s), group): int(n) for s, n in zip(there, number, strict=True)}
        return found

    def strata(self, year: int) -> npt.NDArray[np.int64]:
        """[chunk, block × 2 + whether secondary]: lines in Reception to Year 11. Special schools count as primary."""
        group = year - np.array(self.cohorts)
        juniors, seniors = (group >= 0) & (group <= LAST_PRIMARY), (group > LAST_PRIMARY) & (group <= END_OF_KS4)
        by = np.stack([self.block_counts[:, w].sum(axis=1) for w in (juniors, seniors)], axis=2)
        by[:, self.is_special, 0] += by[:, self.is_special, 1]
        by[:, self.is_special, 1] = 0
        return by.reshape(self.chunks, -1)


def _kinds() -> list[dict[str, int]]:
    return [facts()["schools"][name] for name in PHASES]
