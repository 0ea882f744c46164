"""What there is to ask about: data sets, and the meta of one of them with every name and code a query can use."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class DataSet:
    """mode: ``dp`` (noise, with a formal guarantee) or ``official`` (suppression and rounding, without one)."""

    id: str
    title: str
    description: str = field(repr=False)
    source: str = field(repr=False)
    cut: str
    version: str
    synthetic: bool
    unit_of_privacy: str = field(repr=False)
    mode: str
    variables: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class Code:
    code: str
    label: str


@dataclass(frozen=True)
class Banding:
    """A coarser grouping of a variable. reference: its name in a query, as in ``la.region``."""

    reference: str
    label: str
    level: str | None
    codes: tuple[Code, ...] = field(repr=False)


@dataclass(frozen=True)
class Number:
    """clamp: values beyond these bounds count as the bound. optional: whether a value may be missing."""

    unit: str
    step: float
    clamp: tuple[float, float]
    optional: bool


@dataclass(frozen=True)
class Variable:
    """type: ``category``, ``time`` or ``number``. needs_grant: only for projects that were given this variable.

    A number without codes can be measured, not grouped by or filtered on.
    """

    name: str
    label: str
    description: str = field(repr=False)
    type: str
    level: str | None
    identifiability: int = field(repr=False)
    sensitivity: str = field(repr=False)
    needs_grant: bool
    codes: tuple[Code, ...] = field(repr=False)
    bandings: tuple[Banding, ...]
    number: Number | None


class Variables(Mapping[str, Variable]):
    """Variables by name; shown as a table."""

    def __init__(self, variables: tuple[Variable, ...]) -> None:
        self._by_name = {v.name: v for v in variables}

    def __getitem__(self, name: str) -> Variable:
        return self._by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_name)

    def __len__(self) -> int:
        return len(self._by_name)

    def __repr__(self) -> str:
        lines = [("name", "type", "codes", "bandings", "label"), *map(_line, self._by_name.values())]
        widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
        padded = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
        return "\n".join(line.rstrip() for line in padded)


def _line(v: Variable) -> tuple[str, ...]:
    label = f"{v.label} (needs a grant)" if v.needs_grant else v.label
    return (v.name, v.type, str(len(v.codes)), ", ".join(b.reference for b in v.bandings), label)


@dataclass(frozen=True)
class TimePeriod:
    """period and kind are what ``periods()`` takes; value is the code in rows and in ``where()``."""

    period: str
    kind: str
    value: str


@dataclass(frozen=True, repr=False)
class Meta:
    """levels: geographic level → the variable or banding that carries it. statistics: name → what it is.

    policy: the protection that answers get, with limits, prices and the reason of every rule.
    """

    data_set: DataSet
    variables: Variables
    levels: Mapping[str, str]
    time_periods: tuple[TimePeriod, ...]
    statistics: Mapping[str, str]
    key: str
    policy: Mapping[str, Any]

    def labels(self, reference: str) -> dict[str, str]:
        """Code → label of a variable, a banding (``la.region``) or a geographic level (``REG``), in their order."""
        wanted = self.levels.get(reference, reference)
        for variable in self.variables.values():
            for name, codes in ((variable.name, variable.codes), *((b.reference, b.codes) for b in variable.bandings)):
                if name == wanted:
                    return {c.code: c.label for c in codes}
        raise KeyError(f"{self.data_set.id} has no variable, banding or level {reference!r}")

    def __repr__(self) -> str:
        return f"<Meta {self.data_set.id}: {len(self.variables)} variables{marked(self.data_set.synthetic)}>"


def marked(synthetic: bool) -> str:
    return ", SYNTHETIC" if synthetic else ""


def read_data_set(document: Mapping[str, Any]) -> DataSet:
    return DataSet(
        id=document["id"],
        title=document["title"],
        description=document["description"],
        source=document["source"],
        cut=document["cut"],
        version=document["version"],
        synthetic=document["synthetic"],
        unit_of_privacy=document["unitOfPrivacy"],
        mode=document["mode"],
        variables=tuple(document["variables"]),
    )


def read_data_sets(document: Mapping[str, Any]) -> list[DataSet]:
    return [read_data_set(each) for each in document["results"]]


def read_meta(document: Mapping[str, Any]) -> Meta:
    return Meta(
        data_set=read_data_set(document["dataSet"]),
        variables=Variables(tuple(_variable(v) for v in document["variables"])),
        levels={level["code"]: level["reference"] for level in document["geographicLevels"]},
        time_periods=tuple(TimePeriod(p["period"], p["code"], p["value"]) for p in document["timePeriods"]),
        statistics={s["name"]: s["summary"] for s in document["statistics"]},
        key=document["key"]["plain"],
        policy=document["policy"],
    )


def _variable(document: Mapping[str, Any]) -> Variable:
    return Variable(
        name=document["name"],
        label=document["label"],
        description=document["description"],
        type=document["type"],
        level=document["level"],
        identifiability=document["identifiability"],
        sensitivity=document["sensitivity"],
        needs_grant=document["needsGrant"],
        codes=_codes(document["codes"]),
        bandings=tuple(
            Banding(b["reference"], b["label"], b["level"], _codes(b["codes"])) for b in document["bandings"]
        ),
        number=_number(document["number"]) if "number" in document else None,
    )


def _number(document: Mapping[str, Any]) -> Number:
    low, high = document["clamp"]
    return Number(document["unit"], document["step"], (low, high), document["optional"])


def _codes(listed: list[Mapping[str, str]]) -> tuple[Code, ...]:
    return tuple(Code(c["code"], c["label"]) for c in listed)
