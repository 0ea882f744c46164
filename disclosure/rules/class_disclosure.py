from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from disclosure.cube import Cube
from disclosure.fields import Field
from disclosure.rules.evidence import Evidence, PrimaryRule
from disclosure.tables import Flags


@dataclass(frozen=True, slots=True)
class ClassDisclosure(PrimaryRule):
    """One part of a total has everyone (100 %): whoever is known to be in the total is known to be in the part.

    The full cell is sensitive, however many are in it. The other parts are then empty (0 %); they are zeros, which
    the minimum count hides, and it must, since zeros that are shown would tell the full cell. An empty part beside two
    that are not is left to the minimum count. A line of which only one part can have anyone says nothing new.

    Source: Hundepool et al., Statistical Disclosure Control (2012), group (attribute) disclosure; the SACRO project's
    guidance on statbarns calls it class disclosure.
    """

    name: ClassVar[str] = "class_disclosure"
    source: ClassVar[str] = "Hundepool et al., Statistical Disclosure Control (Wiley, 2012): group disclosure"
    needs: ClassVar[tuple[Evidence, ...]] = (Evidence.CUBE, Evidence.STRUCTURAL)
    fields: ClassVar[tuple[Field, ...]] = ()

    def sensitive(self, cube: Cube, structural: Flags) -> Flags:
        found = np.zeros(cube.shape, np.bool_)
        for axis, dimension in enumerate(cube.dimensions):
            values, never, full = (np.moveaxis(a, axis, 0) for a in (cube.values, structural, found))
            for line in dimension.lines:
                parts, total = list(line.parts), values[line.total]
                open_lines = ((~never[parts]).sum(0) > 1) & (total > 0)
                full[parts] |= (values[parts] == total) & open_lines
        return found
