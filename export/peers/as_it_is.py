"""A student that no emitter of ours recognises, and so changes."""

from torch import Tensor, nn


class AsItIs(nn.Module):
    """Answers as the module inside does; the shortcuts of our own conversion pass it by."""

    def __init__(self, module: nn.Module) -> None:
        """Wrap `module`."""
        super().__init__()
        self.student = module

    def forward(self, **inputs: Tensor) -> tuple[Tensor, ...]:
        """Answer a batch."""
        answers: tuple[Tensor, ...] = self.student(**inputs)
        return answers
