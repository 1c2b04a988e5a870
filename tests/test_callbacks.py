"""Events, pictures and progress of a training by ``keras.Model.fit``."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from PIL import Image

from zoo import callbacks, datasets
from zoo.callbacks.speed import Speed
from zoo.errors import ZooError
from zoo.plugin.model import DataSpec
from zoo.training.chunks import InOrder

HERE = Path(__file__).parent


class ByPlayer(keras.optimizers.Adam):
    """One optimizer that says whose it is, as the engine's does."""

    @property
    def by_player(self):
        return {"autoencoder": self}

    @property
    def groups(self):
        return {"autoencoder": self._trainable_variables}


class Autoencoder(keras.Model):
    """What callbacks use of the engine's model, with the logs they show."""

    def __init__(self, shape=(8, 8, 1), abilities=("sample", "reconstruct")):
        super().__init__()
        self.shape, self.abilities, self.networks = shape, abilities, {}
        self.plugin = SimpleNamespace(conditional=False)
        size = int(np.prod(shape))
        self.network = keras.Sequential(
            [
                keras.layers.Rescaling(1 / 255),
                keras.layers.Flatten(),
                keras.layers.Dense(size, "sigmoid"),
                keras.layers.Reshape(shape),
            ]
        )
        self.kl = keras.metrics.Mean(name="autoencoder/kl")
        self.drawn = []

    def call(self, x):
        return self.network(x)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        self.kl.update_state(24.0)
        return keras.ops.mean(keras.ops.square(keras.ops.cast(x, "float32") / 255 - y_pred))

    def can(self, ability):
        return ability in self.abilities

    def sample(self, n, *, seed=0, labels=None):
        self.drawn.append(("sample", n))
        return np.random.default_rng(seed).random((n, *self.shape), "float32")

    def reconstruct(self, x, labels=None):
        self.drawn.append(("reconstruct", len(x)))
        return keras.ops.convert_to_numpy(self(x))


class Slow(keras.utils.PyDataset):
    """Random pictures, given after a pause."""

    def __init__(self, steps=6, batch_size=4, pause=0.0):
        super().__init__()
        self.steps, self.batch_size, self.pause = steps, batch_size, pause

    def __len__(self):
        return self.steps

    def __getitem__(self, i):
        time.sleep(self.pause)
        rng = np.random.default_rng(i)
        return (rng.integers(0, 256, (self.batch_size, 8, 8, 1), "uint8"),)


def context(tmp_path, name="mnist", shape=(8, 8, 1), epochs=2, steps=6, validation=40):
    """A context of a run in ``tmp_path`` on random data."""
    x = np.random.default_rng(0).integers(0, 256, (validation, *shape)).astype("uint8")
    split = datasets.Split(x, np.zeros(validation, "int32"))
    return callbacks.Context(
        run=SimpleNamespace(
            path=tmp_path,
            name="tiny/1",
            events=tmp_path,
            pictures=tmp_path / "pictures",
        ),
        recipe_name="tiny",
        recipe_text='"""A recipe.\n\n```\nzoo run tiny.py\n```\n"""\nrecipe = 1',
        data=SimpleNamespace(name=name, spec=DataSpec(shape), train=split, validation=split),
        batch_size=4,
        epochs=epochs,
        steps=steps,
    )


def train(run_context, *used, epochs=None, pause=0.0, validate=True, rate=1e-3, **model):
    """Fit the autoencoder with these callbacks."""
    model = Autoencoder(**model)
    model.compile(optimizer=ByPlayer(rate))
    for callback in used:
        if isinstance(callback, callbacks.Callback):
            callback.context = run_context
    try:
        model.fit(
            Slow(run_context.steps, pause=pause),
            validation_data=Slow(2) if validate else None,
            epochs=epochs or run_context.epochs,
            # as the zoo's loop: Keras's own on JAX calls them from a thread, amid the next steps
            callbacks=[InOrder(), *used],
            verbose=0,
        )
    finally:
        for callback in used:
            if isinstance(callback, callbacks.Callback):
                callback.close()
    return model


# --- pictures ----------------------------------------------------------------------------


