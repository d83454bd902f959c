"""The pages about readers, views, encoders and methods: their code runs, their mistakes are found in their words."""

from __future__ import annotations

import importlib.util
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from page_plugin import ROOT, titled_blocks
from ssl_domains.errors import UsageError

Loaded = Callable[..., ModuleType]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Loaded]:
    """``load(page, old, new)`` imports the module and the test of a page as one module, with one mistake built in."""
    names: list[str] = []

    def loaded(page: str, old: str = "", new: str = "") -> ModuleType:
        blocks = titled_blocks(ROOT / "docs" / "how-to" / f"{page}.md")
        test = next(name for name in blocks if name.startswith("test_"))
        code = blocks[test.removeprefix("test_")]
        assert old in code, f"{page} has no {old!r}"
        name = f"of_the_page_{page.replace('-', '_')}_{len(names)}"
        path = tmp_path / f"{name}.py"
        path.write_text(code.replace(old, new) + "\n\n" + blocks[test], encoding="utf-8")
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = sys.modules[name] = importlib.util.module_from_spec(spec)
        names.append(name)
        spec.loader.exec_module(module)
        return module

    yield loaded
    for name in names:
        del sys.modules[name]


def checks_in(module: ModuleType) -> list[Callable[..., None]]:
    return [value for name, value in vars(module).items() if name.startswith("test_")]


def run(module: ModuleType, folder: Path) -> None:
    for test in checks_in(module):
        test(folder) if inspect.signature(test).parameters else test()


def sentences(page: str) -> list[str]:
    """The sentences in the last column of the table of mistakes."""
    text = (ROOT / "docs" / "how-to" / f"{page}.md").read_text(encoding="utf-8").split("## Common mistakes")[1]
    rows = [line.split("|")[2] for line in text.splitlines() if line.startswith("| ") and "mistake" not in line]
    return [" … ".join(part.strip() for part in re.findall(r"``? ?(.+?) ?``?(?= |$)", row.strip())) for row in rows]


PAGES = ("write-a-reader", "write-a-view", "write-an-encoder")


@pytest.mark.parametrize("page", PAGES)
def test_the_code_of_a_page_passes_its_check(load: Loaded, tmp_path: Path, page: str) -> None:
    module = load(page)
    assert checks_in(module)
    folder = tmp_path / "source"
    folder.mkdir()
    run(module, folder)


@pytest.mark.parametrize("page", [*PAGES, "write-a-method"])
def test_a_page_is_one_to_read(page: str) -> None:
    lines = (ROOT / "docs" / "how-to" / f"{page}.md").read_text(encoding="utf-8").splitlines()
    assert 60 <= len(lines) <= 140
    longest = max(len(code.splitlines()) for code in titled_blocks(ROOT / "docs" / "how-to" / f"{page}.md").values())
    assert longest <= 100


MISTAKES = [
    ("write-a-reader", "except BROKEN as error:", "except KeyError as error:", 0),
    ("write-a-reader", 'sorted(source.rglob("*.npz"))', 'shuffled(source.rglob("*.npz"))', 1),
    ("write-a-reader", "[:, :, None]", "", 2),
    ("write-a-reader", "[row])[0]", "[row])[0].tolist()", 3),
    ("write-a-reader", "channels = 1", "channels = 3", 4),
    ("write-a-view", "draws.between(*self.strength)", "torch.rand(len(draws), dtype=torch.float64)", 0),
    ("write-a-view", "images * light[:, None]", "images * light[:, None] / images.max()", 1),
    ("write-a-view", "images * light[:, None]", "images.mul_(light[:, None])", 2),
    ("write-a-view", 'parameters["strength"]}', 'parameters["strength"].float()}', 3),
    ("write-a-view", "draws.between(*self.strength)", "torch.full((len(draws),), 0.5, dtype=torch.float64)", 4),
    ("write-an-encoder", "masked_mean(places, valid)", "places.mean(dim=2)", 0),
    ("write-an-encoder", "nn.Conv1d(32, 64, 1)", "nn.Conv1d(32, 64, 3, padding=1)", 1),
    ("write-an-encoder", "places, valid)\n", "places)\n", 2),
    ("write-an-encoder", "num_features=64", "num_features=65", 3),
    ("write-an-encoder", "places = self.model(values)", "places = self.model(values) * self.gain", 4),
]


@pytest.mark.parametrize(("page", "old", "new", "row"), MISTAKES)
def test_a_mistake_is_found_in_the_words_of_the_page(
    load: Loaded, tmp_path: Path, page: str, old: str, new: str, row: int
) -> None:
    folder = tmp_path / "source"
    folder.mkdir()
    module = load(page, old, new)
    if "shuffled" in new:
        module.shuffled = lambda paths, turns=iter(range(99)): sorted(paths, reverse=next(turns) % 2 == 1)
        import numpy as np

        np.savez(folder / "b.npz", plate="P2", fields=1, pictures=np.zeros((1, 8, 8), np.uint16))
    if "self.gain" in new:
        import torch

        module.Bag.gain = property(lambda bag: bag.__dict__.setdefault("_gain", torch.rand(())))
    with pytest.raises(AssertionError) as caught:
        run(module, folder)
    message = " ".join(str(caught.value).split())
    for part in sentences(page)[row].split(" … "):
        assert part.strip("… `") in message, message


