"""Metrics of trained models: one file an idea, each naming its protocol."""

from __future__ import annotations

from zoo.metrics.accuracy import Accuracy
from zoo.metrics.augmentation_gain import AugmentationGain
from zoo.metrics.class_score import ClassScore, InceptionScore
from zoo.metrics.compression import Compression
from zoo.metrics.frechet import FID, Frechet
from zoo.metrics.judge import JudgedMetric
from zoo.metrics.kid import KID
from zoo.metrics.label_kept import LabelKept
from zoo.metrics.likelihood import ELBO, LogLikelihood
from zoo.metrics.linear_probe import LinearProbe
from zoo.metrics.memorisation import Memorisation
from zoo.metrics.mode_coverage import ModeCoverage
from zoo.metrics.prdc import PRDC
from zoo.metrics.recognition import Recognition
from zoo.metrics.reconstruction import MSE, PSNR
from zoo.metrics.space import SpaceMetric
from zoo.metrics.ssim import SSIM
from zoo.metrics.stacked_modes import StackedModes
from zoo.plugin.metric import Measured

__all__ = [
    "ELBO",
    "FID",
    "KID",
    "MSE",
    "PRDC",
    "PSNR",
    "SSIM",
    "Accuracy",
    "AugmentationGain",
    "ClassScore",
    "Compression",
    "Frechet",
    "InceptionScore",
    "JudgedMetric",
    "LabelKept",
    "LinearProbe",
    "LogLikelihood",
    "Measured",
    "Memorisation",
    "ModeCoverage",
    "Recognition",
    "SpaceMetric",
    "StackedModes",
]
