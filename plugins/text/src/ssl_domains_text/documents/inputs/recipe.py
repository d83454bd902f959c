"""The views of texts: the tokens as they are, some of them left out at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor

from ssl_domains.errors import UsageError
from ssl_domains.inputs import Input, View
from ssl_domains.views.draws import Draws, spread

if TYPE_CHECKING:
    from ssl_domains.extending import RecipeRequest

__all__ = ["TokenRecipe", "recipe"]

DROP = "drop_tokens"
_REASON = "a text says the same without some of its words"


@dataclass(frozen=True)
class TokenRecipe:
    """Views of token ids ``[B, 1, T]``.

    The tokens that are kept stand side by side, as if the others had never been there. Each text keeps at least one.
    What is dropped is a function of (seed, step, slot, view) and the place of the token alone, not of padding or other
    texts.

    Attributes:
        views: Number of views of each sample; with seats, view ``v`` shows seat ``v mod S``.
        drop: Probability that a token is dropped.
    """

    columns: ClassVar[tuple[str, ...]] = ()
    emitted: ClassVar[tuple[str, ...]] = ()
    views: int = 2
    drop: float = 0.1

    def __post_init__(self) -> None:
        if self.views < 1 or not 0 <= self.drop < 1:
            raise UsageError(f"{self.views} views that drop {self.drop} of the tokens", "at least 1 view; below 1")

    def views_of(
        self,
        x: Input,
        *beside: Input,
        seed: int,
        step: int,
        slots: Tensor,
        columns: Mapping[str, Tensor] | None = None,
        only: Sequence[int] | None = None,
    ) -> list[View]:
        """Make the views of a batch; see `Recipe.views_of`."""
        numbers = range(self.views) if only is None else only
        return [View(self._dropped(x, seed, step, slots.cpu(), number), beside=beside) for number in numbers]

    def _dropped(self, x: Input, seed: int, step: int, slots: Tensor, view: int) -> Input:
        if not self.drop:
            return x
        keys = spread(Draws(seed, step, slots, view, DROP).keys(), (x.values.shape[-1],))
        uniform = ((keys >> 11) & ((1 << 53) - 1)).double() * 2.0**-53
        valid = x.with_valid()
        kept = valid & (uniform[:, None] >= self.drop).to(valid.device)
        # A text all of whose tokens are dropped keeps them all.
        kept = torch.where(kept.any(dim=-1, keepdim=True), kept, valid)
        order = torch.argsort((~kept).to(torch.uint8), dim=-1, stable=True)  # those that are kept, in their order
        kept = kept.gather(-1, order)
        values = x.values.gather(-1, order).masked_fill(~kept, int(x.pad))
        return replace(x, values=values, valid=kept).trimmed()

    def without(self, name: str) -> TokenRecipe:
        """The recipe without a step.

        Raises:
            UsageError: When there is no such step.
        """
        if name != DROP:
            raise UsageError(f"the recipe has no step {name!r}", f"its only step is {DROP}")
        return replace(self, drop=0.0)

    def to_dict(self) -> dict[str, Any]:
        """All settings, as JSON values."""
        step = {"name": DROP, "probability": self.drop, "reason": _REASON}
        return {"views": self.views, "steps": [step] if self.drop else []}


def recipe(request: RecipeRequest) -> TokenRecipe:
    """The usual recipe of texts.

    Raises:
        UsageError: For further views, of which there are none.
    """
    if request.extra:
        raise UsageError(f"texts have no view {request.extra[0]!r}", "leave views.extra out")
    return TokenRecipe(request.views)