def test_a_view_without_a_reason_is_refused(load: Loaded) -> None:
    with pytest.raises(UsageError) as caught:
        load("write-a-view").Vignette(reason=" ")
    assert sentences("write-a-view")[5] in caught.value.message


def test_the_domain_of_the_reader_page_scans(load: Loaded, tmp_path: Path, capsys: Any) -> None:
    import numpy as np

    from ssl_domains.cli.app import run as command_line

    (tmp_path / "plates.py").write_text(titled_blocks(ROOT / "docs/how-to/write-a-reader.md")["plates.py"])
    (tmp_path / "data").mkdir()
    for plate in range(4):
        pictures = np.full((2, 8, 8), plate, np.uint16)
        np.savez(tmp_path / "data" / f"{plate}.npz", plate=f"P{plate}", fields=2, pictures=pictures)
    words = ["--plugin-file", tmp_path / "plates.py", "plates", "scan", tmp_path / "data", "-o", tmp_path / "s.parquet"]
    assert command_line([str(word) for word in [*words, "--split-by", "plate", "--test", "0.25"]]) == 0
    assert "split: 6 train, 2 test" in capsys.readouterr().out


def test_the_volumes_of_the_reader_page_are_read_in_place(tmp_path: Path) -> None:
    import numpy as np

    from ssl_domains.samples import LazyArray

    scope: dict[str, Any] = {}
    exec(titled_blocks(ROOT / "docs/how-to/write-a-reader.md")["volumes.py"], scope)
    numbers = np.random.default_rng(0).integers(0, 999, (5, 4, 3), dtype=np.int16)
    np.save(tmp_path / "one.npy", numbers)
    reader, row = scope["VolumeReader"](), {"path": str(tmp_path / "one.npy")}
    opened = reader.open(row)
    assert isinstance(opened, LazyArray)
    assert opened.shape == reader.load(row).shape == (3, 4, 5)
    part, valid = opened.read((slice(1, 3), slice(0, 4, 2), slice(2, 5)))
    np.testing.assert_array_equal(part, numbers.transpose(2, 1, 0)[1:3, 0:4:2, 2:5])
    assert valid is None
    np.testing.assert_array_equal(opened.read((slice(None),) * 3)[0], reader.load(row))


def test_the_encoder_of_the_page_is_found_by_name(tmp_path: Path) -> None:
    from ssl_domains.extending import PluginSettings, Registry
    from ssl_domains.inputs import InputSpec

    blocks = titled_blocks(ROOT / "docs/how-to/write-an-encoder.md")
    (tmp_path / "bag.py").write_text(blocks["bag.py"])
    entry = Registry(PluginSettings.of(files=[tmp_path / "bag.py"])).encoder("bag")
    assert entry.build(InputSpec("wave", 3, (None,))).num_features == 64
    for takes, init in ((InputSpec("wave", 3, (None,)), "pretrained"), (InputSpec("image", 3, (8, 8)), "random")):
        with pytest.raises(UsageError):
            entry.build(takes, init)
    scope: dict[str, Any] = {}
    exec(blocks["narrow.py"], scope)
    assert scope["encoder"].num_features == 48


METHOD_MISTAKES = [
    ("each.sum() / out.total(torch.tensor(len(each)))", "each.mean()", 0),
    (".requires_grad_(False)", "", 1),
    (
        "        rows = views.together  # [2b",
        "        self.after_step(None, 0.0)\n        rows = views.together  # [2b",
        2,
    ),
    (', description="momentum of the slow copy; rises to 1 during the run"', "", 3),
    ("F.normalize(predicted, dim=1)", "predicted", 4),
    ("exact=True, pairs=False", "exact=True", 5),
]


@pytest.mark.slow
def test_the_method_of_the_page_passes_its_check(load: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))  # from where the second process imports it
    run(load("write-a-method"), tmp_path)


@pytest.mark.parametrize(("old", "new", "row"), METHOD_MISTAKES)
def test_a_mistake_of_a_method_is_found_in_the_words_of_the_page(
    load: Loaded, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, row: int
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    module = load("write-a-method", old, new)
    from ssl_domains.testing import check_method

    with pytest.raises(AssertionError) as caught:
        check_method(module.BYOL, processes=row == 0)  # the first shows in two processes only
    for part in sentences("write-a-method")[row].split(" … "):
        assert part.strip("… `") in str(caught.value), caught.value


def test_the_method_of_the_page_is_found_by_name(tmp_path: Path, capsys: Any) -> None:
    import json

    from ssl_domains.cli.app import run as command_line

    (tmp_path / "byol.py").write_text(titled_blocks(ROOT / "docs/how-to/write-a-method.md")["byol.py"])
    words = ["--plugin-file", str(tmp_path / "byol.py")]
    assert command_line([*words, "methods", "list", "--json"]) == 0
    assert "byol-page" in {one["name"] for one in json.loads(capsys.readouterr().out)}
    assert command_line([*words, "config", "schema", "--method", "byol-page"]) == 0
    assert "momentum of the slow copy" in capsys.readouterr().out
