"""What ``zoo explore`` computes, whom it refuses, and what it makes of files of strangers."""

from __future__ import annotations

import asyncio
import io
import socket
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

import zoo
from zoo import cli
from zoo.cli import explore as explore_command
from zoo.datasets.images import MOST_UPLOADED, uploaded
from zoo.errors import ZooError
from zoo.plugin.dataset import Split
from zoo.reports import explore, explore_python, latents
from zoo.reports.explore_guard import LOOPBACK, Guard
from zoo.runs import artifact, folders, safetensors
from zoo.runs.run import Run

DATA = zoo.DataSpec((8, 8, 1), 4)

MODELS = {
    "vae": zoo.model("vae", latent_dim=3, units=(8,)),
    "plane": zoo.model("vae", latent_dim=2, units=(8,)),
    "labelled": zoo.model("vae", latent_dim=3, units=(8,), conditional=True),
    "ae": zoo.model("ae", latent_dim=3, units=(8,)),
    "gan": zoo.model("gan", prior=zoo.nn.distributions.StandardNormal(5), units=(8,)),
    "vqvae": zoo.model("vqvae", filters=(4, 4), residuals=1, codes=6, dimension=2),
}


@pytest.fixture(scope="module")
def spaces():
    """``spaces(name)``: the space of an untrained model, of 40 random pictures."""
    rng = np.random.default_rng(0)
    x = rng.integers(0, 256, (40, 8, 8, 1), dtype=np.uint8)
    y = np.arange(40, dtype="int32") % 4
    made = {}

    def space(name):
        if name not in made:
            model = zoo.build(MODELS[name], DATA)
            split = Split(x, y) if model.can("encode") else Split(x[:0], y[:0])
            made[name] = explore.opened(model, split)
        return made[name]

    return space


# --- sliders


def test_dimensions_are_in_the_order_of_their_kl(spaces):
    space = spaces("vae")
    kl = space.model.posterior(space.found.x)["kl"].mean(axis=0)
    np.testing.assert_allclose(space.kl, kl, rtol=1e-5)
    assert space.order == sorted(range(3), key=lambda i: -kl[i])


def test_without_a_posterior_they_are_in_the_order_of_the_codes_variance(spaces):
    space = spaces("ae")
    variance = space.found.z.var(axis=0)
    assert space.kl is None and space.order == sorted(range(3), key=lambda i: -variance[i])
    assert spaces("gan").order == [0, 1, 2, 3, 4]


def test_a_slider_moves_one_dimension_and_is_cut_to_its_bounds(spaces):
    walk = explore.Walk(spaces("vae"))
    before, (low, high) = walk.z.copy(), walk.space.bounds
    assert (low <= -3).all() and (high >= 3).all()
    walk.slide(1, 0.5)
    assert walk.z.tolist() == [before[0], 0.5, before[2]]
    walk.slide(1, 1e9)
    assert walk.z[1] == high[1].astype("float32")
    for dimension, value in ((7, 0.0), (-1, 0.0), (0, float("nan")), (0, float("inf"))):
        walk.slide(dimension, value)
    assert walk.z.tolist() == [before[0], high[1].astype("float32"), before[2]]


# --- the map


def test_a_place_on_the_map_is_where_the_code_goes(spaces):
    for name in MODELS:
        plane, z = spaces(name).plane, spaces(name).found.z
        assert np.abs(plane.places(z)).max() <= 1
        moved = plane.moved(z[0], np.array([0.25, -0.5]))
        np.testing.assert_allclose(plane.places(moved[None])[0], [0.25, -0.5], atol=1e-5)
        off = (moved - z[0]) - (moved - z[0]) @ plane.axes.T @ plane.axes
        np.testing.assert_allclose(off, 0, atol=1e-5)  # at right angles nothing changes
        np.testing.assert_allclose(plane.axes @ plane.axes.T, np.eye(2), atol=1e-5)


def test_the_map_of_two_dimensions_is_the_latent_space_itself(spaces):
    plane = spaces("plane").plane
    assert plane.names == ("z0", "z1") and plane.reach >= 3
    half = plane.moved(np.zeros(2, "float32"), np.array([0.5, 1.0]))
    np.testing.assert_allclose(half, [plane.reach / 2, plane.reach], rtol=1e-6)
    grid = plane.grid(np.zeros(2, "float32"), 2) / plane.reach
    np.testing.assert_allclose(grid, [[-0.5, 0.5], [0.5, 0.5], [-0.5, -0.5], [0.5, -0.5]])


