"""Bytes → JSON value, strictly: bounded size and depth, no duplicate keys, no NaN, no integer beyond 2^53."""

from __future__ import annotations

import json
from typing import Any

from datasets.query import Problem
from privacy_api.errors import ApiError, ErrorCode

MAX_BODY = 64 * 1024
MAX_DEPTH = 32
MAX_INTEGER = 2**53


def _refuse(message: str) -> ApiError:
    return ApiError(ErrorCode.INVALID_REQUEST, (Problem("InvalidValue", message, ""),))


def parse_json(body: bytes, most: int = MAX_BODY) -> Any:
    if len(body) > most:
        raise ApiError(ErrorCode.TOO_LARGE, detail=f"At most {most} bytes are accepted.")
    if not body.strip():
        raise ApiError(ErrorCode.INVALID_REQUEST, (Problem("NotEmptyBody", "The body is empty.", ""),))
    if _depth(body) > MAX_DEPTH:
        raise _refuse(f"The JSON is nested deeper than {MAX_DEPTH}.")
    try:
        return json.loads(body, object_pairs_hook=_no_duplicates, parse_constant=_no_constant, parse_int=_integer)
    except (ValueError, RecursionError):
        raise _refuse("The body is not JSON (no duplicate keys, NaN, or integers beyond 2^53).") from None


def _depth(body: bytes) -> int:
    """Deepest nesting, counted on raw bytes outside strings, before anything is parsed."""
    depth = most = 0
    in_string = escaped = False
    for byte in body:
        if in_string:
            in_string = escaped or byte != 0x22
            escaped = byte == 0x5C and not escaped
        elif byte == 0x22:
            in_string = True
        elif byte in b"[{":
            depth += 1
            most = max(most, depth)
        elif byte in b"]}":
            depth -= 1
    return most


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("duplicate key")
    return found


def _no_constant(text: str) -> Any:
    raise ValueError("not a JSON number")


def _integer(text: str) -> int:
    value = int(text) if len(text) < 20 else MAX_INTEGER + 1
    if abs(value) > MAX_INTEGER:
        raise ValueError("integer out of range")
    return value