@pytest.mark.once_in_short
def test_grids_are_saved_each_epoch_and_as_the_newest(tmp_path):
    run = context(tmp_path)
    train(run, callbacks.SampleGrid(n=9), callbacks.ReconstructionGrid(n=6))
    names = sorted(path.name for path in run.run.pictures.iterdir())
    assert names == [
        "reconstructions-epoch-0001.png",
        "reconstructions-epoch-0002.png",
        "reconstructions.png",
        "samples-epoch-0001.png",
        "samples-epoch-0002.png",
        "samples.png",
    ]
    with Image.open(run.run.pictures / "samples.png") as image:
        assert image.text == {"data": "mnist", "run": "tiny/1", "epoch": "2"}
        assert image.size == (32 * 28, 32 * 28)  # 3 x 3 of 9 pixels and a line, by 32
    newest = (run.run.pictures / "reconstructions.png").read_bytes()
    assert newest == (run.run.pictures / "reconstructions-epoch-0002.png").read_bytes()
    assert newest != (run.run.pictures / "reconstructions-epoch-0001.png").read_bytes()


@pytest.mark.once_in_short
def test_every_counts_epochs_and_the_last_is_always_drawn(tmp_path):
    run = context(tmp_path, epochs=5)
    train(run, callbacks.SampleGrid(every=2))
    found = sorted(path.name for path in run.run.pictures.glob("samples-epoch-*"))
    assert found == [f"samples-epoch-000{epoch}.png" for epoch in (2, 4, 5)]


@pytest.mark.once_in_short
def test_every_counts_steps_and_the_last_epoch_is_drawn_too(tmp_path):
    run = context(tmp_path)
    train(run, callbacks.SampleGrid(every="3 steps"), validate=False)
    total = run.steps * run.epochs
    found = sorted(path.name for path in run.run.pictures.glob("samples-*"))
    steps = [f"samples-step-{step:07d}.png" for step in range(3, total + 1, 3)]
    assert total > 6 and found == ["samples-epoch-0002.png", *steps]


@pytest.mark.once_in_short
def test_a_training_stopped_early_has_its_last_picture(tmp_path):
    run = context(tmp_path, epochs=9)
    stop = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: setattr(stop.model, "stop_training", epoch == 2)
    )
    train(run, stop, callbacks.SampleGrid(every=5))
    assert (run.run.pictures / "samples-epoch-0003.png").exists()


@pytest.mark.once_in_short
def test_a_picture_is_made_once_an_epoch_whoever_asks(tmp_path):
    run = context(tmp_path)
    model = train(run, callbacks.SampleGrid(), callbacks.TensorBoard())
    assert model.drawn.count(("sample", 64)) == 2


@pytest.mark.once_in_short
def test_the_picture_of_a_stand_in_says_so(tmp_path):
    model = Autoencoder()
    plain = context(tmp_path).picture("samples", model, 0)
    captioned = context(tmp_path, "digits (stand-in for mnist)").picture("samples", model, 0)
    assert captioned.shape[0] > plain.shape[0]
    assert (captioned[: plain.shape[0]] == plain).all()


def test_validation_pictures_are_those_trained_against(tmp_path):
    run = context(tmp_path)
    binarized = type(run.validation)(x=(run.validation.x > 127).astype("uint8") * 255, y=None)
    other = callbacks.Context(
        run.run, "tiny", "", run.data, 4, epochs=1, steps=1, validation=binarized
    )
    seen = []
    model = SimpleNamespace(
        can=lambda ability: True, reconstruct=lambda x, labels: seen.append(x) or x
    )
    other.picture("reconstructions", model, 0)
    assert (seen[0] == binarized.x[:32]).all()


@pytest.mark.once_in_short
@pytest.mark.parametrize("kind", ["samples", "reconstructions"])
def test_what_cannot_be_drawn_gives_no_picture(tmp_path, kind):
    assert context(tmp_path).picture(kind, Autoencoder(abilities=()), 0) is None
    vectors = context(tmp_path, shape=(5,))
    assert vectors.picture(kind, Autoencoder(shape=(5,)), 0) is None
    run = context(tmp_path)
    train(run, callbacks.SampleGrid(), callbacks.ReconstructionGrid(), abilities=())
    assert not run.run.pictures.exists()


@pytest.mark.once_in_short
def test_without_validation_data_there_are_samples_but_no_reconstructions(tmp_path):
    run = context(tmp_path, validation=0)
    assert run.picture("samples", Autoencoder(), 0) is not None
    assert run.picture("reconstructions", Autoencoder(), 0) is None


