"""Linear programs over the moves of a table, solved by HiGHS: a model is passed once, then only costs change.

A move is a change of cells that keeps every line: lines @ move = 0. HiGHS computes in floating point, so nothing that
it says is a proof. What is proved is checked in integers afterwards (`attacker`).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import highspy
import numpy as np

from disclosure.suppression.equations import Matrix
from disclosure.suppression.problem import CannotProtect
from disclosure.tables import Flags, Floats, Integers

WHOLE = 1e-6
"""How near an integer a number that HiGHS gives has to be, to stand for it."""
NOTHING: Mapping[int, int] = MappingProxyType({})
QUIET: Mapping[str, float] = MappingProxyType({"output_flag": False, "threads": 1, "random_seed": 0})


class Infeasible(Exception):
    """No move is within the bounds."""


class Program:
    """Maximise costs @ y over lines @ y = 0 and lower ≤ y ≤ upper, which are finite.

    fixed: values of some variables, by place, in place of their bounds. CannotProtect where HiGHS gives up.
    """

    def __init__(self, lines: Matrix, lower: Integers | Floats, upper: Integers | Floats) -> None:
        self._model = highspy.HighsLp()
        self._model.num_row_, self._model.num_col_ = lines.shape
        self._model.row_lower_ = self._model.row_upper_ = np.zeros(lines.shape[0])
        self._lower, self._upper = lower.astype(np.float64), upper.astype(np.float64)
        self._model.col_lower_, self._model.col_upper_ = self._lower, self._upper
        self._model.col_cost_ = np.zeros(lines.shape[1])
        self._model.sense_ = highspy.ObjSense.kMaximize
        self._model.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        self._model.a_matrix_.start_, self._model.a_matrix_.index_ = lines.indptr, lines.indices
        self._model.a_matrix_.value_ = lines.data.astype(np.float64)
        self._solver = quiet()
        self._solver.passModel(self._model)
        self._places = np.arange(lines.shape[1], dtype=np.int32)

    def maximise(self, costs: Floats, fixed: Mapping[int, int] = NOTHING) -> Floats:
        """Starts from the optimum before."""
        self._solver.changeColsCost(self._places.size, self._places, costs)
        for place, value in fixed.items():
            self._solver.changeColBounds(place, value, value)
        found = solved(self._solver)
        for place in fixed:
            self._solver.changeColBounds(place, self._lower[place], self._upper[place])
        if found is None:
            raise Infeasible
        return found

    def prices(self) -> Floats:
        """Of the lines, at the optimum that was found last."""
        return np.array(self._solver.getSolution().row_dual)

    def maximise_whole(self, costs: Floats, nodes: int) -> Floats:
        """The same over whole numbers, by branch and bound over at most so many nodes: the best that was found."""
        solver = quiet({"mip_max_nodes": nodes, "mip_rel_gap": 0.0})
        solver.passModel(self._model)
        solver.changeColsCost(self._places.size, self._places, costs)
        whole = np.full(self._places.size, highspy.HighsVarType.kInteger)
        solver.changeColsIntegrality(self._places.size, self._places, whole)
        found = solved(solver)
        if found is None:
            raise Infeasible
        return found


def solved(solver: highspy.Highs) -> Floats | None:
    """The best point that is found within the solver's limits; None if there is none."""
    solver.run()
    status = solver.getModelStatus()
    if status == highspy.HighsModelStatus.kInfeasible:
        return None
    if status not in (highspy.HighsModelStatus.kOptimal, highspy.HighsModelStatus.kSolutionLimit):
        raise CannotProtect("the solver gave up on a program; fewer dimensions or coarser bands would pass")
    if solver.getInfo().primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return None
    return np.array(solver.getSolution().col_value)


def quiet(options: Mapping[str, float] = QUIET) -> highspy.Highs:
    """A solver that prints nothing and uses one thread, so that the same program has the same solution."""
    solver: highspy.Highs = highspy.Highs()  # type: ignore[no-untyped-call]
    for option, value in {**QUIET, **options}.items():
        solver.setOptionValue(option, value)
    return solver


class Cover:
    """Cheapest choice of items that meets all demands made so far: a 0/1 program. costs: of the items, above 0."""

    def __init__(self, costs: Floats, chosen: Flags, nodes: int) -> None:
        self._solver = quiet({"mip_max_nodes": nodes, "mip_rel_gap": 0.0})
        places = np.arange(costs.size, dtype=np.int32)
        self._solver.addVars(costs.size, chosen.astype(np.float64), np.ones(costs.size))
        self._solver.changeColsCost(costs.size, places, costs)
        self._places = places

    def demand(self, weights: Floats, least: float) -> None:
        """The weights of the chosen items come to so much at least."""
        places = np.flatnonzero(weights).astype(np.int32)
        self._solver.addRow(least, highspy.kHighsInf, places.size, places, weights[places])

    def meet(self, demands: list[tuple[Floats, float]]) -> bool:
        """Make all of these demands: weights and least. Whether there are any."""
        for weights, least in demands:
            self.demand(weights, least)
        return bool(demands)

    def choose(self, whole: bool) -> Floats:
        """How much of each item, between 0 and 1: shares, or whole ones.

        CannotProtect if no choice meets the demands, or none is proved to be the cheapest.
        """
        kind = highspy.HighsVarType.kInteger if whole else highspy.HighsVarType.kContinuous
        self._solver.changeColsIntegrality(self._places.size, self._places, np.full(self._places.size, kind))
        found = solved(self._solver)
        if found is None or self._solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
            raise CannotProtect("no cheapest pattern was found; the box method, or coarser bands, may pass")
        return np.rint(found) if whole else found
