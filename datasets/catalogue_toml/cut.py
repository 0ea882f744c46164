"""The cut: its data sets in the order in which they can be completed, and references between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from datasets.catalogue import Catalogue, DataSet
from datasets.catalogue_toml.codes import read_code_lists
from datasets.catalogue_toml.data_set import Draft, complete, read_data_set
from datasets.catalogue_toml.table import Table
from datasets.variables import Variable

CUT = re.compile(r"[a-z0-9][a-z0-9-]{0,62}\Z")


def read_catalogue(top: Table, digest: str) -> Catalogue | None:
    """None where there are problems."""
    cut = top.table("cut", top.get("cut", dict, "a table", {}))
    name = cut.text("id", "an id of a–z, 0–9 and -")
    if name and not CUT.match(name):
        cut.refuse("id", "wants an id of a–z, 0–9 and -")
    title, unit = cut.text("title"), cut.text("privacy_unit", "the unit of privacy, e.g. 'pupil'")
    synthetic, record_keys = cut.flag("synthetic"), cut.flag("record_keys", False)
    twin = cut.text("synthetic_twin", "the id of a synthetic cut", "")
    if twin and (synthetic or twin == name or not CUT.match(twin)):
        cut.refuse("synthetic_twin", "wants, of a cut that is not synthetic, the id of another that is: a–z, 0–9 and -")
    cut.close()
    lists = read_code_lists(top)
    tables = top.tables("data_sets")
    if not tables:
        top.refuse("data_sets", "wants at least one data set")
    drafts = [read_data_set(key, table, lists, record_keys) for key, table in tables.items()]
    top.close()
    sets = _completed([draft for draft in drafts if draft], set(tables))
    _check_references(sets, top)
    if not top.problems and all(d.public for d in sets):
        top.refuse("data_sets", "wants a data set that is about somebody: all are public")
    return None if top.problems else Catalogue(name, title, unit, synthetic, tuple(sets), digest, twin)


def _completed(drafts: Sequence[Draft], written: set[str]) -> list[DataSet]:
    """In the order of the file. written: all names, also of data sets that could not be understood."""
    done: dict[str, DataSet] = {}
    waiting = list(drafts)
    for draft in drafts:
        for one in draft.links:
            if one.link.to not in written or one.link.to == draft.made.id:
                one.table.refuse("to", f"wants another data set: {', '.join(sorted(written - {draft.made.id}))}")
    while waiting:
        ready = [d for d in waiting if all(one.link.to in done for one in d.links)]
        if not ready:
            _refuse_circle(waiting)
            break
        done |= {draft.made.id: complete(draft, done) for draft in ready}
        waiting = [draft for draft in waiting if draft.made.id not in done]
    return [done.get(draft.made.id, draft.made) for draft in drafts]


def _refuse_circle(waiting: Sequence[Draft]) -> None:
    """What is left either links in a circle, or to what was refused already."""
    names = {draft.made.id for draft in waiting}
    for draft in waiting:
        if all(one.link.to in names for one in draft.links):
            draft.table.refuse("links", f"links in a circle, through {', '.join(sorted(names - {draft.made.id}))}")


def _check_references(sets: Sequence[DataSet], top: Table) -> None:
    by_id = {d.id: d for d in sets}
    for d in sets:
        for r in d.references:
            where = f"data_sets.{d.id}.references"
            if r.variable not in d.by_name or r.to not in by_id or r.to_variable not in by_id[r.to].by_name:
                top.refuse(where, "wants variable, data set and variable that exist")
            elif not (d.by_name[r.variable].is_own and by_id[r.to].by_name[r.to_variable].is_own):
                top.refuse(where, "wants variables that files have")
            elif _step(d.by_name[r.variable]) != _step(by_id[r.to].by_name[r.to_variable]):
                top.refuse(where, "wants two categories, or two numbers of the same step")


def _step(variable: Variable) -> Decimal | None:
    return variable.numbers.step if variable.numbers else None