def test_a_place_beyond_the_map_is_its_edge(spaces):
    walk = explore.Walk(spaces("plane"))
    walk.drag(7.0, -9.0)
    np.testing.assert_allclose(walk.space.plane.places(walk.z[None])[0], [1, -1], rtol=1e-6)
    walk.drag(float("nan"), 0.0)
    assert np.isfinite(walk.z).all()


# --- classes, samples, ways, codebooks


def test_a_class_is_a_label_or_where_its_codes_are(spaces):
    walk = explore.Walk(spaces("vae"))
    walk.choose(2)
    np.testing.assert_allclose(walk.z, walk.space.found.z[2::4].mean(axis=0), rtol=1e-5)
    labelled = explore.Walk(spaces("labelled"))
    z = labelled.z.copy()
    labelled.choose(3)
    assert (labelled.z == z).all() and labelled.label == 3
    own = labelled.space.model.decode(z[None], labels=[3])[0]
    np.testing.assert_array_equal(labelled.picture(), own)
    labelled.choose(99)
    assert labelled.label == 3
    assert spaces("gan").classes == []


@pytest.mark.parametrize("name", ["vae", "gan", "labelled"])
def test_the_grid_has_the_samples_of_zoo_sample(spaces, name):
    space = spaces(name)
    z, labels = space.samples(5, 8)
    made = space.model.decode(z, labels=labels)
    np.testing.assert_allclose(made, space.model.sample(8, seed=5), atol=1e-5)


def test_a_model_without_a_prior_has_its_data_in_the_grid(spaces):
    z, labels = spaces("ae").samples(0, 8)
    rows = [np.flatnonzero((spaces("ae").found.z == code).all(axis=1))[0] for code in z]
    assert len(set(rows)) == 8 and labels.tolist() == [row % 4 for row in rows]


def test_a_way_is_straight_between_data_and_round_between_noise(spaces):
    assert not explore.Walk(spaces("vae")).spherical and explore.Walk(spaces("gan")).spherical
    a, b = np.array([2.0, 0, 0], "float32"), np.array([0, 2.0, 0], "float32")
    np.testing.assert_allclose(spaces("vae").way(a, b, 3, False)[1], [1, 1, 0])
    np.testing.assert_allclose(spaces("vae").way(a, b, 3, True)[1], [2**0.5, 2**0.5, 0], rtol=1e-6)


def test_a_codebook_is_read_and_written_cell_by_cell(spaces):
    space = spaces("vqvae")
    book = space.book
    assert (book.rows, book.columns) == (2, 2) and book.entries.shape == (6, 2)
    z = book.entries[[4, 0, 2, 5]].reshape(-1)
    assert book.read(z).tolist() == [[4, 0], [2, 5]]
    changed = book.written(z, 1, 0, 3)
    assert book.read(changed).tolist() == [[4, 0], [3, 5]]
    assert book.read(z).tolist() == [[4, 0], [2, 5]]
    assert spaces("vae").book is None


def test_a_picture_is_encoded_reconstructed_and_completed(spaces):
    space = spaces("labelled")
    x = np.full((8, 8, 1), 255, "uint8")
    seen = space.seen(x, "right", 2)
    np.testing.assert_array_equal(seen.z, space.model.encode(x[None], labels=[2])[0])
    again = space.model.reconstruct(x[None], labels=[2])[0]
    np.testing.assert_array_equal(seen.reconstructed, again)
    assert (seen.masked[:, 4:] == 0.5).all() and (seen.masked[:, :4] == 1).all()
    assert (seen.completed[:, :4] == 1).all() and not (seen.completed[:, 4:] == 0.5).any()


def test_what_cannot_be_walked_is_refused():
    points = zoo.build(zoo.model("vae", latent_dim=2, units=(8,)), zoo.DataSpec((2,)))
    with pytest.raises(latents.Unable, match=r"no pictures.*zoo sample"):
        explore.opened(points, Split(np.zeros((0, 2))))
    judge = zoo.build(zoo.model("classifier"), zoo.DataSpec((28, 28, 1), 4))
    with pytest.raises(latents.Unable, match="cannot decode"):
        explore.opened(judge, Split(np.zeros((0, 28, 28, 1), "uint8")))


@pytest.mark.backend_free
def test_without_nicegui_it_says_what_to_install(monkeypatch, capsys):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli.main(["explore", "vae_mnist"]) == 2
    told = 'zoo: zoo explore needs NiceGUI: pip install "keras-zoo[explore]"\n'
    assert capsys.readouterr().err == told


