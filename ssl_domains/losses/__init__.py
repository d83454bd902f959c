"""Losses: pure functions of embeddings, pairs and a temperature."""

from ssl_domains.losses.contrastive import contrastive_loss
from ssl_domains.losses.output import LossOutput

__all__ = ["LossOutput", "contrastive_loss"]
