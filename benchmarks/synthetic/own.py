"""A table of one's own: every column as codes. The codes are taken from the rows, for all methods alike, so this
compares methods and protects nobody.
"""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np

from benchmarks.synthetic.table import Column, Table

MOST, BANDS = 100, 16
"""Values of a column up to which each is a code, and how many bands numbers are cut into beyond that."""


def read(file: Path) -> Table:
    """Raises ValueError for words of more values than codes can be."""
    with duckdb.connect() as connection:
        rows = connection.read_parquet(str(file)) if file.suffix == ".parquet" else connection.read_csv(str(file))
        found = rows.fetchnumpy()
    coded = {name: _coded(name, values) for name, values in found.items()}
    columns = [Column(name, int(codes.max()) + 1) for name, codes in coded.items()]
    return Table(columns, np.column_stack(list(coded.values())))


def least(table: Table, target: str) -> int:
    """The least code of the target that counts as yes, so that yes is as near to half of the rows as can be."""
    codes = table.codes[:, table.names.index(target)]
    above = np.array([np.mean(codes >= code) for code in range(1, int(codes.max()) + 1)])
    return 1 + int(np.abs(above - 0.5).argmin())


def _coded(name: str, values: np.ndarray) -> np.ndarray:
    """Missing values are a code of their own, the last."""
    missing = np.ma.getmaskarray(values)
    plain = np.ma.getdata(values)
    known, codes = np.unique(plain[~missing], return_inverse=True)
    if len(known) > MOST:
        if plain.dtype.kind not in "iuf":
            raise ValueError(f"{name}: has {len(known)} different words; {MOST} can be codes")
        cuts = np.unique(np.quantile(plain[~missing], np.arange(1, BANDS) / BANDS))
        codes = np.searchsorted(cuts, plain[~missing], side="right")
    whole = np.full(len(plain), codes.max() + 1, np.uint8)
    whole[~missing] = codes
    return whole
