"""How many examples a property is tried on: an eighth in the fast tests, all of them with make test-thorough."""

from __future__ import annotations

import os

THOROUGH = os.environ.get("PRIVACY_API_TESTS") == "thorough"


def examples(all_of_them: int) -> int:
    return all_of_them if THOROUGH else max(10, all_of_them // 8)
