"""Each rule, broken by a file with planted values: it is found, counted and placed, and no value is shown."""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from datasets.ingest import RULES, IngestRefused, Problem, Rule
from datasets.ingest.rules import FAULT_RULES, NOTES, Fault
from tests.ingest.builders import CENSUS, EXAMS, Workplace, changed, write_file

CANARY, CANARY_NUMBER = "ZZCANARY", "7919"
Sources = Mapping[str, Sequence[Path]]
Expected = tuple[str, str | None, int, list[tuple[str, int | None]]]
"""Data set, about, count, places."""


@dataclass(frozen=True)
class Case:
    """Files that break one rule, and what the report must say. also: other rules that are broken with it."""

    id: str
    files: Callable[[Workplace], Sources]
    expected: Expected
    also: frozenset[str] = frozenset()


def _bad_census(kind: str, at: int, **values: str | float | None) -> Callable[[Workplace], Sources]:
    return lambda work: work.files(census=changed(CENSUS, at, **values), kind=kind)


def _value(kind: str, about: str, at: int = 1, **values: str | float | None) -> Case:
    record = at + (1 if kind == "parquet" else 2)
    expected: Expected = ("census", about, 1, [(f"census.{kind}", record)])
    return Case(f"{kind} {values}", _bad_census(kind, at, **values), expected)


def _raw(name: str, content: bytes) -> Callable[[Workplace], Sources]:
    def files(work: Workplace) -> Sources:
        path = work.sources / name
        path.write_bytes(content)
        return {**work.files(), "census": [path]}

    return files


def _without(work: Workplace, kind: str) -> Sources:
    columns = [c for c in CENSUS[0] if c not in ("pupil", "region", "points")]
    path = write_file(work.sources / f"short.{kind}", changed(CENSUS, 1, sex=CANARY), columns)
    return {**work.files(), "census": [path]}


def _one_more(work: Workplace, **extra: Sequence[str]) -> Sources:
    return {**work.files(), **{key: [work.sources / p for p in paths] for key, paths in extra.items()}}


def _doubled(work: Workplace) -> Sources:
    files = work.files()
    return {**files, "census": [*files["census"], write_file(work.sources / "again.csv", CENSUS)]}


def _exams(rows: Sequence[Mapping[str, str | float | None]]) -> Callable[[Workplace], Sources]:
    return lambda work: work.files(exams=rows)


def _with_catalogue(old: str, new: str, files: Callable[[Workplace], Sources]) -> Callable[[Workplace], Sources]:
    def made(work: Workplace) -> Sources:
        work.text = work.text.replace(old, new, 1)
        return files(work)

    return made


HEADER = ",".join(CENSUS[0]).encode() + b"\n"
GOOD = b"P1,202122,A2,N,F,2,1\n"
SECRET = {"pupil": CANARY, "region": CANARY, "score": CANARY_NUMBER}
UNKNOWN = {"sex": CANARY}
EXAM = {"candidate": CANARY, "year": "202122", "area": "A1"}
THREE_EXAMS = [{**EXAM, "subject": subject} for subject in ("EN", "MA", "SC")]

