import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.data.text_dataset import SPLITS, Examples, TextDataset
from compress.errors import DataError

Prepare = Callable[..., TextDataset]


def rows(count: int, **more: object) -> list[dict[str, object]]:
    return [{"text": f"text {n}", "label": "ab"[n % 2], **more} for n in range(count)]


@given(chunks=st.lists(st.lists(st.text(max_size=3), max_size=4), max_size=5), data=st.data())
def test_texts_come_in_the_order_asked_for(chunks: list[list[str]], data: st.DataObject) -> None:
    flat = [text for chunk in chunks for text in chunk]
    column = pa.chunked_array(chunks, pa.large_string())
    examples = Examples(column, column, np.zeros(len(flat)), np.arange(len(flat)))
    wanted = data.draw(st.lists(st.integers(0, len(flat) - 1))) if flat else []
    expected = [flat[row] for row in wanted]
    assert examples.texts(np.array(wanted, np.int64)) == (expected, expected)


@pytest.mark.parametrize("row", [-1, 3])
def test_a_row_that_is_not_there_is_an_error(row: int) -> None:
    column = pa.chunked_array([["a", "b", "c"]], pa.large_string())
    examples = Examples(column, None, np.zeros(3), np.arange(3))
    with pytest.raises(IndexError, match=f"rows {row} to {row} of 3 examples"):
        examples.texts(np.array([row]))


def test_an_opened_data_set_is_what_was_prepared(prepare_rows: Prepare) -> None:
    dataset = prepare_rows({"train": rows(40), "unlabelled": rows(3)})
    assert (dataset.name, dataset.is_pair, dataset.target) == ("train", False, "one-of")
    assert (dataset.classes, dataset.gains, dataset.outputs) == (("a", "b"), None, 2)
    assert dataset.split_rule == {
        "kind": "stratified",
        "validation": 0.1,
        "test": 0.15,
        "seed": 1,
        "group": None,
    }
    seen = []
    for name in ("train", "validation", "test"):
        examples = dataset.split(name)
        assert len(examples) == dataset.counts[f"{name}_texts"]
        texts, second = examples.texts(np.arange(len(examples)))
        assert second is None
        numbers = [int(text.removeprefix("text ")) for text in texts]
        assert examples.targets.tolist() == [number % 2 for number in numbers]
        seen += numbers
    assert sorted(seen) == list(range(40))
    unlabelled = dataset.split("unlabelled")
    assert unlabelled.texts(np.array([2, 0]))[0] == ["text 2", "text 0"]
    assert unlabelled.targets.tolist() == [0, 0, 0]
    assert unlabelled.targets.dtype == np.int64
    assert unlabelled.groups.tolist() == [0, 1, 2]


def test_the_arrays_are_mapped_not_read(prepare_rows: Prepare) -> None:
    examples = prepare_rows({"train": rows(40)}).split("train")
    for array in (examples.targets, examples.groups):
        assert isinstance(array.base, np.memmap)
        assert not array.flags.writeable


def test_a_score_has_one_output(prepare_rows: Prepare) -> None:
    pairs = [{"query": f"q{n // 4}", "product": f"p{n}", "relevance": n / 7} for n in range(60)]
    dataset = prepare_rows({"train": pairs}, task={"relevance": "score"}, pairs=True)
    assert (dataset.outputs, dataset.classes, dataset.gains) == (1, (), None)
    examples = dataset.split("train")
    first, second = examples.texts(np.arange(3))
    assert second is not None
    numbers = [int(text.removeprefix("p")) for text in second]
    assert first == [f"q{number // 4}" for number in numbers]
    assert examples.targets[:3].tolist() == [np.float32(number / 7) for number in numbers]
    assert dataset.split("unlabelled").targets.shape == (0,)


def test_several_classes_have_a_column_each(prepare_rows: Prepare) -> None:
    several = [{"text": f"{n}", "label": ["a"] if n % 2 else ["a", "b"]} for n in range(40)]
    dataset = prepare_rows({"train": several, "unlabelled": rows(2)}, task={"multi_label": True})
    assert dataset.outputs == 2
    examples = dataset.split("test")
    texts, _ = examples.texts(np.arange(len(examples)))
    assert examples.targets.tolist() == [[1, float(int(text) % 2 == 0)] for text in texts]
    assert dataset.split("unlabelled").targets.tolist() == [[0, 0], [0, 0]]


def cut_short(folder: Path) -> None:
    file = folder / "train.arrow"
    file.write_bytes(file.read_bytes()[:-100])


def without_a_target(folder: Path) -> None:
    np.save(folder / "test.targets.npy", np.load(folder / "test.targets.npy")[1:])


def without_a_file(folder: Path) -> None:
    (folder / "validation.groups.npy").unlink()


def other_texts(folder: Path) -> None:
    (folder / "test.arrow").write_bytes((folder / "train.arrow").read_bytes())


def other_schema(folder: Path) -> None:
    description = json.loads((folder / "dataset.json").read_text())
    (folder / "dataset.json").write_text(json.dumps({**description, "schema": 0}))


def no_json(folder: Path) -> None:
    (folder / "dataset.json").write_text("{")


@pytest.mark.parametrize(
    "damage",
    [cut_short, without_a_target, without_a_file, other_texts, other_schema, no_json],
)
def test_damage_is_found_on_opening(
    prepare_rows: Prepare, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    prepare_rows({"train": rows(40)})
    damage(tmp_path / "prepared")
    with pytest.raises(DataError, match="not a whole prepared data set: .* Delete the folder"):
        TextDataset.open(tmp_path / "prepared")


def test_every_split_has_its_files_and_no_others(prepare_rows: Prepare, tmp_path: Path) -> None:
    prepare_rows({"train": rows(40)})
    arrays = {f"{name}.{part}.npy" for name in SPLITS[:3] for part in ("targets", "groups")}
    texts = {f"{name}.arrow" for name in SPLITS}
    assert {path.name for path in (tmp_path / "prepared").iterdir()} == {
        "dataset.json",
        *arrays,
        *texts,
    }
