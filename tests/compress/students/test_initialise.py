from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from torch.testing import assert_close
from transformers import AutoModelForSequenceClassification, MPNetConfig, RobertaConfig

from compress.errors import UserError
from compress.networks.hugging_face import HuggingFaceModel
from compress.recipe import Initialise
from compress.students.bert import bert_student
from compress.students.initialise import initialise, matching_layers, principal_components
from compress.students.mean_pooled import MeanPooledStudent
from compress.students.mobilebert import mobilebert_student
from compress.students.text_cnn import TextCnnStudent
from compress.tokenizers.vocabulary_map import VocabularyMap

TEACHER_IDS = [0, 2, 3, 40, 41, 42, 43, 44, -1]
GIVEN = {"pieces": 9, "outputs": 3, "max_length": 10, "padding_id": 0}


@pytest.fixture(scope="module")
def teacher(make_tiny_bert: Callable[..., Path], tmp_path_factory) -> HuggingFaceModel:
    folder = make_tiny_bert(tmp_path_factory.mktemp("teacher"), num_hidden_layers=4)
    classifiers: Any = AutoModelForSequenceClassification
    return HuggingFaceModel(classifiers.from_pretrained(folder, attn_implementation="eager"))


def pieces(ids=TEACHER_IDS) -> VocabularyMap:
    rows = np.array(ids, dtype=np.int64)
    return VocabularyMap(tuple(f"p{n}" for n in range(len(ids))), rows, np.ones_like(rows), rows)


def bert(width=32, layers=2, heads=4, intermediate=64) -> HuggingFaceModel:
    torch.manual_seed(5)
    return bert_student(
        width=width, layers=layers, heads=heads, intermediate=intermediate, dropout=0.0, **GIVEN
    )


@pytest.mark.parametrize(
    ("rule", "student", "teacher_layers", "expected"),
    [
        ("uniform", 2, 4, [(0, 1), (1, 3)]),
        ("uniform", 3, 6, [(0, 1), (1, 3), (2, 5)]),
        ("uniform", 4, 6, [(0, 1), (1, 2), (2, 4), (3, 5)]),
        ("uniform", 3, 2, [(0, 0), (1, 0), (2, 1)]),
        ("first", 2, 4, [(0, 0), (1, 1)]),
        ("last", 2, 4, [(0, 2), (1, 3)]),
        ("last", 3, 2, [(1, 0), (2, 1)]),
        ((3, 0), 2, 4, [(0, 3), (1, 0)]),
    ],
)
def test_layers_are_chosen_by_rule_or_number(rule, student, teacher_layers, expected):
    assert matching_layers(rule, student, teacher_layers) == expected


@pytest.mark.parametrize("rule", [(0,), (0, 1, 2), (0, 4)])
def test_layers_that_there_are_not_are_refused(rule, teacher):
    with pytest.raises(UserError, match=r"the student has 2 layers, and .* 0 to 3"):
        initialise(bert(), teacher, Initialise(layers=rule), pieces())


def test_layers_and_embeddings_of_a_student_as_wide_as_its_teacher_are_copied(teacher):
    student = bert()
    said = initialise(student, teacher, Initialise(layers="uniform"), pieces())
    for own, theirs in ((0, 1), (1, 3)):
        assert_close(student.layers()[own].state_dict(), teacher.layers()[theirs].state_dict())
    words, rows = student.word_embeddings().weight, teacher.word_embeddings().weight
    assert_close(words[1:8], rows[TEACHER_IDS[1:8]])
    assert not words[0].any()  # padding
    own, theirs = student.embeddings(), teacher.embeddings()
    assert_close(own.position_embeddings.weight, theirs.position_embeddings.weight[:10])
    assert_close(own.token_type_embeddings.weight, theirs.token_type_embeddings.weight)
    assert said == [
        "Layers begin as layers of the teacher: 0 as the teacher's 1, 1 as the teacher's 3.",
        "Embeddings of 8 of 9 pieces begin as the teacher's.",
    ]


def test_a_student_with_the_teachers_layers_answers_as_its_encoder_does(teacher):
    student = bert(layers=4).eval()
    initialise(student, teacher, Initialise(), pieces())
    ids = torch.tensor([[1, 4, 5, 6, 2]])
    known = torch.tensor([[TEACHER_IDS[one] for one in ids[0].tolist()]])
    ones, zeros = torch.ones_like(ids), torch.zeros_like(ids)
    own = student(ids, ones, zeros, features=True)
    theirs = teacher.eval()(known, ones, zeros, features=True)
    assert_close(own.hidden_states, theirs.hidden_states)


def test_a_piece_that_the_teacher_does_not_know_stays_random(teacher):
    random, student = bert(), bert()
    initialise(student, teacher, Initialise(), pieces())
    assert_close(student.word_embeddings().weight[8], random.word_embeddings().weight[8])


def test_weights_of_other_shapes_stay_random_and_are_said(teacher):
    random, student = bert(intermediate=48, heads=2), bert(intermediate=48, heads=2)
    said = initialise(student, teacher, Initialise(layers="first"), pieces())
    own, theirs = student.layers()[0].state_dict(), teacher.layers()[0].state_dict()
    for name, before in random.layers()[0].state_dict().items():
        fits = not name.startswith(("intermediate.", "output.dense.weight"))
        assert_close(own[name], theirs[name] if fits else before)
    assert said[1] == "Their attention is split into 2 heads, the teacher's 4."
    assert "intermediate.dense.bias" in said[2]


def test_nothing_is_taken_over_where_nothing_is_asked_for(teacher):
    student = bert()
    assert initialise(student, teacher, Initialise(layers="none", embeddings=False), pieces()) == []
    assert_close(student.state_dict(), bert().state_dict())