@pytest.mark.backend_free
def test_what_cannot_be_listened_on_says_which_option_is_wrong(monkeypatch):
    asked = []
    create = socket.create_server
    monkeypatch.setattr(socket, "create_server", lambda *a, **k: asked.append(a) or create(*a, **k))
    with pytest.raises(ZooError, match=r"no-such-host.invalid: .* Name an address .*: --host"):
        explore_command.bound("no-such-host.invalid", None)
    assert len(asked) == 1  # each look at a name may take seconds
    with create(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ZooError, match=rf"127.0.0.1:{port} .*Try another --port"):
            explore_command.bound("127.0.0.1", port)


# --- the newest wins


def test_of_many_requests_at_once_the_newest_alone_is_waited_for():
    shown, wanted = [], [0]

    async def show():
        value = wanted[0]
        await asyncio.sleep(0.01)
        shown.append(value)

    async def ask():
        asked = explore.newest(show)
        tasks = []
        for value in range(200):
            wanted[0] = value
            tasks.append(asyncio.create_task(asked()))
            await asyncio.sleep(0)
        await asyncio.gather(*tasks)
        wanted[0] = 7
        await asked()  # and it is not stuck

    asyncio.run(ask())
    assert shown[-2:] == [199, 7] and len(shown) <= 20


def test_a_request_that_fails_does_not_stop_the_next():
    calls = []

    async def show():
        calls.append(1)
        if len(calls) == 1:
            raise ValueError

    async def ask():
        asked = explore.newest(show)
        with pytest.raises(ValueError):
            await asked()
        await asked()

    asyncio.run(ask())
    assert len(calls) == 2


# --- the Python that is copied


@pytest.mark.parametrize(("name", "spherical"), [("vae", True), ("labelled", False), ("gan", True)])
def test_python_makes_what_is_shown(spaces, name, spherical, monkeypatch):
    walk = explore.Walk(spaces(name))
    walk.slide(0, 1 / 3)
    walk.spherical, walk.seed = spherical, 4
    made = explore_python.Python("a run's name", recipe="x.py", runs_folder=None)
    loaded = {("a run's name", "x.py"): walk.space.model}
    monkeypatch.setattr(zoo, "load", lambda name, recipe: loaded[name, recipe])

    def run(text):
        scope = {}
        exec(text, scope)
        return scope

    own = run(made.picture(walk))
    np.testing.assert_array_equal(own["picture"], walk.picture())
    way = run(made.between(walk))
    np.testing.assert_allclose(way["pictures"], walk.between(), atol=1e-5)
    grid = run(made.samples(walk))["pictures"]
    np.testing.assert_allclose(grid[:8], walk.space.model.sample(8, seed=4), atol=1e-5)


# --- codes of a pack


@pytest.mark.backend_free
def test_a_pack_brings_codes_and_a_run_none():
    pack = folders.find("vae2d_mnist", folders.root(None))
    kept = artifact.codes(pack, pack.manifest)
    assert kept["codes"].shape == (1000, 2) and kept["labels"].shape == (1000,)


@pytest.mark.backend_free
@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"codes": np.zeros(3, "float32")},
        {"codes": np.zeros((0, 2), "float32")},
        {"codes": np.full((3, 2), np.nan, "float32")},
        {"codes": np.zeros((3, 2), "int32")},
        {"codes": np.zeros((3, 2), "float32"), "labels": np.zeros(2, "int32")},
        {"codes": np.zeros((3, 2), "float32"), "labels": np.full(3, 10, "int32")},
        {"codes": np.zeros((3, 2), "float32"), "labels": np.zeros(3, "float32")},
    ],
)
def test_codes_that_are_none_are_refused(arrays, tmp_path):
    described = folders.find("vae2d_mnist", folders.root(None)).manifest
    pack = Run(tmp_path / "vae2d")
    pack.path.mkdir()
    safetensors.write(pack.codes, arrays, None)
    with pytest.raises(ZooError, match="holds no codes of its model"):
        artifact.codes(pack, described)


# --- files of strangers


