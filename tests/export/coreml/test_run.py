"""The runner asks one example at a time, pads texts, and says who answered."""

import platform

import numpy as np
import pytest

from compress.errors import UserError
from export.coreml.run import CoreMlRunner

needs_no_mac = pytest.mark.skipif(platform.system() == "Darwin", reason="Core ML itself answers")


@pytest.fixture
def several_lengths(text_package):
    return text_package[0]


def test_rows_are_asked_one_by_one(emitted, histories):
    with CoreMlRunner(emitted("fp16").path) as runner:
        together = runner({"history": histories[:3], "other": histories})
        alone = [runner({"history": histories[row : row + 1]}) for row in range(3)]

    assert together["item_ids"].shape == (3, 25)
    for name, answer in together.items():
        np.testing.assert_array_equal(answer, np.concatenate([one[name] for one in alone]))


def test_a_text_is_padded_to_the_shortest_length_that_holds_it(several_lengths, pieces):
    asked = []
    with CoreMlRunner(several_lengths) as runner:
        answer = runner._answer
        runner._answer = lambda given: asked.append(given["input_ids"].shape) or answer(given)
        for length in (1, 8, 9, 16):
            runner({name: one[:1, :length] for name, one in pieces.items()})

    assert asked == [(1, 8), (1, 8), (1, 16), (1, 16)]


def test_padding_changes_no_answer(several_lengths, pieces):
    row = {name: one[5:6] for name, one in pieces.items()}
    with CoreMlRunner(several_lengths) as runner:
        answers = [
            runner({name: one[:, :length] for name, one in row.items()})["probabilities"]
            for length in (3, 8, 12)
        ]

    np.testing.assert_allclose(answers, np.broadcast_to(answers[0], (3, 1, 3)), atol=1e-6)


def test_a_text_longer_than_any_length_is_refused(several_lengths, pieces):
    longest = {name: np.resize(one, (1, 24)) for name, one in pieces.items()}
    with (
        CoreMlRunner(several_lengths) as runner,
        pytest.raises(UserError, match="takes 24 pieces at most, and was given 25"),
    ):
        runner({name: np.pad(one, ((0, 0), (0, 1))) for name, one in longest.items()})


def test_a_history_of_another_length_is_refused(emitted, histories):
    with (
        CoreMlRunner(emitted("fp16").path) as runner,
        pytest.raises(UserError, match=r"takes history \[1, 12\]"),
    ):
        runner({"history": histories[:1, 1:]})


def test_what_is_missing_is_named(several_lengths, pieces):
    with (
        CoreMlRunner(several_lengths) as runner,
        pytest.raises(UserError, match="attention_mask is not given"),
    ):
        runner({"input_ids": pieces["input_ids"]})


@needs_no_mac
def test_off_a_mac_the_evaluator_answers_and_says_so(emitted):
    with CoreMlRunner(emitted("fp16").path) as runner:
        assert runner.is_reference
        assert runner.checked == "evaluated"
        assert runner.checked_with.startswith("limbeck's evaluator of the MIL program (coremltools")


@needs_no_mac
def test_on_a_mac_core_ml_itself_is_asked(emitted, monkeypatch):
    monkeypatch.setattr(platform, "system", lambda: "Darwin")
    monkeypatch.setattr(platform, "mac_ver", lambda: ("15.1", ("", "", ""), "arm64"))
    runner = CoreMlRunner(emitted("fp16").path)

    assert not runner.is_reference
    assert runner.checked == "run"
    assert runner.checked_with == "Core ML on macOS 15.1"


def test_the_metadata_is_the_signature(emitted, signature):
    with CoreMlRunner(emitted("palettized-4").path) as runner:
        assert runner.metadata == signature.metadata()


def test_nothing_is_loaded_before_with(tmp_path):
    runner = CoreMlRunner(tmp_path / "none.mlpackage")

    with pytest.raises(RuntimeError, match="inside `with`"):
        runner({})
    with pytest.raises(UserError, match=r"none\.mlpackage"), runner:
        pass


@pytest.mark.skipif(platform.system() != "Darwin", reason="Core ML runs on a Mac only")
@pytest.mark.parametrize("scheme", ["fp16", "int8-weight", "palettized-6"])
def test_core_ml_and_the_evaluator_agree(scheme, emitted, histories):
    from export.coreml.evaluate import Evaluator

    path = emitted(scheme).path
    evaluator = Evaluator(path)
    with CoreMlRunner(path) as runner:
        for row in range(20):
            given = {"history": histories[row : row + 1]}
            core_ml, expected = runner(given), evaluator(given)
            np.testing.assert_allclose(core_ml["scores"], expected["scores"], atol=0.05)
            common = np.intersect1d(core_ml["item_ids"], expected["item_ids"])
            assert len(common) >= 0.9 * expected["item_ids"].size
