"""Count cubes: the number of rows of each combination of atoms of a few variables, counted once, at ingest.

They hold exact counts, and cells of one pupil are among them: a cube is as secret as the rows that it counts. It lies
beside them, under the same permissions, and nothing that leaves the server is made of it but by way of an ExactTable.
"""

from datasets.cubes.choice import MOST_CELLS, chosen
from datasets.cubes.cube import Counts, Cube, dtype_of, shape_of
from datasets.cubes.files import CubeRefused, read_cube, save_cube
from datasets.cubes.tabulate import Shown, edges, tabulate, work

__all__ = [
    "MOST_CELLS",
    "Counts",
    "Cube",
    "CubeRefused",
    "Shown",
    "chosen",
    "dtype_of",
    "edges",
    "read_cube",
    "save_cube",
    "shape_of",
    "tabulate",
    "work",
]
