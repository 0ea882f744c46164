"""The cell key method: noise that depends on the records of a cell, and on nothing else. No differential privacy."""

from disclosure.cell_key.files import from_csv, to_csv
from disclosure.cell_key.generate import Parameters, maximum_entropy
from disclosure.cell_key.lookup import perturbed
from disclosure.cell_key.magnitude import Flex, perturbed_sums
from disclosure.cell_key.ptable import PTable, PTableRefused, Row

__all__ = [
    "Flex", "PTable", "PTableRefused", "Parameters", "Row", "from_csv", "maximum_entropy", "perturbed",
    "perturbed_sums", "to_csv",
]  # fmt: skip
