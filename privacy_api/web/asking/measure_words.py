"""Measures in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from datasets.catalogue import DataSet

STATISTICS = {
    "count": "Number of rows",
    "pupils": "Number of pupils",
    "distinct": "Number of different codes",
    "sd": "Standard deviation",
    "rate": "Rate per 100 rows",
    "ols": "Linear model",
    "logistic": "Logistic model",
}
"""Those that are called otherwise than in a query."""


class Labels:
    """Words for references and codes, where the catalogue is at hand; else they stand for themselves."""

    def __init__(self, data_set: DataSet | None) -> None:
        self._of = {} if data_set is None else labels_of(data_set)
        self._codes = {} if data_set is None else _codes_of(data_set)

    def know(self, query: Mapping[str, Any]) -> bool:
        """Whether every name that a query has at its top is one of this data set's."""
        named = {*query.get("groupBy", []), *(m["variable"] for m in query.get("measures", []) if "variable" in m)}
        return named <= self._of.keys()

    def variable(self, reference: str) -> str:
        return self._of.get(reference) or self._of.get(reference.partition(".")[0]) or reference

    def term(self, term: str) -> str:
        return " × ".join(self.variable(part) for part in term.split(":"))

    def term_code(self, reference: str, code: str) -> str:
        """One code of a variable as a term of a model."""
        return f"{self.code(reference, code)} ({self.variable(reference)})"

    def code(self, reference: str, code: str) -> str:
        return self._codes.get(reference, {}).get(code, code)


def labels_of(data_set: DataSet) -> dict[str, str]:
    """Reference → words, for every variable, banding and level."""
    found = {v.name: v.label for v in data_set.variables}
    found |= {f"{v.name}.{b.name}": f"{v.label}: {b.label}" for v in data_set.variables for b in v.bandings}
    return found | {level: found[reference] for level, reference in data_set.levels.items()}


def _codes_of(data_set: DataSet) -> dict[str, dict[str, str]]:
    found = {v.name: {a.code: a.label for a in v.atoms} for v in data_set.variables}
    found |= {f"{v.name}.{b.name}": {c.code: c.label for c in b.codes} for v in data_set.variables for b in v.bandings}
    return found | {level: found[reference] for level, reference in data_set.levels.items()}


def statistic_words(statistic: str) -> str:
    return STATISTICS.get(statistic, statistic[:1].upper() + statistic[1:])


def measure_words(measure: Mapping[str, Any], labels: Labels) -> str:
    """ "Percentage of Absence: persistent (10 to 100)". measure: as the API takes it."""
    words, of, inner = statistic_words(measure["statistic"]), measure.get("variable"), measure.get("of", [])
    codes = [labels.code(of or "", code) for code in measure.get("codes", [])]
    if inner and of:
        compared = measure_words(inner[0], labels)
        return f"{words} in {compared[:1].lower()}{compared[1:]} between {labels.variable(of)} {' and '.join(codes)}"
    if inner:
        return " divided by ".join(measure_words(each, labels) for each in inner)
    named = f"{words} of {labels.variable(of)}" if of else words
    if "with" in measure:
        named += f" and {labels.variable(measure['with'])}"
    if codes:
        named += f": {listed(codes)}"
    if "terms" in measure:
        named += f" by {listed([labels.term(term) for term in measure['terms']])}"
    return named


def question_words(query: Mapping[str, Any], labels: Labels) -> str:
    """What was asked, in words."""
    measures = [measure_words(m, labels) for m in query.get("measures", [])]
    return question_title(measures, [labels.variable(name) for name in query.get("groupBy", [])])


def question_title(measures: Sequence[str], by: Sequence[str]) -> str:
    """ "Number of rows and percentage of Absence: persistent by Region and Sex"."""
    said = listed([*measures[:1], *(words[:1].lower() + words[1:] for words in measures[1:])])
    return f"{said} by {listed(by)}" if by else said


def listed(words: Sequence[str], most: int = 4) -> str:
    """ "a, b and c"; of many the first few."""
    several = list(dict.fromkeys(words))
    if len(several) > most:
        return f"{', '.join(several[: most - 1])} and {len(several) - most + 1} more"
    return " and ".join(filter(None, [", ".join(several[:-1]), several[-1]])) if several else ""
