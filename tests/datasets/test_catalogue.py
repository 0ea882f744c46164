"""What a custodian writes: good catalogues mean what they say, bad ones are refused whole, with every reason."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from datasets.catalogue import Key
from datasets.catalogue_toml import CatalogueRefused, load_catalogue
from datasets.variables import Numbers, Sensitivity, TimePeriod
from tests.lib import school
from tests.lib.structural import SMALL

GOOD = school.CATALOGUE
LINES = GOOD.strip().splitlines()
KEY = '[data_sets.census.key]\nunit = "pupil_id"\ntime = "year"\nrows_per_period = 2\n'
SET = "data_sets.census"
LA, SEX, NEED, SCORE, DAYS, YEAR = (f"{SET}.variables.{n}" for n in ("la", "sex", "need", "score", "days", "year"))


def edited(*edits: tuple[str, str]) -> str:
    """The good catalogue with the first occurrence of each text replaced."""
    text = GOOD
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(CatalogueRefused) as refused:
        load_catalogue(text)
    assert all(problem in str(refused.value) for problem in refused.value.problems), "the message tells all of them"
    return refused.value.problems


def test_the_school_means_what_it_says() -> None:
    made = load_catalogue(GOOD)
    assert (made.cut, made.title, made.unit, made.synthetic) == ("school", "A small school", "pupil", True)
    assert made.digest == hashlib.sha256(GOOD.encode()).hexdigest()
    assert [d.id for d in made.data_sets] == ["census"]
    census = made.data_sets[0]
    assert made.data_set("census") is census
    assert made.data_set("nothing") is None
    assert census.key == Key("pupil_id", "year", (), 2)
    assert [v.name for v in census.variables] == ["year", "la", "sex", "need", "score", "days"]
    assert [v.name for v in census.domain] == ["year", "la", "sex", "need", "score"], "days has no bins"
    assert (census.sort_by, census.max_rows, census.references) == (("la",), 1_000_000_000, ())
    assert census.levels == {"LA": "la", "REG": "la.region"}
    assert census.time is census.by_name["year"]
    assert census.time_periods[1] == TimePeriod("202223", "2022/2023 AY", "2022/2023", "AY")


def test_codes_and_bandings_of_the_school() -> None:
    by_name = school.census().by_name
    la, sex, need = by_name["la"], by_name["sex"], by_name["need"]
    assert [(a.code, a.label) for a in la.atoms[:2]] == [("A1", "Ashby"), ("A2", "Barton")]
    assert la.bandings[0].groups == ((0, 1), (2, 3, 4))
    assert (la.level, la.bandings[0].level) == ("LA", "REG")
    assert need.atoms[0].label == "a", "a code alone is its own label"
    assert [c.code for c in need.bandings[0].codes] == ["first", "last"]
    assert need.bandings[0].groups == ((0, 2, 4), (10,)), "codes in no band are outside the banding"
    assert (sex.sensitivity, sex.sensitivity.needs_grant) == (Sensitivity.D, True)
    assert need.sensitivity.needs_grant is False
    assert sex.column == "sex"
    assert sex.needs_banding is False


def test_numbers_of_the_school_are_ticks() -> None:
    score, days = school.census().by_name["score"], school.census().by_name["days"]
    edges = (-4, 0, 4, 8, 12, 16, 20)
    assert score.numbers == Numbers(Decimal("0.5"), -4, 20, (0, 16), edges, True, "points", 2)
    codes = ["(-2) to <0", "0 to <2", "2 to <4", "4 to <6", "6 to <8", "8 to 10", "missing"]
    assert [a.code for a in score.atoms] == codes
    assert [c.code for c in score.bandings[0].codes] == ["(-2) to <2", "2 to 10"]
    assert score.bandings[0].groups == ((0, 1), (2, 3, 4, 5)), "the missing are in no band of numbers"
    assert days.numbers == Numbers(Decimal(1), 0, 200, (0, 200), (), False, "", 1)
    assert days.atoms == ()


def test_bins_may_be_edges_and_a_last_bin_may_be_narrow() -> None:
    by_edges = load_catalogue(edited(('{ width = "2" }', "{ edges = [-2, 2, 5.5, 10] }"))).data_sets[0]
    numbers = by_edges.by_name["score"].numbers
    assert numbers is not None
    assert numbers.edges == (-4, 4, 11, 20)
    narrow = load_catalogue(edited(('{ width = "2" }', "{ width = 5 }"), ('["-2", "2", "10"]', '["-2", "3", "10"]')))
    assert [a.code for a in narrow.data_sets[0].by_name["score"].atoms[:3]] == ["(-2) to <3", "3 to <8", "8 to 10"]


def test_each_row_may_be_one_pupil() -> None:
    made = load_catalogue(edited((KEY, 'key = "each row is one pupil"\n'))).data_sets[0]
    assert made.key == Key(None, "year")


def test_rows_may_be_bounded_and_variables_fixed() -> None:
    text = edited(("rows_per_period = 2", "bound_rows = 5"), ('sort_by = ["la"]', 'fixed = ["sex", "score"]'))
    made = load_catalogue(text).data_sets[0]
    assert made.key == Key("pupil_id", "year", (), 5, bounded=True)
    assert made.fixed == ("sex", "score")
    assert school.census().fixed == ()


def test_all_faults_of_a_bound_and_of_what_is_fixed_at_once() -> None:
    edits = ("rows_per_period = 2", "rows_per_period = 0\nbound_rows = 0"), ('sort_by = ["la"]', 'fixed = ["region"]')
    paths = [f"{SET}.key.bound_rows", f"{SET}.key.rows_per_period", f"{SET}.key.bound_rows", f"{SET}.fixed"]
    assert [p.split(": ")[0] for p in problems(edited(*edits))] == paths


def test_the_demonstration_means_what_it_says() -> None:
    made = load_catalogue(SMALL.read_text(encoding="utf-8"))
    assert (made.cut, made.synthetic) == ("demo", True)
    census, ks4 = made.data_sets
    assert (census.id, ks4.id) == ("census", "ks4")
    assert census.key == ks4.key == Key("pupil_id", "academic_year", (), 1)
    assert census.levels == ks4.levels == {"LA": "la", "REG": "la.region"}
    la = census.by_name["la"]
    region = la.bandings[0]
    assert len(region.codes) == 9
    assert sorted(a for group in region.groups for a in group) == list(range(len(la.atoms))), "every LA has a region"
    assert [c.code for c in census.by_name["absence"].bandings[0].codes] == ["0 to <10", "10 to 100"]
    assert len(census.by_name["absence"].atoms) == 100
    granted = {v.name for d in made.data_sets for v in d.variables if v.sensitivity.needs_grant}
    assert granted == {"sex", "sen"}


def test_the_examples_mean_what_they_say(root: Path) -> None:
    found = {p.name: load_catalogue(p.read_text(encoding="utf-8")) for p in sorted((root / "examples").glob("*.toml"))}
    assert sorted(found) == ["absence.toml", "chem97.toml"], "a new example needs its facts here"
    assert not any(c.synthetic for c in found.values())
    absence, chem97 = (found[n].data_sets[0] for n in ("absence.toml", "chem97.toml"))
    assert absence.key == Key(None, "time_period")
    assert len(absence.by_name["la"].atoms) == 152
    assert absence.by_name["la"].bandings[0].checked_against == "region_code"
    assert absence.by_name["sex"].column == "gender"
    assert ("Female", "F") in absence.by_name["sex"].recode
    for banding in absence.by_name["absence_band"].bandings:
        assert sorted(a for group in banding.groups for a in group) == list(range(11)), banding.name
    assert chem97.key == Key(None)
    assert len(chem97.by_name["lea"].atoms) == 131
    assert chem97.by_name["age"].needs_banding, "class 4: in bands only"
    assert (chem97.by_name["score"].column, chem97.by_name["grade"].column) == ("score", "score")
    gcse = chem97.by_name["gcse"].numbers
    assert gcse is not None
    assert (gcse.step, gcse.highest, len(gcse.edges), gcse.decimals) == (Decimal("0.001"), 8000, 801, 4)


BAD = [
    # What the file as a whole holds.
    ("[cut]", "[cot]", "cut.id", "wants an id of a–z, 0–9 and -"),
    ("[cut]", "cuts = 3\n[cut]", "cuts", "known are code_lists, cut, data_sets"),
    ('id = "school"', "", "cut.id", "wants an id of a–z, 0–9 and -"),
    ('id = "school"', 'id = "School"', "cut.id", "wants an id of a–z, 0–9 and -"),
    ('id = "school"', 'id = "../school"', "cut.id", "wants an id of a–z, 0–9 and -"),
    ('title = "A small school"', "title = 3", "cut.title", "wants a text"),
    ('privacy_unit = "pupil"', "", "cut.privacy_unit", "e.g. 'pupil'"),
    ("synthetic = true", "", "cut.synthetic", "true or false"),
    ("synthetic = true", 'synthetic = "no"', "cut.synthetic", "true or false"),
    ("synthetic = true", "synthetic = 0", "cut.synthetic", "true or false"),
    ('columns = ["code", "label", "region"]', "columns = 3", "code_lists.area.columns", "first 'code' and 'label'"),
    ('["code", "label", "region"]', '["label", "code", "region"]', "code_lists.area.columns", "'code' and 'label'"),
    ('["A2", "Barton", "N"]', '["A2", "Barton"]', "code_lists.area.rows[1]", "wants 3 texts"),
    ('["A2", "Barton", "N"]', '["A2", 3, "N"]', "code_lists.area.rows[1]", "wants 3 texts"),
    # The data set and its key.
    ('title = "Census"', "", f"{SET}.title", "wants a text"),
    (
        'title = "Census"',
        'title = "Census"\ntitel = ""',
        f"{SET}.titel",
        "known are cubes, description, fixed, impossible, key",
    ),
    ('title = "Census"', 'title = "Census"\nimpossible = [{ sex = ["F"] }]', f"{SET}.impossible[0]", "two variables"),
    (
        'title = "Census"',
        'title = "Census"\nimpossible = [{ sex = ["X"], la = ["A1"] }]',
        f"{SET}.impossible[0].sex",
        "codes of sex: F, M, U",
    ),
    (
        'title = "Census"',
        'title = "Census"\nimpossible = [{ sex = ["F"], score = ["0 to 1"] }]',
        f"{SET}.impossible[0].score",
        "unknown; known are",
    ),
    ('sort_by = ["la"]', 'sort_by = "la"', f"{SET}.sort_by", "a list of variables"),
    ('sort_by = ["la"]', 'sort_by = ["region"]', f"{SET}.sort_by", "variables of this data set: days, la, need, score"),
    ('sort_by = ["la"]', 'cubes = [["la", "days"]]', f"{SET}.cubes[0]", "variables of this data set: la, need, score"),
    ('sort_by = ["la"]', 'max_rows = "many"', f"{SET}.max_rows", "the most rows that there can ever be"),
    ('sort_by = ["la"]', "max_rows = 0", f"{SET}.max_rows", "a whole number from 1"),
    ('sort_by = ["la"]', "references = [3]", f"{SET}.references[0]", "wants a table"),
    (
        'sort_by = ["la"]',
        'references = [{ variable = "la", to = "ks4", to_variable = "la" }]',
        f"{SET}.references",
        "wants variable, data set and variable that exist",
    ),
    (
        'sort_by = ["la"]',
        'references = [{ variable = "la", to = "census", to_variable = "days" }]',
        f"{SET}.references",
        "two categories, or two numbers of the same step",
    ),
    (KEY, "", f"{SET}.key", "'each row is one pupil'"),
    (KEY, 'key = "one row each"\n', f"{SET}.key", "'each row is one pupil'"),
    ('unit = "pupil_id"', "", f"{SET}.key.unit", "the column with the pupil's identifier"),
    ('time = "year"', 'time = "sex"', f"{SET}.key.time", "the variable of type 'time'"),
    ('time = "year"', 'also = ["region"]', f"{SET}.key.also", "variables of this data set: days, la"),
    ("rows_per_period = 2", "rows_per_period = 0", f"{SET}.key.rows_per_period", "from 1 to 10000"),
    ("rows_per_period = 2", "rows_per_period = 10001", f"{SET}.key.rows_per_period", "from 1 to 10000"),
    ("rows_per_period = 2", "rows_per_period = 2.5", f"{SET}.key.rows_per_period", "a whole number"),
    ("rows_per_period = 2", "rows = 2", f"{SET}.key.rows", "known are also, bound_rows, rows_per_period, time, unit"),
    ("rows_per_period = 2", "bound_rows = 0", f"{SET}.key.bound_rows", "from 1 to 10000"),
    ("rows_per_period = 2", "bound_rows = 10001", f"{SET}.key.bound_rows", "from 1 to 10000"),
    ("rows_per_period = 2", 'bound_rows = "5"', f"{SET}.key.bound_rows", "a whole number"),
    ("rows_per_period = 2", "bound_rows = true", f"{SET}.key.bound_rows", "a whole number"),
    ("rows_per_period = 2", "rows_per_period = 2\nbound_rows = 2", f"{SET}.key.bound_rows", "no rows_per_period"),
    ('sort_by = ["la"]', 'fixed = "sex"', f"{SET}.fixed", "a list of variables"),
    ('sort_by = ["la"]', 'fixed = ["region"]', f"{SET}.fixed", "variables of this data set: days, la, need, score"),
    ('sort_by = ["la"]', 'fixed = [["sex"]]', f"{SET}.fixed", "variables of this data set"),
    ('sort_by = ["la"]', 'fixed = ["year"]', f"{SET}.fixed", "leave time out of the key instead"),
    (
        f'sort_by = ["la"]\n{KEY}',
        'fixed = ["sex"]\nkey = "each row is one pupil"\n',
        f"{SET}.fixed",
        "a key with a unit",
    ),
    # Any variable.
    ("variables.sex]", "variables.record_key]", f"{SET}.variables.record_key", "taken by a column of every answer"),
    ("variables.sex]", "variables.bound_rank]", f"{SET}.variables.bound_rank", "taken by a column of every answer"),
    ("variables.sex]", "variables.Sex]", f"{SET}.variables.Sex", "a–z, 0–9 and _, starting with a letter"),
    ("variables.sex]", "variables.value]", f"{SET}.variables.value", "taken by a column of every answer"),
    ('type = "time"', 'type = "date"', f"{YEAR}.type", "'category', 'number' or 'time'"),
    ('type = "category"\nlabel = "Sex"', 'label = "Sex"', f"{SEX}.type", "'category', 'number' or 'time'"),
    ('label = "Sex"\nidentifiability = 5', 'label = "Sex"\nidentifiability = 3', f"{SEX}.identifiability", "4 or 5"),
    ('label = "Sex"\nidentifiability = 5', 'label = "Sex"\nidentifiability = "5"', f"{SEX}.identifiability", "4 or 5"),
    ('sensitivity = "D"', 'sensitivity = "A"', f"{SEX}.sensitivity", "wants B, C, D or E"),
    ('sensitivity = "D"', "", f"{SEX}.sensitivity", "B, C, D or E"),
    ('label = "Sex"', "", f"{SEX}.label", "wants a text"),
    ('label = "Sex"', 'label = "Sex"\nrange = [0, 1]', f"{SEX}.range", "known are bandings, codes, column"),
    ('level = "LA"', 'level = "COUNTY"', f"{LA}.level", "wants one of EDA INST LA LAD"),
    ('level = "LA"', 'level = "REG"', f"{SET}.variables", "level REG is carried twice"),
    ('label = "Sex"', 'label = "Sex"\nmissing = "N"', f"{SEX}.missing", "wants one of the codes"),
    ('label = "Sex"', 'label = "Sex"\nrecode = { "1" = "N" }', f"{SEX}.recode", "codes of this variable"),
    ('label = "Sex"', 'label = "Sex"\nrecode = { "" = "U" }', f"{SEX}.recode", "name its code as 'missing'"),
    # Codes and bandings.
    ('codes = "area"', 'codes = "areas"', f"{LA}.codes", "names no code list"),
    ('["F", "Female"]', '["F", "Female", 1]', f"{SEX}.codes[0]", "wants [code, label]"),
    ('["M", "Male"]', '["F", "Male"]', f"{SEX}.codes", "code 'F' stands twice"),
    ('[["F", "Female"], ["M", "Male"], ["U", "Unknown"]]', "[]", f"{SEX}.codes", "wants at least one code"),
    ('"2021/2022", "AY"', '"2021/2022"', f"{YEAR}.codes[0]", "e.g. ['202223', '2022/2023', 'AY']"),
    ('"2021/2022", "AY"', '"2021/2022", "YEAR"', f"{YEAR}.codes[0]", "an EES time code such as AY, T1"),
    ("bandings.some]", "bandings.bin]", f"{NEED}.bandings.bin", "'bin' is taken"),
    ('label = "Some of them"', "", f"{NEED}.bandings.some.label", "wants a text"),
    ('by = "region"', 'by = "county"', f"{LA}.bandings.region.by", "a column of the variable's code list"),
    ('["S", "South"]', '["W", "West"]', f"{LA}.bandings.region.by", "names a band that is not among codes"),
    ('["a", "c", "e"]', '["a", "z"]', f"{NEED}.bandings.some.bands[0]", "codes of the variable, each in one band"),
    ('["last", "Last", ["k"]]', '["last", "Last", ["a"]]', f"{NEED}.bandings.some.bands[1]", "each in one band"),
    ('["last", "Last", ["k"]]', '["last", ["k"]]', f"{NEED}.bandings.some.bands[1]", "[code, label, [codes of"),
    ('["last", "Last", ["k"]]', '["first", "L", ["k"]]', f"{NEED}.bandings.some.bands", "'first' stands twice"),
    # Numbers.
    ('step = "0.5"', "", f"{SCORE}.step", "the smallest difference, e.g. '0.1'"),
    ('step = "0.5"', 'step = "0"', f"{SCORE}.step", "wants a number above 0"),
    ('step = "0.5"', 'step = "half"', f"{SCORE}.step", "wants a number above 0"),
    ('step = "0.5"', "step = nan", f"{SCORE}.step", "wants a number above 0"),
    ('range = ["0", "200"]', "", f"{DAYS}.range", "[lowest, highest]"),
    ('range = ["0", "200"]', 'range = ["200", "0"]', f"{DAYS}.range", "[lowest, highest], rising"),
    ('range = ["0", "200"]', 'range = ["0"]', f"{DAYS}.range", "[lowest, highest], rising"),
    ('range = ["0", "200"]', 'range = ["0", "200.5"]', f"{DAYS}.range", "multiples of step"),
    ('range = ["0", "200"]', "range = [0, inf]", f"{DAYS}.range", "multiples of step"),
    ('range = ["0", "200"]', "range = [false, true]", f"{DAYS}.range", "multiples of step"),
    ('range = ["0", "200"]', 'range = ["0", "1e20"]', f"{DAYS}.range", "fewer than 2^62 steps"),
    ('range = ["0", "200"]', 'range = ["0", "3e9"]', DAYS, "a larger step, a narrower clamp or a smaller max_rows"),
    ('clamp = ["0", "8"]', 'clamp = ["8", "0"]', f"{SCORE}.clamp", "[lowest, highest], rising"),
    ('clamp = ["0", "8"]', 'clamp = ["0", "11"]', f"{SCORE}.clamp", "within the range"),
    ('clamp = ["0", "8"]', 'clamp = ["0", "8.2"]', f"{SCORE}.clamp", "multiples of step"),
    ("optional = true", 'optional = "yes"', f"{SCORE}.optional", "true or false"),
    ("optional = true", "optional = true\ndecimals = 10", f"{SCORE}.decimals", "from 0 to 9"),
    ("optional = true", "", f"{SCORE}.recode", "'missing', of an optional number"),
    ('{ width = "2" }', '{ width = "0.3" }', f"{SCORE}.bins.width", "a multiple of step"),
    ('{ width = "2" }', "{ width = 0 }", f"{SCORE}.bins.width", "above 0"),
    ('{ width = "2" }', "{}", f"{SCORE}.bins.edges", "a rising list of numbers"),
    ('{ width = "2" }', "{ edges = [-2, 0] }", f"{SCORE}.bins.edges", "from the lowest to the highest value"),
    ('{ width = "2" }', "{ edges = [-2, 4, 0, 10] }", f"{SCORE}.bins.edges", "wants a rising list"),
    ('{ width = "2" }', "2", f"{SCORE}.bins", "a table: width, or edges"),
    ('["-2", "2", "10"]', '["-2", "1", "10"]', f"{SCORE}.bandings.wide.edges", "edges of this variable's bins"),
]


@pytest.mark.parametrize(("old", "new", "path", "accepted"), BAD)
def test_each_fault_is_told_with_its_path_and_what_would_do(old: str, new: str, path: str, accepted: str) -> None:
    recode = ('unit = "points"', 'unit = "points"\nrecode = { "ABS" = "missing" }')
    found = problems(edited(recode, (old, new)))
    assert [p for p in found if p.startswith(f"{path}: ") and accepted in p], found


def test_the_edit_that_every_fault_starts_from_is_no_fault() -> None:
    """The positive control: each bad catalogue above is one edit away from this one."""
    made = load_catalogue(edited(('unit = "points"', 'unit = "points"\nrecode = { "ABS" = "missing" }')))
    assert made.data_sets[0].by_name["score"].recode == (("ABS", "missing"),)


def test_all_faults_at_once() -> None:
    bad = edited(
        ("synthetic = true", "synthetic = 1"),
        ('level = "LA"', 'level = "ZZ"'),
        ('label = "Sex"', "label = 3"),
        ('["a", "c", "e"]', '["z"]'),
        ('range = ["0", "200"]', 'range = ["0", "200"]\nwidth = 3'),
    )
    paths = ["cut.synthetic", f"{LA}.level", f"{SEX}.label", f"{NEED}.bandings.some.bands[0]", f"{DAYS}.width"]
    assert [p.split(": ")[0] for p in problems(bad)] == paths


def test_no_data_sets_and_no_variables() -> None:
    assert problems(GOOD[: GOOD.index("[data_sets")]) == ("data_sets: wants at least one data set",)
    cut = GOOD[: GOOD.index("[data_sets")]
    alone = f'{cut}\n[data_sets.census]\ntitle = "Census"\nkey = "each row is one pupil"\n'
    assert problems(alone) == (f"{SET}.variables: wants at least one variable",)


def test_at_most_one_variable_of_time() -> None:
    other = '[data_sets.census.variables.term]\ntype = "time"\nlabel = "Term"\nidentifiability = 5\nsensitivity = "E"\n'
    text = f'{GOOD}\n{other}codes = [["1", "2021/2022", "T1"]]\n'
    assert problems(text) == (f"{SET}.variables: at most one variable of type 'time'",)


@pytest.mark.parametrize("text", ["[cut", "cut = ", 'a = 1\na = 2\n[cut]\nid = "x"', "\x00", GOOD + '\n"'])
def test_what_is_not_toml_is_told_as_such(text: str) -> None:
    (problem,) = problems(text)
    assert problem.startswith("not TOML: ")
    assert "line" in problem or "end of document" in problem


@pytest.mark.parametrize("line", range(len(LINES)), ids=lambda i: f"{i}: {LINES[i]}")
def test_a_lost_line_is_refused_or_harmless(line: int) -> None:
    text = "\n".join(LINES[:line] + LINES[line + 1 :])
    try:
        made = load_catalogue(text)
    except CatalogueRefused as refused:
        assert refused.problems
    else:
        harmless = ("sort_by", "level", "clamp", "unit =", "optional", "time =", "rows_per_period", "label")
        assert made.cut == "school"
        assert not LINES[line].strip() or LINES[line].startswith(harmless), "this was wanted"


TOKENS = ["3", "-1", "0.25", "true", '"zz"', '"é\\u0000"', "inf", "nan", "[]", "[1]", '["a"]', "{}", "{ a = 1 }", "x"]
TOKENS += ["2020-01-01", "07:32:00", '"""\n"""', "[1, 2, 3]", '"-1"', '"10"']


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """The good catalogue after a few accidents: lines lost, doubled, swapped, or with another value."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 6))):
        at, to = draw(st.integers(0, len(lines) - 1)), draw(st.integers(0, len(lines) - 1))
        match draw(st.sampled_from(["lose", "double", "swap", "replace", "replace"])):
            case "lose":
                del lines[at]
            case "double":
                lines.insert(to, lines[at])
            case "swap":
                lines[at], lines[to] = lines[to], lines[at]
            case _ if " = " in lines[at]:
                lines[at] = f"{lines[at].split(' = ')[0]} = {draw(st.sampled_from(TOKENS))}"
    return "\n".join(lines)


