"""Deep InfoMax against loops over wholes and places."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from ssl_domains.encoders import create_encoder, map_shape
from ssl_domains.inputs import Input, InputSpec, View, Views
from ssl_domains.methods import Embeddings, RowPairs
from ssl_domains.methods.deep_infomax import DeepInfoMax
from ssl_domains.pairs import Rows, parse

HEAD = {"hidden": 8, "out": 4, "layers": 1}


def method(name: str, takes: InputSpec, **options: Any) -> DeepInfoMax:
    torch.manual_seed(0)
    return DeepInfoMax.build(create_encoder(name, takes=takes), {**HEAD, "bound": "jsd", **options}).double().eval()


def pairs_of(out: Embeddings, samples: list[int]) -> RowPairs:
    assert out.of is not None
    assert out.part is not None
    rows = Rows(torch.tensor(samples)[out.of], torch.zeros_like(out.of), out.part, out.of * 100 + out.part)
    return RowPairs(parse("none").bind({"sample": list(range(9))}), rows, rows, torch.device("cpu"))


def loop(made: DeepInfoMax, inputs: list[torch.Tensor], samples: list[int], bound: str) -> float:
    """Every whole with every place of every input, each of which is encoded alone."""
    wholes, places = [], []
    for number, values in enumerate(inputs):
        features = made.encoder(values)
        wholes.append((samples[number], made.whole_head(features.pooled)[0]))
        places += [(samples[number], made.place_head(place[None])[0]) for place in features.map[0].flatten(1).T]
    joint, apart, info = [], [], []
    for sample, whole in wholes:
        scores = [(other == sample, float(whole @ place)) for other, place in places]
        joint += [s for own, s in scores if own]
        apart += [s for own, s in scores if not own]
        below = sum(math.exp(s) for own, s in scores if not own)
        info += [math.log(math.exp(s) + below) - s for own, s in scores if own]
    if bound == "info_nce":
        return sum(info) / len(info)
    if bound == "dv":
        return math.log(sum(math.exp(s) for s in apart) / len(apart)) - sum(joint) / len(joint)
    pull = sum(math.log(1 + math.exp(-s)) for s in joint) / len(joint)
    return pull + sum(math.log(1 + math.exp(s)) for s in apart) / len(apart)


@pytest.mark.parametrize("bound", ["jsd", "info_nce", "dv"])
def test_pictures(bound: str) -> None:
    made = method("small_conv", InputSpec("image", 1, (16, 16)), bound=bound)
    pictures = torch.rand(3, 1, 16, 16, dtype=torch.float64)
    samples = [4, 2, 4]  # a sample that was drawn twice is no negative of itself
    out = made.embed(Views((View(Input(pictures)),)))
    assert len(out.z) == 3 + 3 * 4
    found = made.loss(out, pairs_of(out, samples)).loss.item()
    assert found == pytest.approx(loop(made, list(pictures.split(1)), samples, bound), abs=1e-10)


@pytest.mark.parametrize("bound", ["jsd", "info_nce", "dv"])
def test_places_of_padding_are_left_out(bound: str) -> None:
    made = method("conv1d", InputSpec("wave", 1, (None,)), bound=bound)
    waves = [torch.randn(1, 1, n, dtype=torch.float64) for n in (300, 100)]
    x = Input.cat([Input(one, kind="wave", ragged=(0,)) for one in waves])
    out = made.embed(Views((View(x),)))
    assert len(out.z) == 2 + 5 + 2
    found = made.loss(out, pairs_of(out, [0, 1])).loss.item()
    assert found == pytest.approx(loop(made, waves, [0, 1], bound), abs=1e-9)


def test_the_shape_of_a_map_is_found_without_changing_the_encoder() -> None:
    encoder = create_encoder("resnet18", takes=InputSpec("image", 1, (64, 64)))
    encoder.train()
    encoder.model.bn1.eval()  # type: ignore[union-attr]
    before = {name: value.clone() for name, value in encoder.state_dict().items()}
    assert map_shape(encoder) == (512, 2, 2)
    assert map_shape(encoder, (128, 32)) == (512, 4, 1)
    assert encoder.training
    assert not encoder.model.bn1.training  # type: ignore[union-attr]
    assert all(torch.equal(value, before[name]) for name, value in encoder.state_dict().items())
