"""A tokenizer: how text is cut into pieces, and the files that say so.

The cutting is done by the library `tokenizers`, from `tokenizer.json`. The files are those that
Hugging Face transformers reads, so a saved folder opens there too and cuts texts alike.
"""

import json
import os
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from tokenizers import AddedToken, Tokenizer

from compress.errors import UserError
from compress.files import write_atomically

# Set explicitly, because else `tokenizers` warns at every later fork of the process.
os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")

MASK_CHARACTER = "\ufffc"
"""Stands for a masked word in a text: the object replacement character, rare in real texts."""
TOKENIZER = "tokenizer.json"
CONFIG = "tokenizer_config.json"
SPECIAL = "special_tokens_map.json"
VOCABULARY = "vocab.txt"
ROLES = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_AT_ONCE = 2048
"""Texts handed to the library at once; bounds the memory that its answers take."""
_NOT_KEPT = frozenset(
    {
        "added_tokens_decoder",
        "auto_map",
        "max_length",
        "name_or_path",
        "pad_to_multiple_of",
        "special_tokens_map_file",
        "stride",
        "tokenizer_file",
        "truncation_side",
        "truncation_strategy",
        "vocab_file",
    }
)
"""Of `tokenizer_config.json`: paths of a machine, code, and what is said at every call."""


class Encoded(NamedTuple):
    """A text, or a pair of texts, as pieces.

    Attributes:
        ids: Piece ids, special ones included.
        second_start: Where the second text begins; `len(ids)` without one, and where the tokenizer
            gives both texts of a pair the same type.
        was_truncated: Whether pieces were cut off to keep to the greatest length.
    """

    ids: list[int]
    second_start: int
    was_truncated: bool


