"""Reading a whole ledger again, entry by entry, to see whether it is still what was written."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import Column, Connection, RowMapping, Table, select

from privacy_api.stores.anchor import GENESIS, LEDGER, Head
from privacy_api.stores.chain import Entry, edited, entry_of
from privacy_api.stores.measurements import packed_of
from privacy_api.stores.official import packed_of as packed_table_of
from privacy_api.stores.packing import UNREADABLE, Packed, PackedTable, digest
from privacy_api.stores.schema import ledger, measurements, official_tables, releases

ENTRIES_AT_ONCE = 1000
ANSWERS_AT_ONCE = 20


def inspect(connection: Connection, anchor: Head | None) -> Head:
    """Check everything, and that the chain passes through `anchor` if one is given; the chain's head."""
    with (
        _streamed(connection, releases, releases.c.entry, ANSWERS_AT_ONCE) as released,
        _streamed(connection, measurements, measurements.c.entry, ANSWERS_AT_ONCE) as measured,
        _streamed(connection, official_tables, official_tables.c.entry, ANSWERS_AT_ONCE) as tables,
        _streamed(connection, ledger, ledger.c.seq, ENTRIES_AT_ONCE) as entries,
    ):
        walk = _Walk(_Groups(released), _Groups(measured), _Groups(tables))
        anchored = anchor in (None, GENESIS)
        try:
            for row in entries:
                walk.step(entry_of(row), row["hash"])
                anchored = anchored or walk.head == anchor
            walk.finish()
        except UNREADABLE:
            raise edited(f"what follows entry {walk.head.seq} cannot be read") from None
    if not anchored:
        raise LEDGER.different()
    return walk.head


@contextmanager
def _streamed(connection: Connection, table: Table, order: Column[int], at_once: int) -> Iterator[Iterator[RowMapping]]:
    rows = select(table).order_by(order)
    with connection.execute(rows, execution_options={"yield_per": at_once}) as result:
        yield iter(result.mappings())


class _Groups:
    """Rows of a table by the entry that they belong to, read alongside the chain."""

    def __init__(self, rows: Iterator[RowMapping]) -> None:
        self._rows = rows
        self._next = next(rows, None)

    def of(self, entry: int) -> list[RowMapping]:
        """Entries must be asked for in order; what none asks for stays, and shows that it belongs to nothing."""
        group = []
        while self._next is not None and self._next["entry"] == entry:
            group.append(self._next)
            self._next = next(self._rows, None)
        return group

    @property
    def all_read(self) -> bool:
        return self._next is None


@dataclass(slots=True)
class _Walk:
    """How far the reading has come, and what must be true of the next entry."""

    releases: _Groups
    measurements: _Groups
    tables: _Groups
    head: Head = GENESIS
    cut_totals: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    project_totals: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    person_totals: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    cut_deltas: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    open_charges: dict[int, Entry] = field(default_factory=dict)

    def step(self, entry: Entry, own_hash: str) -> None:
        _require(entry.seq == self.head.seq + 1, entry, "does not follow the one before it")
        _require(entry.previous == self.head.hash, entry, "does not continue the chain")
        self._add_up(entry)
        if entry.kind == "charge":
            self._open(entry)
        else:
            self._close(entry)
        self.head = Head(entry.seq, own_hash)

    def finish(self) -> None:
        if not (self.releases.all_read and self.measurements.all_read and self.tables.all_read):
            raise edited("a stored release, measurement or table is not in the ledger")

    def _add_up(self, entry: Entry) -> None:
        self.cut_totals[entry.cut] += entry.nano_rho
        self.project_totals[entry.project] += entry.nano_rho
        totals = (self.cut_totals[entry.cut], self.project_totals[entry.project])
        _require((entry.cut_total, entry.project_total) == totals, entry, "does not add up")
        person_total = None
        if entry.person is not None:
            self.person_totals[entry.person] += entry.nano_rho
            person_total = self.person_totals[entry.person]
        _require(entry.person_total == person_total, entry, "does not add up")
        self.cut_deltas[entry.cut] += sum(event.get("delta", 0) for event in json.loads(entry.events))
        _require((entry.cut_delta or 0) == self.cut_deltas[entry.cut], entry, "does not add up")

    def _open(self, entry: Entry) -> None:
        _require(
            entry.nano_rho == sum(price for _, price in _prices(entry)), entry, "does not charge what its events cost"
        )
        _require(entry.refers_to is None and entry.digest == "", entry, "is not a charge")
        self.open_charges[entry.seq] = entry

    def _close(self, entry: Entry) -> None:
        _require(entry.nano_rho == 0 and entry.events == "[]", entry, "charges, but is not a charge")
        charge = self._charge_of(entry)
        if entry.kind == "failed":
            _require(charge is not None and entry.digest == "", entry, "is not a failure")
        else:
            self._match_release(entry, [] if charge is None else _prices(charge))

    def _charge_of(self, entry: Entry) -> Entry | None:
        if entry.refers_to is None:
            return None
        charge = self.open_charges.pop(entry.refers_to, None)
        _require(charge is not None and _about(charge) == _about(entry), entry, "closes no charge of its own")
        return charge

    def _match_release(self, entry: Entry, paid: list[tuple[str, int]]) -> None:
        found = self.releases.of(entry.seq)
        _require(len(found) == 1 and _described(found[0]) == _description(entry), entry, "has lost its release")
        measured = self._measured(entry)
        made = sorted((each.question, each.nano_rho) for each in measured)
        _require(made == paid, entry, "released what it did not pay for")
        stored = digest(found[0]["body"], measured, self._table(entry))
        _require(stored == entry.digest, entry, "does not match what was released")

    def _measured(self, entry: Entry) -> list[Packed]:
        rows = self.measurements.of(entry.seq)
        _require(all(row["cut"] == entry.cut for row in rows), entry, "measured another cut")
        return [packed_of(row) for row in rows]

    def _table(self, entry: Entry) -> PackedTable | None:
        rows = self.tables.of(entry.seq)
        _require(all(row["cut"] == entry.cut for row in rows), entry, "released a table of another cut")
        return packed_table_of(rows[0]) if rows else None


def _require(true: bool, entry: Entry, otherwise: str) -> None:
    if not true:
        raise edited(f"entry {entry.seq} {otherwise}")


def _prices(charge: Entry) -> list[tuple[str, int]]:
    return sorted((event["question"], event["nano_rho"]) for event in json.loads(charge.events))


def _about(entry: Entry) -> tuple[str | None, ...]:
    return entry.project, entry.person, entry.key_id, entry.cut, entry.release, entry.query


def _described(release: RowMapping) -> tuple[str, ...]:
    return release["id"], release["cut"], release["project"], release["created"]


def _description(entry: Entry) -> tuple[str, ...]:
    return entry.release, entry.cut, entry.project, entry.at
