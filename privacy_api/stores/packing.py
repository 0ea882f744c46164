"""Measurements as compact bytes, and the digest that ties a release's contents to the chain."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from disclosure.tables import Measurement, Noise

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


def digest(body: bytes, measurements: Iterable[Packed]) -> str:
    """sha256 over the stored bytes of a release and of the measurements that were made for it."""
    sha = hashlib.sha256(_part(body))
    for each in sorted(measurements, key=lambda packed: packed.question):
        sha.update(_part(each.question.encode()) + _part(str(each.nano_rho).encode()))
        sha.update(struct.pack("<d", each.sigma) + _part(each.cells) + _part(each.masked))
        if each.noise == Noise.LAPLACE:  # other laws are known by sigma, and were all there was at first
            sha.update(_part(each.noise.encode()))
    return sha.hexdigest()


def _part(content: bytes) -> bytes:
    # Lengths first, so that no two lists of parts run together into the same bytes.
    return struct.pack("<Q", len(content)) + content
