"""The Python of the documentation runs as printed."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import torch
from torch.utils.data import Dataset

from ssl_domains.samples import SampleTable

Blocks = Callable[[str, str], list[str]]
N = 256


class Pictures(Dataset[tuple[int, torch.Tensor]]):
    def __getitem__(self, index: int) -> tuple[int, torch.Tensor]:
        return index, torch.full((8,), float(index))

    def __len__(self) -> int:
        return N


@pytest.fixture
def names() -> dict[str, Any]:
    """What a reader of the examples is expected to have."""
    torch.manual_seed(0)
    model = torch.nn.Linear(8, 4)
    return {
        "df": pl.DataFrame(
            {
                "patient": [f"p{i // 8}" for i in range(N)],
                "volume": [f"v{i // 16}" for i in range(N)],
                "position_mm": [1.5 * (i % 16) for i in range(N)],
                "tags": [[i % 5, i // 50] for i in range(N)],
            }
        ),
        "dataset": Pictures(),
        "images": torch.rand(N, 8),
        "model": model,
        "augment": lambda x: x + 0.1 * torch.randn_like(x),
        "optimiser": torch.optim.SGD(model.parameters(), lr=0.1),
    }


def test_readme_loop_is_short_and_trains(blocks: Blocks, names: dict[str, Any]) -> None:
    code = blocks("README.md", "python")[0]
    assert sum(bool(line.strip()) for line in code.splitlines()) <= 12
    before = names["model"].weight.clone()
    exec(code, names)
    assert torch.isfinite(names["loss"])
    assert not torch.equal(before, names["model"].weight)


@pytest.mark.parametrize(("page", "count"), [("README.md", 7), ("docs/explanation/meaning-of-a-rule.md", 7)])
def test_rules_shown_read_back(blocks: Blocks, page: str, count: int) -> None:
    from ssl_domains.pairs import parse

    lines = blocks(page, "python")[-1].splitlines()
    rules = [line.split("  #")[0].strip() for line in lines if line and not line.startswith("from")]
    assert len(rules) == count
    for rule in rules:
        assert parse(str(parse(rule))) == parse(rule)


def test_plain_pytorch_page(blocks: Blocks, names: dict[str, Any]) -> None:
    loop, labels = blocks("docs/how-to/plain-pytorch.md", "python")
    exec(loop, names)
    assert torch.isfinite(names["loss"])
    exec(labels, {"torch": torch, "contrastive_loss": names["contrastive_loss"]})


def test_byol_page(blocks: Blocks) -> None:
    (code,) = blocks("docs/how-to/byol-in-plain-pytorch.md", "python")
    assert len(code.splitlines()) <= 95
    names: dict[str, Any] = {}
    exec(code, names)
    assert len(names["losses"]) == names["steps"] == 8
    assert all(0 <= loss <= 4 for loss in names["losses"])
    slow, fast = (next(names[name].parameters()) for name in ("slow", "fast"))
    assert not torch.equal(slow, fast)
    positive = names["positive"].tolist()
    patients = names["df"]["patient"].to_list()
    of_row = [patients[i] for i in names["index"].tolist()] * 2
    assert all(of_row[i] == of_row[j] and i != j for i, j in enumerate(positive))
    assert any(positive[i] != (i + len(positive) // 2) % len(positive) for i in range(len(positive)))


def test_crops_page(blocks: Blocks) -> None:
    names: dict[str, Any] = {}
    for code in blocks("docs/how-to/crop-large-arrays.md", "python"):
        exec(code, names)
    assert names["recipe"].crop.columns == ("um_per_pixel", "top_um", "left_um")


def test_compose_batches_page(blocks: Blocks, names: dict[str, Any]) -> None:
    partners, negatives, draws, computed, refresh = blocks("docs/how-to/compose-batches.md", "python")
    exec(partners, names)
    assert torch.isfinite(names["loss"])
    exec(negatives, names)
    assert torch.isfinite(names["loss"])
    assert names["batches"].negatives_drawn.seats == 2 * N
    exec(draws, names)
    assert names["found"].shape == (100, 2)
    assert names["nearby"].max() >= 100
    exec(computed, names)
    assert names["binding"].computed.version == names["state"]["version"] == 1
    assert len(names["batches"].plan(0)) == N // 32
    exec(refresh, names)
    assert len(names["mine"](torch.rand(N, 4), SampleTable.of(names["df"])).edges["mined"]) == 8 * N


def test_audit_page(blocks: Blocks, capsys: pytest.CaptureFixture[str]) -> None:
    (code,) = blocks("docs/how-to/audit-a-split.md", "python")
    exec(code, {})
    assert "1 of 2 groups of 'patient' in test are in train as well" in capsys.readouterr().out


def test_pair_sampler_page(blocks: Blocks, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from ssl_domains.cli.app import run

    sampler, in_a_test = blocks("docs/how-to/write-a-pair-sampler.md", "python")
    (tmp_path / "my_sampler.py").write_text(sampler)
    table = pl.DataFrame(
        {
            "sample": [str(i) for i in range(N)],
            "path": ["none.png"] * N,
            "scanner": [i % 2 for i in range(N)],
            "hour": [float(i // 8) for i in range(N)],
        }
    )
    table.write_parquet(tmp_path / "samples.parquet")
    command = ["--plugin-file", str(tmp_path / "my_sampler.py"), "medical", "pairs", str(tmp_path / "samples.parquet")]
    code = run([*command, "--pairs", "same_shift(hours=4)", "--batch-size", "64"])
    shown = capsys.readouterr()
    assert code == 0, shown.err
    assert "within('hour', 4)" in shown.out

    scope: dict[str, Any] = {}
    exec(sampler, scope)
    exec(in_a_test, {"SAMPLER": scope["ssl_domains_pair_samplers"]()[0], "table": SampleTable.of(table)})


def test_look_at_pairs_page(blocks: Blocks) -> None:
    scope: dict[str, Any] = {}
    exec(blocks("docs/how-to/look-at-pairs.md", "python")[0], scope)
    assert scope["thumbnail"](torch.tensor([[[0.5]], [[-2.0]]]).numpy(), {}) == "2 samples, peak 2.00"


def test_the_loss_of_several_processes_page_is_that_of_simclr(blocks: Blocks) -> None:
    from ssl_domains.encoders import create_encoder
    from ssl_domains.inputs import Input, View, Views
    from ssl_domains.losses import contrastive_loss
    from ssl_domains.methods import RowPairs, SimCLR
    from ssl_domains.pairs import Rows, same

    (code,) = blocks("docs/how-to/several-processes.md", "python")
    scope: dict[str, Any] = {"contrastive_loss": contrastive_loss}
    exec(code, scope)
    method = SimCLR(create_encoder("small_conv", 1), torch.nn.Linear(128, 8), learnable_temperature=True)
    out = method.embed(Views(tuple(View(Input(torch.rand(4, 1, 16, 16))) for _ in range(2))))
    rows = Rows.of(torch.arange(4), views=2)
    pairs = RowPairs(same("g").bind({"g": [0, 0, 1, 1]}), rows, rows, out.z.device)
    assert torch.equal(scope["loss"](method, out, pairs).loss, method.loss(out, pairs).loss)


def test_write_a_rule_page(blocks: Blocks, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from ssl_domains.cli.app import run

    (plugin,) = blocks("docs/how-to/write-a-rule.md", "python")
    (tmp_path / "prefix.py").write_text(plugin)
    table = pl.DataFrame(
        {
            "sample": [str(i) for i in range(N)],
            "path": ["none.png"] * N,
            "case": [None if i % 16 == 0 else f"{i % 32:02d}-{i}" for i in range(N)],
            "scanner": [i // 128 for i in range(N)],
        }
    )
    table.write_parquet(tmp_path / "samples.parquet")
    html = tmp_path / "pairs.html"
    command = ["--plugin-file", str(tmp_path / "prefix.py"), "medical", "pairs", str(tmp_path / "samples.parquet")]
    rule = "prefix('case', 2) & ~same('scanner')"
    code = run([*command, "--rule", rule, "--batch-size", "64"])
    shown = capsys.readouterr()
    assert code == 0, shown.err
    assert f"1*{rule}" in shown.out or rule in shown.out
    code = run([*command, "--rule", "prefix('case', 2)", "--batch-size", "64", "--json", "--html", str(html)])
    document = json.loads(capsys.readouterr().out)
    assert code == 0
    assert document["relations"][0]["groups"]["groups"] == 30
    assert document["relations"][0]["groups"]["missing"] == 16
    assert "the same first 2 characters of case" in html.read_text(encoding="utf-8")
