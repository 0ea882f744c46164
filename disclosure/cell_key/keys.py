"""Keys of cells: from the keys of their records, so that the same records have the same noise in every table.

Each record of a cut has a 64-bit key, HMAC-SHA256(secret of the cut, pupil) cut to 64 bits. The key of a cell is the
sum of the keys of its records mod 2⁶⁴, which the engine adds up in any order.

Lemma 1. With independent uniform record keys the key of any set of records that is not empty is uniform, and the keys
of two different such sets are independent. Proof: fix the keys of all records but one of the set; the sum is then that
one key shifted, which is uniform. Of two different sets one has a record that the other has not; given the keys of all
others, its set's key is uniform whatever the other's is. ∎ HMAC-SHA256 is assumed to be a pseudorandom function: nobody
without the secret can tell its keys from independent uniform ones.

Three sets are another matter: key(A ∪ B) = key(A) + key(B) for disjoint A and B. If decisions were read off the sums
themselves, the noises of the two halves of a split would hang together with that of the whole: where key(A ∪ B) is near
0, key(B) ≈ −key(A), and the noises of A and B cancel in every split (`docs/cell-key.md` gives the measured effect). So
the sum is hashed once more, for one purpose each:

Lemma 2. In the random oracle model the hashed keys of sets whose sums differ are independent and uniform, for any
number of sets. Proof: a random oracle answers different questions independently. ∎ Two given sets have the same sum
with probability 2⁻⁶⁴ (the proof of Lemma 1 for their difference); n sets, any two with probability below n²·2⁻⁶⁵.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Keys: TypeAlias = npt.NDArray[np.uint64]
_BYTES = 8


def mixed(keys: Keys, purpose: bytes) -> Keys:
    """One uniform key for each sum of record keys. purpose: up to 16 bytes; two purposes have independent keys."""
    if keys.dtype != np.uint64:
        raise ValueError("want uint64 keys")
    sums = keys.astype("<u8").tobytes()
    hashed = (
        blake2b(sums[at : at + _BYTES], digest_size=_BYTES, person=purpose).digest()
        for at in range(0, len(sums), _BYTES)
    )
    return np.frombuffer(b"".join(hashed), "<u8").astype(np.uint64).reshape(keys.shape)
