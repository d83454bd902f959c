"""SeqCLR against a loop over pairs of instances, which are cut from each line alone."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ssl_domains.encoders import create_encoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, InputSpec, View, Views
from ssl_domains.methods import Embeddings, RowPairs, SimCLR
from ssl_domains.methods.rows.place_sequences import sequences_of
from ssl_domains.methods.seqclr import SeqCLR
from ssl_domains.pairs import Rows, parse

LINES = InputSpec("line", 1, (16, None))
OPTIONS = {
    "hidden": 8,
    "out": 6,
    "layers": 2,
    "norm": "layer",
    "temperature": 0.3,
    "learnable_temperature": False,
    "mapping": "window",
    "windows": 5,
}
TABLE: dict[str, list[Any]] = {
    "sample": [f"line {i}" for i in range(4)],
    "writer": ["a", "a", "b", None],
    "text": ["on", "to", "on", "on"],
}
WIDTHS = (40, 23, 8, 17)  # 10, 6, 2 and 5 frames
Instance = tuple[int, int, int]
"""Sample, view and part."""


def method(name: str = "small_crnn", takes: InputSpec = LINES, **options: Any) -> SeqCLR:
    torch.manual_seed(0)
    return SeqCLR.build(create_encoder(name, takes=takes), {**OPTIONS, **options}).double().eval()


def line(width: int, seed: int) -> Tensor:
    draws = torch.Generator().manual_seed(seed)
    return torch.rand(1, 1, 16, width, generator=draws, dtype=torch.float64)


def views_of(widths: tuple[int, ...] = WIDTHS, views: int = 2, extra: int = 0) -> Views:
    """Views of lines, in a batch that is ``extra`` pixels wider than the widest line and padded with NaN."""
    made = []
    for view in range(views):
        each = [Input(line(width, 10 * view + i), kind="line", ragged=(1,)) for i, width in enumerate(widths)]
        joined = Input.cat(each).padded([16, max(widths) + extra])
        values = torch.where(joined.with_valid(), joined.values, torch.nan)
        made.append(View(Input(values, joined.with_valid(), "line", (1,))))
    return Views(tuple(made))


def pairs_of(out: Embeddings, views: Views, rule: str) -> RowPairs:
    assert out.of is not None
    assert out.part is not None
    rows = Rows(out.of % views.samples, out.of // views.samples, out.part, out.of * 1000 + out.part)
    bound = parse(rule).bind({name: values[: views.samples] for name, values in TABLE.items()})
    return RowPairs(bound, rows, rows, torch.device("cpu"))


def alone(made: SeqCLR, widths: tuple[int, ...] = WIDTHS, views: int = 2) -> dict[Instance, Tensor]:
    """Embedding of each instance, from a line encoded alone and torch's adaptive pooling."""
    found = {}
    for view in range(views):
        for sample, width in enumerate(widths):
            frames = made.encoder(line(width, 10 * view + sample)).map
            most = {"all": 1, "window": made.windows, "frame": frames.shape[2]}[made.mapping]
            pieces = F.adaptive_avg_pool1d(frames, min(most, frames.shape[2]))[0].T
            for part, piece in enumerate(pieces):
                z = made.head(piece[None])[0]
                found[sample, view, part] = (z / z.norm()).detach()
    return found


def by_loops(z: dict[Instance, Tensor], states: list[Callable[[Instance, Instance], str]]) -> float:
    """The loss: one state function for each relation, which says "positive", "negative" or "ignored"."""
    losses = []
    for state in states:
        each = []
        for one, vector in z.items():
            scores = {other: float(vector @ z[other]) / 0.3 for other in z if other != one}
            positives = [other for other in scores if state(one, other) == "positive"]
            if positives:
                below = sum(math.exp(s) for other, s in scores.items() if state(one, other) != "ignored")
                each.append(math.log(below) - sum(scores[p] for p in positives) / len(positives))
        losses.append(sum(each) / len(each))
    return sum(losses)


def own(one: Instance, other: Instance) -> bool:
    return one[0] == other[0] and one[2] == other[2]


def plain(one: Instance, other: Instance) -> str:
    return "positive" if own(one, other) else "negative"


def same_value(column: str, one: Instance, other: Instance) -> bool:
    values = TABLE[column]
    return values[one[0]] is not None and values[one[0]] == values[other[0]]


