"""CPC against a loop over places, and what a prediction may read."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ssl_domains.encoders import create_encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, InputSpec, View, Views
from ssl_domains.methods import Embeddings, RowPairs
from ssl_domains.methods.cpc import CPC
from ssl_domains.methods.rows.place_sequences import sequences_of
from ssl_domains.pairs import Rows, parse

OPTIONS = {"steps": 2, "context": 5, "temperature": 0.7, "patch": None, "stride": None, "negatives": "all"}
WAVES = InputSpec("wave", 1, (None,))


def method(name: str = "conv1d", takes: InputSpec = WAVES, **options: Any) -> CPC:
    torch.manual_seed(0)
    encoder = create_encoder(name, takes=takes)
    return CPC.build(encoder, {**OPTIONS, **options}).double().eval()


def waves(lengths: tuple[int, ...] = (64 * 5, 64 * 3 - 10, 30), seed: int = 1) -> Input:
    draws = torch.Generator().manual_seed(seed)
    every = [torch.randn(1, 1, n, generator=draws, dtype=torch.float64) for n in lengths]
    return Input.cat([Input(one, kind="wave", ragged=(0,)) for one in every])


def pairs_of(out: Embeddings, samples: int, rule: str = "none") -> RowPairs:
    assert out.of is not None
    assert out.part is not None
    rows = Rows(out.of, torch.zeros_like(out.of), out.part, out.of * 100 + out.part)
    table = {"sample": list(range(samples)), "speaker": [i // 2 for i in range(samples)]}
    bound = parse(rule).bind(table)
    return RowPairs(bound, rows, rows, torch.device("cpu"))


def loop(made: CPC, sequences: list[Tensor], left_out: Any = lambda i, j: False) -> float:
    """The loss of sequences ``[T, F]`` of places: every prediction against every place of every sequence."""
    width = sequences[0].shape[1]
    weights = made.predict.weight.detach().view(made.steps, width, -1)
    places = [(i, t) for i, one in enumerate(sequences) for t in range(len(one))]
    each = []
    for i, one in enumerate(sequences):
        one = one.detach()
        summary = made.context(one[None])[0][0].detach()
        for t in range(len(one)):
            for k in range(1, made.steps + 1):
                if t + k >= len(one):
                    continue
                predicted = weights[k - 1] @ summary[t]
                scores = {(j, u): float(predicted @ sequences[j][u].detach()) / 0.7 for j, u in places}
                below = sum(math.exp(s) for (j, u), s in scores.items() if (j, u) == (i, t + k) or not left_out(i, j))
                each.append(math.log(below) - scores[i, t + k])
    return sum(each) / len(each)


def test_it_is_the_loop_over_places_of_sequences_of_differing_length() -> None:
    made, x = method(), waves()
    out = made.embed(Views((View(x),)))
    alone = [made.encoder(x.values[i : i + 1, :, :n]).map[0].T for i, n in enumerate(x.lengths.tolist())]
    assert [len(one) for one in alone] == [5, 3, 1]
    assert len(out.z) == 9
    found = made.loss(out, pairs_of(out, 3))
    assert found.loss.item() == pytest.approx(loop(made, alone), abs=1e-9)
    assert found.anchors.tolist() == [(4 + 3) + (2 + 1)]


def test_a_rule_leaves_places_of_other_samples_out() -> None:
    made, x = method(), waves((256, 256, 256))
    out = made.embed(Views((View(x),)))
    alone = [made.encoder(x.values[i : i + 1]).map[0].T for i in range(3)]
    rule = "same('sample').ignore(same('speaker').across_parts())"
    found = made.loss(out, pairs_of(out, 3, rule))
    assert found.loss.item() == pytest.approx(loop(made, alone, lambda i, j: i // 2 == j // 2), abs=1e-9)


def test_columns_of_patches_are_sequences_from_top_to_bottom() -> None:
    takes = InputSpec("image", 1, (16, 16))
    made = method("small_conv", takes, patch=8, stride=4)
    picture = torch.rand(2, 1, 16, 16, dtype=torch.float64)
    out = made.embed(Views((View(Input(picture)),)))
    columns = []
    for view in range(2):
        for left in (0, 4, 8):
            cut = [picture[view : view + 1, :, top : top + 8, left : left + 8] for top in (0, 4, 8)]
            columns.append(torch.cat([made.encoder(patch).pooled for patch in cut]))
    found = made.loss(out, pairs_of(out, 2))
    assert found.loss.item() == pytest.approx(loop(made, columns), abs=1e-9)
    torch.testing.assert_close(out.pooled[0], torch.cat(columns[:3]).mean(0))


def test_patches_that_touch_padding_are_neither_predicted_nor_candidates() -> None:
    made = method("small_conv", InputSpec("image", 1, (16, 16)), patch=8, stride=4)
    valid = torch.ones(1, 1, 16, 16, dtype=torch.bool)
    valid[..., 12:, :] = False
    out = made.embed(Views((View(Input(torch.rand(1, 1, 16, 16, dtype=torch.float64), valid)),)))
    assert sorted(out.part.tolist()) == [0, 1, 2, 3, 4, 5]  # type: ignore[union-attr]
    assert out.more["known"].sum(0).tolist() == [3, 0]


@pytest.mark.parametrize("late", [3, 4])
def test_a_prediction_reads_nothing_of_what_comes_after_its_context(late: int) -> None:
    takes = InputSpec("image", 1, (40, 16))
    made = method("small_conv", takes, patch=8, stride=8)
    picture = torch.rand(1, 1, 40, 16, dtype=torch.float64)
    changed = picture.clone()
    changed[..., 8 * late :, :] = 0.5
    one, other = (made.embed(Views((View(Input(x)),))) for x in (picture, changed))
    row = one.part // 2  # type: ignore[operator]
    for k in (1, 2):
        before = row - k < late
        assert torch.equal(one.more["ahead"][before, k - 1], other.more["ahead"][before, k - 1])
        after = (row - k >= late) & (one.more["known"][:, k - 1] > 0)
        assert not after.any() or not torch.equal(one.more["ahead"][after, k - 1], other.more["ahead"][after, k - 1])


def test_sequences_too_short_for_any_prediction_are_an_error() -> None:
    made = method()
    out = made.embed(Views((View(waves((64, 20))),)))
    with pytest.raises(UsageError, match="no sequence of the batch has two valid places") as caught:
        made.loss(out, pairs_of(out, 2))
    assert "longer inputs" in caught.value.hint


def test_more_steps_than_the_longest_sequence_has_are_left_out() -> None:
    made, x = method(steps=9), waves((256, 128))
    out = made.embed(Views((View(x),)))
    alone = [made.encoder(x.values[i : i + 1, :, :n]).map[0].T for i, n in enumerate(x.lengths.tolist())]
    assert made.loss(out, pairs_of(out, 2)).loss.item() == pytest.approx(loop(made, alone), abs=1e-9)


class NoMap(nn.Module):
    """An encoder that gives vectors alone."""

    name, num_features, takes = "vectors", 4, WAVES

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(4))

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Tensor:
        return values.mean(dim=(1, 2))[:, None] * self.weight


class Tokens(NoMap):
    """An encoder of texts."""

    name, takes = "bert", InputSpec("text", 1, (None,), "int64")


class Volume(NoMap):
    """An encoder of volumes."""

    name, takes = "net3d", InputSpec("image", 1, (8, 8, 8))


@pytest.mark.parametrize(
    ("encoder", "said"),
    [(NoMap(), "gives no map"), (Tokens(), "holds something of all tokens"), (Volume(), "not inputs of 8 × 8 × 8")],
    ids=["no map", "texts", "volumes"],
)
def test_encoders_that_cpc_can_not_take_are_refused(encoder: Any, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        sequences_of(encoder, None, None)
    assert caught.value.hint


def test_sequences_of_one_length_are_checked_before_the_first_step() -> None:
    with pytest.raises(UsageError, match="cpc predicts 4 places ahead, but its sequences have 4") as caught:
        method(takes=InputSpec("wave", 1, (256,)), steps=4)
    assert "method.steps=3" in caught.value.hint