@pytest.mark.once_in_short
@pytest.mark.parametrize("kind", ["samples", "reconstructions"])
@pytest.mark.parametrize("validation", [0, 40])
def test_points_in_the_plane_are_scattered(tmp_path, kind, validation):
    run = context(tmp_path, shape=(2,), validation=validation)
    image = run.picture(kind, Autoencoder(shape=(2,)), 0)
    if kind == "reconstructions" and not validation:
        assert image is None
    else:
        assert image.shape == (800, 800, 3)


@pytest.mark.once_in_short
def test_grids_refuse_wrong_settings_and_work_outside_a_run_is_explained():
    with pytest.raises(
        ZooError, match=r"SampleGrid\(every=0, n=64\): every is a number of epochs.*not 0"
    ):
        callbacks.SampleGrid(every=0)
    with pytest.raises(ZooError, match="every is a number of epochs, 'epoch', '500 steps' or"):
        callbacks.SampleGrid(every="5 minutes")
    with pytest.raises(ZooError, match="SampleGrid: n is an integer, from 1 to 10,000; got 0"):
        callbacks.SampleGrid(n=0)
    with pytest.raises(ZooError, match="at least 1"):
        callbacks.TensorBoard(every=0)
    for callback in (callbacks.SampleGrid(), callbacks.TensorBoard()):
        with pytest.raises(ZooError, match="in a recipe"):
            callback.on_train_begin()


# --- TensorBoard -------------------------------------------------------------------------


def read_events(folder):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    accumulator = EventAccumulator(str(folder), size_guidance={"images": 0})
    return accumulator.Reload()


def test_events_hold_terms_rates_speed_pictures_and_recipe(tmp_path):
    run = context(tmp_path, epochs=3)
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-2, 6, 0.5)
    model = train(run, callbacks.TensorBoard(), rate=schedule)
    history = model.history.history
    events = read_events(run.run.events)
    assert sorted(events.Tags()["scalars"]) == [
        "autoencoder/kl",
        "learning_rate/autoencoder",
        "loss",
        "speed/examples_per_second",
    ]
    validation = read_events(run.run.events / "validation")
    assert sorted(validation.Tags()["scalars"]) == ["autoencoder/kl", "loss"]
    scalars = validation.Scalars("loss")
    assert [scalar.step for scalar in scalars] == [6, 12, 18]
    np.testing.assert_allclose([scalar.value for scalar in scalars], history["val_loss"], 1e-6)
    rates = [scalar.value for scalar in events.Scalars("learning_rate/autoencoder")]
    np.testing.assert_allclose(rates, [5e-3, 2.5e-3, 1.25e-3], 1e-5)
    assert all(scalar.value > 0 for scalar in events.Scalars("speed/examples_per_second"))
    for kind in ("samples", "reconstructions"):
        assert [image.step for image in events.Images(kind)] == [6, 12, 18]
    with Image.open(io.BytesIO(events.Images("samples")[-1].encoded_image_string)) as image:
        assert (np.asarray(image.convert("RGB")) == run.picture("samples", model, 2)).all()
    recipe = events.Tensors("recipe/text_summary")[0].tensor_proto.string_val[0].decode()
    about = "A recipe.\n\n```\nzoo run tiny.py\n```"
    assert recipe == f"{about}\n\n````python\n{run.recipe_text}\n````"


@pytest.mark.once_in_short
def test_custom_charts_draw_the_terms_of_a_player_together(tmp_path):
    from tensorboard.plugins.custom_scalar import layout_pb2

    run = context(tmp_path)
    train(run, callbacks.TensorBoard())
    (event,) = read_events(run.run.events).Tensors("custom_scalars__config__")
    layout = layout_pb2.Layout.FromString(event.tensor_proto.string_val[0])
    charts = {c.title: list(c.multiline.tag) for group in layout.category for c in group.chart}
    assert charts["autoencoder"] == ["autoencoder/kl"]
    assert charts["gradient norm"] == ["gradient_norm/autoencoder"]


@pytest.mark.once_in_short
def test_every_thins_the_images_only(tmp_path):
    run = context(tmp_path, epochs=3)
    reduce = keras.callbacks.ReduceLROnPlateau(monitor="loss")  # logs "learning_rate" too
    train(run, reduce, callbacks.TensorBoard(every=2), validate=False, abilities=("sample",))
    events = read_events(run.run.events)
    assert [image.step for image in events.Images("samples")] == [12, 18]
    assert {6, 12, 18} <= {scalar.step for scalar in events.Scalars("loss")}
    assert "learning_rate" not in events.Tags()["scalars"]
    assert events.Tags()["images"] == ["samples"]


