"""Whether the populations of two recorded questions differ by so little that their answers want to be subtracted.

Judged on the questions' own words (the canonical JSON of the ledger): how many pupils lie between the two nobody here
knows, nor may know.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeAlias

Leaf: TypeAlias = tuple[tuple[str, ...], str, str, frozenset[str]]
"""Under which of and, or, not; of what; compared how; with which codes."""

_NEGATIVE = {"notEq", "notIn"}


def nearly_same(one: str, other: str) -> bool:
    """Same measures, and the one population has a code more than the other, of several; or leaves a single one out."""
    first, second = _read(one), _read(other)
    if first is None or second is None or first[0] != second[0]:
        return False
    only_first, only_second = first[1] - second[1], second[1] - first[1]
    if len(only_first) == len(only_second) == 1:
        return _one_code_apart(*only_first, *only_second)
    added = only_first | only_second
    return len(added) == 1 and any(_leaves_one_out(leaf) for leaf in added)


def _one_code_apart(one: Leaf, other: Leaf) -> bool:
    return one[:3] == other[:3] and len(one[3] ^ other[3]) == 1 and min(len(one[3]), len(other[3])) >= 2


def _leaves_one_out(leaf: Leaf) -> bool:
    above, _, operator, codes = leaf
    return len(codes) == 1 and ((operator in _NEGATIVE) != (above.count("not") % 2 == 1))


@lru_cache(maxsize=4096)
def _read(query: str) -> tuple[str, frozenset[Leaf]] | None:
    try:
        asked = json.loads(query)
        measures = json.dumps([asked.get("measures"), asked.get("groupBy")], sort_keys=True)
        return measures, frozenset(_leaves(asked.get("criteria"), ()))
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def _leaves(node: Any, above: tuple[str, ...]) -> Iterator[Leaf]:
    for name, inside in (node or {}).items():
        if name in ("and", "or"):
            for each in inside:
                yield from _leaves(each, (*above, name))
        elif name == "not":
            yield from _leaves(inside, (*above, name))
        elif name == "filters":
            for reference, compared in inside.items():
                yield from _compared(reference, compared, above)
        else:
            yield from _compared(name, inside, above)


def _compared(of: str, compared: dict[str, Any], above: tuple[str, ...]) -> Iterator[Leaf]:
    # "and" alone changes nothing: a condition is the same beside another one.
    told = tuple(each for each in above if each != "and")
    for operator, value in compared.items():
        codes = value if isinstance(value, list) else [value]
        yield told, of, operator, frozenset(json.dumps(code, sort_keys=True) for code in codes)
