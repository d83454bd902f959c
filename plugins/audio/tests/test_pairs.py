"""The pair samplers: their rules, and every pair of a batch against the float64 reference of the design."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
import torch

import pair_reference as reference
from ssl_domains.errors import UsageError
from ssl_domains.extending import PairSampler, parse_call
from ssl_domains.losses import contrastive_loss
from ssl_domains.pairs import Objective, Rows, parse
from ssl_domains.samples import SampleTable, TableMeta
from ssl_domains.testing import check_pair_sampler
from ssl_domains_audio.domain import AUDIO
from ssl_domains_audio.pairs import EXTRA_COLUMNS, SAMPLERS

BY_NAME = {sampler.name: sampler for sampler in SAMPLERS}

CALLS = {
    "speaker": "same('speaker')",
    "recording": "same('recording')",
    "session": "same('session')",
    "near_in_time": "same('recording') & within('start_s', 10)",
    "near_in_time(s=2.5)": "same('recording') & within('start_s', 2.5)",
    "near_in_time(s=600, by='site')": "same('site') & within('recorded_at_s', 600)",
    "other_session": "(same('speaker') & ~same('session')).ignore(same('speaker'))",
    "other_session(by='site')": "(same('site') & ~same('session')).ignore(same('site'))",
    "within_speaker": "none.ignore(~same('speaker'))",
}


def objective_of(call: str) -> Objective:
    name, params = parse_call(call)
    return BY_NAME[name].resolve(**params)[0]


def columns(n: int = 24, seed: int = 0) -> dict[str, list[Any]]:
    """Three speakers with two sessions each, and rows of which something is not known."""
    rng = np.random.default_rng(seed)
    speaker = [None if k == 5 else f"S{k % 3}" for k in range(n)]
    session: list[Any] = [f"S{k % 3}-{k // 3 % 2}" for k in range(n)]
    session[7] = None
    start = [None if k == 9 else float(2.5 * (k // 2)) for k in range(n)]
    recorded = [float("nan") if k == 11 else float(rng.integers(0, 8)) * 300.0 for k in range(n)]
    return {
        "sample": [f"{k}" for k in range(n)],
        "speaker": speaker,
        "session": session,
        "recording": [f"r{k % 2}" for k in range(n)],
        "site": [f"site{k % 4}" for k in range(n)],
        "start_s": start,
        "recorded_at_s": recorded,
    }


@pytest.mark.parametrize("call", CALLS)
def test_rules(call: str) -> None:
    assert objective_of(call) == Objective.of(parse(CALLS[call]))


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("seed", [0, 1])
def test_every_pair_of_a_batch_is_that_of_the_reference(call: str, seed: int) -> None:
    table = columns(seed=seed)
    objective = objective_of(call)
    rows = Rows.of(np.random.default_rng(seed).permutation(24)[:15], views=2)
    batch = objective.bind(pl.DataFrame(table)).pairs(rows)
    expected = reference.states(objective, table, rows)
    tile = batch.dense()
    assert torch.equal(tile.weights, expected.weights)
    assert torch.equal(tile.allowed, expected.allowed)
    assert torch.equal(batch.cross_sample(), expected.cross)
    z = torch.nn.functional.normalize(
        torch.randn(30, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)), dim=1
    )
    found = contrastive_loss(z, batch, 0.1).loss
    torch.testing.assert_close(found, reference.loss(z, expected, 0.1), rtol=1e-10, atol=1e-12)


def kinds(call: str, table: dict[str, list[Any]]) -> list[list[str]]:
    """``"positive"``, ``"ignored"``, ``"negative"`` or ``"self"`` of every pair of samples, by the product."""
    size = len(table["sample"])
    batch = objective_of(call).bind(pl.DataFrame(table)).pairs(Rows.of(np.arange(size), views=1))
    tile = batch.dense()
    positive = tile.weights.sum(dim=0) > 0
    return [
        [
            "self" if i == j else "positive" if positive[i, j] else "negative" if tile.allowed[i, j] else "ignored"
            for j in range(size)
        ]
        for i in range(size)
    ]


PEOPLE = {
    "sample": ["0", "1", "2", "3", "4"],
    "speaker": ["a", "a", "a", "b", None],
    "session": ["a1", "a1", "a2", "b1", "x1"],
}


def test_other_session_pulls_to_the_other_session_alone() -> None:
    """Sample 0 of session a1: 1 is of its session, 2 of another one, 3 of another speaker, 4 of an unknown one."""
    assert kinds("other_session", PEOPLE)[0] == ["self", "ignored", "positive", "negative", "negative"]


def test_a_session_that_is_not_known_is_neither_another_nor_a_negative() -> None:
    table = {**PEOPLE, "session": ["a1", None, "a2", "b1", "x1"]}
    assert kinds("other_session", table)[0] == ["self", "ignored", "positive", "negative", "negative"]
    assert kinds("other_session", table)[1] == ["ignored", "self", "ignored", "negative", "negative"]


def test_within_speaker_contrasts_only_with_the_same_speaker() -> None:
    made = kinds("within_speaker", PEOPLE)
    assert made[0] == ["self", "negative", "negative", "ignored", "negative"]
    assert made[3] == ["ignored", "ignored", "ignored", "self", "negative"]


def test_near_in_time_is_inclusive_and_stays_in_its_recording() -> None:
    table = {
        "sample": ["0", "1", "2", "3"],
        "recording": ["r", "r", "r", "q"],
        "start_s": [0.0, 10.0, 10.5, 0.0],
        "site": ["s", "s", "t", "s"],
        "recorded_at_s": [0.0, 60.0, 0.0, 61.0],
    }
    assert kinds("near_in_time(s=10)", table)[0] == ["self", "positive", "negative", "negative"]
    assert kinds("near_in_time(s=60, by='site')", table)[0] == ["self", "positive", "negative", "negative"]


@pytest.mark.parametrize(
    "text",
    [
        "near_in_time(s='far')",
        "near_in_time(s=True)",
        "near_in_time(s=-1)",
        "near_in_time(by=3)",
        "near_in_time(seconds=3)",
        "other_session(by='')",
        "speaker(n=2)",
    ],
)
def test_what_cannot_be_meant_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(UsageError) as error:
        objective_of(text)
    assert error.value.hint


@pytest.mark.parametrize("call", [call for call in CALLS if call != "within_speaker"])
def test_samplers_make_pairs_that_can_be_trained_on(call: str) -> None:
    name, params = parse_call(call)
    table = SampleTable(pl.DataFrame(columns(48)), TableMeta(domain="audio"))
    check_pair_sampler(BY_NAME[name], table, **params)


def test_hints_name_every_column_that_a_usual_scan_lacks() -> None:
    read = frozenset().union(*(objective_of(call).columns for call in CALLS))
    assert read == set(EXTRA_COLUMNS) == set(AUDIO.extra_columns)


def test_every_sampler_has_a_summary_and_belongs_to_the_domain() -> None:
    assert len(BY_NAME) == len(SAMPLERS) == 7
    for sampler in SAMPLERS:
        assert isinstance(sampler, PairSampler)
        assert sampler.domain == "audio"
        assert sampler.summary
