"""What primary rules look at: exact facts of a cell, gathered with its counts, which never leave `disclosure`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from enum import StrEnum
from typing import Any, ClassVar

from disclosure.fields import Field
from disclosure.tables import Flags


class Evidence(StrEnum):
    """Each is the name of an argument of `sensitive`. Arrays have any shape of cells, the same for all of a rule."""

    PUPILS = "pupils"
    """int64: distinct pupils in the cell."""
    STRUCTURAL = "structural"
    """bool: cells that nobody can be in, by public definition (boys at a girls' school)."""
    TOTAL = "total"
    """int64: sum of the pupils' absolute contributions to a magnitude, in ticks; a lower number flags more."""
    LARGEST = "largest"
    """int64, (cells …, k): absolute contributions of the k largest contributors, descending; 0 where there are none."""
    SCHOOLS = "schools"
    """int64: distinct schools that contribute."""
    BY_SCHOOL = "by_school"
    """bool: cells that are of one school by definition of the table."""
    CUBE = "cube"
    """`disclosure.cube.Cube`: counts of pupils with all their totals."""
    DENOMINATOR = "denominator"
    """int64: pupils or rows that a percentage or rate is of."""
    BELOW = "below"
    """int64: pupils below a quantile."""
    ABOVE = "above"
    """int64: pupils above a quantile."""
    OBSERVATIONS = "observations"
    """int64: rows that a model is fitted to."""
    COEFFICIENTS = "coefficients"
    """int64: coefficients of the model, the constant among them."""


class PrimaryRule(ABC):
    """A frozen dataclass of its parameters, which are the keys of its table in a policy."""

    __slots__ = ()

    name: ClassVar[str]
    """Of its table in a policy."""
    source: ClassVar[str]
    fields: ClassVar[tuple[Field, ...]]
    needs: ClassVar[tuple[Evidence, ...]]

    def __post_init__(self) -> None:
        for field in self.fields:
            if not field.check(getattr(self, field.key)):
                raise ValueError(f"{field.key}: wants {field.accepts}")

    @property
    def largest(self) -> int:
        """How many of the largest contributors the rule looks at."""
        return 0

    @abstractmethod
    def sensitive(self, *evidence: Any, **named: Any) -> Flags:
        """bool, one for each cell: must it be hidden? Arguments are what the rule needs, in that order, by name."""
