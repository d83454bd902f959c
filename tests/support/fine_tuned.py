"""A model that was fine-tuned for a few steps on a scanned table, for tests of what is done with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ssl_domains.engine import Parts, Run, load_config, pretrain
from ssl_domains.evaluation import dense_targets
from ssl_domains.extending import Domain, RecipeRequest
from ssl_domains.finetuning import FineTuneParts, finetune, finetune_config
from ssl_domains.methods import SimCLR
from ssl_domains.pairs import Composition, Objective
from ssl_domains.probes import read_labels
from ssl_domains.samples import read_table
from ssl_domains.stores import ArrayStore, MaskStore, default_mask_store, default_store

SIZE = 16
_SETTINGS = (
    "encoder.name=small_conv", "train.max_steps=2", "train.batch_size=8", "train.device=cpu",
    "head.hidden=16", "head.out=8",
)  # fmt: skip


def fine_tuned(domain: Domain, samples: Path, out: Path, label: str = "masks", steps: int = 8, **values: Any) -> Run:
    """Pre-train to ``OUT.start`` and fine-tune to ``out``, on all rows with an array and a label.

    Args:
        domain: A domain of pictures, or one that gives a preprocess.
        samples: Table of its scan.
        out: The run folder of the fine-tuning.
        label: Name of the label column, or ``masks``.
        steps: Steps of the fine-tuning.
        values: Further values of its configuration, by dotted key.
    """
    table = read_table(samples)
    table = replace(table, meta=replace(table.meta, domain=domain.name))
    store = ArrayStore.fill(default_store(samples), table, domain.reader())
    keep = store.of(table).decoded
    if label == "masks":
        masks = MaskStore.fill(default_mask_store(samples), table, domain.reader())
        keep = keep & (masks.positions(table) >= 0)
    else:
        keep = keep & read_labels(table.column(label)).known
    table = table.take(np.flatnonzero(keep))
    sets = [*_SETTINGS, f"data.samples={samples}"]
    if domain.scaling is None:
        assert domain.preprocess is not None
        source = domain.preprocess(table)
        asked = RecipeRequest(table, 0, 2, source.spec.channels, spec=source.spec)
        scaling: dict[str, Any] = {"scaling": None, "preprocess": source}
    else:
        sets += [f"views.size={SIZE}", f"views.canvas={domain.canvas}"]
        asked = RecipeRequest(table, SIZE, 2, max(store.of(table).channels()))
        scaling = {"scaling": domain.scaling(table)}
    parts = Parts(table, store, Objective(), Composition(), domain.recipe(asked), method=SimCLR, **scaling)
    start = pretrain(load_config(sets=sets), parts, out.with_name(f"{out.name}.start"))
    labelled: dict[str, Any] = {}
    if label == "masks":
        labelled["masks"] = dense_targets(table, masks, start.canvas)
    else:
        labelled |= {"label": label, "labels": read_labels(table.column(label))}
    recipe = domain.recipe(replace(asked, views=1))
    tuning = FineTuneParts(table, store, recipe, preprocess=start.preprocess, start=start.folder, **labelled)
    settings = finetune_config(start.config, len(table), segmentation=label == "masks", steps=steps)
    # A fresh head, as the frozen probe of masks takes longer than a test may; it needs a high rate.
    head = {"method.head_start": "fresh", "method.head_lr": 0.03}
    return finetune(settings.with_values({**head, **values}), tuning, out)
