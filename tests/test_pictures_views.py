"""What small real models show, and what the callbacks save of it while they train."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from PIL import Image

import zoo
from tests.manifests import fields
from zoo import callbacks
from zoo.datasets import Data, Split
from zoo.errors import ZooError
from zoo.nn.distributions import StandardNormal
from zoo.reports import pictures, restoration, views
from zoo.reports.latents import Unable
from zoo.runs import folders

pytestmark = pytest.mark.once_in_short

SHAPE, CLASSES = (8, 8, 1), 3


def examples(n=24, shape=SHAPE):
    x = np.random.RandomState(0).randint(0, 256, (n, *shape)).astype("uint8")
    return Split(x, (np.arange(n) % CLASSES).astype("int32"))


EMPTY = Split(np.zeros((0, *SHAPE), "uint8"))
CODES = {"units": (8,), "latent_dim": 2}
SMALL = {"vae": CODES, "ae": CODES, "gan": {"units": (8,)}}


def build(name, shape=SHAPE, **settings):
    plugin = zoo.model(name, **SMALL[name] | settings)
    return zoo.build(plugin, zoo.DataSpec(shape, classes=CLASSES))


@pytest.fixture(scope="module")
def vae():
    return build("vae")


@pytest.fixture(scope="module")
def conditional():
    return build("vae", conditional=True)


@pytest.fixture(scope="module")
def gan():
    return build("gan", prior=StandardNormal(5), conditional=True)


def test_samples_of_a_conditional_model_have_a_column_for_each_class(vae, gan):
    view = views.samples(gan, 7, seed=3)
    assert (view.numbers == gan.sample(7, seed=3)).all()
    columns = pictures.grid(view.numbers, columns=CLASSES)
    assert (view.image[-len(columns) :] == columns).all() and len(view.image) > len(columns)
    assert views.samples(vae, 4).image.shape == (32 * 19, 32 * 19, 3)  # without names


def test_samples_of_one_label(vae, gan):
    view = views.samples(gan, 4, label=2)
    assert (view.numbers == gan.sample(4, labels=np.full(4, 2))).all()
    with pytest.raises(ZooError, match="row 0 has the label 3; labels are integers from 0 to 2"):
        views.samples(gan, 4, label=3)
    with pytest.raises(ZooError, match="VAE is not conditional"):
        views.samples(vae, 4, label=0)


def test_the_manifold_decodes_the_plane(vae):
    view = views.manifold(vae, examples(), side=3)
    assert view.numbers.shape == (3, 3, *SHAPE)
    centre = vae.decode(np.zeros((1, 2), "float32"))[0]
    np.testing.assert_allclose(view.numbers[1, 1], centre, atol=1e-6)
    cells = pictures.grid(view.numbers.reshape(-1, *SHAPE), 3, padding=0)
    values = ["-0.97", "0.00", "0.97"]
    framed = pictures.framed(cells, rows=values[::-1], columns=values)
    assert (view.image[: framed.shape[0], : framed.shape[1]] == framed).all()
    with pytest.raises(Unable, match="this one has 5"):
        views.manifold(build("vae", latent_dim=5), examples())


def test_the_manifold_of_a_conditional_model_is_of_label_0(conditional):
    view = views.manifold(conditional, examples(), side=3)
    expected = conditional.decode(np.zeros((1, 2), "float32"), labels=[0])[0]
    np.testing.assert_allclose(view.numbers[1, 1], expected, atol=1e-6)


@pytest.mark.parametrize("latent_dim", [1, 2, 4])
def test_codes_are_drawn_whatever_their_dimension(latent_dim):
    model = build("ae", latent_dim=latent_dim)
    view = views.codes(model, examples())
    np.testing.assert_allclose(view.numbers, model.encode(examples().x), atol=1e-6)
    for colour in pictures.scatters.COLOURS[:CLASSES]:
        assert (view.image == colour).all(axis=2).sum() > 50
    with pytest.raises(Unable, match="no examples"):
        views.codes(model, EMPTY)


def test_a_traversal_passes_through_the_code_itself(conditional):
    z = conditional.encode(examples().x, labels=examples().y)[4]
    view = views.traversals(conditional, examples(), [1], index=4, steps=5)
    assert view.numbers.shape == (1, 5, *SHAPE)
    moved = np.array([[z[0], value] for value in (-3, -1.5, 0, 1.5, 3)], "float32")
    expected = conditional.decode(moved, labels=np.full(5, examples().y[4]))
    np.testing.assert_allclose(view.numbers[0], expected, atol=1e-5)


@pytest.mark.parametrize("kl, order", [([2.0, 0.1], [0, 1]), ([0.1, 2.0], [1, 0])])
def test_traversals_begin_with_the_dimension_of_the_largest_kl(vae, monkeypatch, kl, order):
    monkeypatch.setattr(views.latents, "kl", lambda model, found: np.array(kl))
    found = views.traversals(vae, examples())
    np.testing.assert_array_equal(found.numbers, views.traversals(vae, examples(), order).numbers)
    assert not np.array_equal(found.numbers, found.numbers[::-1])


def test_traversals_name_what_is_not_there(vae):
    assert views.traversals(vae, examples()).numbers.shape == (2, 13, *SHAPE)
    with pytest.raises(ZooError, match="VAE has 2 latent dimensions, 0 to 1, and none is 2"):
        views.traversals(vae, examples(), [2])
    with pytest.raises(ZooError, match="no example 24: they are 0 to 23"):
        views.traversals(vae, examples(), index=24)


def test_interpolations_go_from_reconstruction_to_reconstruction(conditional):
    view = views.interpolations(conditional, examples(), 3, steps=4)
    assert view.numbers.shape == (3, 4, *SHAPE)
    again = conditional.reconstruct(examples().x, labels=examples().y)
    for row in view.numbers:  # both ends are of two examples of one label
        first, last = (np.abs(again - end).max(axis=(1, 2, 3)).argmin() for end in row[[0, -1]])
        np.testing.assert_allclose(again[[first, last]], row[[0, -1]], atol=1e-5)
        assert first != last and examples().y[first] == examples().y[last]
    other = views.interpolations(conditional, examples(), 3, steps=4, seed=1)
    assert np.abs(other.numbers - view.numbers).max() > 1e-4


def test_interpolations_of_a_gan_go_between_its_samples(gan):
    view = views.interpolations(gan, EMPTY, 3, steps=4, seed=7)
    samples = gan.sample(20, seed=7)
    ends = view.numbers[:, [0, -1]].reshape(-1, *SHAPE)
    for end in ends:
        assert np.abs(samples - end).max(axis=(1, 2, 3)).min() < 1e-5
    assert views.interpolations(gan, EMPTY, steps=4).image is not None


def test_one_example_is_no_pair(vae):
    with pytest.raises(Unable, match="no two examples"):
        views.interpolations(vae, examples(1))


def test_denoising_tells_the_error_before_and_after(conditional):
    split = examples()
    view, before, after = views.denoised(conditional, split, 0.2)
    noisy = restoration.noisy(split.x, 0.2)
    assert before == pytest.approx(((noisy - split.x / 255) ** 2).mean(), rel=1e-4)
    again = conditional.reconstruct(noisy, labels=split.y)
    np.testing.assert_allclose(view.numbers, again, atol=1e-6)
    assert after == pytest.approx(((again - split.x / 255) ** 2).mean(), rel=1e-4)


def test_completing_tells_the_error_of_what_was_hidden(conditional):
    split = examples()
    view, before, after = views.completed(conditional, split, "left")
    x = split.x / 255
    assert before == pytest.approx(((0.5 - x[:, :, :4]) ** 2).mean(), rel=1e-4)
    assert after == pytest.approx(((view.numbers - x)[:, :, :4] ** 2).mean(), rel=1e-4)
    np.testing.assert_allclose(view.numbers[:, :, 4:], x[:, :, 4:], atol=1e-6)


def test_points_are_shown_as_points_and_vectors_as_numbers_only():
    points = Split(np.random.RandomState(0).normal(size=(24, 2)).astype("float32"))
    model = build("vae", shape=(2,))
    assert views.samples(model, 5).image.shape == (800, 800, 3)
    assert views.reconstructions(model, points).image.shape == (800, 800, 3)
    assert views.codes(model, points).image is not None
    for view in (views.manifold, views.traversals, views.interpolations):
        shown = view(model, points)
        assert shown.image is None and shown.numbers.shape[-1] == 2
    with pytest.raises(ZooError, match="only pictures"):
        views.completed(model, points, "left")


def test_codes_beside_the_prior():
    model = build("vae")
    shown = views.posterior(model, examples())
    assert shown.numbers.shape == (len(examples()), 2)
    assert shown.image.shape[1] >= 2 * 160  # two plots beside each other
    with pytest.raises(views.Unable, match="no examples"):
        views.posterior(model, EMPTY)
    # all of the codes to the right of the prior: blue stands over no grey
    rng = np.random.RandomState(0)
    prior = rng.normal(size=(500, 1))
    far = pictures.histograms(0.1 * rng.normal(size=(500, 1)) + 9, prior, ["z0"])
    blue = (far == pictures.BLUE).all(axis=2).any(axis=0).nonzero()[0]
    grey = (far == pictures.GREY).all(axis=2).any(axis=0).nonzero()[0]
    tall = (far == pictures.BLUE).all(axis=2).sum(axis=0).argmax()
    assert grey.max() < tall <= blue.max()
    alike = pictures.histograms(prior, prior, ["z0"])
    assert alike.shape == far.shape


# --- callbacks


LATENT = (
    callbacks.LatentManifold,
    callbacks.LatentScatter,
    callbacks.PosteriorHistograms,
    callbacks.Traversals,
    callbacks.Interpolations,
)


def fit(tmp_path, model, *used, validation=None, epochs=2):
    """The run after a training with these callbacks."""
    split = examples()
    data = Data("mnist", model.data, split, split if validation is None else validation, split)
    run = folders.create(tmp_path, "tiny", **fields())
    context = callbacks.Context(run, "tiny", "", data, batch_size=8, epochs=epochs, steps=3)
    for callback in used:
        callback.context = context
    model.compile(optimizers={p: keras.optimizers.Adam(1e-3) for p in model.players})
    try:
        model.fit(split.x, split.y, 8, epochs, verbose=0, callbacks=list(used))
    finally:
        for callback in used:
            callback.close()
    return run


def names(run):
    return sorted(path.name for path in run.pictures.glob("*.png"))


def test_callbacks_save_the_latent_space_each_epoch_and_show_it_in_tensorboard(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    model = build("vae")
    used = [callbacks.LatentManifold(n=4), *(make() for make in LATENT[1:])]
    run = fit(tmp_path, model, callbacks.TensorBoard(), *used)
    kinds = ["codes", "interpolations", "manifold", "posterior", "traversals"]
    ends = ("-epoch-0001", "-epoch-0002", "")
    assert names(run) == sorted(f"{kind}{end}.png" for kind in kinds for end in ends)
    with Image.open(run.pictures / "manifold.png") as image:
        assert image.text["epoch"] == "2"
        assert image.size[0] < 4 * 256 + 60
        saved = np.asarray(image.convert("RGB"))
    expected = views.manifold(model, examples(), 4).image
    assert saved.shape == expected.shape
    assert np.abs(saved.astype(int) - expected).max() <= 1
    events = EventAccumulator(str(run.events), size_guidance={"images": 0}).Reload()
    assert sorted(events.Tags()["images"]) == sorted([*kinds, "reconstructions", "samples"])
    assert [image.step for image in events.Images("codes")] == [3, 6]


def test_what_a_model_cannot_show_gives_no_picture(tmp_path):
    run = fit(
        tmp_path, build("gan", prior=StandardNormal(3)), *(make() for make in LATENT), epochs=1
    )
    shown = {name.partition(".")[0].partition("-")[0] for name in names(run)}
    assert shown == {"interpolations", "traversals"}  # it has no codes, and no plane


def test_without_validation_examples_there_is_no_picture_of_codes(tmp_path):
    used = [make() for make in LATENT]
    run = fit(tmp_path, build("vae"), *used, validation=EMPTY, epochs=1)
    shown = {name.partition(".")[0].partition("-")[0] for name in names(run)}
    assert shown == {"interpolations", "manifold", "traversals"}  # of draws from the prior
