"""The model's file: JSON of the domain, its structural zeros, the settings and the noisy margins, and of nothing else.

It is checked against one list of what may stand in it when it is written and when it is read. What is not on the list
(an exact count, a path, a seed) cannot be in a file that loads.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, fields
from typing import Any

import numpy as np

from synthetic.model.domain import Domain
from synthetic.model.measure import Margin
from synthetic.model.model import Model
from synthetic.model.settings import Settings
from synthetic.model.zeros import Zero, Zeros

FORMAT = "synthetic-model/2"
"""Of the file and of the fit: another number where the same margins would lead to other rows."""


MOST_PUPILS = 1 << 40
"""In a cell, noise and all."""


class ModelRefused(ValueError):
    """The file is no model. The message says which part, and what it wants."""


def saved(model: Model) -> str:
    document = {
        "format": FORMAT,
        "domain": [{"column": name, "codes": size} for name, size in zip(*_parts(model.domain), strict=True)],
        "zeros": [[{"column": name, "codes": list(codes)} for name, codes in zero.of] for zero in model.zeros.all],
        "settings": asdict(model.settings),
        "nanoRho": model.nano_rho,
        "margins": [
            {"columns": list(m.clique), "nanoRho": m.nano_rho, "counts": m.counts.ravel().tolist()}
            for m in model.measured
        ],
    }
    _check(document)
    return json.dumps(document, separators=(",", ":"))


def loaded(text: str) -> Model:
    """Raises ModelRefused."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ModelRefused("the model is not JSON") from None
    _check(document)
    try:
        domain = Domain(*zip(*((each["column"], each["codes"]) for each in document["domain"]), strict=True))
        zeros = Zeros(domain, tuple(map(_zero, document["zeros"])))
        margins = tuple(_margin(each, domain) for each in document["margins"])
        return Model(zeros, Settings(**document["settings"]), margins, document["nanoRho"])
    except (TypeError, ValueError) as wrong:
        raise ModelRefused(f"the model contradicts itself: {wrong}") from None


def _parts(domain: Domain) -> tuple[tuple[str, ...], tuple[int, ...]]:
    return domain.names, domain.sizes


def _zero(parts: Sequence[Mapping[str, Any]]) -> Zero:
    return Zero(tuple((part["column"], tuple(part["codes"])) for part in parts))


def _margin(each: Mapping[str, Any], domain: Domain) -> Margin:
    clique = domain.clique(each["columns"])
    if list(clique) != each["columns"]:
        raise ValueError("the columns of a margin stand in the order of the domain")
    return Margin(clique, np.array(each["counts"], dtype=np.int64).reshape(domain.shape(clique)), each["nanoRho"])


def _whole(least: int, most: int = 1 << 62) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and least <= value < most


def _number(value: Any) -> bool:
    return type(value) in (int, float)


def _word(value: Any) -> bool:
    return type(value) is str and 0 < len(value) <= 200 and value.isprintable()


_COLUMN = {"column": _word, "codes": _whole(1)}
_ZERO = {
    "column": _word,
    "codes": lambda value: type(value) is list and all(map(_whole(0), value)),
}
_SETTINGS = {each.name: _number for each in fields(Settings)}
_MARGIN = {
    "columns": lambda value: type(value) is list and value != [] and all(map(_word, value)),
    "nanoRho": _whole(1),
    "counts": lambda value: type(value) is list and all(map(_whole(-MOST_PUPILS, MOST_PUPILS), value)),
}


def _check(document: Any) -> None:
    parts: dict[str, Callable[[Any], bool]] = {
        "format": lambda value: value == FORMAT,
        "domain": lambda value: type(value) is list and all(_is(each, _COLUMN) for each in value),
        "zeros": lambda value: type(value) is list and all(map(_is_zero, value)),
        "settings": lambda value: _is(value, _SETTINGS),
        "nanoRho": _whole(1),
        "margins": lambda value: type(value) is list and all(_is(each, _MARGIN) for each in value),
    }
    if type(document) is not dict or document.keys() != parts.keys():
        raise ModelRefused(f"a model has these parts and no others: {', '.join(parts)}")
    for name, holds in parts.items():
        if not holds(document[name]):
            raise ModelRefused(f"{name}: is not as {FORMAT} has it")


def _is_zero(value: Any) -> bool:
    return type(value) is list and all(_is(part, _ZERO) for part in value)


def _is(value: Any, wanted: Mapping[str, Callable[[Any], bool]]) -> bool:
    return type(value) is dict and value.keys() == wanted.keys() and all(wanted[k](v) for k, v in value.items())
