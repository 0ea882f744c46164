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

from datasets.durable import sync
from privacy_api.ports import AuditBroken, LedgerBroken


@dataclass(frozen=True, slots=True)
class Words:
    """What is said of one chain when it is not what it should be. accept: the command that accepts it as it is."""

    chain: str
    accept: str
    broken: type[LedgerBroken] = LedgerBroken

    @property
    def inspect(self) -> str:
        return (
            "Stop the service, keep the database as it is and compare it with a backup; "
            f"when it is known to be right, `{self.accept}` accepts it."
        )

    def edited(self, what: str) -> LedgerBroken:
        return self.broken(f"The {self.chain} was rolled back or edited: {what}. {self.inspect}")

    def different(self) -> LedgerBroken:
        return self.edited("it is not the one that its anchor file describes")

    def missing(self) -> LedgerBroken:
        told = "has entries but its anchor file is missing: it may have been rolled back"
        return self.broken(f"The {self.chain} {told}. {self.inspect}")

    def garbled(self) -> LedgerBroken:
        return self.broken(f"The {self.chain}'s anchor file cannot be read. {self.inspect}")

    def unwritable(self) -> LedgerBroken:
        return self.broken(
            f"The {self.chain}'s anchor file cannot be written, so nothing can be answered. "
            "Check its directory and its disk."
        )


LEDGER = Words("ledger", "privacy-api ledger anchor")
AUDIT = Words("audit chain", "privacy-api audit anchor", AuditBroken)

_HASH = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Head:
    """The last entry of a chain. An empty chain ends at GENESIS."""

    seq: int
    hash: str


GENESIS = Head(0, "0" * 64)


class Anchor:
    """One file, moved forward only. Threads and processes of one machine may share it."""

    def __init__(self, path: Path, words: Words = LEDGER) -> None:
        self._path = path
        self._words = words

    def read(self) -> Head | None:
        try:
            return _parsed(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except (OSError, ValueError):
            raise self._words.garbled() from None

    def standing(self, chain_is_empty: Callable[[], bool]) -> Head:
        """What the file says. Only a chain without entries may start one.

        The chain is asked under the file's lock, because every first entry waits for an anchor: nobody's can
        appear between the question and the answer.
        """
        head = self.read()
        if head is not None:
            return head
        with self.locked():
            return self.read() or self._start(chain_is_empty)

    def move(self, head: Head) -> None:
        with self.locked():
            standing = self.read()
            if standing is None:
                raise self._words.missing()
            if standing.seq == head.seq and standing != head:
                raise self._words.different()
            if standing.seq < head.seq:
                self.write(head)

    @contextmanager
    def locked(self) -> Iterator[None]:
        try:
            # A new descriptor each time: the lock belongs to it, so that threads exclude each other too.
            descriptor = os.open(self._path.with_name(f"{self._path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        except OSError:
            raise self._words.unwritable() from None
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
            sync(self._path.parent)
        except OSError:
            raise self._words.unwritable() from None

    def _start(self, chain_is_empty: Callable[[], bool]) -> Head:
        if not chain_is_empty():
            raise self._words.missing()
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
