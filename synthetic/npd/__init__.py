"""Pupils who do not exist, in the shape of the National Pupil Database.

`make` writes the source files of a whole cut, `make_census` school censuses alone at any size, and `write_schools`
the list of schools that a cut's catalogue needs before either. Facts that the pupils follow are in `facts.toml`.
"""

from synthetic.npd.make import Progress, make
from synthetic.npd.scale import make_census
from synthetic.npd.schools import write_schools

__all__ = ["Progress", "make", "make_census", "write_schools"]
