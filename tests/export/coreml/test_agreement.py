"""Two runtimes of one package must answer alike; here both are the evaluator, of two packages."""

import pytest

from export.coreml.agreement import compare_with_evaluator
from export.coreml.run import CoreMlRunner
from export.samples import Samples
from export.text_verification import TextReference
from export.verification_set import VerificationSet


@pytest.fixture(scope="module")
def verification(reference, signature):
    return VerificationSet.from_reference(reference, signature)


def _compare(one, other, scheme, verification):
    with CoreMlRunner(one) as core_ml, CoreMlRunner(other, is_reference=True) as evaluator:
        return compare_with_evaluator(core_ml, evaluator, scheme, verification)


def test_what_answers_alike_agrees(emitted, verification):
    path = emitted("palettized-4").path
    figures, faults = _compare(path, path, "palettized-4", verification)
    assert figures == {"evaluator_agreement": 1.0, "evaluator_max_abs_difference": 0.0}
    assert faults == ()


def test_roundings_of_fp16_are_allowed_but_not_to_fp32(emitted, verification):
    one, other = emitted("fp16").path, emitted("fp32").path
    figures, faults = _compare(one, other, "fp16", verification)
    assert 0.99 <= figures["evaluator_agreement"] <= 1.0
    assert 0 < figures["evaluator_max_abs_difference"] < 0.05
    assert faults == ()
    _, faults = _compare(one, other, "fp32", verification)
    assert faults


def test_what_answers_otherwise_is_a_fault_however_coarse_the_scheme(emitted, verification):
    one, other = emitted("palettized-4").path, emitted("fp16").path
    _, faults = _compare(one, other, "palettized-4", verification)
    assert any("limbeck's evaluator" in one and "top-10 overlap" in one for one in faults)


def test_texts_are_compared_too(text_package, pieces):
    path, source = text_package
    names = [one.name for one in source.signature.inputs]
    samples = Samples({name: pieces[name][:40] for name in names})
    with CoreMlRunner(path) as runner:
        answers = runner(samples.arrays)
    reference = TextReference(samples, answers, "one-of")
    verification = VerificationSet.from_reference(reference, source.signature)
    figures, faults = _compare(path, path, "fp32", verification)
    assert figures == {"evaluator_agreement": 1.0, "evaluator_max_abs_difference": 0.0}
    assert faults == ()
