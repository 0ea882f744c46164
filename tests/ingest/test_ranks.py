"""Bounded contribution: which rows of a pupil are kept, what that depends on, and what is told of it."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest

from datasets.catalogue_toml import load_catalogue
from datasets.engines.duckdb import DuckDBEngine
from datasets.ingest import IngestFailed, IngestRefused, Published, open_current, ranks
from datasets.ingest.folder import SECRET
from datasets.query import Measure, Query
from datasets.validate import Limits, validate
from disclosure.sensitivity import l2_squared
from tests.ingest.builders import Row, Workplace, write_file
from tests.lib.cuts import opened
from tests.lib.plans import only_plan
from tests.lib.structural import generate

KEY = 'key = { unit = "pupil", time = "year", bound_rows = 2 }'
CATALOGUE = f"""
[cut]
id = "entries"
title = "Exam entries"
privacy_unit = "pupil"
synthetic = true
[data_sets.entries]
title = "Entries"
max_rows = 100000
{KEY}
[data_sets.entries.variables.year]
type = "time"
label = "Year"
identifiability = 5
sensitivity = "E"
codes = [["202122", "2021/2022", "AY"], ["202223", "2022/2023", "AY"]]
[data_sets.entries.variables.subject]
type = "category"
label = "Subject"
identifiability = 5
sensitivity = "E"
codes = ["AR", "BI", "CH", "DE", "EN", "FR"]
[data_sets.entries.variables.marks]
type = "number"
label = "Marks"
identifiability = 5
sensitivity = "E"
range = ["0", "1000000"]
step = "1"
optional = true
"""
SUBJECTS = ("AR", "BI", "CH", "DE", "EN", "FR")
SECRETS = ("0123456789abcdef" * 4, "fedcba9876543210" * 4)


def entries(pupils: Iterable[int], rows: int = 6, years: Sequence[str] = ("202122",)) -> list[Row]:
    """Each with marks of their own, by which they are known again."""
    return [
        {"pupil": f"P{p}", "year": year, "subject": SUBJECTS[i], "marks": str(p * 100 + y * 10 + i)}
        for p in pupils
        for y, year in enumerate(years)
        for i in range(rows)
    ]


def publish(work: Workplace, rows: Sequence[Row], secret: str | None = None, text: str = CATALOGUE) -> Published:
    work.text = text
    if secret is not None:
        keep_secret(work, secret)
    return work.ingest({"entries": [write_file(work.sources / "entries.csv", rows)]})


def keep_secret(work: Workplace, text: str) -> None:
    work.cuts.joinpath("entries").mkdir(parents=True, exist_ok=True)
    work.cuts.joinpath("entries", SECRET).write_text(text)


def stored(published: Published, query: str = "SELECT marks, bound_rank FROM entries") -> list[tuple[int, int]]:
    with opened(published) as connection:
        return connection.execute(query).fetchall()


def test_every_pupil_and_period_keeps_so_many_rows_and_no_more(work: Workplace) -> None:
    rows = [*entries(range(20), 6, ("202122", "202223")), *entries(range(20, 30), 1)]
    published = publish(work, rows)
    counted = stored(
        published, "SELECT list(bound_rank ORDER BY bound_rank), count(*) FROM entries GROUP BY unit, year"
    )
    assert Counter((tuple(found), n) for found, n in counted) == {((1, 2), 2): 40, ((1,), 1): 10}  # type: ignore[arg-type]


def test_what_was_left_out_is_told_to_the_custodian_alone(work: Workplace) -> None:
    published = publish(work, [*entries(range(20)), *entries(range(20, 30), 1)])
    assert published.report_text.splitlines() == [
        "entries: 130 records of entries.csv",
        "entries: 80 records beyond-bound",
    ]
    assert open_current(work.cuts, "entries", check=True) == published
    with opened(published) as connection:
        tables = connection.execute("SELECT table_name, estimated_size FROM duckdb_tables()").fetchall()
    assert tables == [("entries", 50)]


def test_ranks_are_the_same_in_every_version_and_order_of_the_file(work: Workplace) -> None:
    rows = entries(range(50))
    first = publish(work, rows)
    secret = (work.cuts / "entries" / SECRET).read_text()
    shuffled = list(rows)
    random.Random(3).shuffle(shuffled)
    second = publish(work, shuffled)
    assert (first.version, second.version) == ("1", "2")
    assert sorted(stored(first)) == sorted(stored(second))
    assert (work.cuts / "entries" / SECRET).read_text() == secret


def test_ranks_are_others_under_another_secret(work: Workplace) -> None:
    """The positive control of the test above: 50 pupils keep the same two of six rows once in 15^50 secrets."""
    first, second = (publish(work, entries(range(50)), secret) for secret in SECRETS)
    assert sorted(stored(first)) != sorted(stored(second))


def test_nobody_else_moves_a_rank(work: Workplace) -> None:
    whole = stored(publish(work, entries(range(40), 6, ("202122", "202223"))))
    for gone in (0, 17, 39):
        others = [p for p in range(40) if p != gone]
        without = stored(publish(work, entries(others, 6, ("202122", "202223"))))
        assert sorted(without) == sorted((m, rank) for m, rank in whole if m // 100 != gone)


def test_rows_are_ranked_in_parts_as_at_once(work: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = entries(range(40))
    once = stored(publish(work, rows))
    monkeypatch.setattr(ranks, "AT_ONCE", 50)
    assert sorted(stored(publish(work, rows))) == sorted(once)


def _share_kept(published: Published) -> list[float]:
    """For each place in the pupil's file, the share of pupils who kept the row there."""
    kept = Counter(marks % 10 for marks, _ in stored(published))
    return [kept[i] / 1500 for i in range(6)]


