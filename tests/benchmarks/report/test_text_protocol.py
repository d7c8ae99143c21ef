import pytest

from benchmarks.report.text_protocol import text_protocol_lines
from compress.recipe import TextLabelRecipe, TextPairRecipe

FILES = {"kind": "table", "train": "train.csv"}
STRATIFIED = {"kind": "stratified", "validation": 0.1, "test": 0.15, "seed": 3, "group": None}
GROUPED = {**STRATIFIED, "kind": "grouped", "validation": 0.125, "group": "product_id"}


def lines(recipe, groups=None, split_rule=STRATIFIED, **given):
    found = text_protocol_lines(
        recipe,
        examples=3522,
        groups=groups,
        split_rule=split_rule,
        outputs=20,
        queries=64,
        seconds=2.0,
        **given,
    )
    return " ".join(found)


def label(source, **task):
    return TextLabelRecipe.model_validate(
        {
            "name": "t",
            "seed": 7,
            "data": {"source": source},
            "task": {"kind": "text-label", **task},
            "student": {"kind": "text-cnn"},
        }
    )


def pair(**task):
    return TextPairRecipe.model_validate(
        {
            "name": "t",
            "data": {"source": FILES},
            "task": {"kind": "text-pair", **task},
            "student": {"kind": "text-cnn"},
        }
    )


def test_it_says_what_makes_figures_comparable(text_label_inputs):
    text = lines(text_label_inputs.recipe, groups=171, split_rule=GROUPED)
    for fact in (
        "one of 20 classes",
        "classes that occur in the test split",
        "two splits), 12.5% validation, 15% test, seed 3. 3,522 test texts in 171 groups.",
        "cut to 96 word pieces",
        "asked one at a time as an app does",
        "over groups, each drawn whole (200 resamples",
        "word pieces in, answer out: each text at its real length",
        "Teacher and student are asked the same texts.",
        "Only rows that take text itself (text-in) include tokenization",
        "at least 64 queries and 2 s over real test texts",
        "662 for p99",
    ):
        assert fact in text
    assert "Optimum" not in text


@pytest.mark.parametrize(
    ("split_rule", "groups", "said"),
    [
        (STRATIFIED, None, "Split: at random from each class, 10% validation, 15% test, seed 3."),
        (STRATIFIED, 9, "Split: at random from each class, 10% validation, 15% test, seed 3."),
        (GROUPED, 9, "Split: whole groups, classes balanced"),
        (GROUPED, None, "Split: whole groups, classes balanced"),  # a test text of each group
        (
            {**STRATIFIED, "test": None},
            None,
            "the test file is given; validation is cut from the training file, at random from "
            "each class, 10% of it, seed 3.",
        ),
        ({"kind": "given", "group": None}, None, "Split: as the files give it."),
    ],
)
def test_it_names_the_split_that_was_used(split_rule, groups, said):
    assert said in lines(label(FILES), groups, split_rule)


def test_scores_have_no_classes_to_be_divided():
    assert "Split: at random, 10% validation" in lines(pair(relevance="score"), groups=40)


def test_texts_without_groups_are_resampled_one_by_one():
    assert "intervals over texts (2,000 resamples, seed 7)" in lines(label(FILES))


def test_several_classes_a_text_have_a_threshold():
    text = lines(label(FILES, multi_label=True, threshold=0.4))
    assert "probability is above 0.4" in text
    assert "with the same classes" in text


def test_pairs_are_ranked_by_query_and_queries_resampled():
    text = lines(pair(relevant_from=0.5), groups=40)
    assert "mean gain over the probabilities of 20 grades" in text
    assert "equal scores in the worst order" in text
    assert "a gain of at least 0.5" in text
    assert "intervals over queries, each drawn whole" in text
    assert "3,522 test pairs" in text
    scored = lines(pair(relevance="score"), groups=40)
    assert "The ranking score of a pair is the model’s answer" in scored
    assert "both models put in the same order" in scored


def test_a_peer_is_measured_in_turn_with_ours(text_label_inputs):
    text = lines(text_label_inputs.recipe, groups=171, rounds=12)
    assert "the same student through other tools" in text
    assert "12 rounds in one session" in text
