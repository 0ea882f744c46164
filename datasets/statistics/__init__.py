"""The statistics that can be asked for. A new one is a recipe in this package and its name here."""

from datasets.statistics.counts import COUNT, HISTOGRAM, PUPILS
from datasets.statistics.moments import MEAN, RATE, SD, SUM, VARIANCE
from datasets.statistics.quantiles import MEDIAN, QUANTILE
from datasets.statistics.recipe import Statistic, Subject, Takes
from datasets.statistics.shares import DISTRIBUTION, PERCENTAGE

STATISTICS: dict[str, Statistic] = {
    s.name: s
    for s in (COUNT, PUPILS, SUM, MEAN, RATE, PERCENTAGE, DISTRIBUTION, VARIANCE, SD, HISTOGRAM, QUANTILE, MEDIAN)
}

__all__ = ["STATISTICS", "Statistic", "Subject", "Takes"]
