"""A cut of several data sets that link to one another: schools, a census, key stage 2 and key stage 4."""

from __future__ import annotations

import csv
import random
from collections.abc import Mapping, Sequence
from pathlib import Path

from datasets.catalogue import Catalogue
from datasets.catalogue_toml import load_catalogue

CLASSES = 'identifiability = 5\nsensitivity = "E"\n'
YEARS = ["201718", "201819", "201920", "202021", "202122", "202223"]
PERIODS = ", ".join(f'["{y}", "20{y[2:4]}/20{y[4:]}", "AY"]' for y in YEARS)
SCHOOLS = [f"S{i}" for i in range(6)]

CATALOGUE = f"""
[cut]
id = "linked"
title = "Linked data sets"
privacy_unit = "pupil"
synthetic = true

[code_lists.schools]
csv = '''
code,label,since,until
{"".join(f"{s},School {s},2001,{'2020' if s == 'S5' else ''}{chr(10)}" for s in SCHOOLS)}'''

[data_sets.ks4]
title = "Key stage 4"
sort_by = ["school_region"]
key = {{ unit = "pupil", time = "year" }}
[data_sets.ks4.links.school]
to = "schools"
on = {{ school = "school" }}
take = ["region", "capacity"]
[data_sets.ks4.links.prior]
to = "ks2"
take = ["level", "points", "read_well"]
prefix = "ks2_"
missing = ["none", "No record of key stage 2"]
[data_sets.ks4.links.spring]
to = "census"
on = {{ year = "year" }}
where = {{ term = "SPR" }}
take = ["fsm", "fsm6", "school_region"]
[data_sets.ks4.links.y6]
to = "census"
on = {{ year = "year" }}
where = {{ term = "SPR" }}
years_before = 5
take = ["fsm"]
[data_sets.ks4.variables.year]
type = "time"
label = "Year"
{CLASSES}codes = [["202122", "2021/2022", "AY"], ["202223", "2022/2023", "AY"]]
[data_sets.ks4.variables.school]
type = "category"
label = "School"
level = "SCH"
{CLASSES}codes = "schools"
[data_sets.ks4.variables.maths]
type = "number"
label = "Maths"
{CLASSES}range = ["0", "9"]
step = "1"
optional = true
[data_sets.ks4.variables.english]
type = "number"
label = "English"
{CLASSES}range = ["0", "9"]
step = "0.5"
[data_sets.ks4.variables.disadvantaged]
type = "category"
label = "Disadvantaged"
{CLASSES}codes = ["Y", "N", "U"]
missing = "U"
derived = "case when spring_fsm6 = 'Y' or y6_fsm = 'Y' then 'Y' when spring_fsm6 = 'N' then 'N' end"
[data_sets.ks4.variables.total]
type = "number"
label = "Total"
{CLASSES}range = ["-3", "37"]
step = "1"
optional = true
bins = {{ width = "2" }}
derived = "greatest(english * 2, 1.5) + 2 * maths - coalesce(ks2_points, 0) * 0.75"
[data_sets.ks4.variables.total.bandings.half]
label = "Halves"
edges = ["-3", "11", "37"]
[data_sets.ks4.variables.passed]
type = "category"
label = "Passed both"
{CLASSES}codes = ["Y", "N"]
derived = "case when maths >= 4 and english between 4 and 9 then 'Y' else 'N' end"
[data_sets.ks4.variables.passed.bandings.all]
label = "All"
bands = [["all", "All", ["Y", "N"]]]

[data_sets.ks2]
title = "Key stage 2"
key = {{ unit = "pupil" }}
[data_sets.ks2.variables.level]
type = "category"
label = "Level"
{CLASSES}codes = ["low", "high"]
[data_sets.ks2.variables.level.bandings.any]
label = "Any"
bands = [["any", "Any", ["low", "high"]]]
[data_sets.ks2.variables.points]
type = "number"
label = "Points"
{CLASSES}range = ["0", "4"]
step = "1"
bins = {{ width = "2" }}
[data_sets.ks2.variables.marks]
type = "number"
label = "Marks"
{CLASSES}range = ["0", "110"]
step = "1"
[data_sets.ks2.variables.read_well]
type = "category"
label = "Read well"
{CLASSES}codes = ["Y", "N"]
derived = "case when level = 'high' and not (points <= 1) then 'Y' else 'N' end"

[data_sets.census]
title = "Census"
key = {{ unit = "pupil", time = "year", also = ["term"], rows_per_period = 3 }}
[data_sets.census.links.school]
to = "schools"
on = {{ school = "school" }}
take = ["region"]
[data_sets.census.variables.year]
type = "time"
label = "Year"
{CLASSES}codes = [{PERIODS}]
[data_sets.census.variables.term]
type = "category"
label = "Term"
{CLASSES}codes = ["AUT", "SPR", "SUM"]
[data_sets.census.variables.school]
type = "category"
label = "School"
level = "SCH"
{CLASSES}codes = "schools"
[data_sets.census.variables.fsm]
type = "category"
label = "Eligible"
identifiability = 5
sensitivity = "B"
codes = ["Y", "N"]
[data_sets.census.variables.age]
type = "number"
label = "Age"
{CLASSES}range = ["4", "18"]
step = "1"
bins = {{ width = "7" }}
[data_sets.census.variables.hours]
type = "number"
label = "Hours"
{CLASSES}range = ["0", "30"]
step = "0.5"
[data_sets.census.variables.fsm6]
type = "category"
label = "Ever in six years"
{CLASSES}codes = ["Y", "N"]
derived = "case when ever(fsm = 'Y', 6) then 'Y' else 'N' end"
[data_sets.census.variables.fsm2]
type = "category"
label = "Ever in two years"
{CLASSES}codes = ["Y", "N"]
derived = "case when ever(fsm = 'Y', 2) then 'Y' else 'N' end"

[data_sets.schools]
title = "Schools"
public = true
key = {{ also = ["school"] }}
[data_sets.schools.variables.school]
type = "category"
label = "School"
{CLASSES}codes = "schools"
[data_sets.schools.variables.region]
type = "category"
label = "Region"
level = "REG"
{CLASSES}codes = ["N", "S"]
[data_sets.schools.variables.capacity]
type = "number"
label = "Places"
{CLASSES}range = ["0", "2000"]
step = "1"
optional = true
"""

