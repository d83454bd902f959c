"""Encoder of pictures of text lines: a masked convolutional network, the mean of each column, and a BiLSTM."""

from __future__ import annotations

from torch import Tensor, nn

from ssl_domains.encoders.masked import MaskedEncoder
from ssl_domains.encoders.recurrent.bi_lstm import BiLSTM
from ssl_domains.encoders.recurrent.line_encoder import ColumnNetwork, LineEncoder, masked_network
from ssl_domains.inputs import InputSpec

__all__ = ["RecurrentEncoder"]


class CRNN(ColumnNetwork):
    """The networks of a `RecurrentEncoder`: from pictures to frames.

    Attributes:
        lstm: The BiLSTM over the columns of the network's map.
    """

    def __init__(self, cnn: MaskedEncoder, lstm: BiLSTM, bands: int) -> None:
        super().__init__(cnn, bands)
        self.lstm = lstm

    def read(self, vectors: Tensor, lengths: Tensor | None) -> Tensor:
        """Each frame holds something of the whole line."""
        found: Tensor = self.lstm(vectors, lengths)
        return found


class RecurrentEncoder(LineEncoder):
    """A convolutional network and a BiLSTM along the width (CRNN; Shi et al. 2017) for pictures of text lines.

    The map of the network is averaged over each band of its height, and the bands of a column, one below the other, are
    one vector: with a single band, a stroke at the top of a letter looks like one at its foot. The BiLSTM reads the
    vectors from left to right and back, valid ones only, and gives a *frame* for each. See `LineEncoder`.

    Args:
        model: A convolutional network as `MaskedEncoder` takes it. Its layers are checked in the same way.
        name: The name with which `create_encoder` builds it.
        takes: The form of its input: two sides, height and width.
        hidden: Width of each direction of the BiLSTM; the features are twice as wide.
        layers: Layers of the BiLSTM.
        segments: Parts of equal length along the width that are pooled apart.
        bands: Parts of equal height that a column keeps apart.

    Raises:
        UsageError: When the input hasn't two sides, or a layer lets padding through.
    """

    model: CRNN
    reads_all: bool = True

    def __init__(
        self,
        model: nn.Module,
        name: str,
        takes: InputSpec,
        hidden: int,
        layers: int = 1,
        segments: int = 1,
        bands: int = 1,
    ) -> None:
        cnn = masked_network(model, name, takes)
        lstm = BiLSTM(bands * cnn.map_features, hidden, layers)
        super().__init__(CRNN(cnn, lstm, bands), name, takes, 2 * hidden, segments)

    @property
    def readers(self) -> list[tuple[str, ...]]:
        """The layers of the BiLSTM."""
        numbers = range(len(self.model.lstm.ahead))
        return [tuple(f"model.lstm.{direction}.{number}." for direction in ("ahead", "back")) for number in numbers]
