"""The tokenizer of a student, as its recipe says."""

from collections.abc import Iterable
from pathlib import Path

from compress.recipe import Tokenizer
from compress.teachers.pretrained import pretrained_fingerprint, resolve_pretrained
from compress.tokenizers.characters import character_tokenizer
from compress.tokenizers.narrowing import count_pieces, narrow
from compress.tokenizers.pretrained import load_pretrained_tokenizer
from compress.tokenizers.tokenizer import PieceTokenizer
from compress.tokenizers.vocabulary_map import VocabularyMap

KEY = "student.tokenizer.source"
_MADE_HERE = ("teacher", "characters")


def student_tokenizer(
    section: Tokenizer,
    teacher_tokenizer: PieceTokenizer,
    texts: Iterable[str],
    max_length: int,
    recipe_folder: Path,
    *,
    cache: Path | None = None,
) -> tuple[PieceTokenizer, VocabularyMap]:
    """Make the student's tokenizer.

    Args:
        section: The recipe's.
        teacher_tokenizer: How the teacher's texts are cut.
        texts: The training texts, of pairs both, each on its own. Read several times.
        max_length: Pieces that the student sees of a text.
        recipe_folder: What a folder in the recipe is relative to.
        cache: Where downloads are kept; None: the usual place.

    Returns:
        The tokenizer, and the map of its pieces to the teacher's.

    Raises:
        UserError: There is no such tokenizer, or its vocabulary cannot be narrowed.
        DownloadError: It cannot be had.
    """
    if section.source == "characters":
        own = character_tokenizer(texts, section.minimum_count)
        counts = count_pieces(own, texts, max_length)
        return own, VocabularyMap.between(own, teacher_tokenizer, counts)
    whole = teacher_tokenizer
    if section.source != "teacher":
        name = resolve_pretrained(section.source, recipe_folder)
        whole = load_pretrained_tokenizer(name, KEY, cache)
    if section.minimum_count is None:
        own, counts = whole, count_pieces(whole, texts, max_length)
    else:
        own, counts = narrow(whole, texts, section.minimum_count, max_length)
    return own, VocabularyMap.between(own, teacher_tokenizer, counts, narrowed=whole)


def tokenizer_fingerprint(section: Tokenizer, recipe_folder: Path) -> object:
    """Return what tells two tokenizers of one name apart; downloads nothing.

    None: it is made of what the run has already.
    """
    if section.source in _MADE_HERE:
        return None
    return pretrained_fingerprint(resolve_pretrained(section.source, recipe_folder))
