"""What later releases must know of the cells of earlier ones; `cells.py` says how cells are named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from disclosure.tables import Flags

Keys = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True, eq=False)
class ReleasedCells:
    """keys: uint64, and for each whether it was hidden."""

    keys: Keys
    hidden: Flags

    def __post_init__(self) -> None:
        if self.keys.dtype != np.uint64 or self.keys.ndim != 1:
            raise ValueError("want keys of uint64 in one dimension")
        if self.hidden.dtype != np.bool_ or self.hidden.shape != self.keys.shape:
            raise ValueError("want one flag for each key")
