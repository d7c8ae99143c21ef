"""Students of limbeck's own, ready to be traced."""

import torch
from torch import nn

from compress.saved_text_model import load_text_model
from export.onnx.text_modules import ConvolutionAsMatrix, Logits


def test_a_convolution_is_a_product_with_neighbours():
    torch.manual_seed(0)
    for size in (1, 2, 5):
        convolution = nn.Conv1d(3, 4, size, bias=size != 2)
        given = torch.randn(2, 3, 9)
        assert torch.allclose(
            ConvolutionAsMatrix(convolution)(given), convolution(given), atol=1e-6
        )


def test_logits_are_the_networks_and_the_network_stays_as_it_is(save_student):
    network = load_text_model(save_student("text-cnn")).model
    ids = torch.arange(12).reshape(2, 6) + 5
    given = (ids, torch.ones_like(ids), torch.zeros_like(ids))
    with torch.inference_mode():
        expected = network(*given).logits
        assert torch.equal(Logits(network, as_matrices=False)(*given), expected)
        assert torch.allclose(Logits(network, as_matrices=True)(*given), expected, atol=1e-6)
    assert isinstance(network.convolutions[0], nn.Conv1d)
