"""Where the chain had got to, kept in a file outside the database, so that an older copy of it is found out."""

from __future__ import annotations

import fcntl
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from privacy_api.ports import LedgerBroken

INSPECT = (
    "Stop the service, keep the database as it is and compare it with a backup; "
    "when it is known to be right, `privacy-api ledger anchor` accepts it."
)
MISSING = f"The ledger has entries but its anchor file is missing: it may have been rolled back. {INSPECT}"
GARBLED = f"The ledger's anchor file cannot be read. {INSPECT}"
UNWRITABLE = "The ledger's anchor file cannot be written, so nothing can be answered. Check its directory and its disk."
DIFFERENT = f"The ledger was rolled back or edited: it is not the one that its anchor file describes. {INSPECT}"

_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain. An empty chain ends at GENESIS."""

    seq: int
    hash: str


GENESIS = Head(0, "0" * 64)


class Anchor:
    """One file, moved forward only. Threads and processes of one machine may share it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Head | None:
        try:
            return _parsed(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            raise LedgerBroken(GARBLED) from None

    def standing(self, ledger_is_empty: Callable[[], bool]) -> Head:
        """What the file says. Only a ledger without entries may start one.

        The ledger is asked under the file's lock, because every first entry waits for an anchor: nobody's can
        appear between the question and the answer.
        """
        head = self.read()
        if head is not None:
            return head
        with self.locked():
            return self.read() or self._start(ledger_is_empty)

    def move(self, head: Head) -> None:
        with self.locked():
            standing = self.read()
            if standing is None:
                raise LedgerBroken(MISSING)
            if standing.seq == head.seq and standing != head:
                raise LedgerBroken(DIFFERENT)
            if standing.seq < head.seq:
                self.write(head)

    @contextmanager
    def locked(self) -> Iterator[None]:
        try:
            # A new descriptor each time: the lock belongs to it, so that threads exclude each other too.
            descriptor = os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            raise LedgerBroken(UNWRITABLE) from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def write(self, head: Head) -> None:
        """Replace the file whatever it holds; the caller has locked it."""
        fresh = self._path.with_name(f"{self._path.name}.new")
        try:
            _write_durably(fresh, json.dumps({"seq": head.seq, "hash": head.hash}).encode())
            fresh.replace(self._path)
            _sync_directory(self._path.parent)
        except OSError:
            raise LedgerBroken(UNWRITABLE) from None

    def _start(self, ledger_is_empty: Callable[[], bool]) -> Head:
        if not ledger_is_empty():
            raise LedgerBroken(MISSING)
        self.write(GENESIS)
        return GENESIS


def _parsed(text: bytes) -> Head:
    fields = json.loads(text)
    if not isinstance(fields, dict) or fields.keys() != {"seq", "hash"}:
        raise ValueError
    seq, digest = fields["seq"], fields["hash"]
    if type(seq) is not int or seq < 0 or type(digest) is not str or not _HASH.fullmatch(digest):
        raise ValueError
    return Head(seq, digest)


def _write_durably(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