CASES: dict[str, list[Case]] = {
    "unknown-data-set": [
        Case("other name", lambda work: _one_more(work, other=["census.csv"]), ("other", None, 1, [])),
    ],
    "no-file": [
        Case("not given", lambda work: {"census": work.files()["census"]}, ("exams", None, 1, [])),
        Case("empty list", lambda work: {**work.files(), "exams": []}, ("exams", None, 1, [])),
    ],
    "file-kind": [
        Case("xlsx", _raw("census.xlsx", CANARY.encode()), ("census", None, 1, [("census.xlsx", None)])),
    ],
    "unreadable-file": [
        Case(
            "absent",
            lambda work: _one_more(work, census=["gone.csv"]),
            ("census", None, 1, [("gone.csv", None)]),
        ),
    ],
    "repeated-file": [
        Case("copy", _doubled, ("census", None, 1, [("again.csv", None)])),
    ],
    "malformed": [
        Case(
            "too many columns",
            _raw("bad.csv", HEADER + GOOD + b"P2,ZZCANARY,A1,N,F,7919,1,1\n" + b"P2,7919\n"),
            ("census", None, 2, [("bad.csv", 3), ("bad.csv", 4)]),
        ),
        Case(
            "open quote",
            _raw("bad.csv", HEADER + GOOD + b'"ZZCANARY,202122,A1,N,F,1,1\n'),
            ("census", None, 1, [("bad.csv", 3)]),
        ),
        Case(
            "not UTF-8",
            _raw("bad.csv", HEADER + b"ZZCANARY\xff,202122,A1,N,F,1,1\n" + GOOD),
            ("census", None, 1, [("bad.csv", 2)]),
        ),
        Case(
            "header not UTF-8",
            _raw("bad.csv", b"ZZCANARY\xff," + HEADER),
            ("census", None, 1, [("bad.csv", None)]),
        ),
        Case(
            "mixed line ends",
            _raw("bad.csv", HEADER + GOOD + b"ZZCANARY,202122,A1,N,F,1,1\r\n" + GOOD),
            ("census", None, 1, [("bad.csv", None)]),
        ),
        Case(
            "endless field",
            _raw("bad.csv", HEADER + b"P1,202122," + CANARY.encode() * 400_000 + b",N,F,1,1\n" + GOOD),
            ("census", None, 1, [("bad.csv", 2)]),
        ),
        Case("no gzip", _raw("bad.csv.gz", HEADER + GOOD), ("census", None, 1, [("bad.csv.gz", None)])),
        Case("no Parquet", _raw("bad.parquet", HEADER + GOOD), ("census", None, 1, [("bad.parquet", None)])),
    ],
    "empty-file": [
        Case(
            "no record",
            lambda work: {**work.files(), "census": [write_file(work.sources / "none.csv", [], list(CENSUS[0]))]},
            ("census", None, 1, [("none.csv", None)]),
            frozenset({"empty-data-set"}),
        ),
        Case(
            "beside a good file",
            lambda work: {
                **work.files(),
                "census": [
                    *work.files()["census"],
                    write_file(work.sources / "none.parquet", [], list(CENSUS[0])),
                ],
            },
            ("census", None, 1, [("none.parquet", None)]),
        ),
    ],
    "missing-column": [
        Case(
            kind,
            lambda work, kind=kind: _without(work, kind),  # type: ignore[misc]
            ("census", column, 1, [(f"short.{kind}", None)]),
        )
        for kind in ("csv", "parquet")
        for column in ("pupil", "region", "points")
    ],
    "repeated-column": [
        Case(
            "csv",
            _raw("twice.csv", HEADER.strip() + b",sex\n" + GOOD.strip() + b",ZZCANARY\n"),
            ("census", "sex", 1, [("twice.csv", None)]),
        ),
    ],
    "unit-type": [
        Case(
            "Parquet of doubles",
            lambda work: _one_more(
                work,
                census=[
                    write_file(
                        work.sources / "float.parquet", [{**row, "pupil": 7919.0 + i} for i, row in enumerate(CENSUS)]
                    ).name
                ],
            ),
            ("census", "pupil", 1, [("float.parquet", None)]),
        ),
    ],
    "unknown-code": [
        *(_value(kind, "sex", sex=CANARY) for kind in ("csv", "csv.gz", "parquet")),
        _value("csv", "sex", sex="f"),
        _value("csv", "year", year=CANARY_NUMBER),
        _value("parquet", "la", 0, **{"LA code": f"{CANARY}'; DROP"}),
        Case(
            "more than are shown",
            lambda work: work.files(
                census=[{**CENSUS[0], "pupil": f"P{i}", "sex": f"{CANARY}{i}"} for i in range(1_234)]
            ),
            ("census", "sex", 1_234, [("census.csv", i) for i in range(2, 7)]),
            frozenset({"orphan"}),
        ),
    ],
    "missing-value": [
        _value("csv", "year", year=None),
        _value("csv", "points", points=""),
        _value("parquet", "points", points=None),
        _value("parquet", "la", 0, **{"LA code": ""}),
    ],
    "not-a-number": [
        *(_value("csv", "points", points=bad) for bad in (CANARY, "1 000", "7919x", "1,5", "0x10", "1_0", "٣", "--1")),
        _value("csv", "score", score="9" * 401),
        _value("parquet", "points", points=CANARY),
    ],
    "not-finite": [
        *(_value("csv", "points", points=bad) for bad in ("NaN", "inf", "-Infinity")),
        _value("parquet", "score", score=float("nan")),
        _value("parquet", "score", score=float("-inf")),
    ],
    "out-of-range": [
        _value("csv", "points", points=CANARY_NUMBER),
        _value("csv", "points", points="100.001"),
        _value("csv", "points", points="-7919e300"),
        _value("parquet", "score", score=-0.01),
    ],
    "contradiction": [
        _value("csv", "la.region", region="S"),
        _value("csv", "la.region", region=CANARY),
        _value("parquet", "la.region", region=None),
    ],
    "missing-unit": [
        _value("csv", "unit", pupil=""),
        _value("parquet", "unit", pupil=None),
    ],
    "repeated-key": [
        Case(
            "time",
            lambda work: work.files(census=[*CENSUS, *changed(CENSUS, 1, sex="M")[1:2], CENSUS[1]]),
            ("census", "unit, year", 2, [("census.csv", 7), ("census.csv", 8)]),
        ),
        Case(
            "over two files, after recoding",
            lambda work: {
                **work.files(),
                "exams": [
                    write_file(work.sources / "a.csv", EXAMS),
                    write_file(work.sources / "b.parquet", [{**EXAMS[2], "area": "A1"}]),
                ],
            },
            ("exams", "unit, year, subject", 1, [("b.parquet", 1)]),
        ),
    ],
    "rows-per-period": [
        Case("three of two", _exams(THREE_EXAMS), ("exams", "unit, year", 1, [("exams.csv", 4)])),
    ],
    "not-fixed": [
        Case(
            "sex",
            _with_catalogue('title = "Census"', 'title = "Census"\nfixed = ["sex"]', lambda work: work.files()),
            ("census", "sex", 1, [("census.csv", 5)]),
        ),
        Case(
            "a number that is missing once",
            _with_catalogue(
                'title = "Census"',
                'title = "Census"\nfixed = ["score"]',
                lambda work: work.files(changed(CENSUS, 1, score=None)),
            ),
            ("census", "score", 1, [("census.csv", 5)]),
        ),
    ],
    "impossible": [
        Case(
            "a pupil in a cell that nobody can be in, its code recoded",
            _with_catalogue(
                'title = "Census"',
                'title = "Census"\nimpossible = [{ sex = ["M"], la = ["A1", "A2"] }]',
                lambda work: work.files(),
            ),
            ("census", "la, sex", 1, [("census.csv", 6)]),
        ),
    ],
    "orphan": [
        Case(
            "area that no pupil has",
            lambda work: work.files(census=[r for r in CENSUS if r["LA code"] != "A2"]),
            ("exams", "area", 1, [("exams.csv", 3)]),
        ),
    ],
    "too-many-rows": [
        Case(
            "seven of six",
            _exams([{**EXAM, "candidate": f"{CANARY}{i}", "subject": "EN"} for i in range(7)]),
            ("exams", None, 7, []),
        ),
    ],
    "empty-data-set": [
        Case(
            "two empty files",
            lambda work: {
                **work.files(),
                "census": [
                    write_file(work.sources / "none.csv", [], list(CENSUS[0])),
                    write_file(work.sources / "none.parquet", [], list(CENSUS[0])),
                ],
            },
            ("census", None, 1, []),
            frozenset({"empty-file"}),
        ),
    ],
    "beyond-bound": [
        Case(
            "beside an error",
            _with_catalogue(
                "rows_per_period = 2",
                "bound_rows = 2",
                lambda work: work.files(changed(CENSUS, 0, sex=CANARY), THREE_EXAMS),
            ),
            ("exams", None, 1, []),
            frozenset({"unknown-code"}),
        ),
    ],
    "rounded": [
        Case(
            "beside an error",
            lambda work: work.files(census=changed(changed(CENSUS, 0, sex=CANARY), 1, score="0.7919", points="1.5")),
            ("census", "score", 1, [("census.csv", 3)]),
            frozenset({"unknown-code"}),
        ),
    ],
}


