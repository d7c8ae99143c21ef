"""How the figures of a report on text came about, in sentences that are printed with them."""

from collections.abc import Mapping
from typing import Any

from benchmarks.report.protocol import latency_lines, peer_line
from compress.recipe import AnyTextRecipe, TextLabelRecipe, TextPairRecipe


def text_protocol_lines(
    recipe: AnyTextRecipe,
    *,
    examples: int,
    groups: int | None,
    split_rule: Mapping[str, Any],
    outputs: int,
    queries: int,
    seconds: float,
    rounds: int | None = None,
) -> tuple[str, ...]:
    """Return the evaluation protocol.

    Args:
        recipe: The job.
        examples: Texts or pairs of the test split.
        groups: Groups (products, queries) of the test split; None where the data has none.
        split_rule: How the splits were made: `compress.data.text_dataset.TextDataset.split_rule`.
        outputs: Classes or grades; 1 where relevance is a score.
        queries: Least number of latency queries, as really asked for (`--quick` lowers it).
        seconds: Least time of asking them.
        rounds: In which our file and a peer were asked in turn; None where there is no peer.
    """
    benchmark, what = recipe.benchmark, _what(recipe)
    units = _units(recipe, grouped=groups is not None)
    peers = () if rounds is None else (peer_line(rounds),)
    return (
        *_task_lines(recipe, outputs),
        f"{_split_line(recipe, split_rule)} {examples:,} test {what}"
        + ("." if groups is None else f" in {groups:,} groups."),
        f"Longer texts are cut to {recipe.task.max_length} word pieces, special ones included, "
        "each model by its own tokenizer; how many were cut is counted.",
        f"Every row answered every one of the test {what} through its own runtime: the figures of "
        "a file are the file’s, asked one at a time as an app does.",
        f"Brackets are 95% percentile-bootstrap intervals over {units}"
        + ("" if units == what else ", each drawn whole")
        + f" ({benchmark.bootstrap:,} resamples, seed {recipe.seed}); differences and ratios "
        f"resample the same {units} for both sides. An interval that crosses no difference "
        "supports no claim.",
        _fidelity_line(recipe),
        "Latency is the model’s alone, word pieces in, answer out: each text at its real length, "
        "without padding, in the pieces of the row’s own tokenizer. Teacher and student are asked "
        "the same texts. Only rows that take text itself (text-in) include tokenization.",
        *latency_lines(benchmark, queries=queries, seconds=seconds, inputs=f"real test {what}"),
        *peers,
    )


def _what(recipe: AnyTextRecipe) -> str:
    return "texts" if isinstance(recipe, TextLabelRecipe) else "pairs"


def _units(recipe: AnyTextRecipe, *, grouped: bool) -> str:
    """Return what is independent of each other, and so is resampled."""
    if isinstance(recipe, TextPairRecipe):
        return "queries"
    return "groups" if grouped else "texts"


def _task_lines(recipe: AnyTextRecipe, outputs: int) -> tuple[str, ...]:
    if isinstance(recipe, TextPairRecipe):
        return _pair_lines(recipe, outputs)
    averages = (
        "Macro figures are the plain mean over the classes that occur in the test split, so a rare "
        "class counts as much as a frequent one; micro figures count all answers together. "
    )
    if recipe.task.multi_label:
        return (
            f"Each of {outputs:,} classes is answered on its own: a text has those whose "
            f"probability is above {recipe.task.threshold:g}. Accuracy is the share of texts with "
            "every class right.",
            averages + "The calibration error compares probabilities with how often they come "
            "true, over every pair of text and class, in 15 bins (Guo et al. 2017).",
        )
    return (
        f"Each text is put into one of {outputs:,} classes, the most probable one.",
        averages + "The calibration error compares the probability of the answer with how often "
        "it is right, in 15 bins (Guo et al. 2017).",
    )


def _pair_lines(recipe: TextPairRecipe, outputs: int) -> tuple[str, ...]:
    task = recipe.task
    said = (
        f"The ranking score of a pair is its mean gain over the probabilities of {outputs:,} grades"
        if task.relevance == "grade"
        else "The ranking score of a pair is the model’s answer"
    )
    least = (
        "the highest gain"
        if task.relevant_from is None
        else f"a gain of at least {task.relevant_from:g}"
    )
    return (
        f"{said}; the products of a query are ranked by it, equal scores in the worst order.",
        "NDCG@10 is the mean over queries of the gains divided by log2(place + 1), relative to the "
        "best order; MRR@10 is 1 / the place of the first product that is relevant, of "
        f"{least}, 0 outside the first 10. Queries with nothing to find are left out. Spearman’s ρ "
        "is over all pairs.",
    )


def _split_line(recipe: AnyTextRecipe, split_rule: Mapping[str, Any]) -> str:
    if split_rule["kind"] == "given":
        return "Split: as the files give it."
    rule = "at random"
    if split_rule["kind"] == "grouped":
        rule = "whole groups, classes balanced (no group is in two splits)"
    elif recipe.task.target != "score":
        rule = "at random from each class"
    validation, test, seed = (split_rule[key] for key in ("validation", "test", "seed"))
    if test is None:
        return (
            "Split: the test file is given; validation is cut from the training file, "
            f"{rule}, {100 * validation:g}% of it, seed {seed}."
        )
    shares = f"{100 * validation:g}% validation, {100 * test:g}% test"
    return f"Split: {rule}, {shares}, seed {seed}."


def _fidelity_line(recipe: AnyTextRecipe) -> str:
    difference = "and for a file the largest difference of an answer from the PyTorch student’s."
    if isinstance(recipe, TextPairRecipe) and recipe.task.relevance == "score":
        return (
            "Fidelity: share of any two test pairs that both models put in the same order "
            f"(Kendall 1945); {difference}"
        )
    if isinstance(recipe, TextLabelRecipe) and recipe.task.multi_label:
        return f"Fidelity: share of the test texts with the same classes; {difference}"
    same = "class" if isinstance(recipe, TextLabelRecipe) else "grade"
    return f"Fidelity: share of the test {_what(recipe)} with the same {same}; {difference}"