def test_events_of_a_training_broken_off_are_there(tmp_path):
    run = context(tmp_path, epochs=3)

    def interrupt(epoch, logs):
        if epoch == 1:
            raise KeyboardInterrupt

    breaker = keras.callbacks.LambdaCallback(on_epoch_end=interrupt)
    with pytest.raises(KeyboardInterrupt):
        train(run, callbacks.TensorBoard(), breaker)
    assert [s.step for s in read_events(run.run.events / "validation").Scalars("loss")] == [6, 12]


def in_a_child(code, **settings):
    """Run Python code with this file's names, on this process's backend."""
    lines = [
        "import sys, pathlib",
        f"sys.path[:0] = [{str(HERE)!r}]",
        "from test_callbacks import *",
    ]
    environment = dict(os.environ, KERAS_BACKEND=keras.backend.backend(), TF_CPP_MIN_LOG_LEVEL="3")
    environment.pop("NO_COLOR", None)
    environment.pop("COLUMNS", None)
    environment.pop("FORCE_COLOR", None)
    return dict(
        args=[sys.executable, "-c", "\n".join([*lines, code])],
        env=environment | {"TERM": "xterm-256color"} | settings,
        cwd=HERE.parent,
    )


@pytest.mark.backend_free
@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="TensorFlow is there anyway")
def test_events_and_plain_lines_need_no_tensorflow_and_no_terminal_library(tmp_path):
    code = f"""
run = context(pathlib.Path({str(tmp_path)!r}))
before = set(sys.modules)
train(run, callbacks.TensorBoard(), callbacks.Progress())
assert list(run.run.events.iterdir())
assert "tensorflow" not in sys.modules
assert not {{"rich.live", "rich.progress_bar"}} & (set(sys.modules) - before)
"""
    done = subprocess.run(**in_a_child(code), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stderr.splitlines()) >= 2


# --- progress ----------------------------------------------------------------------------


@pytest.mark.skipif(keras.backend.backend() == "tensorflow", reason="it reports in the same thread")
def test_keras_does_not_wait_for_every_step():
    used = [callbacks.Progress(io.StringIO()), callbacks.TensorBoard()]
    assert keras.callbacks.CallbackList(used)._async_train


def test_progress_leaves_the_model_alone_during_an_epoch(tmp_path):
    def sync():
        raise AssertionError("the model's state was asked for")

    progress = callbacks.Progress(io.StringIO())
    progress.context = context(tmp_path)
    progress.set_model(SimpleNamespace(jax_state_sync=sync))
    progress.set_params({"epochs": 2, "steps": 6})
    progress.on_train_begin()
    for epoch in range(2):
        progress.on_epoch_begin(epoch)
        for batch in range(6):
            progress.on_train_batch_end(batch, {"loss": 1.0})
        progress.on_epoch_end(epoch, {"loss": 1.0})
    progress.on_train_end()


def test_off_a_terminal_there_is_one_plain_line_an_epoch(tmp_path):
    stream = io.StringIO()
    train(context(tmp_path, epochs=2), callbacks.Progress(stream))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    for epoch, line in enumerate(lines, 1):
        assert re.fullmatch(
            rf"epoch {epoch}/2  \d+\.\d s  [\d,]+ examples/s  loss 0\.\d+  autoencoder/kl 24"
            r"  val_loss 0\.\d+  val_autoencoder/kl 24",
            line,
        ), line


def test_progress_works_in_a_fit_of_ones_own():
    stream = io.StringIO()
    model = Autoencoder()
    model.compile(optimizer=ByPlayer())
    model.fit(Slow(2), callbacks=[callbacks.Progress(stream)], verbose=0)
    assert re.fullmatch(
        r"epoch 1/1  \d+\.\d s  loss 0\.\d+  autoencoder/kl 24\n", stream.getvalue()
    )


def test_evaluation_of_its_own_does_not_disturb():
    progress = callbacks.Progress(io.StringIO())
    model = Autoencoder()
    model.compile(optimizer=ByPlayer())
    model.evaluate(Slow(2), callbacks=[progress], verbose=0)
    assert progress.stream.getvalue() == ""