def test_each_row_is_as_likely_kept_as_any_other(work: Workplace) -> None:
    """Two of six: a share of 1/3 ± 6 standard errors (0.073). The secret is given: the outcome never changes."""
    shares = _share_kept(publish(work, entries(range(1500)), SECRETS[0]))
    assert max(abs(share - 1 / 3) for share in shares) < 0.073
    ordered = [1.0, 1.0, 0.0, 0.0, 0.0, 0.0]
    assert max(abs(share - 1 / 3) for share in ordered) > 0.073, "the positive control: a rank by place in the file"


def test_rows_that_are_alike_are_drawn_one_by_one(work: Workplace) -> None:
    """Two equal rows and one other, one kept: two pupils in three keep one of the equal ones, not one in two."""
    text = CATALOGUE.replace("bound_rows = 2", "bound_rows = 1")
    rows = [
        {"pupil": f"P{p}", "year": "202122", "subject": s, "marks": None}
        for p in range(3000)
        for s in ("AR", "AR", "BI")
    ]
    found = Counter(stored(publish(work, rows, SECRETS[0], text), "SELECT subject, bound_rank FROM entries"))
    assert sum(found.values()) == 3000
    assert abs(found["AR", 1] / 3000 - 2 / 3) < 0.052, "6 standard errors"  # type: ignore[index]


def test_equal_rows_of_two_pupils_are_drawn_apart(work: Workplace) -> None:
    """Otherwise all children with the same entries would keep the same ones."""
    rows: list[Row] = [
        {"pupil": f"P{p}", "year": "202122", "subject": s, "marks": None} for p in range(200) for s in SUBJECTS
    ]
    query = "SELECT list(subject ORDER BY subject)::VARCHAR AS s, 1 FROM entries GROUP BY unit"
    assert len(set(stored(publish(work, rows, SECRETS[0]), query))) == 15, "all pairs out of six, over 200 pupils"


def test_a_bound_may_be_of_the_whole_data_set(work: Workplace) -> None:
    text = CATALOGUE.replace('time = "year", bound_rows = 2', "bound_rows = 3")
    published = publish(work, entries(range(30), 4, ("202122", "202223")), None, text)
    assert stored(published, "SELECT DISTINCT count(*), max(bound_rank) FROM entries GROUP BY unit") == [(3, 3)]


def test_a_key_that_is_completed_is_still_unique(work: Workplace) -> None:
    text = CATALOGUE.replace('time = "year",', 'time = "year", also = ["subject"],')
    assert len(stored(publish(work, entries(range(5)), None, text))) == 10
    with pytest.raises(IngestRefused) as caught:
        publish(work, [*entries(range(5)), {**entries([1])[3], "marks": "7"}], None, text)
    assert [(p.rule.name, p.count) for p in caught.value.report.problems] == [("repeated-key", 1)]


def test_without_a_bound_many_rows_are_refused(work: Workplace) -> None:
    text = CATALOGUE.replace("bound_rows", "rows_per_period")
    with pytest.raises(IngestRefused) as caught:
        publish(work, entries(range(5)), None, text)
    assert [(p.rule.name, p.count) for p in caught.value.report.problems] == [("rows-per-period", 20)]
    assert not [path for path in (work.cuts / "entries").iterdir() if path.name in ("1", "current")]


