"""beta-VAE on sprites whose factors are known (Higgins et al. 2017).

    zoo run recipes/betavae_sprites.py
    zoo run recipes/betavae_sprites.py --full
    zoo run recipes/betavae_sprites.py weights.autoencoder.kl=1     # a VAE, to compare

A KL that costs four times as much leaves fewer of the 10 dimensions of z in use; whether each of
them is one factor is what MIG, DCI, SAP, the score of FactorVAE and modularity measure, each by
the protocol in docs/reference/metrics.md. Networks are dense, as in the paper, on sprites of
32 x 32. With --full the forests of DCI take a minute or two.

Measured with JAX, three seeds: three of the ten dimensions are in use; MIG 0.186, score of
FactorVAE 0.622, modularity 0.863 (docs/lab/results.md). Under four minutes on one CPU core.
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics

backends = ("jax", "tensorflow", "torch")  # the fastest first

recipe = zoo.Recipe(
    model=zoo.model("vae", latent_dim=10, units=(512, 256)),
    dataset=datasets.Sprites(size=32, n=50_000, batch_size=128),
    weights={"autoencoder": {"kl": 4.0}},  # beta
    optimizers={"autoencoder": keras.optimizers.Adam(1e-3)},
    callbacks=[
        callbacks.ReconstructionGrid(every=5),
        callbacks.Traversals(every=5),
        callbacks.PosteriorHistograms(every=5),
        callbacks.TensorBoard(every=5),
    ],
    metrics=[
        metrics.RateDistortion(),
        metrics.ActiveUnits(),
        metrics.AggregatePosterior(),
        metrics.MIG(),
        metrics.DCI(),
        metrics.SAP(),
        metrics.FactorVAEScore(),
        metrics.Modularity(),
    ],
    epochs=20,
    seed=0,
)