def test_speed_leaves_out_the_first_step_and_takes_reports_in_any_order(monkeypatch):
    now = iter([0.0, 10.0, 12.0, 11.0, 13.0])  # begin; steps 0, 2, 1 (late), 3
    monkeypatch.setattr(time, "perf_counter", lambda: next(now))
    speed = Speed()
    assert speed.per_second is None
    speed.step(0)
    assert speed.per_second == pytest.approx(1 / 10)
    for batch in (2, 1, 3):
        speed.step(batch)
    assert speed.steps == 4
    assert speed.per_second == pytest.approx(1.0)


def on_terminal(code, columns, interrupt_at=None, **settings):
    """What a child writes to a pseudo-terminal; Ctrl-C once ``interrupt_at`` shows."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    child = subprocess.Popen(
        **in_a_child(code, **settings), stdin=slave, stdout=slave, stderr=slave
    )
    os.close(slave)
    deadline = threading.Timer(120, child.kill)
    deadline.start()
    written = b""
    try:
        while part := os.read(master, 65536):
            written += part
            if interrupt_at and interrupt_at in written:
                child.send_signal(signal.SIGINT)
                interrupt_at = None
    except OSError:  # the child has closed its end
        pass
    finally:
        status = child.wait()
        deadline.cancel()
        os.close(master)
    return written.decode(), status


def shown(written):
    """Lines as a person sees them, of every state of the display."""
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written)
    return [line for line in re.split(r"[\r\n]+", plain) if line]


FIT = "train(context(pathlib.Path({!r}), steps=25), callbacks.Progress(), pause=0.03)\n"


@pytest.mark.backend_free
def test_on_a_terminal_the_display_is_redrawn_in_place(tmp_path):
    written, status = on_terminal(FIT.format(str(tmp_path)) + "print('after')", columns=100)
    assert status == 0, written
    lines = [line for line in shown(written) if line.startswith("epoch")]
    pattern = r"epoch \d/2 \S* +\d+/25  \d:\d\d left  [\d,]+ examples/s *"
    assert any(re.fullmatch(pattern, line) for line in lines), lines
    for epoch in "12":  # a line of each stays, the display of the next below it
        [kept] = [line for line in lines if re.match(rf"epoch {epoch}/2  \d", line)]
        assert re.search(r"\d s  [\d,]+ examples/s  loss 0\.\d+  autoencoder/kl 24", kept)
        assert len(kept) <= 100
    assert len(lines) < 100  # a few times a second, not once a step
    assert "\x1b[1A" in written and "\x1b[1m" in written
    last = written.rindex("took")
    assert "val_autoencoder/kl 24" in written[:last]
    assert written.rindex("\x1b[?25h") > written.rindex("\x1b[?25l")  # the cursor is back
    assert shown(written)[-1].strip() == "after"


@pytest.mark.backend_free
def test_a_narrow_terminal_without_colour_interrupted(tmp_path):
    fit = FIT.format(str(tmp_path)).replace("steps=25", "steps=2000").strip()
    # TensorFlow hangs at exit where the data of a broken off `fit` are still in a cycle.
    code = f"""
import gc
try:
    {fit}
except KeyboardInterrupt:
    print("interrupted")
gc.collect()
"""
    written, status = on_terminal(code, 40, interrupt_at=b" left", NO_COLOR="1")
    assert status == 0, written
    # TensorFlow's own words at its import come before the cursor is hidden.
    display = written[written.index("\x1b[?25l") : written.index("interrupted")]
    lines = shown(display)
    assert max(map(len, lines)) <= 40, lines
    assert any(re.match(r"epoch 1/2 .* \d+/2000", line) for line in lines), lines
    assert any(re.match(r"\d+:\d\d left  [\d,]+ examples/s", line) for line in lines), lines
    assert not re.search(r"\x1b\[[0-9;]*3[0-9]", display)  # no colour
    assert display.rindex("\x1b[?25h") > display.rindex("\x1b[?25l")


@pytest.mark.backend_free
def test_a_dumb_terminal_gets_plain_lines(tmp_path):
    written, status = on_terminal(FIT.format(str(tmp_path)), 80, TERM="dumb")
    assert status == 0, written
    assert "\x1b" not in written
    lines = [line[:9] for line in shown(written) if line.startswith("epoch")]
    assert lines == ["epoch 1/2", "epoch 2/2"]
