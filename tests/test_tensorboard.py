"""What TensorBoard shows of a run, by TensorBoard's own readers."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import keras
import numpy as np
import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import zoo
import zoo_aae
from tests.browser import chromium
from tests.resumable import QUIET, STEPS, Few, end, recipe, stopped, train
from zoo.callbacks import TensorBoard, insides
from zoo.callbacks.events import Events
from zoo.callbacks.means import Means
from zoo.callbacks.updates import Before
from zoo.nn.distributions import StandardNormal

GRADIENTS = [np.array([3.0, -4.0], "float32"), np.array([0.0, 12.0], "float32")]  # of norm 13


# --- numbers worked by hand


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.Adam(1e-2),
        keras.optimizers.Adam(1e-2, beta_1=0.0),
        keras.optimizers.AdamW(1e-2),
        keras.optimizers.Nadam(1e-2),
        keras.optimizers.Adamax(1e-2),
        keras.optimizers.Lion(1e-2),
        keras.optimizers.RMSprop(1e-2),
        keras.optimizers.Adagrad(1e-2),
        keras.optimizers.SGD(1e-2),
        keras.optimizers.SGD(1e-2, momentum=0.9),
        keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)),
    ],
    ids=lambda optimizer: optimizer.name,
)
def test_the_gradient_is_found_in_what_an_optimizer_remembers(optimizer):
    weights = [keras.Variable(np.full(2, 2.0, "float32")) for _ in GRADIENTS]
    optimizer.build(weights)
    given = [keras.ops.convert_to_tensor(g) for g in GRADIENTS]
    optimizer.apply([-0.5 * g for g in given], weights)  # it remembers something else before
    before = Before(optimizer, weights)
    old = [keras.ops.convert_to_numpy(v).copy() for v in weights]
    optimizer.apply(given, weights)
    found = before.after()
    new = [keras.ops.convert_to_numpy(v) for v in weights]
    changes = np.concatenate([b - a for a, b in zip(old, new, strict=True)])
    assert found["gradient_norm"] == pytest.approx(13, rel=1e-3)
    assert found["weight_norm"] == pytest.approx(np.linalg.norm(np.concatenate(new)), rel=1e-5)
    ratio = np.linalg.norm(changes) / np.linalg.norm(np.concatenate(old))
    assert found["update_ratio"] == pytest.approx(ratio, rel=1e-5)


def test_of_a_player_that_did_not_move_no_gradient_is_told():
    weights = [keras.Variable(np.ones(2, "float32"))]
    optimizer = keras.optimizers.Adam()
    optimizer.build(weights)
    found = Before(optimizer, weights).after()
    assert found == {"weight_norm": pytest.approx(2**0.5), "update_ratio": 0.0}


def test_means_since_the_point_before():
    means = Means()
    assert means.since({"kl": 2.0}, 10) == {"kl": 2.0}
    assert means.since({"kl": 3.0}, 20) == {"kl": 4.0}  # (3 * 20 - 2 * 10) / 10
    assert means.since({"kl": 3.0}, 20) == {}
    means.begin()
    assert means.since({"kl": 1.0}, 5) == {"kl": 1.0}


# --- runs


def scalars(folder):
    events = EventAccumulator(str(folder), size_guidance={"scalars": 0}).Reload()
    return {
        tag: [(event.step, event.value) for event in events.Scalars(tag)]
        for tag in events.Tags()["scalars"]
    }


def provider(logdir):
    """TensorBoard's data of a folder of runs, as the default reader has it."""
    from tensorboard.data import server_ingester
    from tensorboard.util import grpc_util

    ingester = server_ingester.SubprocessServerDataIngester(
        server_binary=server_ingester.get_server_binary(),
        logdir=str(logdir),
        reload_interval=0,
        channel_creds_type=grpc_util.ChannelCredsType.LOCAL,
        samples_per_plugin={"scalars": 100_000},
    )
    ingester.start()
    return ingester


@pytest.fixture(scope="module")
def two(tmp_path_factory):
    """A folder of two runs that differ in a weight; the second one was stopped and resumed."""
    folder = tmp_path_factory.mktemp("runs")
    first = recipe("vae", weights={"autoencoder": {"kl": 1.0}})
    second = dataclasses.replace(first, weights={"autoencoder": {"kl": 4.0}})
    runs = [train(first, folder), stopped(second, folder, STEPS + 2)]
    # a training that is killed may have written on after its last checkpoint
    events = Events(runs[1].events)
    for step in range(STEPS + 3, STEPS + 9):
        events.scalar("loss", -1.0, step)
    events.close()
    zoo.resume(runs[1], recipe=second, access=QUIET)
    return folder, runs


