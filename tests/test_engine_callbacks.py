"""Keras's callbacks, each with the effect that it is used for."""

from __future__ import annotations

import csv

import keras
import numpy as np
import pytest
from keras import ops

import zoo
from tests.models import Toy, Trio, build, column, number, points, same, square, weight, weights

X = column(1.0, 1.0)


def falling(w=2.0, **options):
    """The loss of w falls by the same factor each step."""
    return build(Toy({"a": number(w)}, {"a": ["a"]}, [square("a")]), **options)


def rising():
    """Its steps are too large: the loss doubles with each, and more."""
    return falling(optimizer=lambda: keras.optimizers.SGD(3.0))


def fit(model, *callbacks, epochs=3, validate=True, **options):
    validation = (X, None) if validate else None
    return model.fit(
        X,
        batch_size=1,
        epochs=epochs,
        verbose=0,
        validation_data=validation,
        callbacks=list(callbacks),
        **options,
    )


def test_early_stopping_stops_and_restores_the_best_weights():
    model = rising()
    stop = keras.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    history = fit(model, stop, epochs=10)
    assert len(history.history["loss"]) == 3  # the first, and two that are worse
    assert weight(model, "a") == pytest.approx(2.0 * (1 - 3.0) ** 2)  # after the first epoch


def test_early_stopping_on_a_term_of_a_player():
    stop = keras.callbacks.EarlyStopping("a/square", mode="min", min_delta=100.0)
    assert len(fit(falling(), stop, epochs=10).history["loss"]) == 2


def test_model_checkpoint_keeps_the_best_weights(tmp_path):
    path = tmp_path / "best.weights.h5"
    keep = keras.callbacks.ModelCheckpoint(path, save_best_only=True, save_weights_only=True)
    model = rising()
    fit(model, keep)
    assert abs(weight(model, "a")) > 100
    model.load_weights(path)
    assert weight(model, "a") == pytest.approx(8.0)
    assert int(model.optimizer.by_player["a"].iterations.numpy()) == 2


def test_model_checkpoint_of_whole_models(tmp_path):
    vae = zoo.model("vae", latent_dim=2, units=(8,))
    model = zoo.build(vae, zoo.DataSpec((8, 8, 1)))
    model.compile({"autoencoder": keras.optimizers.Adam(1e-3)})
    keep = keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.keras")
    x = (np.arange(4 * 64).reshape(4, 8, 8, 1) % 256).astype("uint8")
    model.fit(x, batch_size=2, epochs=2, verbose=0, callbacks=[keep])
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1.keras", "2.keras"]
    loaded = keras.saving.load_model(tmp_path / "2.keras")
    assert loaded.plugin == vae
    np.testing.assert_array_equal(loaded.sample(3), model.sample(3))


def test_model_checkpoint_of_a_model_that_no_file_can_describe(tmp_path):
    keep = keras.callbacks.ModelCheckpoint(tmp_path / "model.keras")
    with pytest.raises(zoo.ZooError, match="Toy is not registered"):
        fit(falling(), keep)


def test_learning_rate_scheduler():
    model = falling()
    rates = [0.1, 0.5, 0.0]
    scheduler = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rates[epoch])
    history = fit(model, scheduler)
    assert weight(model, "a") == pytest.approx(2.0 * 0.9**2 * 0.5**2)
    assert history.history["learning_rate_a"] == pytest.approx(rates)


def test_learning_rate_scheduler_of_several_players():
    model = build(Trio(), 2)
    zero = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.0)
    before = {name: weights(model, name) for name in model.networks}
    history = model.fit(points(4), verbose=0, callbacks=[zero])
    assert all(same(weights(model, name), before[name]) for name in model.networks)
    assert all(history.history[f"learning_rate_{player}"] == [0.0] for player in model.players)


def test_reduce_lr_on_plateau():
    steady = falling(w=0.0)
    reduce = keras.callbacks.ReduceLROnPlateau(monitor="val_loss", factor=0.5, patience=1)
    fit(steady, reduce, epochs=4)
    rate = float(steady.optimizer.by_player["a"].learning_rate.numpy())
    assert rate == pytest.approx(0.1 * 0.5**3)  # after the second, third and fourth epoch


def test_csv_logger(tmp_path):
    path = tmp_path / "log.csv"
    history = fit(falling(), keras.callbacks.CSVLogger(path)).history
    with path.open() as file:
        rows = list(csv.DictReader(file))
    assert [int(row["epoch"]) for row in rows] == [0, 1, 2]
    for name in ("loss", "a/square", "val_loss", "val_a/square"):
        assert [float(row[name]) for row in rows] == pytest.approx(history[name])


def test_terminate_on_nan():
    def bad(nets, batch, rng):
        y = nets.a(batch.x)[:, 0]
        return {"a": {"root": ops.sqrt(y - 1.9)}}  # not a number once y is below

    model = build(Toy({"a": number(2.0)}, {"a": ["a"]}, [bad]))
    history = fit(model, keras.callbacks.TerminateOnNaN(), epochs=5, validate=False)
    assert len(history.history["loss"]) == 1
    assert np.isnan(history.history["loss"][0])


def test_lambda_callback_sees_the_logs_of_batches_and_epochs():
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append((batch, logs["loss"])),
        on_epoch_end=lambda epoch, logs: seen.append((f"epoch {epoch}", logs["val_loss"])),
    )
    fit(falling(), watch, epochs=1)
    w = [2.0, 1.8, 1.62]
    assert [name for name, _ in seen] == [0, 1, "epoch 0"]
    # the running means of w^2 / 2, then that of the weights at the end
    expected = [w[0] ** 2 / 2, (w[0] ** 2 + w[1] ** 2) / 4, w[2] ** 2 / 2]
    assert [value for _, value in seen] == pytest.approx(expected)


def test_a_callback_may_look_at_weights_between_steps():
    seen = []
    watch = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(weight(watch.model, "a"))
    )
    fit(falling(), watch, epochs=1)
    assert seen == pytest.approx([1.8, 1.62])


def test_swap_ema_weights_evaluates_the_averages_and_trains_on():
    plain = []
    model = falling(compile={"ema": 0.5})
    swap = keras.callbacks.SwapEMAWeights()
    watch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: plain.append(weight(model, "a"))
    )
    history = fit(model, swap, watch, epochs=2).history
    steps = [2.0 * 0.9**k for k in (1, 2, 3, 4)]
    averages = [steps[0]]
    for step in steps[1:]:
        averages.append(0.5 * averages[-1] + 0.5 * step)
    assert plain == pytest.approx([steps[1], steps[3]])
    assert history["val_loss"] == pytest.approx([averages[1] ** 2 / 2, averages[3] ** 2 / 2])
    assert weight(model, "a") == pytest.approx(averages[3])


def test_swap_ema_weights_on_epoch_lets_checkpoints_keep_the_averages(tmp_path):
    model = falling(compile={"ema": 0.5})
    fit(
        model,
        keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
        keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.weights.h5", save_weights_only=True),
        epochs=2,
    )
    steps = [2.0 * 0.9**k for k in (1, 2, 3, 4)]
    second = 0.5 * steps[0] + 0.5 * steps[1]
    fourth = 0.5 * (0.5 * second + 0.5 * steps[2]) + 0.5 * steps[3]
    assert weight(model, "a") == pytest.approx(fourth)
    model.load_weights(tmp_path / "1.weights.h5")
    assert weight(model, "a") == pytest.approx(second)


def test_swap_ema_weights_without_an_average_says_so():
    with pytest.raises(ValueError, match="use_ema"):
        fit(falling(), keras.callbacks.SwapEMAWeights())
