from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from compress.data import pieces as pieces_module
from compress.data.pieces import PieceCounts, Pieces, write_pieces
from compress.errors import DataError

PADDING, UNKNOWN = 0, 1


@dataclass(frozen=True)
class Letters:
    """Pieces are letters: a is 2, b is 3, ...; capitals are unknown; the longer text is cut."""

    unknown_id: int | None = UNKNOWN

    def encode(
        self, first: list[str], second: list[str] | None, max_length: int
    ) -> list[tuple[list[int], int, bool]]:
        rows = []
        for index, text in enumerate(first):
            ids, more = self._ids(text), self._ids(second[index]) if second else []
            was_cut = len(ids) + len(more) > max_length
            ids = ids[: max(max_length - len(more), 0)]
            more = more[: max_length - len(ids)]
            rows.append((ids + more, len(ids), was_cut))
        return rows

    def _ids(self, text: str) -> list[int]:
        return [ord(letter) - 95 if letter.islower() else UNKNOWN for letter in text]


@dataclass(frozen=True)
class Rows:
    first: list[str]
    second: list[str] | None = None

    def __len__(self) -> int:
        return len(self.first)

    def texts(self, rows: NDArray[np.int64]) -> tuple[list[str], list[str] | None]:
        second = self.second
        return [self.first[row] for row in rows], second and [second[row] for row in rows]


def test_rows_are_padded_to_the_longest_of_their_batch(tmp_path: Path) -> None:
    write_pieces(tmp_path, "train", Letters(), Rows(["abc", "a", "", "ab"]), 8)
    pieces = Pieces.open(tmp_path, "train", PADDING)
    assert len(pieces) == 4
    assert pieces.lengths.tolist() == [3, 1, 0, 2]
    batch = pieces.batch(np.array([3, 1]))
    assert batch.input_ids.tolist() == [[2, 3], [2, 0]]
    assert batch.attention_mask.tolist() == [[1, 1], [1, 0]]
    assert batch.token_type_ids.tolist() == [[0, 0], [0, 0]]
    for array in (batch.input_ids, batch.attention_mask, batch.token_type_ids):
        assert array.dtype == np.int64


def test_the_second_text_of_a_pair_has_token_type_1(tmp_path: Path) -> None:
    write_pieces(tmp_path, "test", Letters(), Rows(["ab", "a", "c"], ["c", "bcd", ""]), 8)
    batch = Pieces.open(tmp_path, "test", padding_id=9).batch(np.array([0, 1, 2]))
    assert batch.input_ids.tolist() == [[2, 3, 4, 9], [2, 3, 4, 5], [4, 9, 9, 9]]
    assert batch.token_type_ids.tolist() == [[0, 0, 1, 0], [0, 1, 1, 1], [0, 0, 0, 0]]


def test_what_was_cut_off_or_unknown_is_counted(tmp_path: Path) -> None:
    texts = Rows(["abcde", "abc", "XaY", ""])
    counts = write_pieces(tmp_path, "train", Letters(), texts, 3)
    assert counts == PieceCounts(texts=4, pieces=9, truncated=1, unknown=2, longest=3)
    assert PieceCounts.read(tmp_path, "train") == counts
    without_unknown = write_pieces(tmp_path, "all", Letters(unknown_id=None), texts, 3)
    assert without_unknown.unknown == 0


def test_no_texts_are_no_rows(tmp_path: Path) -> None:
    counts = write_pieces(tmp_path, "unlabelled", Letters(), Rows([]), 3)
    assert counts == PieceCounts(0, 0, 0, 0, 0)
    pieces = Pieces.open(tmp_path, "unlabelled", PADDING)
    assert len(pieces) == 0
    assert pieces.batch(np.array([], np.int64)).input_ids.shape == (0, 1)


def test_a_batch_of_empty_rows_still_has_one_column(tmp_path: Path) -> None:
    write_pieces(tmp_path, "test", Letters(), Rows(["", ""]), 3)
    batch = Pieces.open(tmp_path, "test", padding_id=7).batch(np.array([0, 1]))
    assert batch.input_ids.tolist() == [[7], [7]]
    assert batch.attention_mask.tolist() == [[0], [0]]


def test_progress_ends_at_the_whole(tmp_path: Path) -> None:
    said: list[tuple[str, float]] = []
    texts = Rows(["a"] * 1500)
    write_pieces(tmp_path, "t", Letters(), texts, 3, progress=lambda *news: said.append(news))
    assert said == [
        ("1,024 of 1,500 texts cut into pieces", 1024 / 1500),
        ("1,500 of 1,500 texts cut into pieces", 1.0),
    ]


TEXT = st.text("abcXY", max_size=6)


@settings(max_examples=50, deadline=None)
@given(
    pairs=st.lists(st.tuples(TEXT, TEXT), max_size=9),
    is_pair=st.booleans(),
    max_length=st.integers(1, 7),
    at_once=st.integers(1, 4),
    data=st.data(),
)
def test_any_batch_holds_what_the_tokenizer_said(
    tmp_path_factory: pytest.TempPathFactory,
    pairs: list[tuple[str, str]],
    is_pair: bool,
    max_length: int,
    at_once: int,
    data: st.DataObject,
) -> None:
    folder = tmp_path_factory.mktemp("pieces")
    first, second = [one for one, _ in pairs], [two for _, two in pairs] if is_pair else None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces_module, "_TEXTS_AT_ONCE", at_once)
        write_pieces(folder, "x", Letters(), Rows(first, second), max_length)
    expected = Letters().encode(first, second, max_length)
    rows = data.draw(st.lists(st.integers(0, len(pairs) - 1))) if pairs else []
    batch = Pieces.open(folder, "x", PADDING).batch(np.array(rows, np.int64))
    for place, row in enumerate(rows):
        ids, begins, _ = expected[row]
        padding = batch.input_ids.shape[1] - len(ids)
        assert batch.input_ids[place].tolist() == ids + [PADDING] * padding
        assert batch.attention_mask[place].tolist() == [1] * len(ids) + [0] * padding
        types = [int(index >= begins) for index in range(len(ids))] + [0] * padding
        assert batch.token_type_ids[place].tolist() == types


@pytest.mark.parametrize("part", ["pieces", "offsets", "seconds"])
def test_files_that_do_not_fit_together_are_refused(tmp_path: Path, part: str) -> None:
    write_pieces(tmp_path, "train", Letters(), Rows(["abc", "a"]), 8)
    file = tmp_path / f"train.{part}.npy"
    np.save(file, np.load(file)[:-1])
    with pytest.raises(DataError, match="'train' are not whole: the files disagree in length"):
        Pieces.open(tmp_path, "train", PADDING)
    np.save(file, np.load(file).astype(np.float64))
    with pytest.raises(DataError, match="another type of number"):
        Pieces.open(tmp_path, "train", PADDING)
    file.unlink()
    with pytest.raises(DataError, match="FileNotFoundError.*Delete the folder and run again"):
        Pieces.open(tmp_path, "train", PADDING)


def test_damaged_counts_are_refused(tmp_path: Path) -> None:
    (tmp_path / "train.counts.json").write_text("{}")
    with pytest.raises(DataError, match="'train' are not whole"):
        PieceCounts.read(tmp_path, "train")