@settings(max_examples=400)
@given(text=mangled())
def test_accidents_are_refused_and_raise_nothing_else(text: str) -> None:
    try:
        load_catalogue(text)
    except CatalogueRefused as refused:
        assert refused.problems


@given(text=st.text(max_size=200))
def test_any_text_is_refused(text: str) -> None:
    assert problems(text)


@pytest.mark.parametrize("token", TOKENS)
def test_values_of_another_kind_are_refused_and_raise_nothing_else(token: str) -> None:
    """Every value of the good catalogue, one at a time; nearly all of these must be noticed."""
    places = [i for i, line in enumerate(LINES) if " = " in line]
    refused = 0
    for at in places:
        line = f"{LINES[at].split(' = ')[0]} = {token}"
        try:
            load_catalogue("\n".join([*LINES[:at], line, *LINES[at + 1 :]]))
        except CatalogueRefused:
            refused += 1
    assert refused > len(places) / 2


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ('id = "school"', 'id = ""', "cut.id"),
        ('title = "A small school"', 'title = ""', "cut.title"),
        ('privacy_unit = "pupil"', 'privacy_unit = ""', "cut.privacy_unit"),
        ('unit = "pupil_id"', 'unit = ""', f"{SET}.key.unit"),
        ('label = "Sex"', 'label = ""', f"{SEX}.label"),
        ('sensitivity = "D"', 'sensitivity = ""', f"{SEX}.sensitivity"),
        ('type = "category"\nlabel = "Sex"', 'type = ""\nlabel = "Sex"', f"{SEX}.type"),
        ('label = "Sex"', 'label = "Sex"\ncolumn = ""', f"{SEX}.column"),
        ('sort_by = ["la"]', 'sort_by = [["la"]]', f"{SET}.sort_by"),
        ("rows_per_period = 2", 'rows_per_period = 2\nalso = [["sex"]]', f"{SET}.key.also"),
        ('["A1", "Ashby", "N"]', '["", "Ashby", "N"]', "code_lists.area.rows[0]"),
        ('["202122", "2021/2022", "AY"]', '["", "2021/2022", "AY"]', f"{YEAR}.codes[0]"),
        ('["202122", "2021/2022", "AY"]', '["202122", "2022/2023", "AY"]', f"{YEAR}.codes"),
        ('range = ["0", "200"]', "range = []", f"{DAYS}.range"),
        ('clamp = ["0", "8"]', "clamp = []", f"{SCORE}.clamp"),
        ('range = ["0", "200"]', 'range = ["0", "1e999999999"]', f"{DAYS}.range"),
        ('step = "0.5"', 'step = "1e-999999"', SCORE),
    ],
)
def test_empty_and_misshapen_values_are_refused_too(old: str, new: str, path: str) -> None:
    assert [p for p in problems(edited((old, new))) if p.startswith(path)]


def test_a_bad_sensitivity_never_loses_the_data_set() -> None:
    with pytest.raises(CatalogueRefused):
        load_catalogue(edited(('sensitivity = "D"', 'sensitivity = ""')))


def test_one_bad_step_is_one_problem() -> None:
    assert len(problems(edited(('step = "0.5"', 'step = "0"')))) == 1


def test_a_band_that_no_code_belongs_to_is_refused() -> None:
    found = problems(
        edited(('codes = [["N", "North"], ["S", "South"]]', 'codes = [["N", "North"], ["S", "South"], ["W", "West"]]'))
    )
    assert [p for p in found if "no code of the variable belongs to W" in p]
