"""What Keras and keras-cv layers do to pictures, and what a batch costs on each backend.

python -m benchmarks.augment      docs/pictures/augment.png and a table of docs/how-to/augment.md
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs/how-to/augment.md"
PICTURE = PAGE.parents[1] / "pictures/augment.png"
_START, _END = "<!-- measured: python -m benchmarks.augment -->\n", "\n<!-- end -->"
BACKENDS = {"jax": "JAX", "tensorflow": "TensorFlow", "torch": "PyTorch"}


def layers():
    """``{name: layer}``, in the order of the picture and the table."""
    import keras
    import keras_cv

    cv = keras_cv.layers
    return {
        "RandomTranslation(0.1, 0.1)": keras.layers.RandomTranslation(0.1, 0.1),
        "RandomRotation(0.05)": keras.layers.RandomRotation(0.05),
        "RandomErasing(scale=(0.05, 0.1))": keras.layers.RandomErasing(scale=(0.05, 0.1)),
        "keras_cv GridMask()": cv.GridMask(),
        "keras_cv RandomCutout(0.4, 0.4)": cv.RandomCutout(0.4, 0.4),
        "keras_cv RandomShear(0.3, 0.3)": cv.RandomShear(0.3, 0.3),
    }


def measure() -> None:
    """Print, as JSON, milliseconds of the processor per batch of each layer: the median of ten."""
    import numpy as np

    from zoo.datasets import Digits
    from zoo.datasets.augmentation import Augmentation

    batch = Digits(size=28).load().train.x[:128]
    found = {}
    for name, layer in layers().items():
        augment = Augmentation([layer], seed=0)
        augment(batch, 0, 0)
        seconds = []
        for index in range(10):
            begun = time.process_time()
            augment(batch, 0, index)
            seconds.append(time.process_time() - begun)
        found[name] = 1000 * float(np.median(seconds))
    print(json.dumps(found))


def draw() -> None:
    """A row of pictures, and a row for each layer."""
    import numpy as np

    from zoo.datasets import Digits
    from zoo.datasets.augmentation import Augmentation
    from zoo.reports.pictures import files, grids, text

    batch = Digits(size=28).load().train.x[:10]
    rows = {"as they are": batch}
    rows |= {name: Augmentation([layer], seed=1)(batch, 0, 0) for name, layer in layers().items()}
    image = grids.grid(np.concatenate(list(rows.values())), columns=10)
    files.save(PICTURE, text.framed(image, rows=list(rows)))


def main() -> None:
    """Draw, and measure each backend in a process of its own."""
    if sys.argv[1:] == ["--here"]:
        measure()
        return
    found = {}
    for backend in BACKENDS:
        command = [sys.executable, "-m", "benchmarks.augment", "--here"]
        environment = {**os.environ, "KERAS_BACKEND": backend}
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True)
        found[backend] = json.loads(done.stdout.splitlines()[-1])
    lines = [f"| layer | {' | '.join(BACKENDS.values())} |", "|---|---:|---:|---:|"]
    for name in found["jax"]:
        cells = " | ".join(f"{found[backend][name]:.1f}" for backend in BACKENDS)
        lines.append(f"| `{name}` | {cells} |")
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(_START)
    table = "\n".join(["", *lines, ""])
    PAGE.write_text(before + _START + table + _END + rest.partition(_END)[2], encoding="utf-8")
    draw()


if __name__ == "__main__":
    main()