def without_writer(one: Instance, other: Instance) -> str:
    if own(one, other):
        return "positive"
    return "ignored" if same_value("writer", one, other) else "negative"


def only_lines_of_the_writer(one: Instance, other: Instance) -> str:
    if own(one, other):
        return "positive"
    writers = TABLE["writer"][one[0]], TABLE["writer"][other[0]]
    return "ignored" if None not in writers and writers[0] != writers[1] else "negative"


def without_other_lines_of_writer(one: Instance, other: Instance) -> str:
    if own(one, other):
        return "positive"
    return "ignored" if same_value("writer", one, other) and one[0] != other[0] else "negative"


def same_text(one: Instance, other: Instance) -> str:
    return "positive" if own(one, other) or (same_value("text", one, other) and one[2] == other[2]) else "negative"


RULES = [
    ("none", [plain]),
    ("none.ignore(same('writer').across_parts())", [without_writer]),
    ("none.ignore((~same('writer')).across_parts())", [only_lines_of_the_writer]),
    ("none.ignore((same('writer') & ~same('sample')).across_parts())", [without_other_lines_of_writer]),
    ("same('text')", [same_text]),
]


@pytest.mark.parametrize("mapping", ["all", "frame", "window"])
@pytest.mark.parametrize(("rule", "states"), RULES, ids=[rule for rule, _ in RULES])
def test_it_is_the_loop_over_pairs_of_instances(mapping: str, rule: str, states: list[Any]) -> None:
    made, views = method(mapping=mapping), views_of(extra=9)
    out = made.embed(views)
    found = made.loss(out, pairs_of(out, views, rule))
    assert found.loss.item() == pytest.approx(by_loops(alone(made), states), abs=1e-9)


def test_an_ignore_rule_for_instances_of_equal_number_alone_is_refused() -> None:
    views = views_of()
    for mapping in ("frame", "window"):
        made = method(mapping=mapping)
        out = made.embed(views)
        with pytest.raises(UsageError, match="the ignore rule holds for instances of the same number only") as caught:
            made.loss(out, pairs_of(out, views, "none.ignore(same('writer'))"))
        rule = caught.value.hint.removeprefix('--rule "').removesuffix('"')
        expected = by_loops(alone(made), [without_other_lines_of_writer])
        assert made.loss(out, pairs_of(out, views, rule)).loss.item() == pytest.approx(expected, abs=1e-9)
    whole = method(mapping="all")
    out = whole.embed(views)
    expected = by_loops(alone(whole), [without_writer])
    found = whole.loss(out, pairs_of(out, views, "none.ignore(same('writer'))"))
    assert found.loss.item() == pytest.approx(expected, abs=1e-9)


def test_three_views() -> None:
    made, views = method(mapping="frame"), views_of(views=3)
    out = made.embed(views)
    expected = by_loops(alone(made, views=3), [plain])
    assert made.loss(out, pairs_of(out, views, "none")).loss.item() == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("mapping", "counts"), [("all", [1, 1, 1, 1]), ("frame", [10, 6, 2, 5]), ("window", [5, 5, 2, 5])]
)
def test_no_instance_covers_padding(mapping: str, counts: list[int]) -> None:
    """Case T12, with lines that are shorter than their windows too."""
    made = method(mapping=mapping)
    out, longer = (made.embed(views_of(extra=extra)) for extra in (0, 200))
    assert out.of is not None
    assert torch.bincount(out.of).tolist() == counts * 2
    torch.testing.assert_close(out.z, longer.z)
    torch.testing.assert_close(out.z, torch.stack([alone(made)[key] for key in sorted(alone(made), key=_row)]))
    assert out.pooled.shape == (4, 128)
    assert not out.pooled.requires_grad


def _row(key: Instance) -> tuple[int, int, int]:
    sample, view, part = key
    return view, sample, part


def test_frame_instances_of_lines_of_64_and_256_pixels_are_in_the_ratio_1_to_4() -> None:
    out = method(mapping="frame").embed(views_of((64, 256)))
    assert out.of is not None
    assert torch.bincount(out.of).tolist() == [16, 64, 16, 64]


def test_all_is_simclr_on_the_pooled_features() -> None:
    made, views = method(mapping="all"), views_of()
    other = SimCLR(made.encoder, made.head, 0.3)
    torch.testing.assert_close(made.embed(views).z, other.embed(views).z)


