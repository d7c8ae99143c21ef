from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compress.data.package_archive import PACKAGES
from compress.data.text_source import text_fingerprint, text_source
from compress.errors import DataError, DownloadError
from compress.recipe import PairData, TextData


def texts_of(**source: Any) -> TextData:
    return TextData.model_validate({"source": {"kind": "table", "train": "t.csv", **source}})


def pairs_of(**source: Any) -> PairData:
    return PairData.model_validate({"source": {"kind": "table", "train": "t.csv", **source}})


def test_paths_count_from_the_recipe_and_unlabelled_files_come_last() -> None:
    data = texts_of(test="more/b.tsv", validation="/c.csv", unlabelled=["d.csv", "e.csv"])
    source = text_source(data, Path("/recipes"))
    assert source.files == (
        ("train", Path("/recipes/t.csv")),
        ("validation", Path("/c.csv")),
        ("test", Path("/recipes/more/b.tsv")),
        ("unlabelled", Path("/recipes/d.csv")),
        ("unlabelled", Path("/recipes/e.csv")),
    )
    assert source.name == "t"
    assert [source.has(split) for split in ("train", "validation", "test", "dev")] == [
        True,
        True,
        True,
        False,
    ]
    assert not source.is_pair


def test_columns_are_those_of_the_recipe() -> None:
    columns = {"text": ["title", "body"], "joined_by": "\n", "label": "class", "group": "product"}
    source = text_source(texts_of(columns={**columns, "label_separator": "|"}), Path())
    assert (source.first, source.second, source.joined_by) == (("title", "body"), None, "\n")
    assert (source.label, source.label_separator, source.group) == ("class", "|", "product")
    columns = {"query": ["q"], "product": ["title", "brand"], "relevance": "esci"}
    pair = text_source(pairs_of(columns=columns), Path())
    assert (pair.first, pair.second, pair.label) == (("q",), ("title", "brand"), "esci")
    assert pair.group is None
    assert pair.is_pair


def test_a_model_may_not_read_its_label() -> None:
    with pytest.raises(DataError, match="'label' is both what the model reads and its label"):
        text_source(texts_of(columns={"text": ["title", "label"]}), Path())
    with pytest.raises(DataError, match="'brand' is both what the model reads and its relevance"):
        text_source(pairs_of(columns={"product": ["brand"], "relevance": "brand"}), Path())


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"test": "./t.csv"}, "t.csv is given as train and as test"),
        ({"test": "a.csv", "validation": "a.csv"}, "a.csv is given as validation and as test"),
        ({"test": "a.csv", "unlabelled": ["a.csv"]}, "a.csv is given as test and as unlabelled"),
    ],
)
def test_a_file_is_given_once(tmp_path: Path, files: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=message):
        text_source(texts_of(**files), tmp_path)


def test_training_texts_may_be_unlabelled_ones_too(tmp_path: Path) -> None:
    assert len(text_source(texts_of(unlabelled=["t.csv"]), tmp_path).files) == 2


def test_womens_clothing_is_grouped_by_product() -> None:
    data = TextData.model_validate(
        {"source": {"kind": "womens-clothing", "label": "department", "text": ["Title"]}}
    )
    try:
        source = text_source(data, Path())
    except DownloadError as error:
        pytest.skip(f"womens-clothing is not to be had here: {error}")
    assert (source.first, source.label, source.group) == (
        ("Title",),
        "Department Name",
        "Clothing ID",
    )


def add_a_row(folder: Path) -> None:
    with (folder / "t.csv").open("a") as file:
        file.write("more,a\n")


def swap_two(folder: Path) -> None:
    other = (folder / "t.csv").read_text()
    (folder / "t.csv").write_text((folder / "test.csv").read_text())
    (folder / "test.csv").write_text(other)


@pytest.mark.parametrize("edit", [add_a_row, swap_two])
def test_the_fingerprint_follows_the_files(tmp_path: Path, edit: Callable[[Path], None]) -> None:
    (tmp_path / "t.csv").write_text("text,label\nx,a\n")
    (tmp_path / "test.csv").write_text("text,label\ny,b\n")
    data = texts_of(test="test.csv")
    before = text_fingerprint(data, tmp_path)
    assert text_fingerprint(data, tmp_path) == before
    edit(tmp_path)
    assert text_fingerprint(data, tmp_path) != before


def test_the_fingerprint_of_a_missing_file_is_an_error_about_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"t\.csv: could not be read"):
        text_fingerprint(pairs_of(), tmp_path)


def test_the_fingerprint_of_built_in_data_is_its_pin(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    data = TextData.model_validate({"source": {"kind": "womens-clothing"}})
    before = text_fingerprint(data, Path())
    package = PACKAGES["womens-clothing"]
    other = replace(package, wheels=(replace(package.wheels[0], sha256="0" * 64),))
    monkeypatch.setitem(PACKAGES, "womens-clothing", other)
    assert text_fingerprint(data, Path()) != before
