"""What is made of weights alone becomes a weight, whatever its size.

PyTorch's TorchScript route leaves small ones for the runtime, its dynamo route large ones: a
quantizer would then find a table in pieces.
"""

from onnx import ModelProto

_ANY_SIZE = 2**40


def fold_weights(model: ModelProto) -> ModelProto:
    """Return the graph with every node computed that reads nothing but weights."""
    from onnxscript import optimizer

    folded: ModelProto = optimizer.optimize(
        model, input_size_limit=_ANY_SIZE, output_size_limit=_ANY_SIZE
    )
    return folded
