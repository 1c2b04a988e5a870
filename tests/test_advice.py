"""What is said of devices before a run."""

from __future__ import annotations

import pytest

import zoo
from zoo.cli import advice
from zoo.engine.backends import backend
from zoo.runtime import backends
from zoo.runtime.backends import Choice

pytestmark = pytest.mark.backend_free


@pytest.fixture
def computes_on(monkeypatch):
    """Pretend that the backend found a device, on a machine with so many NVIDIA GPUs."""

    def pretend(device, gpus=0):
        monkeypatch.setattr(backend, "device", lambda: device)
        monkeypatch.setattr(backends, "gpus", lambda: gpus)

    return pretend


@pytest.mark.parametrize(
    ("device", "found"), [("cpu", "cpu"), ("gpu", "gpu"), ("gpu:1", "gpu"), ("gpu", "mps")]
)
def test_nothing_where_the_device_is_as_expected(computes_on, device, found):
    computes_on(found)
    for demanded in (False, True):
        assert advice.other_device(Choice("torch", device, "", demanded)) is None


def test_an_installation_that_cannot_use_the_gpu(computes_on):
    computes_on("cpu", gpus=1)
    said = advice.other_device(Choice("jax", "gpu", ""))
    assert said.startswith("this installation of jax cannot use the GPU and runs on the CPU. To i")
    assert said.endswith('pip install "keras-zoo[jax-cuda]"')
    with pytest.raises(zoo.ZooError, match=r"^--device: .*keras-zoo\[jax-cuda\]"):
        advice.other_device(Choice("jax", "gpu", "", demanded=True))


def test_no_nvidia_extra_for_a_gpu_of_another_maker(computes_on):
    computes_on("cpu")
    with pytest.raises(zoo.ZooError, match=r"torch cannot use the GPU$"):
        advice.other_device(Choice("torch", "gpu", "", demanded=True))


@pytest.mark.parametrize("found", ["gpu", "mps", "tpu"])
def test_a_device_that_only_the_backend_found(computes_on, found):
    computes_on(found)
    assert f"computes on {found}" in advice.other_device(Choice("jax", "cpu", ""))
    said = advice.other_device(Choice("tensorflow", "cpu", "", demanded=True))
    assert said == f"--device cpu: tensorflow computes on {found} all the same"
