"""Every rule that ingest checks, by the name that reports show. `plain` is what a custodian reads."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


@dataclass(frozen=True, slots=True)
class Rule:
    name: str
    plain: str


UNKNOWN_DATA_SET = Rule("unknown-data-set", "files are given for a data set that the catalogue does not have")
NO_FILE = Rule("no-file", "no file is given for a data set of the catalogue")
FILE_KIND = Rule("file-kind", "the file's name does not end in .csv, .csv.gz or .parquet")
UNREADABLE_FILE = Rule("unreadable-file", "the file does not exist or may not be read")
REPEATED_FILE = Rule("repeated-file", "the same content is given twice")
MALFORMED = Rule("malformed", "the file breaks off or is not well-formed (UTF-8 and commas in CSV); lines are given")
EMPTY_FILE = Rule("empty-file", "the file holds no records")
MISSING_COLUMN = Rule("missing-column", "the file lacks a column that the catalogue names")
REPEATED_COLUMN = Rule("repeated-column", "the file has a column that the catalogue names more than once")
UNIT_TYPE = Rule(
    "unit-type", "the identifier is in floating point, so that 12 may read 12.0: it wants texts or whole numbers"
)

UNKNOWN_CODE = Rule("unknown-code", "the value is not among the codes, nor among the values that are recoded")
MISSING_VALUE = Rule("missing-value", "the value is empty, and the catalogue has no code for that")
NOT_A_NUMBER = Rule("not-a-number", "the value is not a number in figures")
NOT_FINITE = Rule("not-finite", "the value is NaN or infinite")
OUT_OF_RANGE = Rule("out-of-range", "the number lies outside the range")
CONTRADICTION = Rule("contradiction", "the column that a banding is checked against says another band")
MISSING_UNIT = Rule("missing-unit", "the identifier of the unit of privacy is empty")

REPEATED_KEY = Rule("repeated-key", "an earlier record has the same key")
ROWS_PER_PERIOD = Rule("rows-per-period", "one pupil has more records in a period than the catalogue allows")
NOT_FIXED = Rule("not-fixed", "the value is not that of the pupil's first record, though the catalogue has it fixed")
IMPOSSIBLE = Rule("impossible", "the record is in a cell that the catalogue says nobody can be in")
ORPHAN = Rule("orphan", "the value does not occur in the data set that it refers to")
TOO_MANY_ROWS = Rule("too-many-rows", "there are more records than max_rows")
EMPTY_DATA_SET = Rule("empty-data-set", "the data set holds no records")

ROUNDED = Rule("rounded", "the number is no multiple of step; it was rounded to the nearest, halves away from zero")
BEYOND_BOUND = Rule(
    "beyond-bound",
    "a pupil has more records in a period than bound_rows; those beyond were left out, drawn by a secret",
)

RULES = (
    UNKNOWN_DATA_SET,
    NO_FILE,
    FILE_KIND,
    UNREADABLE_FILE,
    REPEATED_FILE,
    MALFORMED,
    EMPTY_FILE,
    MISSING_COLUMN,
    REPEATED_COLUMN,
    UNIT_TYPE,
    UNKNOWN_CODE,
    MISSING_VALUE,
    NOT_A_NUMBER,
    NOT_FINITE,
    OUT_OF_RANGE,
    CONTRADICTION,
    MISSING_UNIT,
    REPEATED_KEY,
    ROWS_PER_PERIOD,
    NOT_FIXED,
    IMPOSSIBLE,
    ORPHAN,
    TOO_MANY_ROWS,
    EMPTY_DATA_SET,
    ROUNDED,
    BEYOND_BOUND,
)
NOTES = frozenset({ROUNDED, BEYOND_BOUND})
"""Rules that are counted and reported, and refuse nothing."""


class Fault(IntEnum):
    """What is wrong with one value, as it is staged beside the value."""

    NONE = 0
    UNKNOWN_CODE = 1
    MISSING_VALUE = 2
    NOT_A_NUMBER = 3
    NOT_FINITE = 4
    OUT_OF_RANGE = 5
    CONTRADICTION = 6
    MISSING_UNIT = 7
    ROUNDED = 8

    @property
    def rule(self) -> Rule:
        return FAULT_RULES[self]


FAULT_RULES = {
    Fault.UNKNOWN_CODE: UNKNOWN_CODE,
    Fault.MISSING_VALUE: MISSING_VALUE,
    Fault.NOT_A_NUMBER: NOT_A_NUMBER,
    Fault.NOT_FINITE: NOT_FINITE,
    Fault.OUT_OF_RANGE: OUT_OF_RANGE,
    Fault.CONTRADICTION: CONTRADICTION,
    Fault.MISSING_UNIT: MISSING_UNIT,
    Fault.ROUNDED: ROUNDED,
}
