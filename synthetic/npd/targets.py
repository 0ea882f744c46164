"""How many pupils are what: published shares as whole numbers of the layout's lines, and each chunk's part of them.

Shares that change with the year (free school meals, special needs, absence) are met in every year's Reception to Year
11, those of what pupils are for good (sex, ethnic group, language) in the last year's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from synthetic.npd.deal import deal, largest_remainder, published
from synthetic.npd.facts import areas, facts, of_area
from synthetic.npd.layout import PHASES, Layout
from synthetic.npd.streams import Floats, Ints

YES, NO = 0, 1
OUTSIDE = 3
"""Beside PHASES: lines that are not in Reception to Year 11 in the last year."""
BANDS = 11


@dataclass(frozen=True, eq=False)
class Targets:
    """flat: structure alone, all shares even. Each property is [chunk, stratum, category], as `deal` gives."""

    layout: Layout
    flat: bool = False
    _fsm: dict[int, Ints] = field(default_factory=dict)
    _sen: dict[int, Ints] = field(default_factory=dict)
    _bands: dict[int, Ints] = field(default_factory=dict)

    def region_and_phase(self, year: int) -> Ints:
        """[chunk, region × 3 + phase]: lines in Reception to Year 11."""
        strata = self.layout.strata(year)
        found = np.zeros((self.layout.chunks, len(self.layout.regions) * len(PHASES)), np.int64)
        for s in range(strata.shape[1]):
            found[:, self._place(s)] += strata[:, s]
        return found

    def _place(self, stratum: int) -> int:
        """Of a stratum of the layout: its region and phase."""
        block, secondary = divmod(stratum, 2)
        phase = 2 if self.layout.is_special[block] else secondary
        return int(self.layout.region[block]) * len(PHASES) + phase

    def fsm(self, year: int) -> Ints:
        """Strata as the layout's; YES and NO."""
        if year not in self._fsm:
            there = self.layout.strata(year)
            yes = np.zeros(there.shape[1], np.int64)
            places = np.array([self._place(s) for s in range(there.shape[1])])
            for place in np.unique(places):
                of = np.flatnonzero(places == place)
                lines = there[:, of].sum(axis=0)
                region, phase = divmod(int(place), len(PHASES))
                total = published(int(lines.sum()), self.fsm_share(region, phase))
                if total:
                    yes[of] = largest_remainder(total, lines * self._la_rates(of, phase))
            self._fsm[year] = deal(there, np.stack([yes, there.sum(axis=0) - yes], axis=1))
        return self._fsm[year]

    def fsm_share(self, region: int, phase: int) -> float:
        """Per cent."""
        if self.flat:
            return 50.0
        if PHASES[phase] == "special":
            return float(facts()["fsm"]["special"])
        return of_area("fsm", PHASES[phase], self.layout.regions[region])

    def _la_rates(self, strata: Ints, phase: int) -> Floats:
        """Near enough alike inside a region for no authority to want more than it has."""
        rates = areas()["la"]["fsm"]
        if self.flat or PHASES[phase] == "special":
            return np.ones(len(strata))
        codes = [self.layout.schools.las[self.layout.las[s // 2]] for s in strata]
        region = self.layout.regions[int(self.layout.region[strata[0] // 2])]
        return np.array(
            [rates[code][phase] if code in rates else of_area("fsm", PHASES[phase], region) for code in codes]
        )

    def sen(self, year: int) -> Ints:
        """Strata region × 3 + phase; plan, support, none. All pupils of special schools have a plan."""
        if year not in self._sen:
            there = self.region_and_phase(year)
            rows = [self._sen_of(place, int(n)) for place, n in enumerate(there.sum(axis=0))]
            self._sen[year] = deal(there, np.array(rows))
        return self._sen[year]

    def _sen_of(self, place: int, lines: int) -> list[int]:
        region, phase = divmod(place, len(PHASES))
        if PHASES[phase] == "special":
            return [lines, 0, 0]
        if self.flat:
            return [int(n) for n in largest_remainder(lines, np.ones(3))]
        plan, support = (of_area(t, PHASES[phase], self.layout.regions[region]) for t in ("sen_plan", "sen_support"))
        return [int(n) for n in largest_remainder(lines, [plan, support, 100 - plan - support])]

    @cached_property
    def english(self) -> Ints:
        """Strata region × 4 + phase or OUTSIDE; another first language, English."""
        inside = self.region_and_phase(self.layout.years[-1])
        every_line = self._by_region()
        there = np.zeros((self.layout.chunks, every_line.shape[1] * 4), np.int64)
        for place in range(inside.shape[1]):
            region, phase = divmod(place, len(PHASES))
            there[:, region * 4 + phase] = inside[:, place]
        there[:, OUTSIDE::4] = every_line - there.reshape(self.layout.chunks, -1, 4)[:, :, :OUTSIDE].sum(axis=2)
        totals = there.sum(axis=0)
        other = np.array([published(int(n), self.eal_share(s // 4, s % 4)) for s, n in enumerate(totals)])
        return deal(there, np.stack([other, totals - other], axis=1))

    def _by_region(self) -> Ints:
        blocks = self.layout.block_counts.sum(axis=1)
        found = np.zeros((self.layout.chunks, len(self.layout.regions)), np.int64)
        for b in range(blocks.shape[1]):
            found[:, self.layout.region[b]] += blocks[:, b]
        return found

    def eal_share(self, region: int, phase: int) -> float:
        """Per cent. Special schools as secondary ones, and those outside school age too: assumed."""
        if self.flat:
            return 50.0
        return of_area("eal", "primary" if phase == 0 else "secondary", self.layout.regions[region])

    @cached_property
    def ethnicity(self) -> Ints:
        """Strata language × 2 + whether outside; the codes of the facts in their order."""
        by = self.english.reshape(self.layout.chunks, -1, 4, 2)
        inside, outside = by[:, :, :OUTSIDE].sum(axis=(1, 2)), by[:, :, OUTSIDE].sum(axis=1)
        there = np.stack([inside[:, 0], outside[:, 0], inside[:, 1], outside[:, 1]], axis=1)
        rows = np.zeros((4, len(facts()["ethnicity"]["heads"])), np.int64)
        for where in (0, 1):
            both = there[:, [where, 2 + where]].sum(axis=0)
            rows[where], rows[2 + where] = self._ethnic(int(both[0]), int(both[1]))
        return deal(there, rows)

    def _ethnic(self, other: int, english: int) -> tuple[Ints, Ints]:
        """Pupils by group, of those with another first language and of those with English. Both together are as
        published; who of a group has another language is assumed, and moved up or down alike until it fits."""
        heads = self.ethnic_heads(other + english)
        share = np.clip(
            [facts()["ethnicity"]["other_language"][e] for e in facts()["ethnicity"]["heads"]], 1e-6, 1 - 1e-6
        )
        odds = np.log(share / (1 - share))
        low, high = -30.0, 30.0
        for _ in range(80):
            middle = (low + high) / 2
            low, high = (low, middle) if (heads / (1 + np.exp(-odds - middle))).sum() > other else (middle, high)
        expected = heads / (1 + np.exp(-odds - low))
        first = np.minimum(largest_remainder(other, expected + 1e-12), heads)
        for i in np.argsort(first - heads, kind="stable"):
            first[i] += min(other - int(first.sum()), int(heads[i] - first[i]))
        return first, heads - first

    def ethnic_heads(self, pupils: int) -> Ints:
        heads = facts()["ethnicity"]["heads"]
        return largest_remainder(pupils, [1] * len(heads) if self.flat else list(heads.values()))

    @cached_property
    def sex(self) -> Ints:
        """Strata (BOTH, GIRLS or BOYS are admitted) × 2 + whether outside; boys, girls."""
        inside = self.layout.school_age(self.layout.years[-1])
        of = self.layout.of_sexes
        there = np.stack([of[:, w].sum(axis=1)[:, s] for s in range(3) for w in (inside, ~inside)], axis=1)
        totals, rows = there.sum(axis=0), np.zeros((6, 2), np.int64)
        for where in (0, 1):
            mixed, girls, boys = (int(totals[2 * s + where]) for s in range(3))
            free = min(max(0, self.boys(mixed + girls + boys) - boys), mixed)
            rows[where] = free, mixed - free
            rows[2 + where], rows[4 + where] = (0, girls), (boys, 0)
        return deal(there, rows)

    def boys(self, pupils: int) -> int:
        f = facts()["sex"]
        return int(largest_remainder(pupils, [1, 1] if self.flat else [f["M"], f["F"]])[0])

    def bands(self, year: int) -> Ints:
        """Strata phase × 2 + whether not eligible for free school meals; bands of absence, the lowest first."""
        if year not in self._bands:
            fsm = self.fsm(year)
            there = np.zeros((self.layout.chunks, len(PHASES) * 2), np.int64)
            for s in range(fsm.shape[1]):
                phase = self._place(s) % len(PHASES)
                there[:, [2 * phase, 2 * phase + 1]] += fsm[:, s, :]
            rows = [self._bands_of(s, int(n)) for s, n in enumerate(there.sum(axis=0))]
            self._bands[year] = deal(there, np.array(rows))
        return self._bands[year]

    def _bands_of(self, stratum: int, lines: int) -> Ints:
        phase, other = divmod(stratum, 2)
        weights = areas()["absence_bands"][PHASES[phase]]["other" if other else "fsm"]
        return largest_remainder(lines, [1] * BANDS if self.flat else weights)