def test_every_rule_has_a_case_and_is_registered_once() -> None:
    assert set(CASES) == {rule.name for rule in RULES}
    assert len({rule.name for rule in RULES}) == len(RULES)
    assert set(FAULT_RULES) == set(Fault) - {Fault.NONE}
    assert set(RULES) >= set(FAULT_RULES.values()) | NOTES


@pytest.mark.parametrize(
    ("rule", "case"),
    [pytest.param(rule, case, id=f"{rule.name}: {case.id}") for rule in RULES for case in CASES.get(rule.name, [])],
)
def test_a_broken_rule(rule: Rule, case: Case, work: Workplace, capfd: pytest.CaptureFixture[str]) -> None:
    sources = case.files(work)
    before = work.listing()
    with pytest.raises(IngestRefused) as caught:
        work.ingest(sources)
    report = caught.value.report
    found = [_facts(p) for p in (*report.problems, *report.notes) if p.rule == rule]
    assert case.expected in found
    others = {p.rule.name for p in report.problems} - {rule.name}
    assert others == case.also
    assert work.listing() == before
    _assert_no_value(caught.value, capfd)


def _facts(problem: Problem) -> Expected:
    return problem.data_set, problem.about, problem.count, [(p.file, p.record) for p in problem.places]


def _assert_no_value(refused: IngestRefused, capfd: pytest.CaptureFixture[str]) -> None:
    chain: list[str] = []
    error: BaseException | None = refused
    while error is not None:
        chain += [repr(error), str(error), *map(str, error.args)]
        error = error.__cause__ or error.__context__
    printed = capfd.readouterr()
    report = refused.report
    shown = [*chain, report.text(), json.dumps(report.to_dict()), repr(report), printed.out, printed.err]
    shown += traceback.format_exception(refused)
    assert not [text for text in shown if CANARY in text or CANARY_NUMBER in text]


def test_all_problems_are_collected_over_all_data_sets(work: Workplace) -> None:
    census = changed(changed(CENSUS, 0, sex=CANARY, points="1e9"), 1, year="", region="S")
    exams = changed(EXAMS, 0, subject=CANARY)
    with pytest.raises(IngestRefused) as caught:
        work.ingest({**work.files(census, exams), "other": []})
    found = [(p.rule.name, p.data_set, p.about) for p in caught.value.report.problems]
    assert sorted(found) == [
        ("contradiction", "census", "la.region"),
        ("missing-value", "census", "year"),
        ("out-of-range", "census", "points"),
        ("unknown-code", "census", "sex"),
        ("unknown-code", "exams", "subject"),
        ("unknown-data-set", "other", None),
    ]


def test_an_unreadable_target_makes_no_orphans(work: Workplace) -> None:
    with pytest.raises(IngestRefused) as caught:
        work.ingest(_raw("bad.parquet", b"PAR1")(work))
    assert [p.rule.name for p in caught.value.report.problems] == ["malformed"]
