"""`finetune` is a method of configurations, but none of pre-training."""

from __future__ import annotations

import pytest

from ssl_domains.errors import UsageError
from ssl_domains.extending import Registry
from ssl_domains.finetuning import FineTune


def test_pretrain_says_where_fine_tuning_is() -> None:
    registry = Registry()
    with pytest.raises(UsageError, match="no method of pre-training") as caught:
        registry.method("finetune")
    assert "finetune SAMPLES --from RUN" in caught.value.hint
    assert "finetune" not in [entry.name for _, entry in registry.methods()]


def test_the_method_is_not_built_without_labels() -> None:
    with pytest.raises(UsageError, match="needs labels"):
        FineTune.build(None, {})  # type: ignore[arg-type]
