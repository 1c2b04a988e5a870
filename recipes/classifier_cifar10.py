"""Classifier of CIFAR-10: the judge of models of its pictures.

    zoo run recipes/classifier_cifar10.py
    zoo run recipes/classifier_cifar10.py epochs=1 dataset.limit=2000

The feature space `features.Judge("classifier_cifar10")` takes it, and so do the metrics that a
classifier judges, `metrics.Recognition(classifier="classifier_cifar10")`.

Not measured on CIFAR-10 itself. On a JPEG copy of all its pictures, with TensorFlow, seed 0: 79.1%
of the test pictures are classified correctly, after 32 minutes on one CPU core. Weights are
averaged over some 1,000 steps, so one epoch on few examples shows nothing. From a file of
arrays:

    zoo run classifier_cifar10 dataset=arrays dataset.path=cifar10.npz dataset.batch_size=128
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics

backends = {  # on a CPU, TensorFlow has the fastest convolutions
    "cpu": ("tensorflow", "torch", "jax"),
    "gpu": ("jax", "torch", "tensorflow"),
}

recipe = zoo.Recipe(
    # four poolings leave 2 x 2 x 128 features: a Frechet distance needs more pictures than those
    model=zoo.model("classifier", filters=(32, 64, 128, 128), dropout=0.5),
    dataset=datasets.CIFAR10(batch_size=128),
    optimizers={"classifier": keras.optimizers.Adam(1e-3)},
    augment=[
        keras.layers.RandomFlip("horizontal"),
        keras.layers.RandomTranslation(0.125, 0.125, fill_mode="reflect"),
    ],
    callbacks=[callbacks.TensorBoard()],
    metrics=[metrics.Accuracy()],
    ema=0.999,
    epochs=36,
    seed=0,
)
