"""Answers as pandas data frames. The only module that imports pandas, and only when it is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from privacy_api_client.catalogue import Meta
from privacy_api_client.results import COLUMNS, Result

if TYPE_CHECKING:
    import pandas

_FLOATS = frozenset({"value", "lower", "upper", "confidence"})
_TEXTS = frozenset({"statistic", "variable", "unit", "status"})


def frame_of(result: Result, labels: Meta | None) -> pandas.DataFrame:
    try:
        import pandas
    except ImportError:
        raise ImportError("to_pandas() wants pandas: pip install 'privacy-api-client[pandas]'") from None
    rows = list(result.full_rows())
    columns: dict[str, Any] = {}
    for name in (*result.dimensions, *COLUMNS):
        values = [row[name] for row in rows]
        columns[name] = _column(name, values)
        if labels is not None and name in result.dimensions:
            known = labels.labels(name)
            columns[f"{name}_label"] = _categories([known.get(code, code) for code in values])
    frame: pandas.DataFrame = pandas.DataFrame(columns)
    frame.attrs = {"release": result.id, "citation": result.citation, "synthetic": result.synthetic}
    return frame


def _column(name: str, values: list[Any]) -> Any:
    import pandas

    if name in _FLOATS:
        return pandas.Series(values, dtype="float64")
    if name in _TEXTS:
        return pandas.Series(values, dtype="string")
    return _categories(values)


def _categories(values: list[Any]) -> Any:
    """Categories in the order in which the answer brings them, which is that of the code list."""
    import pandas

    order = pandas.Index(list(dict.fromkeys(v for v in values if v is not None)), dtype="string")
    return pandas.Categorical(values, categories=order)