def png(width, height, content=b""):
    """A PNG file of this size, whose pixels are whatever follows."""

    def chunk(name, data):
        whole = name + data
        return struct.pack(">I", len(data)) + whole + struct.pack(">I", zlib.crc32(whole))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    pixels = zlib.compress(content or b"\0" * (height * (1 + (width + 7) // 8)), 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def encoded(kind, size=(40, 30), mode="RGB"):
    file = io.BytesIO()
    Image.new(mode, size, "white").save(file, kind)
    return file.getvalue()


@pytest.mark.backend_free
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "PPM", "TIFF", "WEBP"])
def test_pictures_are_made_alike(kind):
    grey, colours = uploaded(encoded(kind), (8, 8, 1)), uploaded(encoded(kind), (16, 12, 3))
    assert grey.shape == (8, 8, 1) and colours.shape == (16, 12, 3)
    assert grey.dtype == colours.dtype == np.uint8 and grey.min() > 250 and colours.min() > 250


@pytest.mark.backend_free
@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b'<svg xmlns="http://www.w3.org/2000/svg"/>', "no picture", id="svg"),
        pytest.param(b"", "no picture", id="empty"),
        pytest.param(b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "no picture", id="eps"),
        pytest.param(png(30_000, 5_000, b"\0"), "150000000|pixels", id="bomb"),
        pytest.param(png(9_000, 9_000), "9000 x 9000 pixels; up to 50,000,000", id="large"),
        pytest.param(encoded("PNG")[:60], "truncated|broken|no picture", id="cut"),
        pytest.param(b"\0" * (MOST_UPLOADED + 1), "larger than 10 MB", id="long"),
    ],
)
def test_what_is_no_picture_or_too_large_is_refused(content, message):
    with pytest.raises(ValueError, match=message):
        uploaded(content, (8, 8, 1))


# --- hosts and origins


def answer(headers, kind="http", method="GET", names=LOOPBACK, body=()):
    """What a guard sends for a request, and how many bytes of its body reached the server."""
    sent, read = [], [0]

    async def server(scope, receive, send):
        for _ in body:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            read[0] += len(message["body"])
        start = {"type": "http.response.start", "status": 200, "headers": []}
        await send({"type": "websocket.accept"} if kind == "websocket" else start)

    messages = [{"type": "http.request", "body": part, "more_body": True} for part in body]

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    scope = {
        "type": kind,
        "method": method,
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }
    asyncio.run(Guard(server, names, 100)(scope, receive, send))
    first = sent[0] if sent else {}
    return first.get("status", first.get("code", first.get("type"))), read[0]


HOST = ("host", "localhost:7007")
OWN = ("origin", "http://localhost:7007")


@pytest.mark.backend_free
@pytest.mark.parametrize(
    ("headers", "method", "status"),
    [
        ([HOST], "GET", 200),
        ([("host", "127.0.0.1:1")], "GET", 200),
        ([("host", "[::1]:7007")], "GET", 200),
        ([HOST, OWN], "POST", 200),
        ([HOST, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")], "GET", 200),
        ([], "GET", 400),
        ([("host", "evil.example")], "GET", 400),
        ([("host", "localhost.evil.example:7007")], "GET", 400),
        ([("host", "192.168.0.7:7007")], "GET", 400),
        ([("host", "[")], "GET", 400),
        ([HOST, HOST], "GET", 400),
        ([HOST], "POST", 403),
        ([HOST, ("origin", "null")], "GET", 403),
        ([HOST, ("origin", "http://localhost:8000")], "POST", 403),
        ([HOST, ("origin", "http://evil.example")], "GET", 403),
        ([HOST, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "no-cors")], "GET", 403),
        ([HOST, ("sec-fetch-site", "same-site"), ("sec-fetch-mode", "no-cors")], "GET", 403),
        ([HOST, OWN, ("content-length", "101")], "POST", 413),
        ([HOST, OWN, ("content-length", "-1")], "POST", 413),
    ],
)
def test_only_the_page_itself_is_answered(headers, method, status):
    assert answer(headers, method=method)[0] == status


@pytest.mark.backend_free
@pytest.mark.parametrize(
    ("headers", "sent"),
    [
        ([HOST, OWN], "websocket.accept"),
        ([HOST], 1008),
        ([HOST, ("origin", "http://evil.example")], 1008),
        ([("host", "evil.example"), ("origin", "http://evil.example")], 1008),
    ],
)
def test_only_the_page_itself_has_a_websocket(headers, sent):
    assert answer(headers, kind="websocket", method=None)[0] == sent


@pytest.mark.backend_free
def test_elsewhere_any_address_is_answered_for_but_no_name():
    assert answer([("host", "192.168.0.7:7007")], names=None)[0] == 200
    assert answer([("host", "[fe80::1]:7007")], names=None)[0] == 200
    assert answer([("host", "evil.example:7007")], names=None)[0] == 400


@pytest.mark.backend_free
def test_a_body_without_a_length_ends_where_it_is_too_long():
    assert answer([HOST, OWN], method="POST", body=[b"x" * 40] * 2) == (200, 80)
    assert answer([HOST, OWN], method="POST", body=[b"x" * 40] * 9) == (None, 80)
