"""The registry, over real metadata: distributions written to disk and put on the path."""

from __future__ import annotations

import importlib.metadata
import sys

import pytest

from zoo.errors import ZooError
from zoo.plugin import registry

pytestmark = pytest.mark.backend_free

TOY = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Toy:
    size: int = 3

    def __post_init__(self):
        if self.size < 1:
            raise ValueError("size is at least 1")
"""


def names(kind="models"):
    return [record.name for record in registry.records(kind)]


def test_a_record_comes_from_metadata_alone(install):
    install("toys", {"zoo.models": {"toy": "toy_module:Toy"}}, {"toy_module": TOY}, version="2.1")
    record = registry.find("models", "toy")
    assert record == registry.Record("models", "toy", "toy_module:Toy", "toys", "2.1")
    assert "toy_module" not in sys.modules


def test_load_imports_and_create_makes_one(install):
    install("toys", {"zoo.models": {"toy": "toy_module:Toy"}}, {"toy_module": TOY})
    assert registry.load("models", "toy").__name__ == "Toy"
    assert registry.create("models", "toy", size=5).size == 5
    assert registry.create("models", "toys/toy").size == 3


def test_kinds_are_apart(install):
    install("toys", {"zoo.models": {"toy": "m:A"}, "zoo.metrics": {"toy": "m:B"}})
    assert registry.find("models", "toy").target == "m:A"
    assert registry.find("metrics", "toy").target == "m:B"
    assert "toy" not in names("datasets")


def test_an_unknown_kind_is_refused():
    with pytest.raises(ZooError, match="did you mean 'models'"):
        registry.records("model")


def test_an_unknown_name_suggests_the_nearest(install):
    install("toys", {"zoo.models": {"wasserstein": "m:A"}})
    with pytest.raises(ZooError, match="unknown model 'waserstein'; did you mean 'wasserstein'"):
        registry.find("models", "waserstein")


def test_rivals_are_listed_and_refused_only_when_asked_for(install):
    install("toys", {"zoo.models": {"toy": "toy_module:Toy", "other": "toy_module:Toy"}})
    install("my-toys", {"zoo.models": {"toy": "mine:Toy"}}, {"toy_module": TOY, "mine": TOY})
    both = [record for record in registry.records("models") if record.name == "toy"]
    assert [(record.distribution, record.rivals) for record in both] == [
        ("my-toys", ("toys",)),
        ("toys", ("my-toys",)),
    ]
    with pytest.raises(ZooError) as caught:
        registry.load("models", "toy")
    message = str(caught.value)
    assert "my-toys 1.0 and toys 1.0" in message
    assert "'my-toys/toy' or 'toys/toy'" in message
    assert registry.find("models", "my_toys/toy").target == "mine:Toy"  # as pip compares names
    assert registry.create("models", "toys/toy").size == 3
    assert registry.create("models", "other").size == 3


def test_one_distribution_twice_on_the_path_is_one_record(install, monkeypatch):
    site = install("toys", {"zoo.models": {"toy": "m:A"}})
    monkeypatch.syspath_prepend(str(site))
    assert names().count("toy") == 1
    assert registry.find("models", "toy").rivals == ()


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
        ("def Toy(:", "SyntaxError"),
        ("raise SystemExit('no licence')", "SystemExit: no licence"),
        ("", "AttributeError"),
    ],
)
def test_a_plugin_that_does_not_import_says_why_and_disturbs_no_other(install, source, why):
    install("broken", {"zoo.models": {"bad": "broken_module:Toy"}}, {"broken_module": source})
    install("toys", {"zoo.models": {"toy": "toy_module:Toy"}}, {"toy_module": TOY})
    assert {"bad", "toy"} <= set(names())
    assert registry.create("models", "toy").size == 3
    with pytest.raises(ZooError) as caught:
        registry.load("models", "bad")
    message = str(caught.value)
    assert "model 'bad': broken_module:Toy, from broken 1.0, does not import" in message
    assert why in message


@pytest.mark.parametrize(
    "text", [b"[zoo.models]\nno equals sign\n", b"[zoo.models]\n\xff\xfe = \n"]
)
def test_unreadable_metadata_is_passed_over(install, text):
    site = install("broken", {"zoo.models": {"bad": "m:A"}})
    next(site.glob("*.dist-info/entry_points.txt")).write_bytes(text)
    install("toys", {"zoo.models": {"toy": "m:A"}})
    assert "toy" in names()


def test_an_uninstalled_plugin_is_gone_at_once(install):
    site = install("toys", {"zoo.models": {"toy": "m:A"}})
    assert "toy" in names()
    sys.path.remove(str(site))
    assert "toy" not in names()


def test_wrong_settings_are_refused(install):
    install("toys", {"zoo.models": {"toy": "toy_module:Toy"}}, {"toy_module": TOY})
    with pytest.raises(ZooError, match=r"model 'toy'.*sise.*did you mean 'size'"):
        registry.create("models", "toy", sise=5)
    with pytest.raises(ZooError, match=r"model 'toy'.*size"):
        registry.create("models", "toy", size="big")
    with pytest.raises(ZooError, match="model 'toy': size is at least 1"):
        registry.create("models", "toy", size=0)


def test_only_dataclasses_are_made(install):
    install("toys", {"zoo.models": {"toy": "toy_module:Toy"}}, {"toy_module": "Toy = 3"})
    with pytest.raises(ZooError, match="toy_module:Toy is not a dataclass"):
        registry.create("models", "toy")


def test_names_sort_as_people_count(install):
    install("toys", {"zoo.metrics": {"toy10": "m:A", "toy2": "m:A", "Toy1": "m:A"}})
    ours = [name for name in names("metrics") if name.lower().startswith("toy")]
    assert ours == ["Toy1", "toy2", "toy10"]


def test_packages_are_read_again_only_where_the_path_has_changed(monkeypatch, tmp_path):
    reads, distributions = [], importlib.metadata.distributions
    registry.records("models")
    monkeypatch.setattr(
        importlib.metadata, "distributions", lambda: reads.append(1) or distributions()
    )
    for kind in registry.GROUPS:
        registry.records(kind)
    assert not reads
    monkeypatch.syspath_prepend(str(tmp_path))
    assert registry.records("models") and reads == [1]
