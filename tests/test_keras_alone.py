"""Commands import Keras without what it only wraps."""

from __future__ import annotations

import subprocess
import sys

import pytest

PROGRAM = """
import sys
from zoo.runtime import keras_alone
keras_alone.use()
import keras
there = {name for name in keras_alone.WRAPPED if name in sys.modules}
assert not there, there
import sklearn.linear_model
keras.layers.Dense(1).build((None, 2))
print("both")
"""


@pytest.mark.once_in_short
def test_keras_comes_without_scikit_learn_which_others_still_get():
    pytest.importorskip("sklearn")
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert answer.stdout == "both\n", answer.stderr
