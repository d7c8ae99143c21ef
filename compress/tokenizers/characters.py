"""A tokenizer whose pieces are characters: for languages without spaces, and tiny students."""

from collections import Counter
from collections.abc import Iterable

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from compress.tokenizers.tokenizer import PieceTokenizer

SPECIAL_PIECES = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


def character_tokenizer(texts: Iterable[str], minimum_count: int | None = 1) -> PieceTokenizer:
    """Make a tokenizer of the characters in `texts`.

    Texts are put into Unicode's composed form (NFC) and lower case; white space separates and is
    no piece. A character that is not in the vocabulary becomes `[UNK]`.

    Args:
        texts: The training texts.
        minimum_count: Characters must occur as often to be in the vocabulary; None: once.

    Returns:
        A tokenizer whose ids are: 0 padding, 1 unknown, then `[CLS]`, `[SEP]`, `[MASK]`, then the
        characters by their code points.
    """
    normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    splitter = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Split(Regex("."), "isolated")]
    )
    counts: Counter[str] = Counter()
    for text in texts:
        counts.update(normalizer.normalize_str(text))
    # The splitter says what white space is: Python's idea of it is another.
    known = sorted(
        character
        for character, count in counts.items()
        if count >= (minimum_count or 1) and splitter.pre_tokenize_str(character)
    )
    ids = {piece: number for number, piece in enumerate((*SPECIAL_PIECES, *known))}
    backend = Tokenizer(models.WordLevel(ids, unk_token="[UNK]"))
    backend.normalizer = normalizer
    backend.pre_tokenizer = splitter
    backend.add_special_tokens(list(SPECIAL_PIECES))
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(piece, ids[piece]) for piece in ("[CLS]", "[SEP]")],
    )
    roles = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    config = {
        **dict(zip(roles, SPECIAL_PIECES, strict=True)),
        "clean_up_tokenization_spaces": False,
        "model_input_names": ["input_ids", "token_type_ids", "attention_mask"],
        "tokenizer_class": "PreTrainedTokenizerFast",
    }
    return PieceTokenizer(backend, config)