def test_gradients_reach_encoder_head_and_temperature() -> None:
    made, views = method(learnable_temperature=True), views_of()
    out = made.embed(views)
    made.loss(out, pairs_of(out, views, "none")).loss.backward()  # type: ignore[no-untyped-call]
    assert made.temperature == pytest.approx(0.3)
    for name, parameter in made.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize("name", ["small_conv", "resnet18", "small_crnn"])
def test_other_encoders_of_lines_give_frames_too(name: str) -> None:
    made = method(name, mapping="frame")
    views = views_of((200, 130))
    out = made.embed(views)
    assert out.of is not None
    frames = [made.encoder.frames(width) for width in (200, 130)]  # type: ignore[operator]
    assert torch.bincount(out.of).tolist() == frames * 2


def test_signals_are_sequences_too() -> None:
    made = method("conv1d", InputSpec("wave", 1, (None,)), mapping="frame")
    waves = [Input(torch.rand(1, 1, n, dtype=torch.float64), kind="wave", ragged=(0,)) for n in (640, 200)]
    out = made.embed(Views((View(Input.cat(waves)), View(Input.cat(waves)))))
    assert out.of is not None
    assert torch.bincount(out.of).tolist() == [10, 4, 10, 4]


@pytest.mark.parametrize("mapping", ["frame", "window"])
def test_views_of_differing_length_are_refused(mapping: str) -> None:
    made = method(mapping=mapping)
    # The second line has 4 frames in one view and 3 in the other: fewer than windows, so windows differ as well.
    one, two = views_of((40, 16)).each[0], views_of((40, 12)).each[1]
    views = Views((one, two))
    out = made.embed(views)
    with pytest.raises(UsageError, match="instance 3 of a sample is in 1 of its 2 views") as caught:
        made.loss(out, pairs_of(out, views, "none"))
    assert "method.mapping=all" in caught.value.hint
    assert "\n" not in caught.value.message
    whole = method(mapping="all")
    out = whole.embed(views)
    assert torch.isfinite(whole.loss(out, pairs_of(out, views, "none")).loss)


def test_a_sample_that_is_drawn_twice_is_aligned() -> None:
    made, views = method(mapping="frame"), views_of((40, 40, 23))
    out = made.embed(views)
    assert out.of is not None
    assert out.part is not None
    sample = torch.tensor([0, 0, 2])[out.of % 3]
    rows = Rows(sample, out.of // 3, out.part, out.of * 1000 + out.part)
    bound = parse("none").bind({"sample": ["a", "b", "c"]})
    found = made.loss(out, RowPairs(bound, rows, rows, torch.device("cpu")))
    assert torch.isfinite(found.loss)


@pytest.mark.parametrize(
    ("takes", "options", "said", "hint"),
    [
        (InputSpec("image", 1, (16, 16)), {}, "'small_crnn' has 4 frames", "method.windows=4"),
        (InputSpec("image", 1, (16, 4)), {"mapping": "frame"}, "'small_crnn' has 1 frame for", "method.mapping=all"),
    ],
)
def test_inputs_with_too_few_frames_are_refused(
    takes: InputSpec, options: dict[str, Any], said: str, hint: str
) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        method(takes=takes, **options)
    assert hint in caught.value.hint


class Volume(torch.nn.Module):
    """An encoder of volumes."""

    name, takes, num_features, map_features = "net3d", InputSpec("image", 1, (8, 8, 8)), 4, 4

    def __init__(self) -> None:
        super().__init__()
        self.layer = torch.nn.Conv3d(1, 4, 1)

    def forward(self, values: Tensor, valid: Tensor | None = None) -> Any:
        from ssl_domains.encoders import Features

        made = self.layer(values)
        return Features(made.flatten(2).mean(2), made)


def test_volumes_are_refused() -> None:
    with pytest.raises(UsageError, match="not inputs of 8 × 8 × 8"):
        SeqCLR.build(Volume(), OPTIONS)  # type: ignore[arg-type]


def test_cpc_refuses_an_encoder_whose_places_hold_the_whole_line() -> None:
    with pytest.raises(UsageError, match="a place of 'small_crnn' holds something of all places") as caught:
        sequences_of(create_encoder("small_crnn"), None, None)
    assert "--method seqclr" in caught.value.hint
