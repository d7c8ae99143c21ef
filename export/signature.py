"""What a deployed file takes and returns, and how it says so in its metadata."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from compress.recipe import Target
from export.blocked_items import NOTHING_BLOCKED, BlockedItems

FieldValue = str | int | bool


@dataclass(frozen=True)
class Tensor:
    """One input or output."""

    name: str
    dtype: Literal["int32", "float32", "string"]
    shape: tuple[int | str, ...]
    """Sizes; a letter stands for one that is free: `B` examples, `L` pieces."""

    def __str__(self) -> str:
        return f"{self.name}:{self.dtype}[{','.join(str(size) for size in self.shape)}]"


@dataclass(frozen=True)
class Signature:
    """The deploy contract of one file, kept in its metadata as text."""

    task: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    fields: Mapping[str, FieldValue]
    """What else an app must know, among it the hashes of what the file belongs to."""

    version = 1

    def metadata(self) -> dict[str, str]:
        """Key and value texts, such as ONNX metadata holds."""
        fields = {f"limbeck.{name}": _text(value) for name, value in self.fields.items()}
        return {
            "limbeck.signature": str(self.version),
            "limbeck.task": self.task,
            "limbeck.inputs": " ".join(str(one) for one in self.inputs),
            "limbeck.outputs": " ".join(str(one) for one in self.outputs),
            **fields,
        }


def next_item_signature(
    *,
    items: int,
    history_length: int,
    top_k: int,
    mask_seen: bool,
    recipe_sha256: str,
    item_map_sha256: str,
    blocked: BlockedItems = NOTHING_BLOCKED,
) -> Signature:
    """Histories in, best items out.

    Args:
        items: Size of the catalogue; item codes run from 2 to `items + 1`.
        history_length: L of the input `history`, int32 `[B, L]`.
        top_k: K of the outputs `item_ids`, int32 `[B, K]`, and `scores`, float32 `[B, K]`.
        mask_seen: Whether items of the history are never returned.
        recipe_sha256: The recipe that made the file.
        item_map_sha256: The item map that its codes belong to; an app must refuse any other.
        blocked: Items that are never returned; where there are any, the file says how many, and
            the hash of their ids.
    """
    ruled_out: Mapping[str, FieldValue] = (
        {"blocked_items": len(blocked), "blocked_sha256": blocked.sha256} if blocked else {}
    )
    return Signature(
        task="next-item",
        inputs=(Tensor("history", "int32", ("B", history_length)),),
        outputs=(
            Tensor("item_ids", "int32", ("B", top_k)),
            Tensor("scores", "float32", ("B", top_k)),
        ),
        fields={
            "items": items,
            "history_length": history_length,
            "top_k": top_k,
            "mask_seen": mask_seen,
            "recipe_sha256": recipe_sha256,
            "item_map_sha256": item_map_sha256,
            **ruled_out,
        },
    )


def text_signature(
    *,
    task: str,
    target: Target,
    classes: int,
    max_length: int,
    is_pair: bool,
    has_gains: bool,
    recipe_sha256: str,
    tokenizer_sha256: str,
    classes_sha256: str,
) -> Signature:
    """Word pieces in, probabilities or a score out.

    Args:
        task: `text-label` or `text-pair`.
        target: What the answer is: one class, any number of classes, or a number.
        classes: C of the output `probabilities`, float32 `[B, C]`; unused for scores.
        max_length: The most pieces that the file was made for; L is free up to it.
        is_pair: Whether `token_type_ids` tells two texts apart.
        has_gains: Whether `score`, float32 `[B]`, comes with the probabilities: their gain.
        recipe_sha256: The recipe that made the file.
        tokenizer_sha256: The tokenizer that its pieces belong to; an app must refuse any other.
        classes_sha256: The list of classes that its probabilities belong to.
    """
    names: Sequence[str] = ("input_ids", "attention_mask", "token_type_ids")
    score = Tensor("score", "float32", ("B",))
    probabilities = Tensor("probabilities", "float32", ("B", classes))
    outputs = (probabilities, score) if has_gains else (probabilities,)
    return Signature(
        task=task,
        inputs=tuple(Tensor(name, "int32", ("B", "L")) for name in names[: 3 if is_pair else 2]),
        outputs=(score,) if target == "score" else outputs,
        fields={
            "target": target,
            "max_length": max_length,
            "recipe_sha256": recipe_sha256,
            "tokenizer_sha256": tokenizer_sha256,
            "classes_sha256": classes_sha256,
        },
    )


def text_input_signature(signature: Signature) -> Signature:
    """The same file's with the tokenizer inside: texts in, the same answers out.

    Args:
        signature: Of the file that takes word pieces.
    """
    is_pair = any(one.name == "token_type_ids" for one in signature.inputs)
    names = ("query", "product") if is_pair else ("text",)
    return replace(signature, inputs=tuple(Tensor(name, "string", ("B",)) for name in names))


def _text(value: FieldValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