class PieceTokenizer:
    """Cuts texts into pieces. Special pieces' names in a text are text: `[SEP]` is cut like it."""

    def __init__(self, backend: Tokenizer, config: dict[str, Any]) -> None:
        """Take over a tokenizer.

        Args:
            backend: The library's tokenizer; a change to it from outside is a mistake.
            config: Content of `tokenizer_config.json`: the roles of special pieces
                (`pad_token` ...), and the class that transformers builds.

        Raises:
            UserError: It has no piece for padding.
        """
        backend.no_padding()
        backend.no_truncation()
        backend.encode_special_tokens = True  # in texts, not in the template around them
        self.backend = backend
        self._masked: dict[str, tuple[Tokenizer, tuple[int, int]]] = {}
        self.config = {
            name: _content(value) for name, value in config.items() if name not in _NOT_KEPT
        }
        if self._role("pad_token") is None:
            raise UserError(
                "The tokenizer names no piece for padding (pad_token in tokenizer_config.json), "
                "so texts cannot be put into batches: give the tokenizer of an encoder."
            )

    @property
    def pieces(self) -> int:
        """Size of the vocabulary: the greatest id + 1."""
        return max(self.vocabulary.values()) + 1

    @cached_property
    def vocabulary(self) -> dict[str, int]:
        """Id of every piece, special ones included."""
        vocabulary: dict[str, int] = self.backend.get_vocab(with_added_tokens=True)
        return vocabulary

    @property
    def kind(self) -> str:
        """The library's name of the algorithm: WordPiece, Unigram, BPE or WordLevel."""
        return type(self.backend.model).__name__

    @property
    def padding_id(self) -> int:
        """Id of the piece that fills up a batch."""
        return int(self._role("pad_token") or 0)

    @property
    def unknown_id(self) -> int | None:
        """Id of the piece for what has no piece; None: the tokenizer knows every text."""
        return self._role("unk_token")

    @property
    def mask_id(self) -> int | None:
        """Id of the piece that stands for a masked one; None: there is none."""
        return self._role("mask_token")

    @cached_property
    def tells_texts_apart(self) -> bool:
        """Whether the second text of a pair has a type of its own; with RoBERTa's it has not."""
        (pair,) = self.encode(["a"], ["a"], 64)
        return pair.second_start < len(pair.ids)

    def special_ids(self) -> frozenset[int]:
        """Ids of all pieces that have a role or were added to the vocabulary."""
        roles = {self._role(role) for role in ROLES} - {None}
        return frozenset({int(one) for one in roles if one is not None}) | frozenset(
            self.backend.get_added_tokens_decoder()
        )

    def encode(
        self,
        first: list[str],
        second: list[str] | None,
        max_length: int,
        *,
        mask_character: str | None = None,
    ) -> list[Encoded]:
        """Cut texts, or pairs of texts.

        Args:
            first: N texts.
            second: N texts, each the pair of one; None: no pairs.
            max_length: The most pieces, special ones included. Of a pair the longer text loses its
                end first.
            mask_character: In a text, stands for the mask piece (for the unknown piece, where the
                tokenizer has no mask); None: no character does.

        Returns:
            N answers in order.

        Raises:
            UserError: `max_length` has no room beside the special pieces.
        """
        needed = self.backend.num_special_tokens_to_add(second is not None) + 1
        if max_length < needed:
            raise UserError(
                f"task.max_length: {max_length} pieces leave no room for text: the tokenizer puts "
                f"{needed - 1} special pieces around it. Set it to {needed} or more."
            )
        backend, mask = self.backend, None
        if mask_character is not None:
            backend, mask = self._masking(mask_character)
        backend.enable_truncation(max_length, strategy="longest_first")
        try:
            return list(_encode(backend, first, second, mask))
        finally:
            backend.no_truncation()

    def save(self, folder: Path) -> None:
        """Write what `load`, and transformers, read; the same tokenizer gives the same bytes.

        Beside it `vocab.txt`, a piece a line in the order of the ids, for tokenizers whose
        vocabulary is no more than that.
        """
        folder.mkdir(parents=True, exist_ok=True)
        added = self.backend.get_added_tokens_decoder()
        config = {
            **self.config,
            "added_tokens_decoder": {str(one): _about(added[one]) for one in sorted(added)},
            "split_special_tokens": True,
        }
        roles = {role: self.config[role] for role in ROLES if self._role(role) is not None}
        write_atomically(folder / TOKENIZER, self.backend.to_str(pretty=True))
        write_atomically(folder / CONFIG, _json(config))
        write_atomically(folder / SPECIAL, _json(roles))
        if self.kind in ("WordPiece", "WordLevel"):
            in_order = sorted(self.vocabulary, key=self.vocabulary.__getitem__)
            write_atomically(folder / VOCABULARY, "\n".join(in_order) + "\n")

    @classmethod
    def load(cls, folder: Path) -> "PieceTokenizer":
        """Read a tokenizer that `save` wrote, or one with the same files.

        Raises:
            UserError: A file is missing or damaged.
        """
        try:
            config = json.loads((folder / CONFIG).read_bytes())
            backend = Tokenizer.from_file(str(folder / TOKENIZER))
        # The library raises bare Exceptions for files that it cannot read.
        except Exception as error:
            raise UserError(
                f"The tokenizer in {folder} cannot be loaded: {str(error).splitlines()[0]}. "
                f"It needs {TOKENIZER} and {CONFIG}, in the format of Hugging Face transformers."
            ) from error
        return cls(backend, config)

    def _role(self, role: str) -> int | None:
        piece = self.config.get(role)
        return None if piece is None else self.backend.token_to_id(piece)

    def _masking(self, character: str) -> tuple[Tokenizer, tuple[int, int]]:
        """Return a copy in which `character` is a piece, and that piece's id and its real one."""
        if character in self._masked:
            return self._masked[character]
        real = self.mask_id if self.mask_id is not None else self.unknown_id
        if real is None:
            raise UserError(
                "distillation.augment: the tokenizer has no piece for masked words (mask_token in "
                "tokenizer_config.json); choose another tokenizer, or leave augment out."
            )
        copy = Tokenizer.from_str(self.backend.to_str())
        copy.encode_special_tokens = True
        # A mask swallows the space before it where the tokenizer's own does (SentencePiece).
        own = self.backend.get_added_tokens_decoder().get(real)
        swallows = own is not None and own.lstrip
        copy.add_tokens([AddedToken(character, lstrip=swallows, normalized=False, special=False)])
        self._masked[character] = copy, (int(copy.token_to_id(character)), real)
        return self._masked[character]


def _encode(
    backend: Tokenizer,
    first: list[str],
    second: list[str] | None,
    mask: tuple[int, int] | None,
) -> Iterator[Encoded]:
    for start in range(0, len(first), _AT_ONCE):
        part: list[Any] = first[start : start + _AT_ONCE]
        if second is not None:
            part = list(zip(part, second[start : start + _AT_ONCE], strict=True))
        for one in backend.encode_batch(part):
            ids = one.ids
            if mask is not None:
                ids = [mask[1] if piece == mask[0] else piece for piece in ids]
            types = one.type_ids if second is not None else ()
            begins = types.index(1) if 1 in types else len(ids)
            yield Encoded(ids, begins, bool(one.overflowing))


def _content(value: Any) -> Any:
    """Return a special piece's name where the file describes it at length."""
    return value["content"] if isinstance(value, dict) and "content" in value else value


def _about(piece: AddedToken) -> dict[str, object]:
    names = ("content", "lstrip", "normalized", "rstrip", "single_word", "special")
    return {name: getattr(piece, name) for name in names}


def _json(value: object) -> str:
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