def test_the_secret_lies_beside_the_versions_and_nowhere_else(
    work: Workplace, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        published = publish(work, entries(range(300)))
    home = work.cuts / "entries"
    assert sorted(p.name for p in home.iterdir()) == ["1", "current", "parts", SECRET, "units.duckdb"]
    assert (home / SECRET).stat().st_mode & 0o777 == 0o600
    secret = (home / SECRET).read_text().strip()
    assert len(bytes.fromhex(secret)) == 32
    hidden = (secret.encode(), bytes.fromhex(secret), secret[:24].encode())
    for path in [*published.path.iterdir(), home / "current", home / "units.duckdb", *(home / "parts").iterdir()]:
        assert not [part for part in hidden if part in path.read_bytes()], path.name
    printed = capfd.readouterr()
    assert not [text for text in (caplog.text, printed.out, printed.err, repr(published)) if secret[:24] in text]


@pytest.mark.parametrize("text", ["", "short", "g" * 64, "0" * 63])
def test_a_damaged_secret_is_not_used(work: Workplace, text: str) -> None:
    publish(work, entries(range(3)))
    with pytest.raises(IngestFailed, match=SECRET) as failed:
        publish(work, entries(range(3)), text)
    assert not text or text not in str(failed.value)
    assert open_current(work.cuts, "entries").version == "1"
    (work.cuts / "entries" / SECRET).unlink()
    assert publish(work, entries(range(3))).version == "2"


def test_a_lost_secret_is_drawn_anew(work: Workplace) -> None:
    publish(work, entries(range(3)), SECRETS[0])
    (work.cuts / "entries" / SECRET).unlink()
    publish(work, entries(range(3)))
    assert (work.cuts / "entries" / SECRET).read_text().strip() not in SECRETS


def test_a_pupil_moves_no_answer_of_the_published_cut_further_than_claimed(work: Workplace) -> None:
    """From file to table: one pupil with very many rows is there or not, and all else is ingested anew."""
    data_set = load_catalogue(CATALOGUE).data_sets[0]
    crowd = [*entries(range(12), 4, ("202122", "202223"))]
    victim: list[Row] = [{"pupil": "V", "year": y, "subject": "EN", "marks": "9"} for y in ("202122", "202223")] * 50
    databases = [publish(work, rows).databases for rows in ([*crowd, *victim], crowd)]
    engines = [DuckDBEngine(path) for path in databases]
    try:
        for statistic in ("count", "pupils"):
            for group_by in ((), ("year",), ("subject",), ("subject", "year")):
                query = Query("entries", (Measure("m", statistic),), group_by)
                valid = validate(query, data_set, frozenset(), Limits(100, 3))
                plan = only_plan(valid)
                (aggregate,) = plan.aggregates
                with_victim, without = (engine.aggregate(plan)[aggregate].astype(object) for engine in engines)
                change = int(np.sum((with_victim - without) ** 2))
                claimed = l2_squared(aggregate, valid.layouts[0].contribution)
                assert 0 < change <= claimed
                assert statistic == "pupils" or change == claimed, "all in one subject"
    finally:
        for engine in engines:
            engine.close()


@pytest.mark.parametrize("key", ['time = "year", bound_rows = 2', "rows_per_period = 1"])
def test_synthetic_data_keep_what_the_catalogue_declares(work: Workplace, key: str) -> None:
    fixed = KEY.replace('time = "year", bound_rows = 2', key) + '\nfixed = ["subject", "marks"]'
    work.text = CATALOGUE.replace(KEY, fixed)
    files = generate(load_catalogue(work.text), 50, 1, work.sources)
    published = work.ingest({name: [path] for name, path in files.items()})
    assert published.manifest.data_sets["entries"].rows == (100 if "time" in key else 50)


@pytest.mark.parametrize("fixed", ['["subject"]', '["marks"]'])
def test_what_is_fixed_is_checked(work: Workplace, fixed: str) -> None:
    text = CATALOGUE.replace(KEY, f"{KEY}\nfixed = {fixed}")
    alike: list[Row] = [{**row, "subject": "AR", "marks": None} for row in entries(range(5))]
    assert len(stored(publish(work, alike, None, text))) == 10
    other = [*alike[:-1], {**alike[-1], "subject": "BI", "marks": "3"}]
    with pytest.raises(IngestRefused) as caught:
        publish(work, other, None, text)
    (problem,) = caught.value.report.problems
    assert (problem.rule.name, problem.count, [p.record for p in problem.places]) == ("not-fixed", 1, [len(other) + 1])


def test_a_faulty_value_is_not_also_a_change(work: Workplace) -> None:
    text = CATALOGUE.replace(KEY, f'{KEY}\nfixed = ["subject"]')
    rows: list[Row] = [{**row, "subject": "AR"} for row in entries(range(3))]
    with pytest.raises(IngestRefused) as caught:
        publish(work, [*rows[:-1], {**rows[-1], "subject": "wrong"}], None, text)
    assert [p.rule.name for p in caught.value.report.problems] == ["unknown-code"]


def test_the_catalogue_of_a_published_cut_says_that_it_is_bounded(work: Workplace) -> None:
    published = publish(work, entries(range(3)))
    key = load_catalogue(Path(published.path, "catalogue.toml").read_text()).data_sets[0].key
    assert (key.rows_per_period, key.bounded) == (2, True)
