"""A small data set under an `official` policy, and questions to it below HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from datasets.answer import Answer, finish
from datasets.catalogue import DataSet
from datasets.catalogue_toml import load_catalogue
from datasets.engines.memory import MemoryEngine, Row
from datasets.official.cells import earlier, released
from datasets.official.exact import exact_of
from datasets.official.measurements import measurements
from datasets.official.released import ReleasedCells
from datasets.official.table import OfficialTable, official_table
from datasets.validate import Limits, ValidQuery, validate
from disclosure.official import Protected, protect_release
from disclosure.policy import Policy, load_policy
from privacy_api.cli.cuts import preset
from privacy_api.wire.query_in import read_query

CATALOGUE = """
[cut]
id = "ks4"
title = "Small key stage 4"
privacy_unit = "pupil"
synthetic = true
record_keys = true

[code_lists.area]
columns = ["code", "label", "region"]
rows = [["A1", "Ashby", "N"], ["A2", "Barton", "N"], ["A3", "Corley", "S"], ["A4", "Denby", "S"], ["A5", "Exford", "S"]]

[data_sets.pupils]
title = "Pupils"
[data_sets.pupils.key]
unit = "pupil_id"
[data_sets.pupils.variables.la]
type = "category"
label = "Local authority"
level = "LA"
identifiability = 5
sensitivity = "E"
codes = "area"
[data_sets.pupils.variables.la.bandings.region]
label = "Region"
level = "REG"
by = "region"
codes = [["N", "North"], ["S", "South"]]
[data_sets.pupils.variables.la.bandings.coast]
label = "Coast, which crosses the regions"
bands = [["yes", "Coast", ["A1", "A3"]], ["no", "Inland", ["A2", "A4", "A5"]]]
[data_sets.pupils.variables.need]
type = "category"
label = "Need"
identifiability = 5
sensitivity = "E"
codes = ["a", "b", "c", "d"]
[data_sets.pupils.variables.need.bandings.some]
label = "Some"
bands = [["ab", "a or b", ["a", "b"]]]
[data_sets.pupils.variables.fsm]
type = "category"
label = "Free school meals"
identifiability = 5
sensitivity = "E"
codes = ["Y", "N"]
[data_sets.pupils.variables.school]
type = "category"
label = "School"
identifiability = 5
sensitivity = "E"
codes = ["s1", "s2", "s3", "s4", "s5", "s6", "s7", "s8"]
[data_sets.pupils.variables.score]
type = "number"
label = "Score"
identifiability = 5
sensitivity = "E"
range = ["0", "10"]
step = "1"
optional = true
unit = "points"
bins = { width = "1" }
[data_sets.pupils.variables.award]
type = "number"
label = "Award"
identifiability = 5
sensitivity = "E"
range = ["0", "1000"]
step = "1"
optional = true
unit = "pounds"
"""
LIMITS = Limits(50_000, 4)


def pupils() -> DataSet:
    return load_catalogue(CATALOGUE).data_sets[0]


def policy(**changes: str) -> Policy:
    """The DfE draft without the rule against sparse tables, with texts changed: {"value = 10": "value = 5"}."""
    text = preset("dfe-draft")
    start = text.index("[sparsity]")
    text = text[:start] + text[text.index("[", start + 1) :]
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    return load_policy(text)


def some_rows(count: int = 600, seed: int = 1) -> list[Row]:
    """Unevenly spread, so that some cells of two groupings are small."""
    rng = np.random.default_rng(seed)
    shares = {"la": [0.4, 0.05, 0.3, 0.15, 0.1], "need": [0.6, 0.25, 0.1, 0.05], "fsm": [0.2, 0.8], "school": None}
    sizes = {"la": 5, "need": 4, "fsm": 2, "school": 8}
    drawn = {name: rng.choice(size, count, p=shares[name]) for name, size in sizes.items()}
    scores = rng.integers(0, 11, count)
    rows = []
    for i in range(count):
        score = None if rng.random() < 0.1 else int(scores[i])
        award = None if rng.random() < 0.5 else int(rng.integers(1, 200))
        atoms = {name: int(drawn[name][i]) for name in sizes}
        atoms["score"] = 10 if score is None else min(score, 9)
        rows.append(Row(i, atoms, {"score": score, "award": award}, record_key=int(rng.integers(0, 2**63))))
    return rows


@dataclass
class Desk:
    """Questions to one data set, each protected with regard to those before."""

    rows: Sequence[Row]
    policy: Policy
    data_set: DataSet = field(default_factory=pupils)
    before: list[ReleasedCells] = field(default_factory=list)

    def valid(self, body: dict[str, Any]) -> ValidQuery:
        return validate(read_query(body, self.data_set.id), self.data_set, frozenset(), LIMITS, official=True)

    def table(self, body: dict[str, Any], registered: bool = False) -> OfficialTable:
        return official_table(self.valid(body), self.policy, registered)

    def protected(self, body: dict[str, Any], registered: bool = False) -> Protected:
        table = self.table(body, registered)
        engine = MemoryEngine({self.data_set.id: self.rows})
        protected = protect_release(
            exact_of(table, self.policy, engine.aggregate), earlier(table, self.before), self.policy
        )
        self.before.append(released(table, protected))
        return protected

    def ask(self, body: dict[str, Any], registered: bool = False) -> Answer:
        table, valid = self.table(body, registered), self.valid(body)
        return finish(valid, measurements(table, self.protected(body, registered), valid), self.policy)


def shown(answer: Answer, series: int = 0) -> dict[tuple[str | None, ...], tuple[float, str]]:
    """Key → (value, status) of a measure with one output."""
    found = answer.series[series]
    return {
        tuple(key.values()): (float(value), str(status))
        for key, value, status in zip(answer.keys, found.value[:, 0], found.status[:, 0], strict=True)
    }
