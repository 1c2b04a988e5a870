"""The benchmark runs on this backend; how fast anything is, is not for tests to say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import __main__ as main
from benchmarks import beside_pythae, cases, gpu, gpu_table, running, table
from benchmarks.running import Job
from benchmarks.setting import Setting

ROOT = Path(__file__).parents[1]


def benchmark(tmp_path, *arguments):
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks", "--smoke"),
            *("--backends", os.environ["KERAS_BACKEND"], "--json", str(tmp_path / "r.json")),
            *arguments,
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == "", "a measurement failed"
    return json.loads((tmp_path / "r.json").read_text()), done.stdout


@pytest.mark.slow  # in short, test_what_fails_is_told_of_and_left_out runs the way by hand
def test_every_way_of_training_is_measured(tmp_path):
    results, table = benchmark(tmp_path, "--only", "speed", "--models", "A,C")
    backend = os.environ["KERAS_BACKEND"]
    for model in ("A", "C"):
        found = results["speed"][model][backend]
        assert list(found)[:3] == ["zoo", "keras", "hand"]
        for [told] in found.values():
            assert all(value > 0 for value in told.values())
            assert told["start"] < told["first_step"]
        assert 0 < found["zoo"][0]["waiting"] < 1
    assert "| A: dense VAE 784-512-256-z16 |" in table
    assert "### Ratios" in table
    assert "### Waiting for data" in table


@pytest.mark.backend_free
def test_ratios_are_those_of_the_turns_and_of_the_fastest_backend():
    def told(*rates):
        return [{"pictures_per_second": r, "start": 1, "first_step": 2, "memory": 3} for r in rates]

    machine = {"cores": 1, "processor": "A", "memory": 24, "versions": {"jax": "1"}}
    text = table.rendered(
        {
            "machines": {"speed": machine},
            "speed": {
                "A": {
                    "jax": {"zoo": told(8.0)},
                    "tensorflow": {"zoo": told(4.0)},
                    "torch": {"zoo": told(2.0, 6.0), "pythae": told(2.0, 2.0)},
                }
            },
        }
    )
    assert "| A | PyTorch |  | 1.00 |  | 2.00 (1.00 to 3.00) |" in text
    assert "| A | the slowest, TensorFlow, / the fastest, JAX | 0.50 |" in text
    assert text.startswith("### Pictures a second\n\n1 core (A), 24 GB; JAX 1.\n\n|")
    assert "| A | the fastest, JAX, / pythae | 4.00 |" in text


@pytest.mark.backend_free
def test_a_table_beside_pythae_has_means_spreads_and_protocols(monkeypatch):
    def child(model, trainer, seed):
        value = {"zoo": -90.0, "pythae": -94.0}[trainer] + seed
        return {"elbo": {"value": value, "unit": "nats", "protocol": "1 draw of z"}}

    monkeypatch.setattr(beside_pythae, "_child", child)
    assert beside_pythae._table("vae_mnist", [0, 1, 2]).splitlines() == [
        "| `vae_mnist` | elbo, nats |",
        "| --- | --- |",
        "| zoo | -89.00 ± 1.00 |",
        "| pythae | -93.00 ± 1.00 |",
        "",
        "- elbo: 1 draw of z",
        "- seeds 0 1 2; ± is the standard deviation (n - 1)",
    ]
    assert "| zoo | -88.00 |" in beside_pythae._table("vae_mnist", [2])


@pytest.mark.backend_free
def test_results_of_another_machine_make_room():
    def machine(cores, **more):
        return {"cores": cores, "versions": {"keras": "3", **more}}

    results = {"machines": {"speed": machine(2, pythae="1")}, "speed": {"A": 1}}
    main._make_room(results, "speed", machine(2))  # another library beside it is no other machine
    assert results["speed"] == {"A": 1}
    main._make_room(results, "speed", machine(1))
    assert results == {"machines": {"speed": machine(1)}, "speed": {}}


@pytest.mark.backend_free
def test_a_page_without_the_mark_is_left_alone(tmp_path):
    page = tmp_path / "page.md"
    page.write_text("text")
    with pytest.raises(SystemExit, match="has no <!-- measured"):
        table.put("new", page)
    assert page.read_text() == "text"


@pytest.mark.once_in_short
def test_what_fails_is_told_of_and_left_out(capsys):
    backend = os.environ["KERAS_BACKEND"]
    jobs = {
        "well": Job("A", backend, "hand", cases.SMOKE["A"]),
        "ill": Job("nowhere", backend, "hand"),
    }
    found = running.side_by_side(jobs, pairs=2, seconds=0.05)
    assert list(found) == ["well"]
    assert [told["pictures_per_second"] > 0 for told in found["well"]] == [True, True]
    assert "KeyError: 'nowhere'" in capsys.readouterr().err


@pytest.mark.backend_free
def test_epochs_of_what_is_compared_are_trained_in_turns(monkeypatch):
    turns = []

    class Child:  # not a process, as from outside nobody sees the order in which they train
        failed, trained, turns = False, 0.0, 0

        def __init__(self, job):
            self.name = job.variant

        def __enter__(self):
            return self

        def __exit__(self, *raised):
            pass

        def turn(self):
            turns.append(self.name)
            self.turns, self.trained = self.turns + 1, self.trained + 1.0

        def result(self):
            return {"turns": self.turns}

    monkeypatch.setattr(running, "Child", Child)
    jobs = {name: Job("A", "jax", name) for name in ("zoo", "hand")}
    found = running.side_by_side(jobs, pairs=2, seconds=3.0)
    assert turns[:6] == ["zoo", "hand", "hand", "zoo", "zoo", "hand"]
    assert turns[6:] == ["hand", "zoo", "zoo", "hand", "hand", "zoo"]
    assert found == {"zoo": 2 * [{"turns": 3}], "hand": 2 * [{"turns": 3}]}


@pytest.mark.backend_free
def test_keras_is_measured_without_accelerations(monkeypatch):
    found = {}

    def side_by_side(jobs, pairs, seconds):
        found.update({v: job.environment.get("ZOO_ACCELERATE") for v, job in jobs.items()})
        return {}

    monkeypatch.setattr(running, "side_by_side", side_by_side)
    options = SimpleNamespace(
        models=["C"], variants=["zoo", "keras", "hand"], smoke=True, seconds=0.0, pairs=1
    )
    main._speed(options, "jax", {})
    assert found == {"zoo": None, "keras": "none", "hand": None}


@pytest.mark.slow
def test_precisions_and_chunks_are_measured_where_there_is_no_gpu(tmp_path):
    results, text = benchmark(tmp_path, "--gpu", "--device", "cpu", "--models", "A")
    backend = os.environ["KERAS_BACKEND"]
    assert list(results["measured"]) == [
        f"A {backend} {precision} {who}"
        for precision in ("float32", "bfloat16", "tf32")
        for who in ("zoo chunks", "hand", "zoo one step")
    ]
    for told in results["measured"].values():
        assert told["pictures_per_second"] > 0
        assert told["product"] > 0
        # 3 passes, 2 operations, the weights of 784-8-(2, 2) and 2-8-784
        assert told["flops_per_picture"] == 3 * 2 * (784 * 8 + 8 * 4 + 2 * 8 + 8 * 784)
    for precision in ("float32", "bfloat16", "TF32"):
        name = table.NAMES[backend]
        assert f"| A: dense VAE 784-512-256-z16 | {name} | {precision} |" in text
    assert "Not measured" not in text


def test_operations_of_a_network_worked_by_hand():
    import keras

    from benchmarks import flops

    layers = keras.layers
    x = keras.Input((8, 8, 3))
    net = keras.Sequential(
        [
            x,
            layers.Conv2D(4, 3, strides=2, padding="same"),  # 4 x 4 places
            layers.BatchNormalization(),
            layers.Conv2DTranspose(5, 2, strides=2),  # a patch for each of 4 x 4 places
            layers.Dense(7),  # at 8 x 8 places
            layers.Flatten(),
            layers.Dense(2),
        ]
    )
    by_hand = [16 * 3 * 3 * 3 * 4, 16 * 2 * 2 * 4 * 5, 64 * 5 * 7, 448 * 2]
    assert flops.of_network(net) == 2 * sum(by_hand)


def test_operations_of_a_step_are_those_of_its_moves():
    from benchmarks import flops

    case = cases.case("C", cases.SMOKE["C"])
    g, d = (flops.of_network(cases.networks(case)[n]) for n in ("generator", "discriminator"))
    # the discriminator's move: fakes, and both kinds judged; the generator's: no gradient of
    # the discriminator's weights
    assert flops.of_step(case) == case.batch_size * ((g + 2 * 3 * d) + (3 * g + 2 * d))


def _jobs(backends=("jax",)):
    options = SimpleNamespace(
        models=list(cases.CASES), backends=list(backends), smoke=True, device="cpu"
    )
    return gpu.jobs(options)


@pytest.mark.backend_free
def test_the_most_telling_measurements_come_first():
    jobs = _jobs(("jax", "torch"))
    assert [gpu_table.key(job) for job in jobs[:3]] == [
        "A jax float32 zoo chunks",
        "A torch float32 zoo chunks",
        "B jax float32 zoo chunks",
    ]
    order = [(job.setting.precision, job.variant, job.setting.chunks) for job in jobs[::6]]
    assert order == [
        (precision, *who)
        for precision in ("float32", "bfloat16", "tf32")
        for who in (("zoo", True), ("hand", True), ("zoo", False))
    ]


@pytest.mark.backend_free
def test_what_does_not_fit_into_the_time_is_left_out():
    clock = [0.0]

    def measure(job):
        assert job.deadline == 10.0
        clock[0] += {"jax": 4.0, "torch": 1.0}[job.backend]
        return {"told": 1.0}

    a, b = (_jobs([backend])[:3] for backend in ("jax", "torch"))
    found = list(gpu.Budget(10.0, lambda: clock[0]).run([*a, *b], measure))
    assert [told for _, told in found] == [
        {"told": 1.0},
        {"told": 1.0},
        "no time was left",  # 8 of 10 seconds are gone, and it takes 4
        {"told": 1.0},
        "no time was left",  # 9 seconds are gone, and it would end with the time
        "no time was left",
    ]


@pytest.mark.backend_free
def test_what_does_not_end_in_time_or_fails_is_listed():
    clock = [0.0]

    def measure(job):
        clock[0] += 1.0 if job.case == "A" else 9.0
        return None

    found = gpu.Budget(10.0, lambda: clock[0]).run(_jobs()[:2], measure)
    left = {gpu_table.key(job): why for job, why in found}
    assert left == {
        "A jax float32 zoo chunks": "it failed",
        "B jax float32 zoo chunks": "it did not end in time",
    }
    results = {"machine": {"device": "gpu", "card": "a card", "tiny": False, **_MACHINE}}
    text = gpu_table.rendered(results | {"measured": {}, "left": left})
    assert text.startswith("a card; 2 cores")
    assert "- B jax float32 zoo chunks: it did not end in time" in text


_MACHINE = {"cores": 2, "processor": "one", "memory": 24, "versions": {"keras": "3"}}


@pytest.mark.backend_free
def test_the_share_of_peak_is_of_a_matrix_product_in_the_same_process():
    def told(rate):
        return {"pictures_per_second": rate, "flops_per_picture": 2e6, "product": 1e9}

    measured = {
        "A torch float32 zoo chunks": told(200.0),
        "A torch float32 hand": told(160.0),
        "A torch float32 zoo one step": told(100.0),
    }
    machine = {"device": "cpu", "tiny": True, **_MACHINE}
    text = gpu_table.rendered({"machine": machine, "measured": measured, "left": {}})
    assert "| PyTorch | float32 | 200 | 100 | 160 | 1.25 | 2.00 | 40% |" in text
    assert "| PyTorch | 0.001 |  |  |" in text
    assert "Tiny networks" in text


@pytest.mark.backend_free
def test_the_page_says_what_was_measured_on_a_gpu():
    results = json.loads(gpu.FILE.read_text()) if gpu.FILE.exists() else {}
    page = (ROOT / "docs/lab/performance.md").read_text()
    shown = page.partition(gpu_table.BEGIN)[2].partition(table.END)[0]
    assert shown.strip() == gpu_table.rendered(results).strip()


@pytest.mark.slow
def test_a_measurement_on_another_device_than_asked_for_fails(capsys):
    # where there is a GPU, the child is kept from it
    kept = {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu", "KERAS_TORCH_DEVICE": "cpu"}
    backend = os.environ["KERAS_BACKEND"]
    job = Job("A", backend, "hand", cases.SMOKE["A"], kept, setting=Setting("gpu"))
    assert running.measured(job, 0.0) is None
    assert f"{backend} computes on cpu, not on gpu" in capsys.readouterr().err
