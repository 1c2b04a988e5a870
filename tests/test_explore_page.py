"""The page of ``zoo explore``, in a real browser, served by a process of its own."""

from __future__ import annotations

import base64
import http.client
import io
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.browser import chromium, watched
from tests.test_explore import encoded, png

pytest.importorskip("nicegui", reason="NiceGUI, the extra explore, is not installed")
pytestmark = pytest.mark.backend_free

PANELS = ("Picture", "Your picture", "Dimensions", "Between two codes", "Map", "Samples")
MOST_GROWN = 16 << 20  # bytes of memory that 400 moves may take


class Served:
    """``zoo explore`` as a process, its address and its errors."""

    def __init__(self, folder: Path, *words: str):
        self.errors = folder / "errors.txt"
        with self.errors.open("w") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "zoo", "explore", *words, "--port", "0"],
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
                cwd=folder,
            )
        self.line = self.process.stdout.readline()
        assert self.line.startswith("zoo explore is at http"), self.errors.read_text()
        self.address = self.line.split()[4]
        self.port = int(self.address.rpartition(":")[2])

    def memory(self) -> int:
        """Bytes that the process has in memory."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]
        return int(pages) * os.sysconf("SC_PAGE_SIZE")

    def asked(self, method, path, body=None, **headers) -> tuple[int, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            given = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body, given)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    found = Served(tmp_path_factory.mktemp("explore"), "vae_mnist")
    try:
        yield found
    finally:
        found.process.kill()
        found.process.wait()


@pytest.fixture(scope="module")
def browser():
    with chromium() as found:
        yield found


@pytest.fixture
def page(served, browser):
    """The page open in a browser; at its end nothing may have gone wrong in it."""
    before = served.errors.read_text()
    found, wrong = watched(browser, served.address, viewport={"width": 1300, "height": 900})
    found.locator("#grid").wait_for(timeout=20_000)
    yield found
    found.wait_for_timeout(200)
    found.close()
    assert wrong == []
    assert served.errors.read_text() == before


SOURCE = "id => document.getElementById(id).src"


def shown(page, name) -> np.ndarray:
    """The picture that an element shows, uint8."""
    content = base64.b64decode(page.evaluate(SOURCE, name).partition(",")[2])
    return np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))


def changed(page, name, act) -> None:
    """Wait until an element shows another picture than before it was acted."""
    before = page.evaluate(SOURCE, name)
    act()
    page.wait_for_function(
        "([id, before]) => document.getElementById(id).src !== before", arg=[name, before]
    )


# --- panels, and what they do


def test_every_panel_is_there_and_not_empty(page):
    assert [page.get_by_role("region", name=n, exact=True).count() for n in PANELS] == [1] * 6
    for name in ("picture", "strip", "grid"):
        assert page.evaluate("id => document.getElementById(id).naturalWidth", name) > 20
        assert np.ptp(shown(page, name)) > 100
    sliders = page.locator("[data-dimension]")
    assert sliders.count() == 16
    kl = [float(text.split()[0]) for text in page.locator(".sliders small").all_inner_texts()]
    assert kl == sorted(kl, reverse=True) and kl[0] > 1
    drawn = page.evaluate(
        "() => document.getElementById('map').getContext('2d').getImageData(0, 0, 400, 400)"
        ".data.filter((v, i) => i % 4 == 3 && v > 0).length"
    )
    assert drawn > 1000  # pixels of dots


def test_a_slider_changes_the_picture_and_nothing_else(page):
    grid = page.evaluate(SOURCE, "grid")
    slider = page.locator("[data-dimension]").first
    changed(page, "picture", lambda: slider.press("End"))
    assert page.evaluate(SOURCE, "grid") == grid


@pytest.mark.slow
def test_python_of_the_page_makes_its_picture(page, served, tmp_path):
    page.locator("[data-dimension]").nth(3).press("Home")
    page.wait_for_timeout(300)
    page.get_by_role("region", name="Picture", exact=True).get_by_text("Python").click()
    python = page.locator("pre")
    python.filter(has_text="model.decode").wait_for()
    (tmp_path / "made.py").write_text(
        f"{python.inner_text()}\nnp.save('made.npy', np.rint(255 * picture[..., 0]))"
    )
    subprocess.run([sys.executable, "made.py"], cwd=tmp_path, check=True, capture_output=True)
    made = np.load(tmp_path / "made.npy")
    assert np.abs(shown(page, "picture")[..., 0] - made).max() <= 1


def test_one_walks_by_map_grid_class_way_and_keys(page):
    box = page.locator("#map").bounding_box()

    def drag():
        page.mouse.move(box["x"] + 60, box["y"] + 60)
        page.mouse.down()
        page.mouse.move(box["x"] + 120, box["y"] + 200, steps=5)
        page.mouse.up()

    changed(page, "picture", drag)
    changed(page, "picture", lambda: page.locator("#map").press("ArrowLeft"))
    changed(page, "picture", lambda: page.locator("#grid").click(position={"x": 100, "y": 40}))
    row, column = (
        int(part / page.locator("#grid").bounding_box()["width"] * 8) for part in (40, 100)
    )
    tile = shown(page, "grid")[1 + row * 29 :, 1 + column * 29 :][:28, :28]
    assert np.abs(shown(page, "picture").astype(int) - tile).max() <= 1
    changed(page, "picture", lambda: page.get_by_role("button", name="class 1").click())
    changed(page, "strip", lambda: page.get_by_role("button", name="To here").click())
    changed(page, "strip", lambda: page.get_by_text("spherical").click())
    changed(page, "picture", lambda: page.locator("#strip").click(position={"x": 5, "y": 5}))
    changed(page, "picture", lambda: page.get_by_role("button", name="Random").click())
    changed(page, "grid", lambda: page.get_by_role("button", name="Others").click())
    page.get_by_role("button", name="Pictures of this plane").click()
    page.locator("#tiles").wait_for()
    assert shown(page, "tiles").shape == (12 * 28, 12 * 28, 3)


def test_a_drawing_and_a_file_are_reconstructed_and_completed(page, tmp_path):
    names = ("given", "reconstructed", "masked", "completed")
    box = page.locator("#drawing").bounding_box()
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + 0.2 * box["height"])
    page.mouse.down()
    page.mouse.move(middle, box["y"] + 0.8 * box["height"], steps=10)
    page.mouse.up()
    page.locator("#completed").wait_for()
    for _ in range(200):  # half of the stroke may be shown first
        if shown(page, "given")[20, 14, 0] > 200:
            break
        page.wait_for_timeout(100)
    page.wait_for_timeout(500)
    given, reconstructed, masked, completed = (shown(page, name)[..., 0] for name in names)
    assert given[10, 14] > 200 and given[:, :8].max() == 0
    assert reconstructed[10, 14] > 100  # a stroke is near what the model knows
    assert (masked[:, 14:] == 128).all() and (completed[:, :14] == given[:, :14]).all()
    path = tmp_path / "one.png"
    path.write_bytes(encoded("PNG", mode="L"))
    upload = page.locator("input[type=file]")
    changed(page, "given", lambda: upload.set_input_files(path))
    assert (shown(page, "given") == 255).all()
    changed(page, "given", lambda: page.get_by_role("switch").click())
    assert (shown(page, "given") == 0).all()
    changed(page, "picture", lambda: page.get_by_role("button", name="Go there").click())


def test_hostile_files_are_refused_in_words(page, tmp_path):
    for name, content, reason in (
        ("a.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "it is no picture"),
        ("bomb.png", png(30_000, 5_000, b"\0"), "it has 30000 x 5000 pixels; up to 50,000,000"),
        ("cut.png", encoded("PNG")[:60], ""),
    ):
        (tmp_path / name).write_bytes(content)
        page.locator("input[type=file]").set_input_files(tmp_path / name)
        said = f"this file is not used: {reason}"
        page.locator(".q-notification").filter(has_text=said).last.wait_for()
    (tmp_path / "large.png").write_bytes(b"\0" * (11 << 20))
    page.locator("input[type=file]").set_input_files(tmp_path / "large.png")
    page.locator(".q-notification").filter(has_text="up to 10 MB").wait_for()
    assert page.locator("#given").is_hidden()


def test_what_is_shown_is_saved(page):
    def saved(panel, button):
        with page.expect_download() as download:
            region = page.get_by_role("region", name=panel, exact=True)
            region.get_by_role("button", name=button).click()
        assert download.value.suggested_filename.startswith("vae_mnist-")
        return Image.open(download.value.path())

    picture = saved("Picture", "PNG")
    assert picture.format == "PNG" and picture.text == {"run": "vae_mnist"}
    assert min(picture.size) >= 200
    small = picture.convert("RGB").resize((28, 28), Image.Resampling.NEAREST)
    assert np.abs(np.asarray(small).astype(int) - shown(page, "picture")).max() <= 1
    strip, grid = saved("Between two codes", "PNG"), saved("Samples", "PNG")
    assert strip.width > 5 * strip.height and grid.width == grid.height
    film = saved("Between two codes", "GIF")
    assert film.format == "GIF" and film.n_frames > 20 and film.info["loop"] == 0


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [390, 800, 1300])
def test_it_fits_a_phone_and_follows_the_scheme(served, browser, width, scheme):
    view = {"width": width, "height": 844}
    page, wrong = watched(browser, served.address, viewport=view, color_scheme=scheme)
    page.locator("#grid").wait_for(timeout=20_000)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    red = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]")
    assert (int(red) > 200) == (scheme == "light")
    page.close()
    assert wrong == []


# --- how fast, and how much

MOVES = """([n, every]) => new Promise(done => {
  const slider = document.querySelector("[data-dimension]"), low = +slider.min;
  let i = 0;
  const timer = setInterval(() => {
    slider.value = low + (+slider.max - low) * (i % 100) / 100;
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    if (++i === n) { clearInterval(timer); done(); }
  }, every)})"""

LATENCY = """async () => {
  const slider = document.querySelector("[data-dimension]");
  const picture = document.getElementById("picture");
  const times = [];
  for (let i = 0; i < 20; i++) {
    const start = performance.now();
    const came = new Promise(done => new MutationObserver((_, me) => {
      me.disconnect(); picture.decode().then(done, done)}).observe(picture, {attributes: true}));
    slider.value = +slider.min + (+slider.max - slider.min) * (i + 1) / 22;
    slider.dispatchEvent(new Event("input", {bubbles: true}));
    await came;
    times.push(performance.now() - start);
  }
  return times}"""


def test_a_moved_slider_is_seen_at_once(page):
    times = sorted(page.evaluate(LATENCY))
    print("slider to picture, ms:", [round(t) for t in times])
    assert times[len(times) // 2] < 100


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux tells it")
def test_two_hundred_moves_leave_no_queue_and_no_memory(page, served):
    page.evaluate(MOVES, [200, 20])  # what is allocated once is there
    page.wait_for_timeout(1000)
    before = served.memory()
    for _ in range(2):
        page.evaluate(MOVES, [200, 20])
    page.wait_for_timeout(300)
    last = page.evaluate(SOURCE, "picture")
    page.wait_for_timeout(1000)
    assert page.evaluate(SOURCE, "picture") == last  # nothing was waiting
    changed(page, "picture", lambda: page.locator("[data-dimension]").first.press("Home"))
    grown = served.memory() - before
    print(f"400 moves: {grown / 1e6:.1f} MB")
    assert grown < MOST_GROWN


# --- who is refused


def test_hosts_and_origins_of_others_are_refused(served):
    own = f"127.0.0.1:{served.port}"
    assert served.asked("GET", "/")[0] == 200
    assert served.asked("GET", "/", Host="evil.example")[0] == 400
    assert served.asked("GET", "/", Origin="http://evil.example")[0] == 403
    assert served.asked("POST", "/_nicegui/client/x/upload/1", b"", Host=own)[0] == 403
    upgrade = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec_WebSocket_Version": "13",
        "Sec_WebSocket_Key": "AAAAAAAAAAAAAAAAAAAAAA==",
    }
    socket_path = "/_nicegui_ws/socket.io/?EIO=4&transport=websocket"
    assert served.asked("GET", socket_path, Origin="http://evil.example", **upgrade)[0] == 403
    assert served.asked("GET", socket_path, **upgrade)[0] == 403
    foreign = {"Host": "evil.example", "Origin": "http://evil.example"}
    assert served.asked("GET", socket_path, **foreign, **upgrade)[0] == 403


def test_a_hundred_megabytes_are_refused_before_they_are_read(served):
    head = (
        f"POST /_nicegui/client/x/upload/1 HTTP/1.1\r\nHost: 127.0.0.1:{served.port}\r\n"
        f"Origin: {served.address}\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    )
    with socket.create_connection(("127.0.0.1", served.port), 30) as told:
        told.sendall(f"{head}Content-Length: {100 << 20}\r\n\r\n".encode())
        assert b" 413 " in told.recv(100)
    before = served.memory() if sys.platform == "linux" else 0
    with socket.create_connection(("127.0.0.1", served.port), 30) as untold:
        untold.sendall(f"{head}Transfer-Encoding: chunked\r\n\r\n".encode())
        part = b"100000\r\n" + b"x" * (1 << 20) + b"\r\n"
        try:
            for _ in range(100):
                untold.sendall(part)
        except OSError:
            pass  # closed in its face
    if before:
        assert served.memory() - before < 60 << 20
    assert served.asked("GET", "/")[0] == 200


# --- the command


@pytest.mark.slow
def test_noise_is_walked_and_ctrl_c_ends_it(tmp_path, browser):
    other = Served(tmp_path, "dcgan_mnist")
    try:
        page, wrong = watched(browser, other.address)
        page.locator("#grid").wait_for(timeout=30_000)
        assert page.locator("[data-dimension]").count() == 100
        assert page.get_by_role("region", name="Your picture").count() == 0
        assert page.locator(".q-btn-toggle [aria-pressed=true]").inner_text() == "spherical"
        changed(page, "picture", lambda: page.locator("[data-dimension]").first.press("End"))
        page.close()
        assert wrong == []
        other.process.send_signal(signal.SIGINT)
        assert other.process.wait(30) == 0
        assert "Traceback" not in other.errors.read_text()
        assert sorted(path.name for path in tmp_path.iterdir()) == ["errors.txt"]
    finally:
        other.process.kill()
        other.process.wait()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "name"),
    [
        ("jax", "vqvae_mnist"),
        ("tensorflow", "vqvae_mnist"),
        ("jax", "cvae_mnist"),
        ("tensorflow", "cvae_mnist"),
    ],
)
def test_codebooks_and_classes_are_walked_on_other_backends(tmp_path, browser, backend, name):
    other = Served(tmp_path, name, "--backend", backend)
    try:
        page, wrong = watched(browser, other.address)
        page.locator("#grid").wait_for(timeout=60_000)
        if name == "vqvae_mnist":
            assert page.locator("[data-dimension]").count() == 0
            box = page.locator("#book").bounding_box()
            page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
            page.wait_for_timeout(500)
            changed(page, "picture", lambda: page.locator("#entry").press("End"))
            before = shown(page, "picture")
            changed(page, "picture", lambda: page.locator("#entry").press("Home"))
            apart = np.abs(before.astype(int) - shown(page, "picture")).max(axis=-1) > 8
            assert 0 < apart.mean() < 0.6  # one cell of the map of codes changes a part
        else:
            # of every class one picture, and the code stays
            z = page.locator("output").all_inner_texts()
            changed(page, "picture", lambda: page.get_by_role("button", name="class 1").click())
            one = shown(page, "picture")
            changed(page, "picture", lambda: page.get_by_role("button", name="class 0").click())
            assert page.locator("output").all_inner_texts() == z
            assert np.abs(one.astype(int) - shown(page, "picture")).max() > 100
            changed(page, "picture", lambda: page.locator("[data-dimension]").first.press("End"))
        page.close()
        assert wrong == [] and "Traceback" not in other.errors.read_text()
    finally:
        other.process.kill()
        other.process.wait()


def test_a_port_that_is_taken_is_refused_in_a_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        found = subprocess.run(
            [sys.executable, "-m", "zoo", "explore", "vae_mnist", "--port", port],
            capture_output=True,
            text=True,
            cwd=tmp_path,
        )
    assert found.returncode == 2 and found.stdout == ""
    assert found.stderr == (
        f"zoo: 127.0.0.1:{port} cannot be listened on: Address already in use. Try another --port\n"
    )
