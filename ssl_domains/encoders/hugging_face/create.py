"""Builds the encoder of a folder with a Hugging Face model, by the input that the model takes."""

from __future__ import annotations

from ssl_domains.encoders.encoder import Encoder
from ssl_domains.encoders.hugging_face.folder import read_model
from ssl_domains.encoders.hugging_face.picture import picture_encoder, picture_part, usual_input
from ssl_domains.encoders.hugging_face.sound import is_sound_model, sound_encoder
from ssl_domains.encoders.hugging_face.text import text_encoder
from ssl_domains.encoders.hugging_face.whisper import is_whisper
from ssl_domains.inputs import InputSpec

__all__ = ["create_transformer"]


def create_transformer(
    name: str,
    takes: InputSpec | None,
    *,
    init: str,
    seed: int,
    in_chans: int | None = None,
    image_size: int | None = None,
) -> Encoder:
    """Build an encoder of token ids, pictures or waveforms; of CLIP and its like, the part of pictures.

    Args:
        name: ``transformers:FOLDER``; the folder was written by ``save_pretrained``.
        takes: The form of its input; None for ragged ids of kind ``"text"``, waveforms of any length, or
            pictures of the model's own size.
        init: ``"pretrained"`` for the folder's weights, ``"random"`` for its architecture with weights from ``seed``.
        seed: Seed of random weights.
        in_chans: Channels of pictures, if ``takes`` is None; None for those of the model.
        image_size: Side of square pictures in pixels, if ``takes`` is None; None for the model's own size.

    Raises:
        UsageError: When the package transformers is missing, the folder has no model, weights are missing, the model
            can't be used, ``takes`` has another form, or waveforms have another rate than those of the weights.
    """
    channels = in_chans if takes is None else takes.channels
    model = read_model(name, init=init, seed=seed, channels=channels)
    pictures = picture_part(model)
    if pictures is not None:
        return picture_encoder(pictures, name, takes or usual_input(pictures, channels, image_size))
    if is_sound_model(model) or is_whisper(model):
        return sound_encoder(model, name, takes, init)
    return text_encoder(model, name, takes)