def test_a_narrower_student_takes_the_principal_components(teacher):
    random, student = bert(width=4, intermediate=8), bert(width=4, intermediate=8)
    said = initialise(student, teacher, Initialise(), pieces())
    rows = teacher.word_embeddings().weight.detach().double().numpy()[TEACHER_IDS[:8]]
    centred = rows - rows.mean(axis=0)
    _, strengths, directions = np.linalg.svd(centred, full_matrices=False)
    expected = centred @ directions[:4].T
    words = student.word_embeddings().weight.detach().double().numpy()
    # Up to the sign of each component and one scale.
    length = np.linalg.norm(random.word_embeddings().weight.detach().double().numpy()[:8], axis=1)
    scale = length.mean() / np.linalg.norm(expected, axis=1).mean()
    assert_allclose(np.abs(words[1:8]), np.abs(expected[1:] * scale), atol=1e-6)
    held = (strengths[:4] ** 2).sum() / (strengths**2).sum()
    assert said[0] == "Layers begin random: the shapes of the student's are not the teacher's."
    assert said[1].endswith(f"which hold {held:.0%} of their variance.")
    types = student.embeddings().token_type_embeddings.weight.detach()
    assert_allclose(types.sum(dim=0), np.zeros(4), atol=1e-6)
    assert types.abs().max() > 0


def test_directions_are_orthonormal_and_of_one_sign():
    generator = np.random.default_rng(0)
    rows = generator.normal(size=(50, 6)) * [5, 4, 3, 2, 1, 0] + 7
    mean, directions, share = principal_components(rows, 3)
    assert_allclose(mean, rows.mean(axis=0))
    assert_allclose(directions.T @ directions, np.eye(3), atol=1e-12)
    assert (np.abs(directions).max(axis=0) == directions.max(axis=0)).all()
    assert np.abs(directions).argmax(axis=0).tolist() == [0, 1, 2]
    assert 0.85 < share < 0.95
    assert principal_components(rows, 6)[2] == pytest.approx(1.0)


def test_a_wider_student_begins_random_and_says_so(teacher):
    student = bert(width=64)
    said = initialise(student, teacher, Initialise(), pieces())
    assert (
        said[1]
        == "Embeddings begin random: the student's are 64 wide, wider than the teacher's 32."
    )
    assert_close(student.state_dict(), bert(width=64).state_dict())


def test_pieces_that_no_teacher_knows_begin_random(teacher):
    said = initialise(bert(), teacher, Initialise(layers="none"), pieces([-1] * 9))
    assert said == ["Embeddings begin random: the teacher knows none of the student's pieces."]


@pytest.mark.parametrize("width", [32, 16])
def test_students_without_layers_take_the_words(teacher, width):
    torch.manual_seed(0)
    cnn = TextCnnStudent(width=width, filters=4, kernels=(2,), dropout=0.0, **GIVEN)
    pooled = MeanPooledStudent(width=width, hidden=(), residual=False, dropout=0.0, **GIVEN)
    rows = teacher.word_embeddings().weight[TEACHER_IDS[1:8]]
    for student in (cnn, pooled):
        before = student.word_embeddings().weight.norm(dim=1)[1:8].mean()
        (said,) = initialise(student, teacher, Initialise(), pieces())
        assert said.startswith("Embeddings of 8 of 9 pieces")
        words = student.word_embeddings().weight[1:8]
        if width == 32:
            assert_close(words, rows)
        else:
            assert_close(words.norm(dim=1).mean(), before, rtol=0.2, atol=0.0)


def test_mobilebert_takes_the_words_into_its_own_narrower_table(teacher):
    torch.manual_seed(0)
    student = mobilebert_student(
        width=32, bottleneck=16, embedding_width=8, layers=2, heads=2, intermediate=16,
        feed_forwards=2, dropout=0.0, **GIVEN,
    )  # fmt: skip
    positions = student.embeddings().position_embeddings.weight.clone()
    said = initialise(student, teacher, Initialise(), pieces())
    assert "8 principal components" in said[1]
    # Its positions are added behind the words' projection, in a space of its own.
    assert_close(student.embeddings().position_embeddings.weight, positions)
    assert not student.word_embeddings().weight[0].any()


def test_mpnets_layers_are_berts_by_other_names():
    torch.manual_seed(0)
    config = MPNetConfig(
        vocab_size=60, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=22,
    )  # fmt: skip
    mpnet = _classifier(config)
    student = bert()
    said = initialise(student, mpnet, Initialise(layers="first"), pieces())
    assert said[0].startswith("Layers begin as layers of the teacher: 0 as the teacher's 0")
    own, theirs = student.layers()[1].state_dict(), mpnet.layers()[1].state_dict()
    assert_close(own["attention.self.value.weight"], theirs["attention.attn.v.weight"])
    assert_close(own["attention.output.dense.bias"], theirs["attention.attn.o.bias"])
    assert_close(own["attention.output.LayerNorm.weight"], theirs["attention.LayerNorm.weight"])
    assert len(said) == 2  # all of a layer fits


def test_positions_that_begin_behind_the_paddings_id_are_shifted():
    torch.manual_seed(0)
    config = RobertaConfig(
        vocab_size=60, hidden_size=32, num_hidden_layers=2, num_attention_heads=4,
        intermediate_size=64, max_position_embeddings=22,
    )  # fmt: skip
    roberta, student = _classifier(config), bert()
    initialise(student, roberta, Initialise(), pieces())
    own = student.embeddings().position_embeddings.weight
    assert_close(own, roberta.embeddings().position_embeddings.weight[2:12])


def _classifier(config: Any) -> HuggingFaceModel:
    classifiers: Any = AutoModelForSequenceClassification
    return HuggingFaceModel(classifiers.from_config(config, attn_implementation="eager"))
