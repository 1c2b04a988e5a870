"""Metrics of trained models: one file an idea, each naming its protocol."""

from __future__ import annotations

from zoo.metrics.accuracy import Accuracy
from zoo.metrics.active_units import ActiveUnits
from zoo.metrics.aggregate_posterior import AggregatePosterior
from zoo.metrics.augmentation_gain import AugmentationGain
from zoo.metrics.beta_vae_score import BetaVAEScore
from zoo.metrics.bits_per_dimension import BitsPerDimension
from zoo.metrics.class_score import ClassScore, InceptionScore
from zoo.metrics.compression import Compression
from zoo.metrics.dci import DCI
from zoo.metrics.factor_vae_score import FactorVAEScore
from zoo.metrics.factors import FactorMetric
from zoo.metrics.frechet import FID, Frechet
from zoo.metrics.judge import JudgedMetric
from zoo.metrics.kid import KID
from zoo.metrics.knn import KNN
from zoo.metrics.label_kept import LabelKept
from zoo.metrics.likelihood import ELBO, LogLikelihood
from zoo.metrics.linear_probe import LinearProbe
from zoo.metrics.memorisation import Memorisation
from zoo.metrics.mig import MIG
from zoo.metrics.mode_coverage import ModeCoverage
from zoo.metrics.modularity import Modularity
from zoo.metrics.parzen_window import ParzenWindow
from zoo.metrics.prdc import PRDC
from zoo.metrics.rate_distortion import RateDistortion
from zoo.metrics.recognition import Recognition
from zoo.metrics.reconstruction import MSE, PSNR
from zoo.metrics.sap import SAP
from zoo.metrics.space import SpaceMetric
from zoo.metrics.ssim import SSIM
from zoo.metrics.stacked_modes import StackedModes
from zoo.plugin.metric import Measured

__all__ = [
    "DCI",
    "ELBO",
    "FID",
    "KID",
    "KNN",
    "MIG",
    "MSE",
    "PRDC",
    "PSNR",
    "SAP",
    "SSIM",
    "Accuracy",
    "ActiveUnits",
    "AggregatePosterior",
    "AugmentationGain",
    "BetaVAEScore",
    "BitsPerDimension",
    "ClassScore",
    "Compression",
    "FactorMetric",
    "FactorVAEScore",
    "Frechet",
    "InceptionScore",
    "JudgedMetric",
    "LabelKept",
    "LinearProbe",
    "LogLikelihood",
    "Measured",
    "Memorisation",
    "ModeCoverage",
    "Modularity",
    "ParzenWindow",
    "RateDistortion",
    "Recognition",
    "SpaceMetric",
    "StackedModes",
]
