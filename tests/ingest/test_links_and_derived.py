"""Linked and derived columns of a published cut, against plain Python over the rows of the files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from datasets.catalogue import DataSet
from datasets.catalogue_toml import load_catalogue
from datasets.derive.evaluate import Row, Value, evaluate, tick
from datasets.ingest import IngestRefused, Published, ingest, list_cuts
from tests.lib import linked
from tests.lib.cuts import opened

FOUND = linked.rows(60, seed=7)
CATALOGUE = linked.catalogue()


@pytest.fixture(scope="module")
def cut(tmp_path_factory: pytest.TempPathFactory) -> Published:
    folder = tmp_path_factory.mktemp("linked")
    return ingest(CATALOGUE, linked.CATALOGUE, linked.write(FOUND, folder), folder / "cuts")


def stored(cut: Published, data_set: str) -> list[dict[str, Any]]:
    with opened(cut) as connection:
        found = connection.execute(f'SELECT * FROM "{data_set}"')
        columns = [column for column, *_ in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def tables() -> dict[str, list[dict[str, Value]]]:
    """Every data set's rows with all their values, by nested loops."""
    made: dict[str, list[dict[str, Value]]] = {}
    while len(made) < len(CATALOGUE.data_sets):
        for data_set in CATALOGUE.data_sets:
            if data_set.id not in made and all(link.to in made for link in data_set.links):
                made[data_set.id] = list(complete(data_set, made))
    return made


def complete(data_set: DataSet, made: Mapping[str, list[dict[str, Value]]]) -> Iterator[dict[str, Value]]:
    rows = [own(data_set, texts) for texts in FOUND[data_set.id]]
    for row in rows:
        for link in data_set.links:
            target = CATALOGUE.data_set(link.to)
            assert target is not None
            matching = [other for other in made[link.to] if belongs(row, other, data_set, target, link.name)]
            assert len(matching) <= 1, "a link finds one row at most"
            for theirs, here in link.take:
                absent = None if data_set.by_name[here].numbers or not link.missing else link.missing.code
                row[here] = matching[0][theirs] if matching else absent
    order = {code: i for i, code in enumerate(linked.YEARS)}
    for variable in data_set.variables:
        if variable.derived is not None:
            for row in rows:
                year = str(row.get("year", ""))
                before: list[tuple[int, Row]] = [
                    (order[year] - order[str(other["year"])], other)  # type: ignore[misc]
                    for other in rows
                    if year and other.get("pupil") == row.get("pupil") and str(other["year"]) <= year
                ]
                value = evaluate(variable.derived, row, before)  # type: ignore[arg-type]
                row[variable.name] = variable.missing if value is None and not variable.numbers else value
    yield from rows


def own(data_set: DataSet, texts: Mapping[str, str]) -> dict[str, Value]:
    row: dict[str, Value] = {"pupil": texts.get("pupil")}
    for variable in data_set.own:
        text = texts[variable.name]
        row[variable.name] = text if not variable.numbers else Fraction(text) if text else None
    return row


def belongs(row: Mapping[str, Value], other: Mapping[str, Value], a: DataSet, b: DataSet, name: str) -> bool:
    link = next(one for one in a.links if one.name == name)
    same_pupil = b.public or row["pupil"] == other["pupil"]
    where = all(other[theirs] == code for theirs, code in link.where)
    for here, theirs in link.on:
        wanted = row[here]
        if link.years_before and here == a.key.time:
            start = int(str(wanted)[:4]) - link.years_before
            wanted = f"{start}{(start + 1) % 100:02d}"
        where = where and wanted == other[theirs]
    return same_pupil and where


