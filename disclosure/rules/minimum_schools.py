from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from disclosure.fields import OFFICIAL, Field, any_change_loosens, lower_loosens, whole
from disclosure.rules.evidence import Evidence, PrimaryRule
from disclosure.tables import Flags, Integers


@dataclass(frozen=True, slots=True)
class MinimumSchools(PrimaryRule):
    """Pupils of fewer than `value` schools: the cell would tell of one school, or tell one school of another. Cells
    that are by school on purpose are let be, and cells without pupils are left to the minimum count.

    variable: the name of the school in the cut's catalogue.

    Source: minimum number of contributors, Hundepool et al., Statistical Disclosure Control (2012), with the school as
    the contributor.
    """

    variable: str
    value: int

    name: ClassVar[str] = "minimum_schools"
    source: ClassVar[str] = "Hundepool et al., Statistical Disclosure Control (Wiley, 2012): number of contributors"
    needs: ClassVar[tuple[Evidence, ...]] = (Evidence.SCHOOLS, Evidence.BY_SCHOOL)
    fields: ClassVar[tuple[Field, ...]] = (
        Field(
            "variable", "the name of a variable", lambda v: isinstance(v, str) and bool(v.strip()),
            any_change_loosens("schools are counted by another variable"), OFFICIAL,
        ),
        whole("value", 2, 100, lower_loosens("the lower, the fewer schools a cell may tell of"), OFFICIAL),
    )  # fmt: skip

    def sensitive(self, schools: Integers, by_school: Flags) -> Flags:
        return (schools > 0) & (schools < self.value) & ~by_school
