"""Composition: its values, and the cost of importing it."""

from __future__ import annotations

import subprocess
import sys
from typing import get_args

import pytest

from ssl_domains.errors import UsageError
from ssl_domains.pairs import Composition, linked
from ssl_domains.pairs.sampling.composition import Kind


def test_the_default_lets_the_data_decide() -> None:
    assert Composition() == Composition("auto", per_group=2, compose_by=0, exponent=1.0)


def test_equality_ignores_the_reason() -> None:
    assert Composition("groups", reason="only 3 % met") == Composition("groups")


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"kind": "grups"}, "no composition 'grups'"),
        ({"per_group": 1}, "per_group is 1"),
        ({"compose_by": -1}, "compose_by is -1"),
        ({"exponent": 1.5}, "exponent is 1.5"),
        ({"exponent": float("nan")}, "exponent is nan"),
    ],
)
def test_values_outside_are_refused_with_a_hint(bad: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        Composition(**bad)  # type: ignore[arg-type]
    assert caught.value.hint


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_describes_its_batches(kind: Kind) -> None:
    words = Composition(kind, per_group=4).meaning
    assert ("4 samples" in words, "3 drawn" in words, "partner" in words) == tuple(
        kind == named for named in ("groups", "draw", "partner")
    )


def test_the_other_settings_are_described_too() -> None:
    composition = Composition(
        "partner", negatives=linked("mined"), n_negatives=2, seeds="query", bucket="length", epoch_steps=1500
    )
    assert composition.negatives == "linked('mined')"
    assert composition.meaning == (
        "seeds, each with a drawn positive, its partner; the seeds are rows of 'query'; "
        "each with 2 negatives drawn by linked('mined'); sorted by 'length' within 50 batches; epochs of 1,500 batches"
    )
    assert (composition.seats, composition.anchor_seats, composition.negative_seats) == (4, 2, 2)
    assert (Composition("groups", per_group=3).unit, Composition("partner", per_group=3).unit) == (3, 1)


def test_importing_it_loads_nothing_heavy() -> None:
    code = (
        "import sys; import ssl_domains.pairs.sampling.composition; "
        "print(sorted({'torch', 'numpy', 'polars'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("composition", "largest", "processes", "batch"),
    [
        (Composition(), 217, 1, 216),
        (Composition("groups", per_group=4), 217, 1, 216),
        (Composition("draw", per_group=5), 217, 1, 215),
        (Composition("random", per_group=5), 217, 1, 217),
        (Composition("partner", per_group=5), 217, 1, 217),
        (Composition("random"), 256, 3, 255),
        (Composition("groups", per_group=4), 256, 3, 252),
        (Composition("groups", per_group=4), 256, 8, 256),
        (Composition("groups", per_group=4), 3, 1, 3),
    ],
)
def test_the_largest_batch_that_fits(composition: Composition, largest: int, processes: int, batch: int) -> None:
    assert composition.fitting_batch(largest, processes) == batch
    brute = [b for b in range(1, largest + 1) if b % processes == 0]
    if composition.kind in ("auto", "groups", "draw"):
        brute = [b for b in brute if b % composition.per_group == 0]
    assert batch == max(brute, default=largest)
