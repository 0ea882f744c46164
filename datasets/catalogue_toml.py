"""Reads a catalogue from TOML. Validates it whole: `CatalogueRefused` carries every problem, each with its path."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from typing import Any

from datasets.catalogue import Catalogue, DataSet, Key, Reference
from datasets.variables import Banding, Code, Numbers, Sensitivity, TimePeriod, Variable

EACH_ROW_IS_ONE_PUPIL = "each row is one pupil"
NAME = re.compile(r"[a-z][a-z0-9_]{0,62}\Z")
CUT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")
RESERVED = frozenset("measure statistic variable output value lower upper confidence unit status".split())
MISSING = "missing"
MAX_ATOMS = 50_000
GEOGRAPHIC_LEVELS = frozenset("EDA INST LA LAD LEP LSIP MAT MCA NAT OA PA PCON PFA PROV REG RSC SCH SPON WARD".split())
TIME_KINDS = (
    frozenset(
        "AY AYQ1 AYQ2 AYQ3 AYQ4 T1 T2 T3 T1T2 CY CYQ1 CYQ2 CYQ3 CYQ4 FY FYQ1 FYQ2 FYQ3 FYQ4 TY TYQ1 TYQ2 TYQ3 TYQ4 RY "
        "P1 P2".split()
    )
    | {f"M{i}" for i in range(1, 13)}
    | {f"W{i}" for i in range(1, 53)}
)
OVERFLOW = 2**62


class CatalogueRefused(ValueError):
    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("the catalogue is refused:\n" + "\n".join(f"  - {p}" for p in self.problems))


def load_catalogue(text: str) -> Catalogue:
    """Read and check a catalogue; raises `CatalogueRefused` with all problems."""
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise CatalogueRefused([f"not TOML: {error}"]) from None
    reader = _Reader(raw)
    catalogue = reader.catalogue(hashlib.sha256(text.encode()).hexdigest())
    if reader.problems or catalogue is None:
        raise CatalogueRefused(reader.problems)
    return catalogue


class _Table:
    """A TOML table that remembers which keys were asked for, so that the rest can be reported as unknown."""

    def __init__(self, raw: Any, path: str, problems: list[str]) -> None:
        self.path, self._problems, self._known = path, problems, set[str]()
        self._raw: dict[str, Any] = raw if isinstance(raw, dict) else {}
        if not isinstance(raw, dict):
            self.refuse("", "wants a table")

    def refuse(self, key: str, why: str) -> None:
        where = ".".join(p for p in (self.path, key) if p)
        self._problems.append(f"{where}: {why}")

    def get(self, key: str, kind: type | tuple[type, ...], what: str, default: Any = ...) -> Any:
        self._known.add(key)
        value = self._raw.get(key, default)
        if value is ...:
            self.refuse(key, f"missing; wants {what}")
            return None
        if key in self._raw and (not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool)):
            self.refuse(key, f"wants {what}")
            return None if default is ... else default
        return value

    def text(self, key: str, what: str = "a text", default: Any = ...) -> str:
        return str(self.get(key, str, what, default) or "")

    def tables(self, key: str) -> dict[str, _Table]:
        found = self.get(key, dict, "tables", {})
        return {
            k: _Table(v, f"{self.path}.{key}.{k}" if self.path else f"{key}.{k}", self._problems)
            for k, v in found.items()
        }

    def has(self, key: str) -> bool:
        return key in self._raw

    def close(self) -> None:
        for key in self._raw.keys() - self._known:
            self.refuse(key, f"unknown; known are {', '.join(sorted(self._known))}")


class _Reader:
    def __init__(self, raw: dict[str, Any]) -> None:
        self.problems: list[str] = []
        self._top = _Table(raw, "", self.problems)
        self._lists: dict[str, list[dict[str, str]]] = {}

    def catalogue(self, digest: str) -> Catalogue | None:
        cut = _Table(self._top.get("cut", dict, "a table", {}), "cut", self.problems)
        name = cut.text("id", "an id of a–z, 0–9 and -")
        if name and not CUT.match(name):
            cut.refuse("id", "wants an id of a–z, 0–9 and -")
        title, unit = cut.text("title"), cut.text("privacy_unit", "the unit of privacy, e.g. 'pupil'")
        synthetic = bool(cut.get("synthetic", bool, "true or false"))
        cut.close()
        self._read_lists()
        tables = self._top.tables("data_sets")
        if not tables:
            self._top.refuse("data_sets", "wants at least one data set")
        sets = [self._data_set(key, table) for key, table in tables.items()]
        self._top.close()
        made = [d for d in sets if d is not None]
        self._check_references(made)
        return None if self.problems else Catalogue(name, title, unit, synthetic, tuple(made), digest)

    def _read_lists(self) -> None:
        for name, table in self._top.tables("code_lists").items():
            columns = table.get("columns", list, "a list of column names, first 'code' and 'label'")
            rows = table.get("rows", list, "a list of rows")
            table.close()
            if not columns or rows is None:
                continue
            if columns[:2] != ["code", "label"]:
                table.refuse("columns", "wants 'code' and 'label' first")
                continue
            bad = [
                i
                for i, r in enumerate(rows)
                if not isinstance(r, list) or len(r) != len(columns) or not all(isinstance(c, str) for c in r)
            ]
            if bad:
                table.refuse(f"rows[{bad[0]}]", f"wants {len(columns)} texts")
                continue
            self._lists[name] = [dict(zip(columns, r, strict=True)) for r in rows]

    def _data_set(self, name: str, table: _Table) -> DataSet | None:
        if not NAME.match(name):
            table.refuse("", "the name wants a–z, 0–9 and _, starting with a letter")
        title = table.text("title")
        description, source = table.text("description", default=""), table.text("source", default="")
        variables = [self._variable(key, t) for key, t in table.tables("variables").items()]
        made = tuple(v for v in variables if v is not None)
        if not variables:
            table.refuse("variables", "wants at least one variable")
        self._unique_levels(made, table)
        key = self._key(table, made)
        max_rows = table.get("max_rows", int, "the most rows that there can ever be", 1_000_000_000)
        sort_by = table.get("sort_by", list, "a list of variables to sort by, after time", [])
        names = {v.name for v in made}
        for item in sort_by:
            if item not in names and len(made) == len(variables):
                table.refuse("sort_by", f"names no variable of this data set: wants some of {', '.join(sorted(names))}")
        references = self._references(table)
        table.close()
        self._check_overflow(made, max_rows, table)
        if key is None or len(made) != len(variables):
            return None
        return DataSet(name, title, description, source, key, made, tuple(sort_by), max_rows, references)

    def _unique_levels(self, variables: tuple[Variable, ...], table: _Table) -> None:
        levels = [v.level for v in variables if v.level] + [b.level for v in variables for b in v.bandings if b.level]
        for level in sorted({x for x in levels if levels.count(x) > 1}):
            table.refuse("variables", f"geographic level {level} is carried twice")
        if sum(v.is_time for v in variables) > 1:
            table.refuse("variables", "at most one variable of type 'time'")

    def _check_overflow(self, variables: tuple[Variable, ...], max_rows: int, table: _Table) -> None:
        """No sum of products can leave int64: max_rows × (largest tick distance)² must stay below 2^62."""
        for v in variables:
            if v.numbers and max_rows * (v.numbers.clamp[1] - v.numbers.clamp[0]) ** 2 >= OVERFLOW:
                table.refuse(
                    f"variables.{v.name}",
                    "sums of squares could overflow: wants a larger step, a narrower clamp or a smaller max_rows",
                )

    def _key(self, table: _Table, variables: tuple[Variable, ...]) -> Key | None:
        raw = table.get("key", (str, dict), f"a table (unit, time, also, rows_per_period) or '{EACH_ROW_IS_ONE_PUPIL}'")
        time = next((v.name for v in variables if v.is_time), None)
        if raw is None:
            return None
        if isinstance(raw, str):
            if raw != EACH_ROW_IS_ONE_PUPIL:
                table.refuse("key", f"wants a table or '{EACH_ROW_IS_ONE_PUPIL}'")
            return Key(None, time)
        key = _Table(raw, f"{table.path}.key", self.problems)
        unit, of_time = key.text("unit", "the column with the pupil's identifier"), key.text("time", default="")
        also, rows = (
            key.get("also", list, "a list of variables", []),
            key.get("rows_per_period", int, "a whole number", 1),
        )
        key.close()
        if of_time and of_time != time:
            key.refuse("time", "wants the variable of type 'time'")
        for name in also:
            if name not in {v.name for v in variables}:
                key.refuse("also", "wants names of variables of this data set")
        if not 1 <= rows <= 10_000:
            key.refuse("rows_per_period", "wants a whole number from 1 to 10000")
            return None
        return Key(unit, of_time or None, tuple(also), rows)

    def _references(self, table: _Table) -> tuple[Reference, ...]:
        found = []
        for i, raw in enumerate(table.get("references", list, "a list of tables", [])):
            item = _Table(raw, f"{table.path}.references[{i}]", self.problems)
            found.append(Reference(item.text("variable"), item.text("to"), item.text("to_variable")))
            item.close()
        return tuple(found)

    def _check_references(self, sets: list[DataSet]) -> None:
        by_id = {d.id: d for d in sets}
        for d in sets:
            for r in d.references:
                if r.variable not in d.by_name or r.to not in by_id or r.to_variable not in by_id[r.to].by_name:
                    self.problems.append(
                        f"data_sets.{d.id}.references: wants variable, data set and variable that exist"
                    )
                elif _measure(d.by_name[r.variable]) != _measure(by_id[r.to].by_name[r.to_variable]):
                    self.problems.append(
                        f"data_sets.{d.id}.references: wants two categories, or two numbers of the same step"
                    )

    def _variable(self, name: str, table: _Table) -> Variable | None:
        before = len(self.problems)
        if name in RESERVED:
            table.refuse("", f"the name is taken by a column of every answer ({', '.join(sorted(RESERVED))})")
        if not NAME.match(name):
            table.refuse("", "the name wants a–z, 0–9 and _, starting with a letter")
        kind = table.text("type", "'category', 'number' or 'time'")
        risk = table.get("identifiability", int, "4 or 5 (1–3 identify pupils and are never queryable)")
        if risk is not None and risk not in (4, 5):
            table.refuse("identifiability", "wants 4 or 5 (1–3 identify pupils and are never queryable)")
        sensitivity = table.text("sensitivity", "B, C, D or E (A is never used outside DfE)")
        if sensitivity and sensitivity not in {s.value for s in Sensitivity}:
            table.refuse("sensitivity", "wants B, C, D or E (A is never used outside DfE)")
        column, label = table.text("column", default=name), table.text("label")
        description = table.text("description", default="")
        level = self._level(table)
        missing, recode = table.text("missing", default="") or None, table.get("recode", dict, "a table", {})
        numbers: Numbers | None = None
        atoms: tuple[Code, ...] = ()
        if kind == "category":
            atoms = self._codes(table, "codes")
        elif kind == "time":
            atoms = self._periods(table)
        elif kind == "number":
            numbers, atoms = self._numbers(table)
        elif kind:
            table.refuse("type", "wants 'category', 'number' or 'time'")
        bandings = [self._banding(k, t, atoms, numbers, table) for k, t in table.tables("bandings").items()]
        if missing and missing not in {a.code for a in atoms}:
            table.refuse("missing", "wants one of the codes")
        self._check_recode(recode, atoms, numbers, table)
        table.close()
        if len(self.problems) > before:
            return None
        return Variable(
            name, column, label, description, risk, Sensitivity(sensitivity), atoms,
            tuple(b for b in bandings if b), level, numbers, kind == "time", missing, tuple(recode.items()),
        )  # fmt: skip

    def _check_recode(
        self, recode: dict[str, Any], atoms: tuple[Code, ...], numbers: Numbers | None, table: _Table
    ) -> None:
        """A number can be recoded to "missing" only: its other atoms are bins, which hold many values."""
        codes = {a.code for a in atoms} if numbers is None else {MISSING} if numbers.optional else set[str]()
        if not all(isinstance(code, str) and code in codes for code in recode.values()):
            wanted = f"'{MISSING}', of an optional number," if numbers else "codes of this variable"
            table.refuse("recode", f"wants {wanted} on the right-hand side")
        if "" in recode:
            table.refuse("recode", "an empty value is not recoded: name its code as 'missing'")

    def _level(self, table: _Table) -> str | None:
        level = table.text("level", default="") or None
        if level and level not in GEOGRAPHIC_LEVELS:
            table.refuse("level", f"wants one of {' '.join(sorted(GEOGRAPHIC_LEVELS))}")
        return level

    def _rows(self, table: _Table, key: str) -> list[dict[str, str]]:
        raw = table.get(key, (str, list), "the name of a code list, or a list of [code, label]")
        if isinstance(raw, str):
            if raw not in self._lists:
                table.refuse(key, "names no code list")
            return self._lists.get(raw, [])
        rows = []
        for i, item in enumerate(raw or []):
            if isinstance(item, str):
                item = [item, item]
            if not isinstance(item, list) or len(item) != 2 or not all(isinstance(c, str) and c for c in item):
                table.refuse(f"{key}[{i}]", "wants [code, label]")
            else:
                rows.append({"code": item[0], "label": item[1]})
        return rows

    def _codes(self, table: _Table, key: str) -> tuple[Code, ...]:
        codes = tuple(Code(r["code"], r["label"]) for r in self._rows(table, key))
        self._distinct([c.code for c in codes], table, key)
        return codes

    def _distinct(self, codes: list[str], table: _Table, key: str) -> None:
        if not codes:
            table.refuse(key, "wants at least one code")
        if len(codes) > MAX_ATOMS:
            table.refuse(key, f"wants at most {MAX_ATOMS} codes")
        for code in sorted({c for c in codes if codes.count(c) > 1})[:5] if len(set(codes)) < len(codes) else ():
            table.refuse(key, f"code {code!r} stands twice")

    def _periods(self, table: _Table) -> tuple[Code, ...]:
        raw = table.get("codes", list, "a list of [code, period, kind], e.g. ['202223', '2022/2023', 'AY']")
        periods = []
        for i, item in enumerate(raw or []):
            if not isinstance(item, list) or len(item) != 3 or not all(isinstance(c, str) for c in item):
                table.refuse(f"codes[{i}]", "wants [code, period, kind], e.g. ['202223', '2022/2023', 'AY']")
            elif item[2] not in TIME_KINDS:
                table.refuse(f"codes[{i}]", "kind wants an EES time code such as AY, T1, T2, T3, CY")
            else:
                periods.append(TimePeriod(item[0], f"{item[1]} {item[2]}", item[1], item[2]))
        self._distinct([p.code for p in periods], table, "codes")
        return tuple(periods)

    def _numbers(self, table: _Table) -> tuple[Numbers | None, tuple[Code, ...]]:
        step = self._decimal(
            table, "step", table.get("step", (int, Decimal, str), "the smallest difference, e.g. '0.1'")
        )
        ends = self._ticks(table, "range", table.get("range", list, "[lowest, highest]"), step)
        if step is None or ends is None:
            return None, ()
        if any(abs(end) >= OVERFLOW for end in ends):
            table.refuse("range", "wants fewer than 2^62 steps between 0 and either end")
        clamp = (
            self._ticks(table, "clamp", table.get("clamp", list, "[lowest, highest]", None), step)
            if table.has("clamp")
            else ends
        )
        optional = bool(table.get("optional", bool, "true or false", False))
        unit, decimals = table.text("unit", default=""), table.get("decimals", int, "a whole number", None)
        places = max(0, -int(step.normalize().as_tuple().exponent))
        edges = self._edges(table, step, ends)
        if (
            len(ends) != 2
            or clamp is None
            or len(clamp) != 2
            or clamp[0] >= clamp[1]
            or clamp[0] < ends[0]
            or clamp[1] > ends[1]
        ):
            table.refuse(
                "clamp" if table.has("clamp") else "range", "wants [lowest, highest], rising, within the range"
            )
            return None, ()
        made = Numbers(
            step,
            ends[0],
            ends[1],
            (clamp[0], clamp[1]),
            edges,
            optional,
            unit,
            places + 1 if decimals is None else decimals,
        )
        return made, interval_codes(made) if edges else ()

    def _edges(self, table: _Table, step: Decimal, ends: tuple[int, ...]) -> tuple[int, ...]:
        raw = table.get("bins", dict, "a table: width, or edges", None)
        if raw is None:
            return ()
        bins = _Table(raw, f"{table.path}.bins", self.problems)
        if bins.has("width"):
            width = self._ticks(bins, "width", [bins.get("width", (int, Decimal, str), "a number")], step)
            bins.close()
            if width is None or width[0] < 1 or (ends[-1] - ends[0]) / width[0] > MAX_ATOMS:
                bins.refuse("width", f"wants a multiple of step, above 0, giving at most {MAX_ATOMS} bins")
                return ()
            return (*range(ends[0], ends[-1], width[0]), ends[-1])
        edges = self._ticks(bins, "edges", bins.get("edges", list, "a rising list of numbers"), step)
        bins.close()
        if (
            edges is None
            or len(edges) < 2
            or list(edges) != sorted(set(edges))
            or (edges[0], edges[-1]) != (ends[0], ends[-1])
        ):
            bins.refuse("edges", "wants a rising list from the lowest to the highest value of the range")
            return ()
        return edges

    def _decimal(self, table: _Table, key: str, raw: Any) -> Decimal | None:
        try:
            value = None if raw is None or isinstance(raw, bool) else Decimal(raw)
        except (InvalidOperation, TypeError, ValueError):
            value = None
        if value is None or not value.is_finite() or value <= 0:
            if raw is not None:
                table.refuse(key, "wants a number above 0")
            return None
        return value

    def _ticks(self, table: _Table, key: str, raw: Any, step: Decimal | None) -> tuple[int, ...] | None:
        if not isinstance(raw, list) or step is None or not raw:
            return None
        try:
            ticks = [Decimal(item) / step for item in raw if not isinstance(item, bool)]
        except (InvalidOperation, TypeError, ValueError):
            ticks = []
        if len(ticks) != len(raw) or any(not t.is_finite() or t != t.to_integral_value() for t in ticks):
            table.refuse(key, "wants numbers that are multiples of step")
            return None
        return tuple(int(t) for t in ticks)

    def _banding(
        self, name: str, table: _Table, atoms: tuple[Code, ...], numbers: Numbers | None, parent: _Table
    ) -> Banding | None:
        before = len(self.problems)
        if not NAME.match(name) or name == "bin":
            table.refuse("", "the name wants a–z, 0–9 and _, starting with a letter; 'bin' is taken")
        label, level = table.text("label"), self._level(table)
        against = table.text("checked_against", default="") or None
        codes: tuple[Code, ...] = ()
        groups: tuple[tuple[int, ...], ...] = ()
        if numbers is not None:
            codes, groups = self._number_bands(table, numbers)
        elif table.has("by"):
            codes, groups = self._parent_bands(table, parent, atoms)
        else:
            codes, groups = self._listed_bands(table, atoms)
        table.close()
        return Banding(name, label, codes, groups, level, against) if len(self.problems) == before else None

    def _number_bands(self, table: _Table, numbers: Numbers) -> tuple[tuple[Code, ...], tuple[tuple[int, ...], ...]]:
        edges = self._ticks(table, "edges", table.get("edges", list, "a rising list of numbers"), numbers.step) or ()
        if len(edges) < 2 or list(edges) != sorted(set(edges)) or not set(edges) <= set(numbers.edges):
            table.refuse("edges", "wants a rising list of edges of this variable's bins")
            return (), ()
        spans = list(pairwise(edges))
        groups = [tuple(i for i, e in enumerate(numbers.edges[:-1]) if a <= e < b) for a, b in spans]
        return tuple(interval_code(numbers, a, b) for a, b in spans), tuple(groups)

    def _parent_bands(
        self, table: _Table, parent: _Table, atoms: tuple[Code, ...]
    ) -> tuple[tuple[Code, ...], tuple[tuple[int, ...], ...]]:
        column, codes = table.text("by", "a column of the variable's code list"), self._codes(table, "codes")
        rows = self._rows(parent, "codes")
        if any(column not in r for r in rows):
            table.refuse("by", "wants a column of the variable's code list")
            return (), ()
        place = {c.code: i for i, c in enumerate(codes)}
        groups: list[list[int]] = [[] for _ in codes]
        for i, row in enumerate(rows):
            if row[column] not in place:
                table.refuse("by", f"row {i} of the code list names a band that is not among codes")
                return (), ()
            groups[place[row[column]]].append(i)
        return codes, tuple(tuple(g) for g in groups)

    def _listed_bands(
        self, table: _Table, atoms: tuple[Code, ...]
    ) -> tuple[tuple[Code, ...], tuple[tuple[int, ...], ...]]:
        raw = table.get("bands", list, "a list of [code, label, [codes of the variable]]") or []
        place = {a.code: i for i, a in enumerate(atoms)}
        codes, groups, used = [], [], set[str]()
        for i, item in enumerate(raw):
            if not (isinstance(item, list) and len(item) == 3 and isinstance(item[2], list) and item[2]):
                table.refuse(f"bands[{i}]", "wants [code, label, [codes of the variable]]")
                continue
            if any(c not in place or c in used for c in item[2]):
                table.refuse(f"bands[{i}]", "wants codes of the variable, each in one band")
                continue
            used |= set(item[2])
            codes.append(Code(str(item[0]), str(item[1])))
            groups.append(tuple(sorted(place[c] for c in item[2])))
        self._distinct([c.code for c in codes], table, "bands")
        return tuple(codes), tuple(groups)


def _measure(variable: Variable) -> Decimal | None:
    return variable.numbers.step if variable.numbers else None


def interval_code(numbers: Numbers, low: int, high: int) -> Code:
    """ "5 to <6"; the top one, which holds its upper end too, "6 to 8"."""
    values = ((numbers.step * t).normalize() for t in (low, high))
    a, b = (f"{value:f}" if value >= 0 else f"({value:f})" for value in values)
    text = f"{a} to {b}" if high == numbers.highest else f"{a} to <{b}"
    return Code(text, text)


def interval_codes(numbers: Numbers) -> tuple[Code, ...]:
    """The atoms of a number: its bins, then "missing" where it is optional."""
    spans = tuple(interval_code(numbers, a, b) for a, b in pairwise(numbers.edges))
    return (*spans, Code(MISSING, "Missing")) if numbers.optional else spans
