"""Schools by postcode area and type, registered, served, compared with the truth and attacked. No cell is ever shown:
what fails is told as a number of cells."""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import numpy as np
import pytest

from datasets.catalogue_toml import load_catalogue
from datasets.official.table import official_table
from datasets.validate import Limits, validate
from disclosure.policy import load_policy
from privacy_api.wire.query_in import read_query
from privacy_api.wire.table_in import read_table
from tests.lib.linear_attacker import Attacker, Cell
from tests.real.conftest import shared
from tests.real.performance_tables import Released, Truth, published, released, run_readme, served

FILE = "england_ks4final_201819.csv"
TABLES = ("ks4-area-by-school-type", "ks4-school-type-by-progress8")
LEAST, WIDTH, BASE, HIGHEST = 5, 4, 5, 90
"""Of the example's policy: threshold, width of an interval, base of rounding; and the highest Attainment 8."""
MANY = 6_000
"""More than all schools."""


@dataclass(frozen=True, repr=False)
class Example:
    tables: dict[str, Released]
    anonymous: httpx2.Response
    free: httpx2.Response


@pytest.fixture(scope="module")
def example(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Example]:
    file, work = shared(root, FILE), tmp_path_factory.mktemp("performance")
    try:
        key, schools = run_readme(root, file, work), published(file)
        with served(root, work / "home", key) as client:
            bodies = {table: client.get(f"/v1/tables/{table}") for table in TABLES}
            anonymous = httpx2.get(str(client.base_url.join(f"/v1/tables/{TABLES[0]}")))
            question = {"measures": [{"statistic": "count"}]}
            free = client.post("/v1/data-sets/performance-tables-2018-19.schools/query", json=question)
        assert [body.status_code for body in bodies.values()] == [200, 200]
        yield Example({t: released(body.json(), schools) for t, body in bodies.items()}, anonymous, free)
    finally:
        shutil.rmtree(work, ignore_errors=True)


@pytest.fixture(scope="module")
def by_area(example: Example) -> Released:
    return example.tables[TABLES[0]]


def few(truth: Truth) -> bool:
    return 0 < truth.schools < LEAST


def counts_known(table: Released, hidden: set[Cell]) -> Attacker:
    """Someone who knows every shown count exactly, which is more than is told, and of a hidden one that it is not 0."""
    return Attacker(
        {cell: (1, MANY) if cell in hidden else (truth.schools,) * 2 for cell, truth in table.truth.items()}
    )