def test_training_and_validation_have_one_tag_in_two_folders(two):
    _, (run, _) = two
    training, validation = scalars(run.path), scalars(run.path / "validation")
    assert validation.keys() <= training.keys()
    assert {"loss", "autoencoder/kl", "autoencoder/reconstruction"} <= validation.keys()
    assert [step for step, _ in training["loss"]] == [*range(1, 2 * STEPS + 1)]
    assert [step for step, _ in validation["loss"]] == [STEPS, 2 * STEPS]
    for name in ("gradient_norm", "weight_norm", "update_ratio", "updates_per_step"):
        values = [value for _, value in training[f"{name}/autoencoder"]]
        assert len(values) == 2 * STEPS and min(values) > 0
    assert {value for _, value in training["updates_per_step/autoencoder"]} == {1.0}
    results = run.read_json("results.json")
    [(step, loss)] = training["final/test/loss"]
    assert step == 2 * STEPS and loss == pytest.approx(results["test"]["loss"])


@pytest.mark.parametrize("reader", ["events", "server"])
def test_no_step_comes_twice_or_backwards_after_a_resume(two, reader):
    folder, (_, run) = two
    if reader == "events":
        found = {tag: [step for step, _ in own] for tag, own in scalars(run.path).items()}
    else:
        from tensorboard import context

        ingester = provider(folder)
        data = ingester.data_provider.read_scalars(
            context.RequestContext(),
            experiment_id="",
            plugin_name="scalars",
            downsample=100_000,
            run_tag_filter=None,
        )
        found = {tag: [point.step for point in own] for tag, own in data[run.name].items()}
    for tag, steps in found.items():
        assert steps == sorted(set(steps)), tag
    assert found["loss"] == [*range(1, 2 * STEPS + 1)]
    assert -1.0 not in [value for _, value in scalars(run.path)["loss"]]
    assert len(found["final/test/loss"]) == 1


def test_the_resume_is_told_at_its_step(two):
    _, (first, second) = two
    events = EventAccumulator(str(second.path)).Reload()
    [told] = events.Tensors("resumed/text_summary")
    assert told.step == STEPS + 3
    tags = EventAccumulator(str(first.path)).Reload().Tags()["tensors"]
    assert "resumed/text_summary" not in tags
    assert {f"{name}/text_summary" for name in ("recipe", "environment", "guide")} <= set(tags)


def test_histograms_pictures_and_codes_are_there(two):
    _, (run, _) = two
    events = EventAccumulator(str(run.path), size_guidance={"images": 0}).Reload()
    images = {"samples", "reconstructions", "posterior", "traversals", "interpolations", "manifold"}
    assert set(events.Tags()["images"]) == images
    assert {"codes/examples", "codes/prior", "codes/kl_per_dimension"} <= set(
        events.Tags()["histograms"]
    )
    assert any(tag.startswith("weights/encoder/") for tag in events.Tags()["histograms"])
    rows = (run.path / "projector" / "codes.tsv").read_text().splitlines()
    assert len(rows) == 20 and len(rows[0].split("\t")) == 2
    assert len((run.path / "projector" / "labels.tsv").read_text().splitlines()) == 20
    from google.protobuf import text_format
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    config = text_format.Parse((run.path / "projector_config.pbtxt").read_text(), ProjectorConfig())
    assert list(config.embeddings[0].sprite.single_image_dim) == [8, 8]


def test_a_discriminator_is_asked_of_real_and_of_fake(tmp_path):
    run = train(recipe("dcgan", epochs=1), tmp_path)
    tags = EventAccumulator(str(run.path)).Reload().Tags()["histograms"]
    assert {"logits/discriminator/real", "logits/discriminator/fake"} <= set(tags)
    found = scalars(run.path)
    for player in ("discriminator", "generator"):
        assert all(value > 0 for _, value in found[f"gradient_norm/{player}"])


