"""Encoder of pictures of text lines without recurrence: each frame sees a few columns around it, and nothing else."""

from __future__ import annotations

from torch import Tensor, nn

from ssl_domains.encoders.masked import MaskedEncoder
from ssl_domains.encoders.recurrent.line_encoder import ColumnNetwork, LineEncoder, masked_network
from ssl_domains.inputs import InputSpec

__all__ = ["LocalEncoder"]


class LocalNetwork(ColumnNetwork):
    """The networks of a `LocalEncoder`: from pictures to frames.

    Attributes:
        context: A convolution over each column and its two neighbours, with LayerNorm and ReLU. LayerNorm works on each
            frame alone, so that padding changes nothing.
    """

    def __init__(self, cnn: MaskedEncoder, width: int, bands: int) -> None:
        super().__init__(cnn, bands)
        self.context = nn.Conv1d(bands * cnn.map_features, width, 3, padding=1, bias=False)
        self.norm = nn.LayerNorm(width)

    def read(self, vectors: Tensor, lengths: Tensor | None) -> Tensor:
        """Vectors of padding are 0, as those beyond the edge of a line that stands alone."""
        found: Tensor = self.norm(self.context(vectors.transpose(1, 2)).transpose(1, 2)).relu()
        return found


class LocalEncoder(LineEncoder):
    """A convolutional network and a convolution along the width, for pictures of text lines.

    The map of the network is averaged over each band of its height, and the bands of a column, one below the other, are
    one vector, so that a stroke at the top of a letter differs from one at its foot. A frame is made of three
    neighbouring columns. It can't tell which line it is in, or where: few labelled lines can't be learnt by heart
    in this way, and SeqCLR can't tell instances apart by their place. See `LineEncoder`.

    Args:
        model: A convolutional network as `MaskedEncoder` takes it. Its layers are checked in the same way.
        name: The name with which `create_encoder` builds it.
        takes: The form of its input: two sides, height and width.
        width: Number of features of a frame.
        bands: Parts of equal height that a column keeps apart.
        segments: Parts of equal length along the width that are pooled apart.

    Raises:
        UsageError: When the input hasn't two sides, or a layer lets padding through.
    """

    model: LocalNetwork

    def __init__(
        self, model: nn.Module, name: str, takes: InputSpec, width: int, bands: int = 1, segments: int = 1
    ) -> None:
        cnn = masked_network(model, name, takes)
        super().__init__(LocalNetwork(cnn, width, bands), name, takes, width, segments)

    @property
    def readers(self) -> list[tuple[str, ...]]:
        """The convolution along the width, with its norm."""
        return [("model.context.", "model.norm.")]
