"""Measurements and released tables as compact bytes, and the digest that ties a release's contents to the chain."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from datasets.official.released import ReleasedCells
from disclosure.tables import Flags, Measurement, Noise
from privacy_api.ports import ReleasedTable

UNREADABLE = (TypeError, ValueError, LookupError, AttributeError, ArithmeticError, struct.error, zlib.error)
"""What reading stored content raises when it is not what was stored; SQLite lets any column hold anything."""

_SHAPE = struct.Struct("<2I")


@dataclass(frozen=True, slots=True)
class Packed:
    """A measurement as it is stored. cells: shape and zlib'd little-endian int64; masked: zlib'd bits."""

    question: str
    nano_rho: int
    sigma: float
    cells: bytes
    masked: bytes
    noise: str

    def __post_init__(self) -> None:
        if (Noise(self.noise) is Noise.NONE) != (self.sigma == 0):
            raise ValueError("noise has a law where it has a spread")


def pack(question: str, nano_rho: int, measurement: Measurement) -> Packed:
    shape = _SHAPE.pack(*measurement.values.shape)
    values = zlib.compress(measurement.values.astype("<i8").tobytes())
    masked = zlib.compress(np.packbits(measurement.masked).tobytes())
    return Packed(question, nano_rho, float(measurement.sigma), shape + values, masked, measurement.noise)


def unpack(packed: Packed) -> Measurement:
    """The arrays are read-only: what was released does not change."""
    shape = _SHAPE.unpack_from(packed.cells)
    values = np.frombuffer(zlib.decompress(packed.cells[_SHAPE.size :]), dtype="<i8").reshape(shape)
    bits = np.frombuffer(zlib.decompress(packed.masked), dtype=np.uint8)
    masked = np.unpackbits(bits, count=values.size).reshape(shape).astype(np.bool_)
    masked.setflags(write=False)
    return Measurement(values.astype(np.int64, copy=False), packed.sigma, masked, Noise(packed.noise))


@dataclass(frozen=True, slots=True)
class PackedTable:
    """A released table as it is stored. keys: zlib'd little-endian uint64; hidden: zlib'd bits, one for each key."""

    scope: str
    population: str
    keys: bytes
    hidden: bytes

    def __post_init__(self) -> None:
        if not (isinstance(self.scope, str) and isinstance(self.population, str)):
            raise TypeError("want scope and population as text")


def pack_table(scope: str, table: ReleasedTable) -> PackedTable:
    keys = zlib.compress(table.cells.keys.astype("<u8").tobytes())
    return PackedTable(scope, table.population, keys, zlib.compress(np.packbits(table.cells.hidden).tobytes()))


def unpack_table(packed: PackedTable) -> ReleasedTable:
    """The arrays are read-only. One of UNREADABLE where there are not just so many bits as the keys want."""
    keys = np.frombuffer(_unzipped(packed.keys), dtype="<u8").astype(np.uint64, copy=False)
    cells = ReleasedCells(keys, _flags(_unzipped(packed.hidden), keys.size))
    return ReleasedTable(packed.population, cells)


def _flags(content: bytes, count: int) -> Flags:
    bits = np.unpackbits(np.frombuffer(content, dtype=np.uint8))
    if len(content) != -(-count // 8) or bits[count:].any():
        raise ValueError("want one bit for each key, and zeros to fill the last byte")
    flags = bits[:count].astype(np.bool_)
    flags.setflags(write=False)
    return flags


def _unzipped(content: bytes) -> bytes:
    """As `zlib.decompress`, which does not mind what stands behind the end."""
    reader = zlib.decompressobj()
    plain = reader.decompress(content)
    if reader.unused_data or not reader.eof:
        raise ValueError("want what zlib made, whole and alone")
    return plain


def digest(body: bytes, measurements: Iterable[Packed], table: PackedTable | None = None) -> str:
    """sha256 over the stored bytes of a release, of the measurements that were made for it, and of its table."""
    sha = hashlib.sha256(_part(body))
    for each in sorted(measurements, key=lambda packed: packed.question):
        sha.update(_part(each.question.encode()) + _part(str(each.nano_rho).encode()))
        sha.update(struct.pack("<d", each.sigma) + _part(each.cells) + _part(each.masked))
        if each.noise == Noise.LAPLACE:  # other laws are known by sigma, and were all there was at first
            sha.update(_part(each.noise.encode()))
    if table is not None:  # after an empty part, which no question is; what had no table is hashed as it always was
        sha.update(_part(b"") + _part(table.scope.encode()) + _part(table.population.encode()))
        sha.update(_part(table.keys) + _part(table.hidden))
    return sha.hexdigest()


def _part(content: bytes) -> bytes:
    # Lengths first, so that no two lists of parts run together into the same bytes.
    return struct.pack("<Q", len(content)) + content