Rows = dict[str, list[dict[str, str]]]


def catalogue() -> Catalogue:
    return load_catalogue(CATALOGUE)


def rows(pupils: int, seed: int) -> Rows:
    """Texts of files: pupils of ks4, most of them with records before, some with none."""
    draw = random.Random(seed)
    found: Rows = {"ks4": [], "ks2": [], "census": [], "schools": []}
    for i, school in enumerate(SCHOOLS):
        capacity = "" if i == 2 else str(100 * i)
        found["schools"].append({"school": school, "region": "NS"[i % 2], "capacity": capacity})
    for i in range(pupils):
        pupil = f"P{i:04d}"
        if draw.random() < 0.8:
            found["ks2"].append(
                {
                    "pupil": pupil,
                    "level": draw.choice(["low", "high"]),
                    "points": str(draw.randint(0, 4)),
                    "marks": "55",
                }
            )
        for year in YEARS:
            for term in ("AUT", "SPR", "SUM"):
                if draw.random() < 0.7:
                    row = {"pupil": pupil, "year": year, "term": term, "school": draw.choice(SCHOOLS)}
                    fsm = "Y" if draw.random() < 0.15 else "N"
                    found["census"].append(row | {"fsm": fsm, "age": str(draw.randint(4, 18)), "hours": "25.5"})
        for year in draw.sample(["202122", "202223"], draw.choice([1, 1, 2])):
            row = {"pupil": pupil, "year": year, "school": draw.choice(SCHOOLS)}
            maths = "" if draw.random() < 0.1 else str(draw.randint(0, 9))
            found["ks4"].append(row | {"maths": maths, "english": str(draw.randint(0, 18) / 2)})
    return found


def write(found: Mapping[str, Sequence[Mapping[str, str]]], folder: Path) -> dict[str, list[Path]]:
    """A CSV file for each data set."""
    paths: dict[str, list[Path]] = {}
    for data_set, lines in found.items():
        path = folder / f"{data_set}.csv"
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(lines[0]))
            writer.writeheader()
            writer.writerows(lines)
        paths[data_set] = [path]
    return paths
