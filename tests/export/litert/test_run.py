"""The runner takes what an app has: shorter texts, several rows, and files that are broken."""

import numpy as np
import pytest
import torch

from compress.errors import UserError
from export.litert.run import LiteRtRunner

pytest.importorskip("ai_edge_litert", reason="the litert extra is not installed")


def test_rows_are_answered_one_by_one_and_shorter_texts_padded(emitted, pieces):
    source, written = emitted("bert", "fp32")
    names = ("input_ids", "attention_mask")
    given = {name: pieces[name] for name in names}  # 6 texts of 20 pieces, the file takes 24
    with torch.inference_mode():
        (expected,) = source.module(*(torch.from_numpy(given[name]) for name in names))
    with LiteRtRunner(written.path) as runner:
        found = runner(pieces)
        short = runner({name: array[2:3, :7] for name, array in given.items()})
    assert list(found) == ["probabilities"]
    np.testing.assert_allclose(found["probabilities"], expected, atol=1e-5)
    np.testing.assert_allclose(short["probabilities"], expected[2:3], atol=1e-5)


def test_answers_are_the_callers_to_keep(emitted, histories):
    _, written = emitted("next-item", "fp32")
    with LiteRtRunner(written.path) as runner:
        first = runner({"history": histories[3:4]})
        kept = {name: array.copy() for name, array in first.items()}
        runner({"history": histories[4:5]})
    for name, array in first.items():
        np.testing.assert_array_equal(array, kept[name])


def test_a_batch_of_histories_is_answered_as_each_alone(emitted, histories):
    _, written = emitted("next-item", "int8-dynamic")
    with LiteRtRunner(written.path, threads=2) as runner:
        together = runner({"history": histories[:5]})
        alone = [runner({"history": histories[row : row + 1]}) for row in range(5)]
    for name, array in together.items():
        np.testing.assert_array_equal(array, np.concatenate([one[name] for one in alone]))


def test_arrays_may_lie_in_memory_as_they_like(emitted, histories):
    _, written = emitted("next-item", "fp32")
    with LiteRtRunner(written.path) as runner:
        plain = runner({"history": histories[3:4]})
        strided = runner({"history": np.asfortranarray(histories[3:9:2])[:1]})
        reversed_twice = runner({"history": histories[3:4, ::-1].copy()[:, ::-1]})
    for found in (strided, reversed_twice):
        np.testing.assert_array_equal(found["item_ids"], plain["item_ids"])


def test_it_says_what_it_is_checked_with(emitted):
    _, written = emitted("next-item", "fp32")
    with LiteRtRunner(written.path) as runner:
        assert runner.inputs == ("history",)
        assert runner.checked_with.startswith("LiteRT 2")


@pytest.mark.parametrize("kind", ["next-item", "bert"])
@pytest.mark.parametrize("scheme", ["fp32", "int8-dynamic"])
@pytest.mark.parametrize("share", [0.0, 0.0001, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_refused(emitted, kind, scheme, share):
    _, written = emitted(kind, scheme)
    content = written.path.read_bytes()
    written.path.write_bytes(content[: int(len(content) * share)])
    with (
        pytest.raises(UserError, match=r"tflite is not a LiteRT file that LiteRT can load"),
        LiteRtRunner(written.path),
    ):
        pass


def test_a_file_without_its_last_byte_or_of_another_format_is_refused(emitted):
    _, written = emitted("next-item", "fp32")
    content = written.path.read_bytes()
    for broken in (content[:-1], b"no model at all " * 8):
        written.path.write_bytes(broken)
        with pytest.raises(UserError, match="is not a LiteRT file"), LiteRtRunner(written.path):
            pass


def test_a_missing_file_is_named(tmp_path):
    with (
        pytest.raises(UserError, match=r"nowhere\.tflite is not a LiteRT file"),
        LiteRtRunner(tmp_path / "nowhere.tflite"),
    ):
        pass


def test_what_does_not_fit_the_file_is_refused(emitted, histories, pieces):
    _, written = emitted("next-item", "fp32")
    with LiteRtRunner(written.path) as runner:
        with pytest.raises(UserError, match="takes history of length 12, and was given 11"):
            runner({"history": histories[:1, 1:]})
        with pytest.raises(UserError, match="takes history, and was given input_ids"):
            runner({"input_ids": pieces["input_ids"]})
    _, written = emitted("bert", "fp32")
    longer = {name: np.ones((1, 25), np.int32) for name in ("input_ids", "attention_mask")}
    with (
        LiteRtRunner(written.path) as runner,
        pytest.raises(UserError, match="of length 24, and was given 25"),
    ):
        runner(longer)


def test_an_item_that_the_table_does_not_have_is_an_error_not_a_crash(emitted, histories):
    _, written = emitted("next-item", "fp32")
    unknown = histories[:1].copy()
    unknown[0, -1] = 100_000
    with LiteRtRunner(written.path) as runner:
        with pytest.raises(UserError, match="cannot answer"):
            runner({"history": unknown})
        assert runner({"history": histories[:1]})["item_ids"].shape == (1, 25)


def test_loading_says_nothing_on_the_error_stream(emitted, capfd):
    _, written = emitted("next-item", "int8-dynamic")
    capfd.readouterr()
    with LiteRtRunner(written.path):
        pass
    assert capfd.readouterr() == ("", "")