def sorted_rows(data_set: DataSet, rows: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Atoms and ticks of every variable; the pupil's number means nothing and is left out."""
    found = []
    for row in rows:
        values = []
        for v in data_set.variables:
            values.append(row[v.name])
            values += [row[v.stored_banding(b)] for b in v.bandings]
            values += [row[v.stored_atoms]] if v.numbers and v.atoms else []
        found.append(tuple(str(value) for value in values))
    return sorted(found)


def expected(data_set: DataSet, rows: list[dict[str, Value]]) -> list[dict[str, Any]]:
    out = []
    for row in rows:
        stored: dict[str, Any] = {}
        for v in data_set.variables:
            value = row[v.name]
            if v.numbers:
                ticks = tick(value, Fraction(v.numbers.step))
                bins = [i for i, low in enumerate(v.numbers.edges[:-1]) if ticks is not None and ticks >= low]
                atom = bins[-1] if bins else len(v.atoms) - 1
                stored[v.name] = ticks
                if v.atoms:
                    stored[v.stored_atoms] = v.atoms[atom].code
            else:
                atom = [a.code for a in v.atoms].index(str(value))
                stored[v.name] = value
            for b in v.bandings:
                band = [code.code for code, group in zip(b.codes, b.groups, strict=True) if atom in group]
                stored[v.stored_banding(b)] = band[0] if band else None
        out.append(stored)
    return out


@pytest.mark.parametrize("name", [d.id for d in CATALOGUE.data_sets])
def test_every_value_is_as_plain_python_has_it(cut: Published, name: str) -> None:
    data_set = CATALOGUE.data_set(name)
    assert data_set is not None
    found, wanted = stored(cut, name), expected(data_set, tables()[name])
    assert len(found) == len(FOUND[name])
    assert sorted_rows(data_set, found) == sorted_rows(data_set, wanted)


def test_the_rows_have_what_the_test_is_about(cut: Published) -> None:
    rows = stored(cut, "ks4")
    assert {r["disadvantaged"] for r in rows} == {"Y", "N", "U"}
    assert {r["ks2_level"] for r in rows} == {"low", "high", "none"}
    assert {r["y6_fsm"] for r in rows} == {"Y", "N", "none"}
    assert any(r["total"] is None for r in rows) and any((r["total"] or 0) < 1 for r in rows)
    census = stored(cut, "census")
    assert any(r["fsm6"] != r["fsm2"] for r in census)
    assert any(r["fsm2"] != r["fsm"] for r in census)


def test_what_follows_from_the_pupil_alone_is_fixed() -> None:
    ks4 = CATALOGUE.data_set("ks4")
    assert ks4 is not None
    assert set(ks4.fixed) == {"ks2_level", "ks2_points", "ks2_read_well"}


def test_a_school_that_is_not_in_the_public_list_is_refused(tmp_path: Path) -> None:
    found = linked.rows(20, seed=7)
    found["schools"] = [row for row in found["schools"] if row["school"] != "S3"]
    with pytest.raises(IngestRefused) as refused:
        ingest(CATALOGUE, linked.CATALOGUE, linked.write(found, tmp_path), tmp_path / "cuts")
    problems = {(p.rule.name, p.data_set, p.about) for p in refused.value.report.problems}
    assert ("orphan", "ks4", "school_region") in problems and ("orphan", "census", "school_region") in problems
    assert list_cuts(tmp_path / "cuts") == ()


@pytest.mark.parametrize("more", ["", 'bins = { width = "1000" }\n', 'optional = true\nbins = { width = "1000" }\n'])
def test_a_school_of_which_only_a_number_is_taken_must_be_found_too(tmp_path: Path, more: str) -> None:
    text = (
        linked.CATALOGUE.replace('take = ["region", "capacity"]', 'take = ["capacity"]')
        .replace('sort_by = ["school_region"]', "")
        .replace('take = ["fsm", "fsm6", "school_region"]', 'take = ["fsm", "fsm6"]')
        .replace(
            'to = "schools"\non = { school = "school" }\ntake = ["region"]',
            'to = "schools"\non = { school = "school" }\ntake = ["capacity"]',
        )
    )
    head, tail = text.rsplit("optional = true\n", 1)
    text = f"{head}{more}{tail}"
    found = linked.rows(20, seed=7)
    found["schools"] = [row | {"capacity": row["capacity"] or "7"} for row in found["schools"] if row["school"] != "S3"]
    with pytest.raises(IngestRefused) as refused:
        ingest(load_catalogue(text), text, linked.write(found, tmp_path), tmp_path / "cuts")
    problems = {(p.rule.name, p.data_set, p.about) for p in refused.value.report.problems}
    assert problems == {("orphan", "ks4", "school_capacity"), ("orphan", "census", "school_capacity")}


def test_values_of_links_whose_names_run_together_stay_apart(tmp_path: Path) -> None:
    """Link "k" by "la_y" and link "k_la" by "y": both look codes up in lists of another order."""
    one = "type = 'category'\nlabel = 'x'\n" + linked.CLASSES
    text = f"""[cut]
id = "apart"
title = "Names that run together"
privacy_unit = "pupil"
synthetic = true
[data_sets.a]
title = "A"
key = {{ unit = "pupil" }}
[data_sets.a.variables.la_y]
{one}codes = ["A", "B"]
[data_sets.a.variables.y]
{one}codes = ["P", "Q"]
[data_sets.a.links.k]
to = "first"
on = {{ la_y = "code" }}
take = ["v"]
[data_sets.a.links.k_la]
to = "second"
on = {{ y = "code" }}
take = ["w"]
[data_sets.first]
title = "First"
public = true
key = {{ also = ["code"] }}
[data_sets.first.variables.code]
{one}codes = ["B", "A", "Z"]
[data_sets.first.variables.v]
{one}codes = ["of A", "of B", "of Z"]
[data_sets.second]
title = "Second"
public = true
key = {{ also = ["code"] }}
[data_sets.second.variables.code]
{one}codes = ["Z", "P", "Q"]
[data_sets.second.variables.w]
{one}codes = ["of P", "of Q", "of Z"]
"""
    files = {
        "a": [{"pupil": "1", "la_y": "A", "y": "P"}, {"pupil": "2", "la_y": "B", "y": "Q"}],
        "first": [{"code": code, "v": f"of {code}"} for code in "ABZ"],
        "second": [{"code": code, "w": f"of {code}"} for code in "PQZ"],
    }
    cut = ingest(load_catalogue(text), text, linked.write(files, tmp_path), tmp_path / "cuts")
    found = {(row["la_y"], row["k_v"], row["y"], row["k_la_w"]) for row in stored(cut, "a")}
    assert found == {("A", "of A", "P", "of P"), ("B", "of B", "Q", "of Q")}


def test_a_public_row_that_stands_twice_is_refused(tmp_path: Path) -> None:
    found = linked.rows(20, seed=7)
    found["schools"].append(found["schools"][0] | {"region": "S"})
    with pytest.raises(IngestRefused) as refused:
        ingest(CATALOGUE, linked.CATALOGUE, linked.write(found, tmp_path), tmp_path / "cuts")
    assert [(p.rule.name, p.count) for p in refused.value.report.problems] == [("repeated-key", 1)]


def test_a_derived_number_beyond_its_range_is_refused(tmp_path: Path) -> None:
    text = linked.CATALOGUE.replace('range = ["-3", "37"]', 'range = ["11", "37"]').replace(
        '["-3", "11"', '["11", "13"'
    )
    with pytest.raises(IngestRefused) as refused:
        ingest(load_catalogue(text), text, linked.write(linked.rows(60, seed=7), tmp_path), tmp_path / "cuts")
    assert [(p.rule.name, p.about) for p in refused.value.report.problems] == [("out-of-range", "total")]


def test_a_derived_code_that_is_missing_is_refused_where_none_stands_for_it(tmp_path: Path) -> None:
    text = linked.CATALOGUE.replace('codes = ["Y", "N", "U"]\nmissing = "U"', 'codes = ["Y", "N", "U"]')
    with pytest.raises(IngestRefused) as refused:
        ingest(load_catalogue(text), text, linked.write(linked.rows(60, seed=7), tmp_path), tmp_path / "cuts")
    assert [(p.rule.name, p.about) for p in refused.value.report.problems] == [("missing-value", "disadvantaged")]
