"""What a custodian is told: rules, names and counts; never a value. Counts are exact: as secret as the data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from datasets.ingest.rules import NOTES, Rule

HEADINGS = ("rule", "data set", "variable", "count", "first records")
COUNTING = "Records are counted from 1. The header of a CSV file is record 1, so its data begin at record 2."


@dataclass(frozen=True, slots=True)
class Place:
    """A record of a file (a line, where CSV is malformed), or the file as a whole."""

    file: str
    record: int | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """A rule that was broken `count` times. about: a variable, banding ("la.region") or column; places: the first."""

    rule: Rule
    data_set: str
    about: str | None = None
    count: int = 1
    places: tuple[Place, ...] = ()

    @property
    def cells(self) -> tuple[str, ...]:
        return (self.rule.name, self.data_set, self.about or "", f"{self.count:,}", _where(self.places))


@dataclass(frozen=True, slots=True)
class Report:
    problems: tuple[Problem, ...]
    notes: tuple[Problem, ...]

    @classmethod
    def of(cls, found: Iterable[Problem]) -> Report:
        every = tuple(found)
        return cls(
            tuple(p for p in every if p.rule not in NOTES),
            tuple(p for p in every if p.rule in NOTES),
        )

    def text(self) -> str:
        """Plain text: aligned tables of problems and notes, then what the rules mean."""
        if not self.problems and not self.notes:
            return "No problems."
        parts = [*_section("Problems", self.problems), *_section("Notes", self.notes)]
        rules = dict.fromkeys(p.rule for p in (*self.problems, *self.notes))
        width = max(len(rule.name) for rule in rules)
        parts += [f"{rule.name.ljust(width)}  {rule.plain}" for rule in rules]
        return "\n".join([*parts, COUNTING])

    def to_dict(self) -> dict[str, Any]:
        return {"problems": [_plain(p) for p in self.problems], "notes": [_plain(p) for p in self.notes]}


class IngestRefused(ValueError):
    """The files break rules; nothing was published."""

    def __init__(self, report: Report) -> None:
        super().__init__(f"the files are refused\n{report.text()}")
        self.report = report


def _plain(problem: Problem) -> dict[str, Any]:
    return asdict(problem) | {"rule": problem.rule.name, "plain": problem.rule.plain}


def _where(places: Sequence[Place]) -> str:
    files: dict[str, list[str]] = {}
    for place in places:
        files.setdefault(place.file, []).extend([] if place.record is None else [str(place.record)])
    return "; ".join(" ".join([file, ", ".join(records)]).strip() for file, records in files.items())


def _section(title: str, problems: Sequence[Problem]) -> list[str]:
    if not problems:
        return []
    rows = [HEADINGS, *(p.cells for p in problems)]
    widths = [max(len(row[i]) for row in rows) for i in range(len(HEADINGS))]
    return [title, *(_line(row, widths) for row in rows), ""]


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = [c.rjust(w) if i == 3 else c.ljust(w) for i, (c, w) in enumerate(zip(row, widths, strict=True))]
    return ("  " + "  ".join(padded)).rstrip()
