"""The statistics that can be asked for. A new one is a recipe in this package and its name here."""

from datasets.statistics.compare import GAP, RATIO
from datasets.statistics.counts import COUNT, DISTINCT, HISTOGRAM, PUPILS
from datasets.statistics.logistic import LOGISTIC
from datasets.statistics.moments import MEAN, RATE, SD, SUM, VARIANCE
from datasets.statistics.ols import OLS
from datasets.statistics.pairs import CORRELATION, COVARIANCE
from datasets.statistics.quantiles import MEDIAN, QUANTILE
from datasets.statistics.recipe import Statistic, Subject, Takes
from datasets.statistics.shares import DISTRIBUTION, PERCENTAGE

STATISTICS: dict[str, Statistic] = {
    s.name: s
    for s in (
        *(COUNT, PUPILS, DISTINCT, SUM, MEAN, RATE, PERCENTAGE, DISTRIBUTION, VARIANCE, SD, HISTOGRAM),
        *(QUANTILE, MEDIAN, RATIO, GAP, COVARIANCE, CORRELATION, OLS, LOGISTIC),
    )
}

__all__ = ["STATISTICS", "Statistic", "Subject", "Takes"]
