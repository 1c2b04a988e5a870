"""A VAE and a VQ-VAE, trained by the zoo and by pythae, and judged by the same code.

    pip install pythae
    python -m benchmarks.beside_pythae --seeds 0            writes its table in docs/lab/results.md
    python -m benchmarks.beside_pythae --models vae_mnist --seeds 0      prints its rows alone

Both sides train the same Keras networks on a CPU with PyTorch, from the same weights and on the
same pictures, for the same number of epochs, with the same batch size and with Adam at the same
rate. Losses, quantizer, order of pictures and loop are each library's own. What pythae trained is
measured through the zoo's model that has these networks. pythae's codebook follows moving averages
too (``use_ema``).
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import logging
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.table import grid, put

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/lab/results.md"
BEGIN = "<!-- measured: python -m benchmarks.beside_pythae -->"
MODELS = ("vae_mnist", "vqvae_mnist")
TRAINERS = ("zoo", "pythae")
SHOWN = {"frechet": 2, "recognition": 3, "elbo": 2, "log_likelihood": 2, "psnr": 2, "ssim": 3}


def main() -> None:
    """Train and measure, each in a process of its own, and write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", nargs="+", default=list(MODELS), choices=MODELS)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    options = parser.parse_args()
    text = "\n\n".join(_table(model, options.seeds) for model in options.models)
    print(text)
    if options.models == list(MODELS):
        put(f"{text}\n", PAGE, BEGIN)


def _table(model: str, seeds: list[int]) -> str:
    found = {trainer: [_child(model, trainer, seed) for seed in seeds] for trainer in TRAINERS}
    first = found["zoo"][0]
    rows = [
        [trainer, *(_spread([run[name]["value"] for run in runs], SHOWN[name]) for name in first)]
        for trainer, runs in found.items()
    ]
    head = [f"`{model}`", *(f"{name}{_unit(told)}" for name, told in first.items())]
    protocols = [f"- {name}: {told['protocol']}" for name, told in first.items()]
    seeded = f"seed {seeds[0]}"
    if len(seeds) > 1:
        seeded = f"seeds {' '.join(map(str, seeds))}; ± is the standard deviation (n - 1)"
    return "\n".join([grid(head, rows), "", *protocols, f"- {seeded}"])


def _spread(values: list[float], digits: int) -> str:
    mean = f"{statistics.fmean(values):.{digits}f}"
    return mean if len(values) == 1 else f"{mean} ± {statistics.stdev(values):.{digits}f}"


def _unit(told: dict[str, Any]) -> str:
    return f", {told['unit']}" if told["unit"] else ""


def _child(model: str, trainer: str, seed: int) -> dict[str, dict[str, Any]]:
    """What a trained model measures, by metric."""
    print(f"{model} by {trainer}, seed {seed}", file=sys.stderr, flush=True)
    code = f"from benchmarks import beside_pythae as b; b.trained({model!r}, {trainer!r}, {seed})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=os.environ | {"KERAS_BACKEND": "torch", "KERAS_TORCH_DEVICE": "cpu"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1])


def trained(model: str, trainer: str, seed: int) -> None:
    """Train a model, and print what it measures."""
    from zoo.engine import accelerate
    from zoo.training import evaluation
    from zoo.training.experiment import prepare, prepared_metrics

    experiment = prepare(_recipe(model, seed))
    metrics = prepared_metrics(experiment, None, None)
    if trainer == "zoo":
        recipe = experiment.recipe
        experiment.model.fit(experiment.batches, epochs=recipe.epochs, shuffle=False, verbose=0)
    else:
        accelerate.undo()
        _by_pythae(experiment)
    evaluation.fit_sampler(experiment)
    print(json.dumps(evaluation.judged(experiment, metrics, None)[1]))


def _recipe(model: str, seed: int):
    """The shipped recipe, on pixels that are binarized once, with what is to be measured."""
    from zoo import features, metrics
    from zoo.config import recipe, recipe_files

    found: Any = recipe.load(recipe_files.shipped()[model])
    measured = [metrics.Frechet(space=features.Judge()), metrics.Recognition()]
    if model == "vae_mnist":
        measured += [metrics.ELBO(), metrics.LogLikelihood(samples=100)]
        dataset = dataclasses.replace(found.dataset, binarize="fixed")
    else:
        measured += [metrics.PSNR(), metrics.SSIM()]
        dataset = found.dataset
    return dataclasses.replace(found, dataset=dataset, metrics=measured, callbacks=[], seed=seed)


def _by_pythae(experiment) -> None:
    """Train the networks of an experiment."""
    import numpy as np
    import torch
    from pythae.data.datasets import BaseDataset
    from pythae.models import VAE, VQVAE, VAEConfig, VQVAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    model, recipe = experiment.model, experiment.recipe
    torch.manual_seed(recipe.seed)  # pythae draws its codebook before it sets its seed
    quantizes = "quantizer" in model.networks
    shape = (-1, 7, 7, model.plugin.dimension) if quantizes else None

    class Encoder(BaseEncoder):
        """The Keras encoder, as pythae has it answer."""

        def __init__(self):
            super().__init__()
            self.net = model.networks["encoder"]

        def forward(self, x):
            made = self.net(x.permute(0, 2, 3, 1), training=self.training)
            if quantizes:
                return ModelOutput(embedding=made.reshape(shape).permute(0, 3, 1, 2))
            mean, log_var = made
            return ModelOutput(embedding=mean, log_covariance=log_var)

    class Decoder(BaseDecoder):
        """The Keras decoder; pythae's cross-entropy is of probabilities."""

        def __init__(self):
            super().__init__()
            self.net = model.networks["decoder"]

        def forward(self, z):
            z = z.permute(0, 2, 3, 1).flatten(1) if quantizes else z
            made = self.net(z, training=self.training).permute(0, 3, 1, 2)
            return ModelOutput(reconstruction=made if quantizes else torch.sigmoid(made))

    if quantizes:
        config = VQVAEConfig(
            (1, 28, 28), num_embeddings=model.plugin.codes, use_ema=True, decay=model.plugin.decay
        )
        theirs = VQVAE(config, Encoder(), Decoder())
    else:
        config = VAEConfig((1, 28, 28), model.plugin.latent_dim, reconstruction_loss="bce")
        theirs = VAE(config, Encoder(), Decoder())
    pictures = np.asarray(experiment.batches.split.x[:]).transpose(0, 3, 1, 2) / np.float32(255)
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as folder:
        BaseTrainer(
            model=theirs,
            train_dataset=BaseDataset(torch.from_numpy(pictures), torch.zeros(len(pictures))),
            training_config=BaseTrainerConfig(
                output_dir=folder,
                per_device_train_batch_size=recipe.dataset.batch_size,
                num_epochs=recipe.epochs,
                learning_rate=1e-3,
                optimizer_params={"eps": 1e-7},  # Keras's
                seed=recipe.seed,
                no_cuda=True,
            ),
        ).train()
    if quantizes:
        model.networks["quantizer"].codebook.assign(theirs.quantizer.embeddings)


if __name__ == "__main__":
    main()
