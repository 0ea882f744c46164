"""How much of the real data is in a synthetic release, and who must have signed it before it goes out."""

from __future__ import annotations

from enum import StrEnum


class Tier(StrEnum):
    """See docs/synthetic.md."""

    STRUCTURAL = "T0"
    CALIBRATED = "T1"
    COARSENED = "T2"
    PRIVATE = "T3"


SIGNATURES = {Tier.STRUCTURAL: 1, Tier.CALIBRATED: 1, Tier.COARSENED: 2, Tier.PRIVATE: 2}
"""People who must sign: two where anything of real pupils is in it, however protected."""
