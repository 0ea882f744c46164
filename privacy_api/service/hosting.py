"""The cuts that are hosted, under the terms that hold now: a change made by another server is taken up here too."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from threading import Lock

from privacy_api.ports import AuditBroken, CutTerms, Terms
from privacy_api.service.cuts import HostedCut, HostedDataSet, hosted
from privacy_api.service.terms import policy_in_force

LOOK_AGAIN = 1.0
"""Seconds for which pages and previews may show terms that were just changed. Questions never may: a charge is made,
and a stored answer given, under the terms of that moment or not at all (`ports.Outdated`)."""
VANISHED = (
    "The newest terms of cut {cut} are no longer in the service database. Stop the service, keep the database as it is "
    "and compare it with a backup."
)


class Hosted(Mapping[str, HostedDataSet]):
    """By id of data set. All of one look are under the same terms."""

    def __init__(
        self,
        cuts: tuple[HostedCut, ...],
        terms: CutTerms,
        look_again: float = LOOK_AGAIN,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._cuts, self._terms, self._look_again, self._clock = cuts, terms, look_again, clock
        self._lock = Lock()
        self._newest, self._looked = "", -1.0
        self._frozen = False  # then every look is a new one: nobody waits for a cut that was unfrozen
        self._found: Mapping[str, HostedDataSet] = {}
        self.refresh()

    def __getitem__(self, data_set: str) -> HostedDataSet:
        return self._current()[data_set]

    def __iter__(self) -> Iterator[str]:
        return iter(self._current())

    def __len__(self) -> int:
        return len(self._current())

    def refresh(self) -> None:
        """Whatever was seen before, look now."""
        with self._lock:
            self._look()

    def _current(self) -> Mapping[str, HostedDataSet]:
        if self._frozen or self._clock() - self._looked > self._look_again:
            self.refresh()
        return self._found

    def _look(self) -> None:
        now, newest = self._clock(), self._terms.newest()
        if newest != self._newest or not self._found:
            standing = self._terms.standing()
            self._cuts = tuple(self._under(cut, standing.get(cut.catalogue.cut)) for cut in self._cuts)
            self._found = hosted(self._cuts)
            self._newest, self._frozen = newest, any(cut.terms.frozen for cut in self._cuts)
        self._looked = now

    def _under(self, cut: HostedCut, terms: Terms | None) -> HostedCut:
        if cut.terms.number > (terms.number if terms else 0):
            # They only ever grow, so somebody went back to looser ones, perhaps, behind the record.
            raise AuditBroken(VANISHED.format(cut=cut.catalogue.cut))
        if terms is None:
            return replace(cut, terms=Terms(cut=cut.catalogue.cut))
        if terms.digest == cut.terms.digest:
            return cut
        if terms.policy == cut.policy.digest:
            return replace(cut, terms=terms)
        return replace(cut, policy=policy_in_force(terms, self._terms), terms=terms)
