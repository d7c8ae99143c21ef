"""Student networks of limbeck's own, as modules that an ONNX exporter can trace."""

import copy
from typing import Any

import torch
from torch import Tensor, nn


class Logits(nn.Module):
    """A `TextModel` that returns its logits alone."""

    def __init__(self, network: Any, *, as_matrices: bool) -> None:
        """Take over a copy of a network.

        Args:
            network: A `TextModel`; it stays as it is.
            as_matrices: Write convolutions as matrix products, which is what ONNX Runtime
                quantizes well.
        """
        super().__init__()
        self.network = copy.deepcopy(network)
        if as_matrices:
            for module in list(self.network.modules()):
                for name, child in list(module.named_children()):
                    if isinstance(child, nn.Conv1d):
                        setattr(module, name, ConvolutionAsMatrix(child))
                    elif isinstance(child, nn.ModuleList):
                        for number, inner in enumerate(child):
                            if isinstance(inner, nn.Conv1d):
                                child[number] = ConvolutionAsMatrix(inner)

    def forward(self, input_ids: Tensor, attention_mask: Tensor, token_type_ids: Tensor) -> Tensor:
        """Return logits `[B, outputs]` for int64 `[B, L]`."""
        logits: Tensor = self.network(input_ids, attention_mask, token_type_ids).logits
        return logits


class ConvolutionAsMatrix(nn.Module):
    """A `Conv1d` of stride 1 without padding, as one matrix product over neighbours."""

    weight: Tensor
    bias: Tensor

    def __init__(self, convolution: nn.Conv1d) -> None:
        """Take over the weights of `convolution`."""
        super().__init__()
        self.kernel_size = convolution.kernel_size
        matrix = convolution.weight.detach().permute(2, 1, 0).flatten(0, 1)
        bias = convolution.bias
        zeros = convolution.weight.new_zeros(convolution.out_channels)
        self.register_buffer("weight", matrix.contiguous())
        self.register_buffer("bias", zeros if bias is None else bias.detach())

    def forward(self, channels: Tensor) -> Tensor:
        """Convolve `[B, C, L]` to `[B, filters, L - size + 1]`."""
        size = self.kernel_size[0]
        rows = channels.transpose(1, 2)
        stop = rows.shape[1] - size + 1
        neighbours = torch.cat([rows[:, start : stop + start] for start in range(size)], dim=2)
        return (neighbours @ self.weight + self.bias).transpose(1, 2)
