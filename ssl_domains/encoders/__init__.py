"""Encoders: timm models by name, and the heads on top of them."""

from ssl_domains.encoders.encoder import Encoder, Features, create_encoder
from ssl_domains.encoders.heads import projection_head
from ssl_domains.encoders.levels import Levels, feature_levels
from ssl_domains.encoders.small_conv import SmallConv

__all__ = ["Encoder", "Features", "Levels", "SmallConv", "create_encoder", "feature_levels", "projection_head"]