@pytest.mark.parametrize(
    ("model", "judged"),
    [
        (zoo.model("gan", units=(8,), prior=StandardNormal(4), conditional=True), 20),
        (zoo.model("pacgan", units=(8,), prior=StandardNormal(4), packing=3), 7),
        (zoo.model("aae", units=(8,), prior=StandardNormal(2)), 20),
        (zoo.model("aae", units=(8,), prior=zoo_aae.Petals(10), labelled=True), 20),
    ],
)
def test_what_discriminators_say_is_one_number_per_example_or_pack(model, judged):
    data = Few().load()
    built = zoo.build(model, data.spec)
    [(name, real, fake)] = insides.logits(built, data.validation)
    assert "discriminator" in name and real.shape == fake.shape == (judged,)
    x, y = data.validation.x, data.validation.y
    if built.plugin.conditional or getattr(model, "labelled", False):
        codes = not built.plugin.conditional
        given = built.draw(20, labels=y) if codes else 2 * np.asarray(x, "float32") / 255 - 1
        expected = built.networks[name]([given, y], training=False)
        np.testing.assert_allclose(
            real, keras.ops.convert_to_numpy(expected).ravel(), rtol=1e-4, atol=1e-5
        )


@pytest.mark.once_in_short
def test_looking_changes_nothing_of_the_training(tmp_path):
    with_it = train(recipe("vae", epochs=1, callbacks=[TensorBoard()]), tmp_path)
    without = train(recipe("vae", epochs=1, callbacks=[]), tmp_path)
    a, b = end(with_it), end(without)
    weights = [name for name in b if name.startswith(("networks", "optimizers"))]
    assert weights and all(np.array_equal(a[name], b[name]) for name in weights)


# --- zoo board


@pytest.fixture
def board(two):
    folder, (run, _) = two
    command = [sys.executable, "-m", "zoo", "board", "--port", "0", "--runs", str(folder)]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
        cwd=Path(__file__).parents[1],
    )
    try:
        line = process.stdout.readline()
        yield line.split()[3], run, process
    finally:
        process.kill()
        process.wait()


def test_zoo_board_serves_all_runs_until_ctrl_c(board):
    address, run, process = board
    assert address.startswith("http://127.0.0.1:")

    def asked(path, data=None):
        given = None if data is None else json.dumps(data).encode()
        kind = {"Content-Type": "application/json"}
        with urllib.request.urlopen(
            urllib.request.Request(address + path, given, kind), timeout=60
        ) as answer:
            return json.load(answer)

    deadline = time.monotonic() + 60
    while f"{run.name}/validation" not in asked("data/runs") and time.monotonic() < deadline:
        time.sleep(0.2)
    assert {run.name, f"{run.name}/validation"} <= set(asked("data/runs"))
    assert len(asked(f"data/plugin/scalars/scalars?run={run.name}&tag=loss")) == 2 * STEPS
    assert len(asked(f"data/plugin/images/images?run={run.name}&tag=samples&sample=0")) == 2
    assert run.name in asked("data/plugin/projector/runs")
    found = asked("data/plugin/hparams/experiment", {"hparamsLimit": 1000})
    differs = {setting["name"]: setting.get("differs", False) for setting in found["hparamInfos"]}
    assert differs["weights.autoencoder.kl"] and not differs["model.latent_dim"]
    assert {"tag": "final/test/loss", "group": ""} in [m["name"] for m in found["metricInfos"]]
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


PAGES = {
    "timeseries": "autoencoder",  # of the group: titles of charts are cut in parts
    "images": "reconstructions",
    "custom_scalars": "gradient norm",
    "text": "version of keras",
    "hparams": "weights.autoencoder.kl",
    "histograms": "codes/kl_per_dimension",
    "projector": "Points: 20",
}
"""What a person reads on each page."""

READ = """() => {
  const text = n => n.nodeType === 3 ? n.data + " "
    : ["STYLE", "SCRIPT", "TEMPLATE"].includes(n.nodeName) ? ""
    : [n.shadowRoot, n.nodeName === "IFRAME" && n.contentDocument, ...n.childNodes]
        .map(c => c ? text(c) : "").join("");
  return text(document.body).replace(/\\s+/g, " ")}"""


@pytest.mark.slow
@pytest.mark.backend_free
def test_a_browser_shows_every_page(board):
    address, _, _ = board
    errors: list[str] = []
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 1400, "height": 900})
        page.on("pageerror", lambda error: errors.append(str(error)))
        for name, expected in PAGES.items():
            page.goto("about:blank")
            page.goto(f"{address}#{name}")
            deadline = time.monotonic() + 60
            while expected not in (shown := page.evaluate(READ)) and time.monotonic() < deadline:
                page.wait_for_timeout(500)
            assert expected in shown, f"{name}: {shown[:500]}"
    assert errors == []
