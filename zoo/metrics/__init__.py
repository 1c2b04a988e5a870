"""Metrics of trained models: one file an idea, each naming its protocol."""

from __future__ import annotations

from zoo.metrics.accuracy import Accuracy
from zoo.metrics.augmentation_gain import AugmentationGain
from zoo.metrics.compression import Compression
from zoo.metrics.judge import Judge, JudgedMetric
from zoo.metrics.label_kept import LabelKept
from zoo.metrics.likelihood import ELBO, LogLikelihood
from zoo.metrics.linear_probe import LinearProbe
from zoo.metrics.mode_coverage import ModeCoverage
from zoo.metrics.recognition import Recognition
from zoo.metrics.reconstruction import MSE, PSNR
from zoo.metrics.ssim import SSIM
from zoo.metrics.stacked_modes import StackedModes
from zoo.plugin.metric import Measured

__all__ = [
    "ELBO",
    "MSE",
    "PSNR",
    "SSIM",
    "Accuracy",
    "AugmentationGain",
    "Compression",
    "Judge",
    "JudgedMetric",
    "LabelKept",
    "LinearProbe",
    "LogLikelihood",
    "Measured",
    "ModeCoverage",
    "Recognition",
    "StackedModes",
]
