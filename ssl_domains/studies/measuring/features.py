"""Features that an arm is probed on: those of all members and networks, of one network, or their components."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ssl_domains.encoders import Encoder, create_encoder
from ssl_domains.engine import Run
from ssl_domains.errors import UsageError, did_you_mean
from ssl_domains.evaluation import embed_rows
from ssl_domains.samples import SampleTable
from ssl_domains.stores import ArrayStore
from ssl_domains.studies.design.arms import Arm
from ssl_domains.studies.design.material import Material
from ssl_domains.views import fitted_preprocess

__all__ = ["check_features", "features_of"]


def features_of(
    arm: Arm, runs: Sequence[Run], table: SampleTable, store: ArrayStore, fitted: NDArray[np.bool_]
) -> NDArray[Any]:
    """Embed rows with the encoder of each run of an arm, side by side in the order of the runs.

    Args:
        arm: Says which network is meant, and how many components are kept.
        runs: Its trainings.
        table: The rows.
        store: Their arrays.
        fitted: Which rows the components are fitted on, bool ``[n]``: those that are not tested.

    Returns:
        ``[n, F]``.
    """
    parts = []
    for run in runs:
        encoder = run.encoder()
        x = embed_rows(encoder, run.preprocess, table, store, crop=run.crop)
        parts.append(x[:, _columns(encoder, arm)] if arm.branch else x)
    x = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    if not arm.components:
        return x
    from sklearn.decomposition import PCA

    # Fewer rows than components have no more directions than rows.
    count = min(arm.components, int(fitted.sum()), x.shape[1])
    return np.asarray(PCA(count, svd_solver="full").fit(x[fitted]).transform(x), np.float32)


def check_features(material: Material, arm: Arm) -> None:
    """Refuse an arm whose branch its encoder doesn't have, or with as many components as features, before any training.

    Raises:
        UsageError: With the name of the arm.
    """
    if not arm.branch and not arm.components:
        return
    config = material.config_of(arm).with_values(dict(arm.config))
    made = material.how_inputs_are_made(material.table, config)["preprocess"]
    chosen = config.encoder
    if made is None:
        encoder = create_encoder(chosen.name, in_chans=chosen.in_chans or 1, segments=chosen.segments)
    else:
        takes = fitted_preprocess(made, material.table, material.store).spec
        encoder = create_encoder(chosen.name, takes=takes, segments=chosen.segments)
    if arm.branch and arm.branch not in encoder.branches:
        cause = f"arm {arm.name!r}: the encoder {chosen.name!r} has no branch {arm.branch!r}"
        raise UsageError(cause, did_you_mean(arm.branch, encoder.branches))
    width = encoder.branches[arm.branch].num_features if arm.branch else encoder.num_features
    if arm.components >= width * arm.members:
        cause = f"arm {arm.name!r}: {arm.components} components of {width * arm.members} features"
        raise UsageError(cause, "set fewer components, or leave them out")


def _columns(encoder: Encoder, arm: Arm) -> slice:
    """Where the features of a branch stand among those of its encoder."""
    names, widths = list(encoder.branches), [one.num_features for one in encoder.branches.values()]
    place = names.index(arm.branch)
    return slice(sum(widths[:place]), sum(widths[: place + 1]))
