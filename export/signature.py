"""What a deployed next-item file takes and returns, and how it says so in its metadata."""

from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Signature:
    """The deploy contract of one file, kept in its metadata as text."""

    items: int
    """Size of the catalogue; item codes run from 2 to `items + 1`."""
    history_length: int
    """L of the input `history`, int32 `[B, L]`."""
    top_k: int
    """K of the outputs `item_ids`, int32 `[B, K]`, and `scores`, float32 `[B, K]`."""
    mask_seen: bool
    """Whether items of the history are never returned."""
    recipe_sha256: str
    """The recipe that made the file."""
    item_map_sha256: str
    """The item map that its codes belong to; an app must refuse any other."""

    task = "next-item"
    version = 1

    def metadata(self) -> dict[str, str]:
        """Key and value texts, such as ONNX metadata holds."""
        fields = {f"limbeck.{name}": _text(value) for name, value in asdict(self).items()}
        return {
            "limbeck.signature": str(self.version),
            "limbeck.task": self.task,
            "limbeck.inputs": f"history:int32[B,{self.history_length}]",
            "limbeck.outputs": f"item_ids:int32[B,{self.top_k}] scores:float32[B,{self.top_k}]",
            **fields,
        }


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
