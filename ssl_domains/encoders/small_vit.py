"""A small vision transformer for small pictures and quick studies, registered with timm as ``small_vit``."""

from __future__ import annotations

from typing import Any

from timm.models import build_model_with_cfg, register_model
from timm.models.vision_transformer import VisionTransformer, checkpoint_filter_fn

__all__ = ["small_vit"]

default_cfgs = {
    "small_vit": {
        "url": "",
        "num_classes": 0,
        "input_size": (3, 32, 32),
        "pool_size": None,
        "fixed_input_size": True,
        "mean": (0.0, 0.0, 0.0),
        "std": (1.0, 1.0, 1.0),
        "first_conv": "patch_embed.proj",
        "classifier": "head",
    }
}


@register_model  # type: ignore[untyped-decorator]
def small_vit(pretrained: bool = False, **kwargs: Any) -> VisionTransformer:
    """Build it: patches of 8 × 8 pixels, width 64, 4 blocks of 4 heads; 0.2 M parameters, pooled by the mean.

    ``timm.create_model("small_vit")`` calls it once `ssl_domains.encoders` is imported.
    """
    small = {"img_size": 32, "patch_size": 8, "embed_dim": 64, "depth": 4, "num_heads": 4}
    options = {**small, "class_token": False, "global_pool": "avg", **kwargs}
    resize = checkpoint_filter_fn  # resamples weights for pictures of another size
    model = build_model_with_cfg(VisionTransformer, "small_vit", pretrained, pretrained_filter_fn=resize, **options)
    assert isinstance(model, VisionTransformer)
    return model
