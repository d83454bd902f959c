from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import ssl_domains
from ssl_domains.errors import DataError, UsageError


def test_an_encoder_and_what_goes_before_it(world: Any, make_run: Any) -> None:
    run = make_run()
    encoder, preprocess = ssl_domains.load(run.folder)
    assert not encoder.training
    with torch.no_grad():
        assert encoder(preprocess(world.store[0]).values).pooled.shape == (1, 128)


def test_no_run_and_no_checkpoint(make_run: Any, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not a run folder"):
        ssl_domains.load(tmp_path)
    run = make_run()
    (path,) = run.checkpoints.paths()
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(DataError, match="can't be read"):
        ssl_domains.load(run.folder)
    path.unlink()
    with pytest.raises(UsageError, match="no checkpoint"):
        ssl_domains.load(run.folder)
