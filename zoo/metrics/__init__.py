"""Metrics of trained models: one file a metric, each naming its protocol."""

from __future__ import annotations

from zoo.metrics.base import Measured, Metric
from zoo.metrics.likelihood import ELBO, LogLikelihood

__all__ = ["ELBO", "LogLikelihood", "Measured", "Metric"]
