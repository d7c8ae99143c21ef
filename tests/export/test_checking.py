"""A file that was just written is checked by whatever means the machine has."""

from dataclasses import replace

import pytest

from compress.recipe.artifacts import CoreMl, TensorRtRtx
from export import checking
from export.checking import check_file, median_gpu_ms
from export.formats import format_of
from export.samples import Samples
from export.targets import Machine
from export.verification_set import VerificationSet


@pytest.fixture
def verification(reference, signature):
    return VerificationSet.from_reference(reference, signature)


def _on(monkeypatch, **machine):
    monkeypatch.setattr(checking, "this_machine", lambda: Machine(**machine))


def test_an_engine_for_another_gpu_is_parsed_and_not_refused(
    monkeypatch, next_item_source, verification, tmp_path
):
    pytest.importorskip("tensorrt_rtx")
    pytest.importorskip("polygraphy")
    wanted = TensorRtRtx(format="tensorrt-rtx", target="sm86")
    known = format_of("tensorrt-rtx")
    emitted = known.emit(next_item_source, wanted, tmp_path)
    _on(monkeypatch, system="Linux", processor="x86_64", compute_capability="sm89")
    check, details = check_file(known, emitted, wanted.scheme, verification, wanted.device)
    assert check.checked == "parsed"
    assert check.faults == ()
    assert details["graph_agreement"] > 0.98
    _on(monkeypatch, system="Linux", processor="x86_64", compute_capability="sm86")
    check, _ = check_file(known, emitted, wanted.scheme, verification, wanted.device)
    assert check.checked == "run"  # or tried to be: this machine may have no such GPU


def test_on_a_mac_core_ml_and_the_evaluator_are_compared(
    monkeypatch, next_item_source, verification, tmp_path
):
    """Off a Mac the evaluator answers in the place of both."""
    pytest.importorskip("coremltools")
    wanted = CoreMl(format="coreml")
    known = format_of("coreml")
    emitted = known.emit(next_item_source, wanted, tmp_path)
    _, details = check_file(known, emitted, wanted.scheme, verification)
    assert "evaluator_agreement" not in details
    known = replace(known, run_systems=("Linux", "Darwin"))
    check, details = check_file(known, emitted, wanted.scheme, verification)
    assert check.faults == ()
    assert details["evaluator_agreement"] > 0.99


def test_the_gpus_time_is_the_median_over_the_examples(histories):
    class Timed:
        """Takes as many milliseconds as the call's number, squared."""

        calls = 0

        def __call__(self, inputs):
            assert inputs["history"].shape == (1, histories.shape[1])
            self.calls += 1

        @property
        def last_gpu_ms(self):
            return float(self.calls**2)

    assert median_gpu_ms(Timed(), Samples({"history": histories[:5]})) == 9.0
