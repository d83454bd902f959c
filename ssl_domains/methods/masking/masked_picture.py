"""Pictures cut into the patches of a ViT, with a part of the patches hidden from it."""

from __future__ import annotations

from typing import Any

import torch
from timm.layers import PatchEmbed
from timm.models.vision_transformer import Block, VisionTransformer
from torch import Tensor, nn

from ssl_domains.encoders import Encoder, TimmEncoder
from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input
from ssl_domains.methods.masking.masks import grid_mask

__all__ = ["MaeDecoder", "MaskedPicture"]


class MaskedPicture:
    """Hides patches from a ViT of timm, either by a learned vector in their place or by leaving them out.

    Args:
        encoder: The encoder.
        block: Side of a hidden square in patches.
        shown_only: Whether hidden patches are left out (MAE) and a decoder fills them in.

    Raises:
        UsageError: When the encoder is no plain ViT, its patches don't fill the picture, or ``block`` doesn't divide
            the number of patches along a side.
    """

    def __init__(self, encoder: Encoder, block: int, shown_only: bool) -> None:
        model: Any = encoder.model
        plain = isinstance(encoder, TimmEncoder) and isinstance(model, VisionTransformer)
        if not plain or not isinstance(model.patch_embed, PatchEmbed) or model.attn_pool is not None:
            raise UsageError(
                f"masked prediction of pictures takes a plain ViT of timm, not {encoder.name!r}",
                "use --encoder small_vit, or vit_tiny_patch16_224",
            )
        sides, patch = encoder.takes.space, model.patch_embed.patch_size
        for side, step in zip(sides, patch, strict=True):
            if side is None or side % step:
                near = max(step, round((side or step) / step) * step)
                cause = f"patches of {step} pixels don't fill pictures of {side} pixels"
                raise UsageError(cause, f"use --set views.size={near}, or a ViT with other patches")
        self.model = model
        self.patch = patch
        self.grid = (int(sides[0] or 0) // patch[0], int(sides[1] or 0) // patch[1])
        if any(side % block for side in self.grid) or self.grid[0] * self.grid[1] < 2 * block**2:
            cause = f"squares of {block} patches don't divide {self.grid[0]} × {self.grid[1]} patches into two or more"
            raise UsageError(cause, "use --set method.block=1")
        self.shown_only = shown_only
        self.width = encoder.num_features
        self.values = encoder.in_chans * patch[0] * patch[1]

    def hidden(self) -> nn.Parameter | None:
        """The learned vector in the place of hidden patches; the decoder of MAE has its own."""
        return None if self.shown_only else nn.Parameter(torch.zeros(self.width))

    def decoder(self, width: int, depth: int) -> MaeDecoder | None:
        """The decoder of MAE; from now on the places have its width."""
        if not self.shown_only:
            return None
        made = MaeDecoder(self.width, width, depth, self.grid[0] * self.grid[1])
        self.width = width
        return made

    def masks(self, keys: Tensor, rows: Input, ratio: float, block: int) -> tuple[Tensor, Tensor]:
        """Hidden patches, and those of them that are predicted as all their pixels are valid; bool ``[B, n]``."""
        mask = grid_mask(keys, self.grid, ratio, block)
        return mask, mask if rows.valid is None else mask & self._cut(rows.valid).all(dim=2)

    def truth(self, rows: Input) -> Tensor:
        """The values of each patch, ``[B, n, D]``."""
        return self._cut(rows.values)

    def encoded(
        self, rows: Input, mask: Tensor, hidden: Tensor | None, decoder: MaeDecoder | None
    ) -> tuple[Tensor, Tensor]:
        """A vector of each patch ``[B, n, width]`` and pooled features ``[B, F]``, from the shown patches."""
        model = self.model
        x = model.patch_embed(rows.values.to(model.patch_embed.proj.weight.dtype))
        if hidden is not None:
            x = torch.where(mask[:, :, None], hidden.to(x.dtype), x)
        x = model._pos_embed(x)
        prefix = model.num_prefix_tokens
        shown = torch.nonzero(~mask)[:, 1].view(len(mask), -1, 1)
        if decoder is not None:
            x = torch.cat([x[:, :prefix], x[:, prefix:].gather(1, shown.expand(-1, -1, x.shape[2]))], dim=1)
        x = model.norm(model.blocks(model.norm_pre(x)))
        pooled: Tensor = model.forward_head(x, pre_logits=True)
        patches: Tensor = model.fc_norm(x[:, prefix:])
        return patches if decoder is None else decoder(patches, shown), pooled

    def _cut(self, values: Tensor) -> Tensor:
        """``[B, C, H, W]`` to ``[B, h · w, C · p · p]``."""
        cut = values.reshape(*values.shape[:2], self.grid[0], self.patch[0], self.grid[1], self.patch[1])
        return cut.permute(0, 2, 4, 1, 3, 5).reshape(len(values), self.grid[0] * self.grid[1], -1)


class MaeDecoder(nn.Module):
    """A few transformer blocks over all patches: the encoded ones, and a learned vector for each hidden one."""

    def __init__(self, encoded: int, width: int, depth: int, patches: int) -> None:
        super().__init__()
        self.narrow = nn.Linear(encoded, width)
        self.hidden = nn.Parameter(torch.zeros(width))
        self.position = nn.Parameter(torch.randn(patches, width) * 0.02)
        self.blocks = nn.Sequential(*(Block(width, num_heads=max(1, width // 32), qkv_bias=True) for _ in range(depth)))
        self.norm = nn.LayerNorm(width)

    def forward(self, encoded: Tensor, shown: Tensor) -> Tensor:
        """``encoded [B, k, F]`` of the patches ``shown [B, k, 1]`` to a vector of each patch ``[B, n, width]``."""
        x = self.narrow(encoded)
        everywhere = self.hidden.to(x.dtype).expand(len(x), len(self.position), -1)
        x = everywhere.scatter(1, shown.expand(-1, -1, x.shape[2]), x) + self.position.to(x.dtype)
        return torch.as_tensor(self.norm(self.blocks(x)))
