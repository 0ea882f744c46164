"""An `official` release: exact numbers and evidence → what must not be worked out → what is shown."""

from disclosure.official.exact import Exact, Summed
from disclosure.official.problems import shows_zeros
from disclosure.official.protect import protect_release, unhidden, unprotected
from disclosure.official.round import count_bounds, distinct_bounds
from disclosure.official.shown import Earlier, Flagged, Protected, Shown, Unprotected

__all__ = [
    "Earlier", "Exact", "Flagged", "Protected", "Shown", "Summed", "Unprotected", "count_bounds", "distinct_bounds",
    "protect_release", "shows_zeros", "unhidden", "unprotected",
]  # fmt: skip