def told(table: Released) -> Attacker:
    """Someone who has what is served and the policy."""
    bounds: dict[Cell, tuple[float, float]] = {}
    for cell, value in table.values("schools").items():
        least, most = (1.0, float(MANY)) if value is None else (value - BASE // 2, value + BASE // 2)
        bounds[cell] = (0, 0) if value == 0 else (least if value is None else max(least, LEAST), most)
    return Attacker(bounds)


def exact_and_narrow(table: Released, attacker: Attacker, hidden: set[Cell]) -> tuple[int, int]:
    """How many hidden cells are known exactly, and how many small ones to within less than the policy's width."""
    widths = attacker.widths(hidden)
    small = [width for cell, width in widths.items() if few(table.truth[cell])]
    return sum(width < 0.5 for width in widths.values()), sum(width < WIDTH - 1e-6 for width in small)


def test_the_example_is_good_by_itself(root: Path) -> None:
    """Without the data: catalogue, policy and tables fit together."""
    folder = root / "examples" / "performance-tables"
    data_set = load_catalogue((folder / "catalogue.toml").read_text(encoding="utf-8")).data_sets[0]
    policy = load_policy((folder / "policy.toml").read_text(encoding="utf-8"))
    read = [read_table(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("tables/*.toml"))]
    assert [table.table for table in read] == list(TABLES)
    for table in read:
        assert (table.policy, table.policy_version) == (policy.name, policy.version)
        query = read_query(table.question, data_set.id)
        valid = validate(query, data_set, frozenset(), Limits(policy.max_cells, policy.max_group_by), official=True)
        assert len(official_table(valid, policy, registered=True).trees) == 2


def test_what_is_prepared_names_no_school_and_places_none(root: Path, tmp_path: Path) -> None:
    columns = "URN,SCHNAME,PCODE,PCODE2,TOWN,P8_BANDING,ATT8SCR,OFSTEDRATING,INSPECTIONDT,WEB,SCHTYPE,GENDER,LATITUDE"
    rows = [
        "1,Made Up,b1 1zz,B1,Nowhere,SUPP,SUPP,Good,20180101,www.example.org,Academy,Mixed,51.5",
        "2,Other,,,Nowhere,3,40.5,,20180101,www.example.org,College,Girls,52.5",
    ]
    source, target = tmp_path / "published.csv", tmp_path / "prepared.csv"
    source.write_text("\n".join([columns, *rows]), encoding="utf-8-sig")
    script = root / "examples" / "performance-tables" / "prepare.py"
    subprocess.run([sys.executable, str(script), str(source), str(target)], check=True)
    with target.open(encoding="utf-8", newline="") as read:
        names, *found = csv.reader(read)
    assert names == ["urn", "school_type", "gender", "ofsted", "progress8", "attainment8", "area"]
    assert found == [["1", "Academy", "Mixed", "Good", "SUPP", "", "B"], ["2", "College", "Girls", "", "3", "40.5", ""]]


@pytest.mark.slow
def test_only_registered_tables_are_answered_and_only_with_a_key(example: Example) -> None:
    assert example.anonymous.status_code == 401
    assert (example.free.status_code, example.free.json()["code"]) == (403, "ad-hoc-not-allowed")


@pytest.mark.slow
@pytest.mark.parametrize(("table", "cells"), [(TABLES[0], 103 * 6), (TABLES[1], 6 * 8)])
def test_every_shown_count_is_the_rounded_truth(example: Example, table: str, cells: int) -> None:
    found = example.tables[table]
    values = found.values("schools")
    assert len(values) == cells
    assert values.keys() == found.truth.keys()
    shown = {cell: value for cell, value in values.items() if value is not None}
    wrong = [cell for cell, value in shown.items() if value != BASE * ((found.truth[cell].schools + 2) // BASE)]
    small = [cell for cell in shown if few(found.truth[cell])]
    assert (len(wrong), len(small)) == (0, 0)
    assert len(shown) > 0.75 * cells


@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
def test_no_hidden_count_can_be_worked_out(example: Example, table: str) -> None:
    found = example.tables[table]
    hidden = found.hidden("schools")
    assert sum(few(truth) for truth in found.truth.values()) > 0
    assert exact_and_narrow(found, counts_known(found, hidden), hidden) == (0, 0)
    assert exact_and_narrow(found, told(found), hidden) == (0, 0)


@pytest.mark.slow
def test_the_attacker_works_out_counts_where_only_small_ones_are_hidden(by_area: Released) -> None:
    """The control: without secondary cells the same attacker finds most of them."""
    primary = {cell for cell, truth in by_area.truth.items() if few(truth)}
    exact, narrow = exact_and_narrow(by_area, counts_known(by_area, primary), primary)
    assert exact > len(primary) / 2
    assert narrow > exact


@pytest.mark.slow
def test_two_tables_with_a_margin_in_common_hide_it_alike(example: Example) -> None:
    """So that what one shows of a school type is no more than the other does."""
    first, second = (example.tables[table].values("schools") for table in TABLES)
    types = {cell[1]: value for cell, value in first.items() if cell[0] is None}
    others = {cell[0]: value for cell, value in second.items() if cell[1] is None}
    assert types.keys() == others.keys()
    assert sum(types[name] != others[name] for name in types) == 0


def sums_known(table: Released, hidden: set[Cell]) -> Attacker:
    """Someone who knows how many schools of every cell have a score, and every shown sum exactly."""
    return Attacker(
        {
            cell: (0, HIGHEST * len(truth.scores)) if cell in hidden else (truth.total,) * 2
            for cell, truth in table.truth.items()
        }
    )


def small_sums(table: Released) -> set[Cell]:
    """Sums that are to be hidden: of few scores, dominated, or of a hidden count."""
    few_scores = {cell for cell, truth in table.truth.items() if 0 < len(truth.scores) < LEAST}
    scored = {cell for cell in table.hidden("schools") if table.truth[cell].scores}
    return few_scores | scored | {cell for cell, truth in table.truth.items() if truth.dominated}


def exact_and_narrow_sums(table: Released, hidden: set[Cell]) -> tuple[int, int]:
    widths = sums_known(table, hidden).widths(hidden)
    small = {cell: widths[cell] for cell in small_sums(table) & hidden}
    narrow = sum(width < 0.1 * table.truth[cell].total - 1e-6 for cell, width in small.items())
    return sum(width < 0.05 for width in widths.values()), narrow


@pytest.mark.slow
def test_no_hidden_mean_can_be_worked_out(by_area: Released) -> None:
    hidden = {cell for cell in by_area.hidden("attainment8") if by_area.truth[cell].scores}
    primary = small_sums(by_area)
    assert len(primary - hidden) == 0
    assert len(by_area.hidden("schools") - by_area.hidden("attainment8")) == 0
    assert exact_and_narrow_sums(by_area, hidden) == (0, 0)
    exact, _ = exact_and_narrow_sums(by_area, primary)
    assert exact > 0, "the control: with nothing hidden beside them, sums are found"


@pytest.mark.slow
def test_every_shown_mean_is_as_near_as_rounding_lets_it(by_area: Released) -> None:
    """Sums about 45 points are rounded to multiples of 5 · 45, and counts to multiples of 5."""
    middle, wrong, shown = HIGHEST / 2, 0, 0
    for cell, value in by_area.values("attainment8").items():
        truth = by_area.truth[cell]
        if value is not None:
            mean, rounded = truth.total / len(truth.scores), BASE * ((len(truth.scores) + 2) // BASE)
            most = (BASE * middle / 2 + 2 * abs(mean - middle)) / rounded + 0.05
            shown, wrong = shown + 1, wrong + (abs(value - mean) > most + 1e-9)
    assert wrong == 0
    assert shown > 250


@pytest.mark.slow
def test_what_is_lost_is_what_the_docs_say(by_area: Released, root: Path) -> None:
    text = " ".join((root / "docs" / "official.md").read_text(encoding="utf-8").split())
    assert [line for line in losses(by_area) if line not in text] == []


def losses(table: Released) -> list[str]:
    """Sums over all cells only."""
    cells, truth, hidden = [c for c in table.truth if None not in c], table.truth, table.hidden("schools")
    there = [cell for cell in cells if truth[cell].schools]
    primary = [cell for cell in there if few(truth[cell])]
    lost = [cell for cell in there if cell in hidden]
    schools = truth[(None, None)].schools
    of_primary, of_lost = (sum(truth[cell].schools for cell in own) for own in (primary, lost))
    margins = [cell for cell in hidden if None in cell]
    scored = {cell for cell, own in truth.items() if own.scores}
    errors = mean_errors(table)
    return [
        f"| cells with schools | {len(there)} of {len(cells)} |",
        f"| hidden | {len(lost)} ({100 * len(lost) / len(there):.1f} %) |",
        f"| of them primary | {len(primary)} |",
        f"| of them secondary | {len(lost) - len(primary)} |",
        f"| hidden totals | {len(margins)} of {len(truth) - len(cells)} |",
        f"| schools in hidden cells | {of_lost:,} of {schools:,} ({100 * of_lost / schools:.1f} %) |",
        f"| in primary ones | {of_primary} ({100 * of_primary / schools:.1f} %) |",
        f"| hidden means, totals too | {len(scored & table.hidden('attainment8'))} of {len(scored)} |",
        f"| error of a shown mean, median | {np.median(errors):.2f} points |",
        f"| error that one shown mean in ten exceeds | {np.quantile(errors, 0.9):.2f} points |",
    ]


def mean_errors(table: Released) -> list[float]:
    shown = {cell: value for cell, value in table.values("attainment8").items() if value is not None}
    return [abs(value - table.truth[cell].total / len(table.truth[cell].scores)) for cell, value in shown.items()]
