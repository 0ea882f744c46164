"""Record keys: what they depend on, what they do not, and that nothing but the secret gives them away."""

from __future__ import annotations

import hashlib
import hmac
import random
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from scipy.stats import chisquare

from datasets.catalogue_toml import CatalogueRefused, load_catalogue
from datasets.engines.duckdb import DuckDBEngine
from datasets.ingest import Published, ingest, record_keys
from datasets.ingest.folder import SECRET
from datasets.plan import NoRecordKeys, Plan
from datasets.query import Measure, Query
from datasets.validate import Limits, validate
from disclosure.aggregates import BinnedCount, Count
from disclosure.evidence import RecordKeys
from tests.ingest.builders import CATALOGUE, CENSUS, EXAMS, Row, Workplace, changed
from tests.lib.cuts import opened

KEYED = CATALOGUE.replace("synthetic = true", "synthetic = true\nrecord_keys = true")
NOT_UNIQUE = KEYED.replace('also = ["subject"]\n', "")
BOUNDED = NOT_UNIQUE.replace("rows_per_period = 2", "bound_rows = 2")
NO_UNIT = KEYED.replace(
    '[data_sets.exams.key]\nunit = "candidate"\ntime = "year"\nalso = ["subject"]\nrows_per_period = 2',
    'key = "each row is one pupil"',
)
SECRETS = ("0123456789abcdef" * 4, "fedcba9876543210" * 4)
ONE_EXAM: Row = {"candidate": "P1", "year": "202122", "subject": "EN", "area": "A1"}


def publish(
    work: Workplace,
    census: Sequence[Row] = CENSUS,
    exams: Sequence[Row] = EXAMS,
    text: str = KEYED,
    secret: str | None = None,
) -> Published:
    work.text = text
    if secret is not None:
        work.cuts.joinpath("tiny").mkdir(parents=True, exist_ok=True)
        work.cuts.joinpath("tiny", SECRET).write_text(secret)
    return work.ingest(work.files(census, exams))


def keys(published: Published, by: str = "points", data_set: str = "census") -> list[tuple[object, int]]:
    """What is told by a column, with the key of each row."""
    with opened(published) as connection:
        return sorted(connection.execute(f"SELECT {by}, record_key FROM {data_set}").fetchall())


def exam_keys(published: Published) -> list[int]:
    return sorted(key for _, key in keys(published, "subject", "exams"))


def expected(parts: Iterable[str], secret: str) -> int:
    text = "".join(f"{len(part)}:{part}" for part in parts)
    derived = hmac.digest(bytes.fromhex(secret), b"record keys", "sha256")
    return int.from_bytes(hmac.digest(derived, text.encode(), "sha256")[:8])


def pseudonym(identifier: str, secret: str) -> str:
    """The keyed hash that stands for an identifier, as it is hashed with the rest of a row."""
    key = hmac.digest(bytes.fromhex(secret), b"pseudonyms", "sha256").hex()
    return str(int.from_bytes(hashlib.sha256(f"{key}{identifier}".encode()).digest()[:16]))


def test_a_key_is_the_hmac_of_what_tells_the_row_from_others(work: Workplace) -> None:
    published = publish(work, secret=SECRETS[0])
    pupils = {p: pseudonym(p, SECRETS[0]) for p in ("P1", "P2", "P3", "P4", "P9")}
    told = {7: ("P3", "202223"), -100: ("P1", "202122"), 8: ("P2", "202122"), 100: ("P1", "202223")}
    told[0] = ("P4", "202122")
    told = {points: (pupils[pupil], year) for points, (pupil, year) in told.items()}
    assert keys(published) == sorted((p, expected(("census", *row), SECRETS[0])) for p, row in told.items())
    rows = [(pupils[str(row["candidate"])], str(row["year"]), str(row["subject"])) for row in EXAMS]
    exams = [expected(("exams", *row), SECRETS[0]) for row in rows]
    assert exam_keys(published) == sorted(exams)


def test_keys_stay_in_every_version_order_of_the_file_and_correction(work: Workplace) -> None:
    first = publish(work)
    shuffled = random.Random(3).sample(CENSUS, len(CENSUS))
    assert keys(publish(work, shuffled)) == keys(first)
    corrected = keys(publish(work, changed(CENSUS, 0, points="55", sex="1", score="3")))
    assert {key for _, key in corrected} == {key for _, key in keys(first)}


def test_keys_are_others_under_another_secret(work: Workplace) -> None:
    """The positive control of the test above."""
    first, second = ({key for _, key in keys(publish(work, secret=secret))} for secret in SECRETS)
    assert len(first) == len(second) == len(CENSUS) and not first & second


def test_pupils_who_are_alike_in_all_have_keys_of_their_own(work: Workplace) -> None:
    alike = [{**CENSUS[0], "pupil": f"P{i}"} for i in range(50)]
    assert len({key for _, key in keys(publish(work, alike, [ONE_EXAM]))}) == 50


def test_rows_of_two_data_sets_have_keys_of_their_own(work: Workplace) -> None:
    """Otherwise a table of one would tell of a table of the other."""
    text = KEYED.replace('also = ["subject"]\nrows_per_period = 2', "rows_per_period = 1")
    census = [{**CENSUS[0], "pupil": "P1", "year": "202122"}]
    published = publish(work, census, [{**ONE_EXAM}], text)
    assert not {key for _, key in keys(published)} & set(exam_keys(published))


