"""Drawn pupils: their folder follows from the model's file and a seed, and nothing else gets into it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest

from datasets.catalogue import Impossible
from datasets.catalogue_toml import bundle, load_catalogue
from datasets.derive.parse import parse
from synthetic.checking.run import check
from synthetic.drawn.file import ModelFile, Origin, read, written
from synthetic.drawn.release import draw, strange
from synthetic.drawn.report import report_of
from synthetic.fidelity.files import write
from synthetic.fidelity.margins import Variable
from synthetic.fidelity.report import Reference
from synthetic.folder import manifest_of, tree
from synthetic.model import ArrayCounter, Domain, Model, Settings, Zero, fit
from synthetic.model.artefact import ModelRefused
from synthetic.model.zeros import Zeros
from synthetic.release import Check, gates
from synthetic.tables import counted

ROWS = 3_000
QUICK = Settings(steps=5, last_steps=20, probe=2_000, picks=2)
COLUMNS = (
    Variable("la_region", "Local authority: Region", ("N", "S"), ("North", "South")),
    Variable("sex", "Sex", ("F", "M"), ("Girls", "Boys “quoted”")),
    Variable("need", "Need", ("a", "b", "'c'"), ("A", "B", "C")),
)
ORIGIN = Origin("syn-0123", "npd@1", "census", "School census", "year 202324", "2026-12-01", 15_000_000, 1e-10)


@pytest.fixture(scope="module")
def text() -> str:
    """Of a model of pupils of whom more boys are in the south."""
    rng = np.random.default_rng(1)
    region = rng.integers(0, 2, 20_000)
    rows = np.column_stack([region, rng.random(20_000) < 0.3 + 0.4 * region, rng.integers(0, 3, 20_000)])
    domain = Domain(("la.region", "sex", "need"), (2, 2, 3))
    return written(ModelFile(ORIGIN, COLUMNS, {"need": "a"}, fit(ArrayCounter(rows, domain), domain, 0.015, 1, QUICK)))


@pytest.fixture(scope="module")
def drawn(text: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("drawn") / "out"
    draw(text, folder, ROWS, 7, silent)
    write(report_of(folder), folder)
    return folder


@pytest.fixture
def copy(drawn: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(drawn, tmp_path / "copy"))


def silent(step: str, done: int, of: int) -> None:
    """Nobody watches."""


def derived(**changed: Any) -> dict[str, Any]:
    whole = {"name": "any_need", "label": "Any need", "codes": [["0", "None"], ["1", "Any"]], "missing": None}
    return whole | {"follows": "case when (need = 'a') then '0' else '1' end"} | changed


RULE = Zero((("sex", (0,)), ("need", (2,))))
"""No girl has need 'c'."""


def ruled(text: str, zeros: tuple[Zero, ...] = (RULE,)) -> str:
    """The same margins with a rule, and with a variable that follows."""
    document = json.loads(text)
    document["derived"] = [derived()]
    file = read(json.dumps(document))
    return written(replace(file, model=replace(file.model, zeros=Zeros(file.model.domain, zeros))))


def of_impossible(folder: Path) -> int:
    (found,) = [f.broken for f in check(folder) if f.rule == "census: impossible 1"]
    return found


def pairs(folder: Path) -> dict[tuple[str, str | None], int]:
    found = counted([folder / "census" / "pupils-001.parquet"], ["sex", "need"])
    return {(sex, need): n for sex, need, n in found}


def test_rules_and_what_follows_stand_in_the_catalogue_and_hold_of_the_rows(text: str, tmp_path: Path) -> None:
    draw(ruled(text), tmp_path / "out", ROWS, 7, silent)
    assert written(read(ruled(text))) == ruled(text)
    census = load_catalogue(bundle(tmp_path / "out" / "catalogue")).data_sets[0]
    assert census.impossible == (Impossible((("sex", (0,)), ("need", (2,)))),)
    follows = census.by_name["any_need"]
    assert (follows.derived, [c.label for c in follows.atoms]) == (parse(derived()["follows"]), ["None", "Any"])
    assert of_impossible(tmp_path / "out") == 0
    counts = pairs(tmp_path / "out")
    assert ("F", "'c'") not in counts and counts["M", "'c'"] > 0


def test_a_value_of_another_type_breaks_rules_of_codes_and_nothing_else(text: str, tmp_path: Path) -> None:
    draw(ruled(text), tmp_path / "out", ROWS, 7, silent)
    file = tmp_path / "out" / "census" / "pupils-001.parquet"
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t AS SELECT * REPLACE (1 AS sex) FROM '{file}'")
        connection.execute(f"COPY t TO '{file}' (FORMAT parquet)")
    assert {f.rule: f.broken for f in check(tmp_path / "out") if f.broken} == {"files": 1, "census.sex: values": ROWS}


def test_a_derived_value_that_is_missing_has_its_code(text: str, tmp_path: Path) -> None:
    document = json.loads(ruled(text))
    document["derived"] = [derived(follows="case when need = 'a' then '1' end", missing="0")]
    draw(json.dumps(document), tmp_path / "out", ROWS, 7, silent)
    census = load_catalogue(bundle(tmp_path / "out" / "catalogue")).data_sets[0]
    assert (census.by_name["any_need"].missing, census.by_name["any_need"].derived is not None) == ("0", True)


def test_rows_that_break_a_rule_of_their_catalogue_are_found(text: str, tmp_path: Path) -> None:
    """The control: drawn without the rule, which the catalogue gets afterwards."""
    for name, zeros in (("with", (RULE,)), ("without", ())):
        draw(ruled(text, zeros), tmp_path / name, ROWS, 7, silent)
    shutil.copy(tmp_path / "with" / "catalogue" / "cut.toml", tmp_path / "without" / "catalogue" / "cut.toml")
    girls = pairs(tmp_path / "without")["F", "'c'"]
    assert of_impossible(tmp_path / "without") == girls > 0


def test_a_missing_value_breaks_a_rule_as_its_code_does(text: str, tmp_path: Path) -> None:
    for name, zeros in (("with", (Zero((("sex", (1,)), ("need", (0,)))),)), ("without", ())):
        draw(ruled(text, zeros), tmp_path / name, ROWS, 7, silent)
    assert of_impossible(tmp_path / "with") == 0
    shutil.copy(tmp_path / "with" / "catalogue" / "cut.toml", tmp_path / "without" / "catalogue" / "cut.toml")
    boys = pairs(tmp_path / "without")["M", None]
    assert of_impossible(tmp_path / "without") == boys > 0


def test_the_file_comes_back_as_it_was(text: str) -> None:
    assert written(read(text)) == text


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.update(counts=[1]),
        lambda d: d["origin"].update(path="/home"),
        lambda d: d["origin"].update(nano_rho=0),
        lambda d: d["origin"].update(delta=0),
        lambda d: d["origin"].update(title="two\nlines"),
        lambda d: d["columns"].pop(),
        lambda d: d["columns"].reverse(),
        lambda d: d["columns"][0].update(n=3),
        lambda d: d["columns"][0]["codes"].pop(),
        lambda d: d["columns"][0]["codes"][0].append(12),
        lambda d: d["columns"][0].update(name="../la"),
        lambda d: d["columns"][0].update(missing="E"),
        lambda d: d["model"].update(exact=[1]),
        lambda d: d.pop("derived"),
        lambda d: d["derived"].append({"name": "x", "label": "X", "codes": [["1", "1"]], "missing": None}),
        lambda d: d["derived"].append(derived(follows="select 1")),
        lambda d: d["derived"].append(derived(follows="'1'" + " " * 20_000)),
        lambda d: d["derived"].append(derived(missing="2")),
        lambda d: d["derived"].append(derived(name=["any_need"])),
        lambda d: d["derived"].append(derived(name=7)),
        lambda d: d["derived"].append(derived(follows="case when ever(need = 'a', " + "9" * 5_000 + ") then '1' end")),
        lambda d: d["derived"].append(derived(name="sex")),
        lambda d: d["derived"].append(derived(label="two\nlines")),
        lambda d: d["derived"].append(derived(rows=3)),
    ],
)
def test_what_is_not_on_the_list_is_in_no_file(text: str, change: Callable[[Any], object]) -> None:
    document = json.loads(text)
    change(document)
    with pytest.raises(ModelRefused):
        read(json.dumps(document))


def test_the_folder_is_a_release_that_a_catalogue_reads(drawn: Path) -> None:
    manifest = manifest_of(drawn)
    catalogue = load_catalogue(bundle(drawn / "catalogue"))
    census = catalogue.data_set("census")
    assert census is not None
    assert (catalogue.cut, catalogue.synthetic, catalogue.digest) == ("npd-synthetic", True, manifest["catalogue"])
    assert [(v.name, v.label, tuple(c.code for c in v.atoms)) for v in census.variables] == [
        (v.name, v.label, v.codes) for v in COLUMNS
    ]
    assert [c.label for c in census.by_name["sex"].atoms] == ["Girls", "Boys “quoted”"]
    assert (manifest["tier"], manifest["model"]["release"], manifest["plan"]) == (
        *("T3", "syn-0123"),
        {"pupils": ROWS, "seed": 7},
    )
    assert set(manifest["files"]) == {"census/pupils-001.parquet", "model.json"}


def test_a_code_that_stands_for_an_empty_value_is_one_in_the_files(drawn: Path, text: str) -> None:
    """As in the files of the cut; ingest and the report read it back as the code."""
    counts = dict(counted([drawn / "census" / "pupils-001.parquet"], ["need"]))
    assert counts.keys() == {None, "b", "'c'"}
    census = load_catalogue(bundle(drawn / "catalogue")).data_sets[0]
    assert (census.by_name["need"].missing, census.by_name["sex"].missing) == ("a", None)
    (of_need,) = [m for m in report_of(drawn).margins if m.variable.name == "need"]
    assert of_need.source.counts.tolist() == [counts[None], counts["b"], counts["'c'"]]


def test_the_same_seed_gives_the_same_folder_with_any_number_of_workers(text: str, tmp_path: Path) -> None:
    for name, seed, workers in (("a", 7, 1), ("b", 7, 2), ("c", 8, 1)):
        draw(text, tmp_path / name, ROWS, seed, silent, workers)
    a, b, c = (tree(tmp_path / name) for name in "abc")
    assert a == b
    assert a["census/pupils-001.parquet"] != c["census/pupils-001.parquet"]


@pytest.mark.parametrize("rows", [0, 100_000_001])
def test_more_rows_than_can_be_drawn_again_are_not_drawn(text: str, tmp_path: Path, rows: int) -> None:
    with pytest.raises(ValueError, match="rows: wants 1 to 100,000,000"):
        draw(text, tmp_path / "out", rows, 7, silent)
    assert not (tmp_path / "out").exists()


def test_the_report_compares_with_the_noisy_margins_alone(drawn: Path, text: str) -> None:
    report, model = report_of(drawn), read(text).model
    assert report.reference is Reference.MEASURED
    cliques = [tuple(n.replace(".", "_") for n in m.clique) for m in model.measured]
    assert [k.names for k in report.about.kept] == cliques
    assert all(k.sigma == m.sigma for k, m in zip(report.about.kept, model.measured, strict=True))
    assert report.about.price is not None
    assert report.about.price.rho == 0.015
    for one in report.margins:
        name = "la.region" if one.variable.name == "la_region" else one.variable.name
        assert one.reference.counts.tolist() in told_of(model, name)
        assert one.source.counts.sum() == ROWS
    assert max(v.mean for v in report.variations) < 0.02


def told_of(model: Model, name: str) -> list[Any]:
    """Of one column, what each measured table says."""
    tables = [m for m in model.measured if name in m.clique]
    return [m.counts.sum(axis=tuple(i for i, n in enumerate(m.clique) if n != name)).tolist() for m in tables]


def test_a_value_that_is_no_code_of_the_model_is_refused_in_words(copy: Path) -> None:
    file = next((copy / "census").glob("*.parquet"))
    with duckdb.connect() as connection:
        connection.execute(f"CREATE TABLE t AS SELECT * REPLACE (sex::VARCHAR AS sex) FROM '{file}'")
        connection.execute("UPDATE t SET sex = 'Q' WHERE rowid = 0")
        connection.execute(f"COPY t TO '{file}'")
    with pytest.raises(ValueError, match="sex: the files have a value that is none of its codes"):
        report_of(copy)


def test_its_sections_are_numbered_without_a_gap(drawn: Path) -> None:
    page = (drawn / "report.html").read_text(encoding="utf-8")
    numbers = re.findall(r"<h2 [^>]*>(\d+)\. ", page)
    assert numbers == [str(n) for n in range(1, len(numbers) + 1)]
    assert 6 < len(numbers) == page.count("<h2") < 11, "some sections are of what these rows do not have"


def test_all_gates_are_open_to_it(drawn: Path) -> None:
    assert {gate.check: gate.wrong for gate in gates(drawn)} == dict.fromkeys(Check, ())


def edited(name: str, change: Callable[[str], str]) -> Callable[[Path], object]:
    return lambda f: (f / name).write_text(change((f / name).read_text(encoding="utf-8")), encoding="utf-8")


def real_rows(folder: Path) -> None:
    """Other rows under the same name, of the same look, with a manifest that fits them."""
    from synthetic.manifest import sha256
    from synthetic.npd.parquet import Coded, Writer

    path = folder / "census" / "pupils-001.parquet"
    with Writer({"provenance": "synthetic", "tier": "T3"}) as writer:
        writer.write(path, {v.name: Coded(v.codes, np.zeros(ROWS, np.uint8)) for v in COLUMNS})
    manifest = manifest_of(folder)
    manifest["files"]["census/pupils-001.parquet"]["sha256"] = sha256(path)
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        (real_rows, "census/pupils-001.parquet"),
        (lambda f: shutil.copy(f / "census/pupils-001.parquet", f / "census/more.parquet"), "census/more.parquet"),
        (lambda f: (f / "catalogue" / "more.csv").write_text("1"), "catalogue/more.csv"),
        (lambda f: (f / "model.json").unlink(), "model.json"),
        (edited("model.json", lambda t: t.replace("School census", "Census")), "catalogue/cut.toml"),
        (edited("manifest.json", lambda t: t.replace('"seed": 7', '"seed": 8')), "census/pupils-001.parquet"),
        (edited("catalogue/cut.toml", lambda t: t.replace("Girls", "Boys")), "catalogue/cut.toml"),
    ],
)
def test_what_the_model_does_not_draw_is_found(copy: Path, fault: Callable[[Path], object], named: str) -> None:
    fault(copy)
    assert named in strange(copy, manifest_of(copy)["plan"])
    wrong = {gate.check for gate in gates(copy) if gate.wrong}
    assert Check.DISCLOSURE in wrong


def test_columns_that_would_have_one_name_are_refused(text: str) -> None:
    file = read(text)
    domain = Domain(("la.region", "la_region", "need"), (2, 2, 3))
    model = replace(file.model, zeros=Zeros(domain), measured=tuple(
        replace(m, clique=tuple({"sex": "la_region"}.get(n, n) for n in m.clique)) for m in file.model.measured
    ))  # fmt: skip
    columns = (COLUMNS[0], replace(COLUMNS[1], name="la_region"), COLUMNS[2])
    with pytest.raises(ModelRefused, match="same name"):
        ModelFile(ORIGIN, columns, {}, model)
