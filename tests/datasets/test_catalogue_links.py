"""What a catalogue may say of links, derived variables, years, names and code lists, and how it is refused."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path

import pytest

from datasets.catalogue_toml import CatalogueRefused, NotBundled, bundle, load_catalogue
from datasets.query import InvalidQuery, Measure, Query
from datasets.validate import validate
from tests.lib import linked
from tests.lib.plans import LIMITS

TEXT = linked.CATALOGUE
CATALOGUE = linked.catalogue()


def problems(*changes: tuple[str, str]) -> list[str]:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    with pytest.raises(CatalogueRefused) as refused:
        load_catalogue(text)
    return list(refused.value.problems)


KS4 = "data_sets.ks4"


@pytest.mark.parametrize(
    ("old", "new", "path", "why"),
    [
        (
            'where = { term = "SPR" }\ntake = ["fsm", "fsm6"',
            'take = ["fsm", "fsm6"',
            f"{KS4}.links.spring",
            "multiply rows: say term",
        ),
        (
            'on = { year = "year" }\nwhere = { term = "SPR" }\ntake',
            'where = { term = "SPR" }\ntake',
            f"{KS4}.links.spring",
            "say year",
        ),
        ('key = { unit = "pupil" }', 'key = { unit = "pupil", bound_rows = 1 }', f"{KS4}.links.prior", "multiply rows"),
        (
            'key = { unit = "pupil" }',
            'key = { unit = "pupil", rows_per_period = 2 }',
            f"{KS4}.links.prior",
            "multiply rows",
        ),
        ('key = { unit = "pupil" }', 'key = "each row is one pupil"', f"{KS4}.links.prior.to", "keys name the pupil"),
        ('key = { also = ["school"] }', 'key = { also = ["school", "region"] }', f"{KS4}.links.school", "say region"),
        (
            'key = { also = ["school"] }',
            "key = { }",
            "data_sets.schools.key.also",
            "make a row of a public data set unique",
        ),
        (
            'key = { also = ["school"] }',
            'key = { unit = "x", also = ["school"] }',
            "data_sets.schools.key.unit",
            "about no pupil",
        ),
        ('to = "ks2"', 'to = "ks3"', f"{KS4}.links.prior.to", "wants another data set: census, ks2, schools"),
        ('to = "ks2"', 'to = "ks4"', f"{KS4}.links.prior.to", "wants another data set"),
        (
            'take = ["level", "points", "read_well"]',
            'take = ["grade"]',
            f"{KS4}.links.prior.take",
            "no variable of ks2",
        ),
        ('take = ["level", "points", "read_well"]', "take = []", f"{KS4}.links.prior.take", "each once"),
        (
            'prefix = "ks2_"',
            'prefix = "ks2_"\n[data_sets.ks4.links.again]\nto = "ks2"\ntake = ["level"]\nprefix = "ks2_"',
            f"{KS4}.links.again.take",
            "a variable already",
        ),
        (
            'on = { school = "school" }',
            'on = { school = "capacity" }',
            f"{KS4}.links.school.on",
            "no category of schools",
        ),
        ('on = { school = "school" }', 'on = { maths = "school" }', f"{KS4}.links.school.on", "no category of this"),
        (
            'where = { term = "SPR" }',
            'where = { term = "WIN" }',
            f"{KS4}.links.spring.where",
            "a code of a category of census",
        ),
        (
            'take = ["region", "capacity"]',
            'take = ["region"]\nmissing = ["none", "None"]',
            f"{KS4}.links.school.missing",
            "must be found",
        ),
        (
            'missing = ["none", "No record of key stage 2"]',
            'missing = ["low", "None"]',
            f"{KS4}.links.prior.missing",
            "a code of level already",
        ),
        (
            'missing = ["none", "No record of key stage 2"]',
            "years_before = 1",
            f"{KS4}.links.prior.years_before",
            "time variables of both",
        ),
        ("years_before = 5", "years_before = 51", f"{KS4}.links.y6.years_before", "from 0 to 50"),
        (
            '["202223", "2022/2023", "AY"]]\n[data_sets.ks4.variables.school]',
            '["202223", "2022/2023", "T1"]]\n[data_sets.ks4.variables.school]',
            f"{KS4}.links.y6.years_before",
            "academic years (AY) in both",
        ),
        (
            'codes = [["202122", "2021/2022", "AY"], ["202223", "2022/2023", "AY"]]',
            'codes = [["2022", "2021/2022", "AY"], ["2023", "2022/2023", "AY"]]',
            f"{KS4}.links.spring.on",
            "'year' and 'year' of census have no code in common",
        ),
        ("[data_sets.ks4.links.y6]", '[data_sets.ks4.links."y 6"]', f"{KS4}.links.y 6", "the name wants a–z"),
        ('prefix = "ks2_"', 'prefix = "ks2."', f"{KS4}.links.prior.prefix", "'ks2.level' cannot be the name"),
        (
            'take = ["level", "points", "read_well"]\nprefix = "ks2_"',
            'take = ["nit"]\nprefix = "u"\n[data_sets.ks2.variables.nit]\ntype = "category"\nlabel = "x"\n'
            f'{linked.CLASSES}codes = ["a"]\n[data_sets.ks4.links.other]\nto = "ks2"\ntake = ["points", "read_well"]',
            f"{KS4}.links.prior.prefix",
            "'unit' cannot be the name",
        ),
        (
            "then 'Y' when spring_fsm6",
            "then 'Y' when spring_fsm7",
            f"{KS4}.variables.disadvantaged.derived",
            "no variable of this data set",
        ),
        ("ever(fsm = 'Y', 6)", "ever(fsm6 = 'Y', 6)", "data_sets.census.variables", "derived in a circle: fsm6"),
        ("greatest(english * 2, 1.5)", "english / 2", f"{KS4}.variables.total.derived", "Div is not understood"),
        (
            'label = "Passed both"',
            'label = "Passed both"\ncolumn = "x"',
            f"{KS4}.variables.passed.column",
            "in no file",
        ),
        (
            'label = "Maths"',
            'label = "Maths"\nnpd = [["KS4 MATHS", 2010, 0]]',
            f"{KS4}.variables.maths.npd[0]",
            "[term], [yy] and [n] vary",
        ),
        (
            'label = "Maths"',
            'label = "Maths"\npopulated = [2010, 2009]',
            f"{KS4}.variables.maths.populated",
            "last is 0 while it goes on",
        ),
        (
            'title = "Key stage 2"',
            'title = "Key stage 2"\nreleases = [["final", "Spring"]]',
            "data_sets.ks2.releases[0]",
            "[stage, month]",
        ),
        (
            'title = "Key stage 2"',
            'title = "Key stage 2"\ncubes = [["level", "marks"]]',
            "data_sets.ks2.cubes[0]",
            "wants variables of this data set",
        ),
        ("code,label,since,until", "code,name", "code_lists.schools.csv", "first 'code' and 'label'"),
        ("S1,School S1,2001,", "S1,,2001,", "code_lists.schools.csv[1]", "first two not empty"),
        ("csv = '''", "file = 'x.csv'\ncolumns = '''", "code_lists.schools.file", "from its folder"),
        (
            'sort_by = ["school_region"]',
            'sort_by = ["school_area"]',
            f"{KS4}.sort_by",
            "wants variables of this data set",
        ),
    ],
)
def test_what_would_be_wrong_is_told_with_its_path(old: str, new: str, path: str, why: str) -> None:
    found = problems((old, new))
    assert [p for p in found if p.startswith(f"{path}: ") and why in p], found


def test_links_in_a_circle_are_refused() -> None:
    link = '[data_sets.ks2.links.later]\nto = "ks4"\non = { }\ntake = ["maths"]\n[data_sets.ks2.variables.level]'
    found = problems(("[data_sets.ks2.variables.level]", link))
    assert any("links in a circle" in p for p in found), found


def test_a_linked_variable_is_the_others_with_a_code_for_none() -> None:
    ks4, ks2 = CATALOGUE.data_set("ks4"), CATALOGUE.data_set("ks2")
    assert ks4 and ks2
    level, points = ks4.by_name["ks2_level"], ks4.by_name["ks2_points"]
    assert [a.code for a in level.atoms] == ["low", "high", "none"]
    assert level.bandings == ks2.by_name["level"].bandings
    assert level.missing == "none" and level.linked is not None and level.linked.variable == "level"
    assert points.numbers is not None and points.numbers.optional and points.atoms[-1].code == "missing"
    assert ks4.by_name["spring_fsm"].sensitivity == "B" and ks4.by_name["spring_fsm"].granted_as == "fsm"


def test_a_geographic_level_is_carried_once() -> None:
    ks4 = CATALOGUE.data_set("ks4")
    assert ks4 is not None
    assert ks4.levels == {"SCH": "school", "REG": "school_region"}
    assert ks4.by_name["spring_school_region"].level is None


def test_codes_know_when_they_are_in_use() -> None:
    ks4 = CATALOGUE.data_set("ks4")
    assert ks4 is not None
    codes = {code.code: code for code in ks4.by_name["school"].atoms}
    assert (codes["S5"].since, codes["S5"].until, codes["S1"].until) == ("2001", "2020", "")


def test_a_folder_is_read_as_one_text(tmp_path: Path) -> None:
    head, *rest = TEXT.split("\n[data_sets.")
    cut, lists = head.split("[code_lists.schools]")
    (tmp_path / "cut.toml").write_text(cut, encoding="utf-8")
    (tmp_path / "lists.toml").write_text('[code_lists.schools]\nfile = "schools.csv"\n', encoding="utf-8")
    (tmp_path / "schools.csv").write_text(lists.split("'''")[1].lstrip("\n"), encoding="utf-8-sig")
    (tmp_path / "data.toml").write_text("".join(f"\n[data_sets.{part}" for part in rest), encoding="utf-8")
    loaded = load_catalogue(bundle(tmp_path))
    assert loaded.data_sets == CATALOGUE.data_sets
    assert bundle(tmp_path) == bundle(tmp_path), "the same files are the same text, which is what is hashed"


def test_a_folder_that_is_no_catalogue_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NotBundled, match=r"cut\.toml"):
        bundle(tmp_path)
    (tmp_path / "cut.toml").write_text("[cut", encoding="utf-8")
    with pytest.raises(NotBundled, match="not TOML"):
        bundle(tmp_path)
    (tmp_path / "cut.toml").write_text('[code_lists.x]\nfile = "x.csv"\n', encoding="utf-8")
    with pytest.raises(NotBundled, match="no such file"):
        bundle(tmp_path)
    (tmp_path / "x.csv").write_text("code,label\na,'''\n", encoding="utf-8")
    with pytest.raises(NotBundled, match="three quotes"):
        bundle(tmp_path)


@pytest.mark.parametrize(
    ("grants", "granted"), [({"fsm"}, True), ({"spring_fsm"}, True), ({""}, False), ({"y6_fsm"}, False)]
)
def test_a_grant_covers_a_variable_where_it_is_linked(grants: set[str], granted: bool) -> None:
    ks4 = CATALOGUE.data_set("ks4")
    assert ks4 is not None
    query = Query("ks4", (Measure("n", "count"),), ("spring_fsm",))
    with nullcontext() if granted else pytest.raises(InvalidQuery, match="no grant"):
        validate(query, ks4, frozenset(grants), LIMITS)
