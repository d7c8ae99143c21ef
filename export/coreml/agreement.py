"""Core ML's answers beside the evaluator's: where both can be had, they must agree.

Elsewhere the evaluator stands for Core ML, so a Mac is where it is seen whether it may.
"""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from compress.tasks.item_codes import FIRST_ITEM
from export.ranking_verification import Reference
from export.runner import Runner

if TYPE_CHECKING:
    from export.verification_set import VerificationSet


def compare_with_evaluator(
    core_ml: Runner, evaluator: Runner, scheme: str, verification: "VerificationSet"
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Ask both of the same package, and hold one against the other.

    Both compute with the same weights, so that what is allowed is what arithmetic explains: the
    tolerance of fp32 where the package computes in fp32, else that of fp16.

    Args:
        core_ml: The package through Core ML.
        evaluator: The package through limbeck's evaluator.
        scheme: The package's.
        verification: Real inputs.

    Returns:
        Figures for the file's details, and faults in words.
    """
    answers = verification.ask(evaluator).answers
    reference = verification.reference
    if isinstance(reference, Reference):
        items = answers["item_ids"]
        in_its_place: Any = replace(
            reference,
            scores=answers["scores"],
            item_ids=items,
            best=items,
            items=reference.codes - FIRST_ITEM,
        )
    else:
        in_its_place = replace(reference, answers=answers)
    asked = verification.ask(core_ml)
    check = replace(verification, reference=in_its_place).compare(
        asked, "fp32" if scheme == "fp32" else "fp16"
    )
    figures = {
        "evaluator_agreement": check.agreement,
        "evaluator_max_abs_difference": check.max_abs_difference,
    }
    faults = tuple(
        f"held against limbeck's evaluator in the student's place: {one}" for one in check.faults
    )
    return {name: one for name, one in figures.items() if one is not None}, faults
