"""VQ-VAE on CIFAR-10: a colour picture in 8 x 8 codes of a codebook of 512.

    zoo run recipes/vqvae_cifar10.py
    zoo run recipes/vqvae_cifar10.py epochs=1 dataset.limit=5000

The paper's size of the codes (van den Oord et al. 2017, section 4), with fewer filters: a picture
is 64 codes of 9 bits, 72 bytes of 3,072. It has no samples: those of the paper come from an
autoregressive prior, which the zoo does not have.

Not measured on CIFAR-10 itself. On a JPEG copy of all its pictures, with TensorFlow, seed 0: PSNR
21.9 dB, SSIM 0.681, a linear probe of 0.374 (0.362 on the pixels), and still improving. 17 minutes
on one CPU core. From a file of arrays:

    zoo run vqvae_cifar10 dataset=arrays dataset.path=cifar10.npz dataset.batch_size=128
"""

import keras

import zoo
from zoo import callbacks, datasets, metrics

backends = {  # on a CPU, TensorFlow is ahead of JAX at most networks that convolve
    "cpu": ("tensorflow", "torch", "jax"),
    "gpu": ("jax", "torch", "tensorflow"),
}

recipe = zoo.Recipe(
    model=zoo.model("vqvae", filters=(64, 128), codes=512, dimension=16),
    dataset=datasets.CIFAR10(batch_size=128),
    optimizers={"autoencoder": keras.optimizers.Adam(1e-3)},
    callbacks=[callbacks.ReconstructionGrid(), callbacks.TensorBoard()],
    metrics=[metrics.LinearProbe(), metrics.PSNR(), metrics.SSIM()],
    epochs=5,
    seed=0,
)
