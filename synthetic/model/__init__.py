"""T3: a differentially private model of pupils, one row each, and rows from it. Read docs/synthetic-model.md."""

from synthetic.model.count import ArrayCounter, Counter
from synthetic.model.domain import Clique, Domain, OutsideDomain
from synthetic.model.fit import fit
from synthetic.model.measure import Margin
from synthetic.model.model import Model, sample
from synthetic.model.settings import Settings
from synthetic.model.zeros import Zero, ZerosRefused

__all__ = [
    "ArrayCounter",
    "Clique",
    "Counter",
    "Domain",
    "Margin",
    "Model",
    "OutsideDomain",
    "Settings",
    "Zero",
    "ZerosRefused",
    "fit",
    "sample",
]
