"""The file of a fitted model: where it comes from, what its columns and codes are called, and the model.

As the model's own part, it is checked against what may stand in it when it is written and when it is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any

from datasets.derive.parse import NotUnderstood, parse
from synthetic.fidelity.margins import Variable
from synthetic.model import Model
from synthetic.model.artefact import ModelRefused, loaded, saved

MOST, MOST_EXPRESSION = 1_000, 20_000
"""Characters of a text, and of an expression."""
COLUMN = {"name", "label", "codes", "missing"}


@dataclass(frozen=True, slots=True)
class Origin:
    """release: of the fit in the ledger; cut: with its version; title: of the data set; population: which rows, in
    words; fitted: when; nano_rho, delta: what it was charged, and at which δ the policy says its ε."""

    release: str
    cut: str
    data_set: str
    title: str
    population: str
    fitted: str
    nano_rho: int
    delta: float

    def __post_init__(self) -> None:
        texts = (self.release, self.cut, self.data_set, self.title, self.population, self.fitted)
        if not all(map(_is_text, texts)) or not _is_amount(self.nano_rho):
            raise ModelRefused("origin: wants texts, and a price in nano-rho")
        if type(self.delta) is not float or not 0 < self.delta < 1:
            raise ModelRefused("origin: wants a delta between 0 and 1")


@dataclass(frozen=True, slots=True)
class Derived:
    """A variable that follows from the columns, by an expression. It is in no file: whoever ingests them gets it.
    missing: the code of where the expression has no value."""

    variable: Variable
    follows: str
    missing: str | None = None

    def __post_init__(self) -> None:
        if not _are_texts(self.variable) or not _is_text(self.follows, MOST_EXPRESSION):
            raise ModelRefused(f"derived: wants texts, and an expression of at most {MOST_EXPRESSION} characters")
        if self.missing not in (None, *self.variable.codes):
            raise ModelRefused("derived: what stands for an empty value is one of the codes")
        try:
            parse(self.follows)
        except NotUnderstood as wrong:
            raise ModelRefused(f"derived: {wrong}") from None


@dataclass(frozen=True, slots=True)
class ModelFile:
    """columns: in the order of the model's domain, under the names of its files: `la.region` is `la_region` there.
    empty: of columns whose files may have no value, the code that stands for that. derived: each after those that it
    names."""

    origin: Origin
    columns: tuple[Variable, ...]
    empty: Mapping[str, str]
    model: Model
    derived: tuple[Derived, ...] = ()

    def __post_init__(self) -> None:
        domain = self.model.domain
        wanted = [(column_name(n), size) for n, size in zip(domain.names, domain.sizes, strict=True)]
        if [(v.name, len(v.codes)) for v in self.columns] != wanted:
            raise ModelRefused("columns: wants each column of the model, in its order, with all of its codes")
        refuse_columns(self.columns, self.derived)
        known = {v.name: v.codes for v in self.columns}
        if not all(code in known.get(name, ()) for name, code in self.empty.items()):
            raise ModelRefused("columns: what stands for an empty value is one of the codes")


def refuse_columns(columns: Sequence[Variable], derived: Sequence[Derived]) -> None:
    """Raises ModelRefused for what no file of a model can say."""
    every = (*columns, *(d.variable for d in derived))
    if len({v.name for v in every}) != len(every):
        raise ModelRefused("columns: two of them, or of what follows from them, would have the same name")
    if not all(map(_are_texts, every)):
        raise ModelRefused(f"columns: labels and codes are texts of at most {MOST} characters")


def plain(text: str) -> str:
    """Of a label: in one line, without what cannot be seen, and no longer than a file may have it."""
    return "".join(c for c in " ".join(text.split()) if c.isprintable())[:MOST]


def _are_texts(v: Variable) -> bool:
    return all(map(_is_text, (v.name, v.label, *v.codes, *v.meanings)))


def column_name(reference: str) -> str:
    return reference.replace(".", "_")


def written(file: ModelFile) -> str:
    document = {
        "origin": asdict(file.origin),
        "columns": [_column(v, file.empty.get(v.name)) for v in file.columns],
        "derived": [_column(d.variable, d.missing) | {"follows": d.follows} for d in file.derived],
        "model": json.loads(saved(file.model)),
    }
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False)


def read(text: str) -> ModelFile:
    """Raises ModelRefused."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        raise ModelRefused("the file is not JSON") from None
    parts = _has(document, {"origin", "columns", "derived", "model"}, "the file")
    origin = _has(parts["origin"], {f.name for f in fields(Origin)}, "origin")
    told = _list_of(parts["columns"], COLUMN, "columns")
    columns = tuple(map(_variable, told))
    empty = {v.name: c["missing"] for v, c in zip(columns, told, strict=True) if c["missing"] is not None}
    derived = tuple(map(_derived, _list_of(parts["derived"], COLUMN | {"follows"}, "derived")))
    return ModelFile(Origin(**origin), columns, empty, loaded(json.dumps(parts["model"])), derived)


def _column(v: Variable, missing: str | None) -> dict[str, Any]:
    codes = [[code, v.shown(code)] for code in v.codes]
    return {"name": v.name, "label": v.label, "codes": codes, "missing": missing}


def _variable(told: Mapping[str, Any]) -> Variable:
    pairs = told["codes"]
    if type(pairs) is not list or not all(type(p) is list and len(p) == 2 and all(map(_is_text, p)) for p in pairs):
        raise ModelRefused("columns: wants a code and its label, for each code")
    if not _is_text(told["name"]) or not _is_text(told["label"]):
        raise ModelRefused("columns: wants a name and a label")
    try:
        return Variable(told["name"], told["label"], tuple(p[0] for p in pairs), tuple(p[1] for p in pairs))
    except ValueError as wrong:
        raise ModelRefused(f"columns: {wrong}") from None


def _derived(told: Mapping[str, Any]) -> Derived:
    return Derived(_variable(told), told["follows"], told["missing"])


def _list_of(value: Any, wanted: set[str], what: str) -> list[Mapping[str, Any]]:
    if type(value) is not list:
        raise ModelRefused(f"{what}: wants a list")
    return [_has(one, wanted, what) for one in value]


def _has(value: Any, wanted: set[str], what: str) -> Mapping[str, Any]:
    if type(value) is not dict or value.keys() != wanted:
        raise ModelRefused(f"{what}: wants {', '.join(sorted(wanted))}, and nothing else")
    return value


def _is_text(value: Any, most: int = MOST) -> bool:
    return type(value) is str and 0 < len(value) <= most and value.isprintable()


def _is_amount(value: Any) -> bool:
    return type(value) is int and 0 < value < 1 << 62