@pytest.mark.parametrize("text", [NOT_UNIQUE, NO_UNIT])
def test_rows_that_are_alike_are_numbered(work: Workplace, text: str) -> None:
    """So each has a key of its own, and together they have the same keys in any order."""
    rows = [ONE_EXAM, ONE_EXAM, {**ONE_EXAM, "candidate": "P2", "area": "A3"}, {**ONE_EXAM, "candidate": "P2"}]
    first = exam_keys(publish(work, exams=rows, text=text, secret=SECRETS[0]))
    assert len(set(first)) == 4
    assert exam_keys(publish(work, exams=rows[::-1], text=text)) == first
    fewer = exam_keys(publish(work, exams=rows[1:], text=text))
    assert len(fewer) == 3 and set(fewer) < set(first), "the second of two rows that are alike has gone"


def test_alike_rows_without_a_unit_are_not_told_apart_by_whose_they_are(work: Workplace) -> None:
    one, other = ({**ONE_EXAM, "candidate": candidate} for candidate in ("P1", "P2"))
    first = exam_keys(publish(work, exams=[one, one], text=NO_UNIT, secret=SECRETS[0]))
    assert exam_keys(publish(work, exams=[one, other], text=NO_UNIT)) == first


def test_rows_are_numbered_in_parts_as_at_once(work: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    text = NO_UNIT.replace("max_rows = 6", "max_rows = 1000")
    rows = [{**ONE_EXAM, "subject": s, "area": a} for s in ("EN", "MA", "SC") for a in ("A1", "A2")] * 20
    once = exam_keys(publish(work, exams=rows, text=text))
    monkeypatch.setattr(record_keys, "AT_ONCE", 30)
    again = exam_keys(publish(work, exams=rows, text=text))
    assert again == once and len(set(once)) == 120


def test_rows_that_were_left_out_have_no_part_in_the_keys(work: Workplace) -> None:
    """Of five rows alike two are kept, with the keys that they have where there are but two."""
    five = publish(work, exams=[ONE_EXAM] * 5, text=BOUNDED, secret=SECRETS[0])
    two = publish(work, exams=[ONE_EXAM] * 2, text=BOUNDED)
    assert exam_keys(five) == exam_keys(two) and len(set(exam_keys(two))) == 2
    with opened(five) as connection:
        columns = [name for name, *_ in connection.execute("DESCRIBE exams").fetchall()]
    assert columns == ["unit", "year", "subject", "area", "bound_rank", "record_key"]


def uneven(numbers: Sequence[int]) -> bool:
    """Whether the highest or the lowest byte is further from uniform than one in a million is."""
    found = [Counter(n >> shift & 0xFF for n in numbers) for shift in (56, 0)]
    return any(chisquare([of[byte] for byte in range(256)]).pvalue < 1e-6 for of in found)


def test_keys_are_uniform(work: Workplace) -> None:
    """The secret is given: the outcome never changes."""
    census = [{**CENSUS[0], "pupil": f"{i:06}"} for i in range(10_000)]
    published = publish(work, census, [ONE_EXAM], secret=SECRETS[0])
    assert not uneven([key for _, key in keys(published)])
    assert uneven(list(range(10_000))), "the positive control: numbers in order"
    assert uneven([key & ~1 for _, key in keys(published)]), "the positive control: a bit that is always 0"


def test_a_cut_that_does_not_ask_has_no_keys(work: Workplace) -> None:
    published = publish(work, text=CATALOGUE)
    with opened(published) as connection:
        columns = {name for (name,) in connection.execute("SELECT column_name FROM duckdb_columns()").fetchall()}
    assert "record_key" not in columns


def plan(text: str, *evidence: RecordKeys) -> Plan:
    query = Query("census", (Measure("n", "count"),), ("la",))
    census = load_catalogue(text).data_sets[0]
    return validate(query, census, frozenset(), Limits(cells=100, group_by=2)).plan(0, [Count()], evidence)


def test_the_engine_sums_the_keys_that_were_published(work: Workplace) -> None:
    published = publish(work)
    of_bins = RecordKeys(BinnedCount("sex", ((0,), (1, 2))))
    asked = plan(KEYED, RecordKeys(), RecordKeys(Count(("score",))), of_bins)
    engine = DuckDBEngine(published.databases)
    try:
        table = engine.aggregate(asked)
    finally:
        engine.close()
    key = dict(keys(published))
    rows, scored, sexes = (table.evidence(wanted).astype(np.uint64).tolist() for wanted in asked.evidence)
    assert rows == [[(key[8] + key[100]) % 2**64], [(key[7] + key[0]) % 2**64], [key[-100]]], "A3, A1, A2"
    assert scored == [[key[100]], [key[7]], [key[-100]]]
    assert sexes == [[key[100], key[8]], [key[0], key[7]], [0, key[-100]]], "male; female or unknown"


def test_a_plan_cannot_want_keys_that_are_not_there() -> None:
    with pytest.raises(NoRecordKeys, match=r"census.*record_keys = true"):
        plan(CATALOGUE, RecordKeys())


def test_a_key_is_no_variable() -> None:
    census = load_catalogue(KEYED).data_sets[0]
    assert census.record_keys and "record_key" not in census.by_name
    with pytest.raises(CatalogueRefused, match="the name is taken"):
        load_catalogue(KEYED.replace("census.variables.points", "census.variables.record_key"))
    with pytest.raises(CatalogueRefused, match=r"cut\.record_keys: wants true or false"):
        load_catalogue(KEYED.replace("record_keys = true", 'record_keys = "yes"'))


def test_a_single_data_set_without_unit_needs_no_table_of_units(work: Workplace) -> None:
    text = NO_UNIT[: NO_UNIT.index("[data_sets.census]")] + NO_UNIT[NO_UNIT.index("[data_sets.exams]") :]
    text = text.replace('references = [{ variable = "area", to = "census", to_variable = "la" }]\n', "")
    published = ingest(load_catalogue(text), text, {"exams": work.files()["exams"]}, work.cuts)
    assert len(set(exam_keys(published))) == len(EXAMS)
