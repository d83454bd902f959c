"""Encoders: from a batch of inputs to one vector for each sample, and the heads on top of them.

``values [B, C, *space]`` with their validity come in, `Features` come out. `create_encoder` builds an encoder by name:
a timm model for pictures, the same model masked for ragged inputs, ``conv1d`` for waveforms, a recurrent network for
pictures of text lines, a Hugging Face model from a folder for token ids, pictures or waveforms, or an encoder of a
plugin.
"""

from ssl_domains.encoders.conv1d import Conv1d
from ssl_domains.encoders.encoder import Encoder, Features
from ssl_domains.encoders.factory import create_encoder
from ssl_domains.encoders.heads import Activation, Norm, projection_head
from ssl_domains.encoders.hugging_face.picture import TransformerPictureEncoder
from ssl_domains.encoders.hugging_face.sound import TransformerSoundEncoder
from ssl_domains.encoders.hugging_face.text import TransformerEncoder
from ssl_domains.encoders.levels import Levels, feature_levels
from ssl_domains.encoders.map_shape import map_shape
from ssl_domains.encoders.masked import MaskedEncoder, masked_mean
from ssl_domains.encoders.recurrent.encoder import RecurrentEncoder
from ssl_domains.encoders.recurrent.line_encoder import LineEncoder
from ssl_domains.encoders.recurrent.local_encoder import LocalEncoder
from ssl_domains.encoders.small_conv import SmallConv
from ssl_domains.encoders.small_vit import small_vit as small_vit
from ssl_domains.encoders.stages import encoder_stages, first_stages, stage_factors
from ssl_domains.encoders.timm_encoder import TimmEncoder, allow_other_sizes

__all__ = [
    "Activation",
    "Conv1d",
    "Encoder",
    "Features",
    "Levels",
    "LineEncoder",
    "LocalEncoder",
    "MaskedEncoder",
    "Norm",
    "RecurrentEncoder",
    "SmallConv",
    "TimmEncoder",
    "TransformerEncoder",
    "TransformerPictureEncoder",
    "TransformerSoundEncoder",
    "allow_other_sizes",
    "create_encoder",
    "encoder_stages",
    "feature_levels",
    "first_stages",
    "map_shape",
    "masked_mean",
    "projection_head",
    "stage_factors",
]
