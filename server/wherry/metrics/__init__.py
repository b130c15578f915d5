"""Observations as Prometheus metrics: what the server has counted, summed over its workers."""

from wherry.metrics.counting import Metrics
from wherry.metrics.shared import RUNTIME_DIRECTORY

__all__ = ["RUNTIME_DIRECTORY", "Metrics"]
