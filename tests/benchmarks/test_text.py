"""The benchmark of documents runs at a tiny size and its arms agree; no time is asserted."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

for needed in ("sentence_transformers", "datasets", "accelerate"):
    pytest.importorskip(needed, reason="the benchmark compares with the trainer of sentence-transformers")
pytest.importorskip("ssl_domains_text", reason="the plugin isn't installed")

ROOT = str(Path(__file__).parents[2])


@pytest.fixture(autouse=True)
def _as_from_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package lies beside the distribution, outside the wheel."""
    monkeypatch.syspath_prepend(ROOT)


def test_all_parts(tmp_path: Path) -> None:
    from benchmarks.text import Sizes, run
    from benchmarks.text.caching import Large
    from benchmarks.text.files import Collection

    sizes = Sizes(
        collection=Collection(documents=120), batch=8, pairs=2, large=Large(pairs=32, at_once=8, width=32, rounds=1),
        rounds=1, steps=6, documents=300, threads=1,
    )  # fmt: skip
    result = run(sizes)
    assert all(math.isfinite(row.value) and row.value >= 0 for row in result.rows)
    text = result.write(tmp_path).read_text(encoding="utf-8")
    assert str(tmp_path) not in text
    assert ROOT not in text
    targets = [row.target for row in result.rows if row.target]
    assert targets == ["≥ 1.1"] * 4 + ["≥ 1", "≥ 1", "≤ 500"]
    (memory,) = (row for row in result.rows if row.target == "≤ 500")
    assert memory.met


def test_a_loss_that_differs_is_not_timed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from benchmarks.text import peer, step
    from benchmarks.text.files import Collection

    right: Callable[..., Any] = peer.gradients
    monkeypatch.setattr(step, "gradients", lambda *given: right(*given) * 1.01)
    with pytest.raises(AssertionError, match="the loss is"):
        list(step.step_rows(tmp_path, Collection(documents=60), 8, 1, 1))


def test_made_up_documents(tmp_path: Path) -> None:
    import json

    from benchmarks.text.files import Collection, texts, write_large

    documents, queries = texts(Collection(documents=50, length=20, asked=4))
    assert all(set(query.split()) <= set(document.split()) for query, document in zip(queries, documents, strict=True))
    assert len(set(documents)) == 50
    lines = (write_large(tmp_path / "in", 30) / "corpus.jsonl").read_text(encoding="utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["_id"] for row in rows] == [str(number) for number in range(30)]
    assert all(len(f"{row['title']} {row['text']}".split()) == 40 for row in rows)
    # The most frequent word is far more frequent than a rare one, as in a language.
    words = " ".join(row["text"] for row in rows).split()
    assert max(words.count(word) for word in set(words)) > 30
