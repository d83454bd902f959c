"""Momentum and negative-free methods keep contract 3: whole batch, gradient caching, two processes, resume."""

from __future__ import annotations

from typing import Any

import pytest

from method_doubles import SEATS, WaveRecipe, waves
from ssl_domains.methods.barlow_twins import BarlowTwins
from ssl_domains.methods.byol import BYOL
from ssl_domains.methods.dino import DINO
from ssl_domains.methods.moco import MoCo
from ssl_domains.methods.simsiam import SimSiam
from ssl_domains.methods.swav import SwAV
from ssl_domains.methods.vicreg import VICReg
from ssl_domains.testing import MethodCase, check_method
from ssl_domains.testing.method_case import CaseEncoder
from ssl_domains.views import Noise, RandomResizedCrop, ViewRecipe

DEEP = {"hidden": 5, "out": 4, "layers": 2}
LAYER_NORM = {"norm": "layer"}
CROPS = ViewRecipe(
    (RandomResizedCrop(reason="place doesn't matter", scale=(0.4, 1.0)), Noise(reason="nor does noise")), 4
)


def moco_v2() -> MethodCase:
    return MethodCase(MoCo, {"queue": 12, "momentum": 0.9, **LAYER_NORM}, head=DEEP)


def moco_v2_ignoring_older_positives() -> MethodCase:
    rule = "0.7*same('group') + 0.3*within('x', 1, decay='linear')"
    return MethodCase(MoCo, {"queue": 16, "queue_positives": "ignore"}, rule=f"({rule}).ignore(same('site'))")


def moco_v2_with_batch_norm() -> MethodCase:
    return MethodCase(MoCo, {"norm": "batch"}, head=DEEP)


def moco_v2_of_partners() -> MethodCase:
    return MethodCase(MoCo, seats=SEATS[:2])


def moco_v2_of_emitted_gains() -> MethodCase:
    rule = "same('group') & within('gain', 0.3)"
    return MethodCase(MoCo, {"queue": 10}, encoder=_wave_encoder, inputs=waves, recipe=WaveRecipe(), rule=rule)


def moco_v3() -> MethodCase:
    return MethodCase(MoCo, {"form": "v3", **LAYER_NORM}, head=DEEP)


def moco_v3_with_batch_norm() -> MethodCase:
    return MethodCase(MoCo, {"form": "v3"}, head=DEEP)


def byol() -> MethodCase:
    return MethodCase(BYOL, LAYER_NORM, head=DEEP)


def byol_without_a_rule() -> MethodCase:
    return MethodCase(_Ruleless, LAYER_NORM, head=DEEP, rule="none")


def byol_with_batch_norm() -> MethodCase:
    return MethodCase(BYOL, head=DEEP)


def byol_of_waves() -> MethodCase:
    return MethodCase(BYOL, LAYER_NORM, encoder=_wave_encoder, inputs=waves, recipe=WaveRecipe())


def simsiam() -> MethodCase:
    return MethodCase(SimSiam, LAYER_NORM, head=DEEP)


def simsiam_with_batch_norm() -> MethodCase:
    return MethodCase(SimSiam, head=DEEP)


def barlow_twins() -> MethodCase:
    return MethodCase(BarlowTwins, {"norm": "none"}, head=DEEP)


def barlow_twins_with_batch_norm() -> MethodCase:
    return MethodCase(BarlowTwins, head=DEEP)


def vicreg() -> MethodCase:
    weights = {"invariance": 1.0, "variance": 1.0, "covariance": 1.0}
    return MethodCase(VICReg, {**weights, **LAYER_NORM}, head=DEEP)


def swav() -> MethodCase:
    options = {"prototypes": 5, "queue": 10, "freeze_steps": 1, "local_views": 2, **LAYER_NORM}
    return MethodCase(SwAV, options, head=DEEP, recipe=CROPS)


def swav_with_batch_norm_and_no_queue() -> MethodCase:
    return MethodCase(SwAV, {"local_views": 1, "local_size": 3}, head=DEEP, recipe=CROPS)


def dino() -> MethodCase:
    options = {"prototypes": 6, "freeze_steps": 1, "local_views": 2, "momentum": 0.9}
    return MethodCase(DINO, options, head=DEEP, recipe=CROPS)


def dino_of_large_views_only() -> MethodCase:
    return MethodCase(DINO, {"local_views": 0}, recipe=CROPS)


class _Ruleless(BYOL):
    """BYOL, of which `check_method` demands no read of pairs: without a rule it takes the other view."""

    needs = SimSiam.needs


def _wave_encoder() -> CaseEncoder:
    return CaseEncoder(1)


CASES = [
    moco_v2,
    moco_v2_ignoring_older_positives,
    moco_v2_with_batch_norm,
    moco_v2_of_partners,
    moco_v2_of_emitted_gains,
    moco_v3,
    moco_v3_with_batch_norm,
    byol,
    byol_without_a_rule,
    byol_with_batch_norm,
    byol_of_waves,
    simsiam,
    simsiam_with_batch_norm,
    barlow_twins,
    barlow_twins_with_batch_norm,
    vicreg,
    swav,
    swav_with_batch_norm_and_no_queue,
    dino,
    dino_of_large_views_only,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_the_contract_is_kept(case: Any) -> None:
    check_method(case)
