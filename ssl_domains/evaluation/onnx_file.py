"""Models as ONNX files: writing one, and running it for the comparison with the original."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from ssl_domains.errors import UsageError

__all__ = ["ONNX_FILE", "OnnxModel", "require_onnx", "write_onnx"]

ONNX_FILE = "model.onnx"
_PACKAGES = ("onnx", "onnxscript", "onnxruntime")
_INPUT, _OUTPUT = "input", "output"


def require_onnx() -> None:
    """Refuse the format where its packages are missing.

    Raises:
        UsageError: With the command that installs them.
    """
    missing = [name for name in _PACKAGES if find_spec(name) is None]
    if missing:
        cause = f"an ONNX file needs {', '.join(missing)}, which {'is' if len(missing) == 1 else 'are'} not installed"
        raise UsageError(cause, "pip install 'ssl-domains[onnx]'")


def write_onnx(module: nn.Module, example: Tensor, path: Path) -> None:
    """Write a module of one input and one output as an ONNX file, for batches of any size.

    Args:
        module: The module, in evaluation mode on the CPU.
        example: An input ``[B, …]`` of more than one sample; all sides but the first are fixed.
        path: File to write; the input is called ``input``, the output ``output``.

    Raises:
        UsageError: When a package is missing, or ONNX has no word for a layer of the module.
    """
    require_onnx()
    # The argument has another name in each module: shapes are given by place.
    shapes = ({0: torch.export.Dim("batch")},)
    with _quietly():
        try:
            torch.onnx.export(
                module, (example,), str(path), input_names=[_INPUT], output_names=[_OUTPUT], dynamo=True,
                dynamic_shapes=shapes, external_data=False, verbose=False,
            )  # fmt: skip
        except torch.onnx.errors.OnnxExporterError as error:
            cause = " ".join(str(error).split())[:200]
            raise UsageError(f"this model can't be written as ONNX: {cause}", "--format safetensors") from error


class OnnxModel(nn.Module):
    """An ONNX file as a module, run by onnxruntime on the CPU.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        import onnxruntime

        self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])

    def forward(self, values: Tensor) -> Tensor:
        """The output of a batch."""
        (output,) = self._session.run([_OUTPUT], {_INPUT: values.numpy()})
        return torch.from_numpy(output)


@contextlib.contextmanager
def _quietly() -> Iterator[None]:
    """Without the exporter's progress and advice, which are for authors of models."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
