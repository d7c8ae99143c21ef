"""What the ONNX files of text students are: the student's answers, small, described."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto

from export.onnx.emit_text import emit_text_onnx
from export.onnx.run import OnnxRunner

KINDS = ("bert", "mobilebert", "text-cnn", "mean-pooled")


@pytest.fixture(scope="module")
def files(tmp_path_factory, save_student, sign):
    """Folder of the student and paths of its files, by kind."""
    folder = tmp_path_factory.mktemp("files")
    found = {}
    for kind in KINDS:
        student = save_student(kind)
        paths = {scheme: folder / f"{kind}.{scheme}.onnx" for scheme in ("fp32", "int8-dynamic")}
        for scheme, path in paths.items():
            emit_text_onnx(student, sign(), path, scheme=scheme)
        found[kind] = (student, paths)
    return found


def ask(path, given):
    with OnnxRunner(path) as runner:
        return runner(given)


def softmax(logits):
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("kind", KINDS)
def test_answers_are_the_students(files, pieces, student_logits, kind):
    student, paths = files[kind]
    expected = softmax(student_logits(student, pieces))
    exact = ask(paths["fp32"], pieces)["probabilities"]
    assert exact.dtype == np.float32
    assert np.abs(exact - expected).max() < 1e-5
    int8 = ask(paths["int8-dynamic"], pieces)["probabilities"]
    assert np.abs(int8 - expected).max() < 0.05


@pytest.mark.parametrize("kind", KINDS)
def test_padding_changes_no_answer_and_any_length_is_taken(files, pieces, kind):
    path = files[kind][1]["fp32"]
    together = ask(path, pieces)["probabilities"]
    with OnnxRunner(path) as runner:
        for row, length in enumerate(pieces["attention_mask"].sum(axis=1)):
            alone = {name: array[row : row + 1, :length] for name, array in pieces.items()}
            assert np.allclose(runner(alone)["probabilities"], together[row], atol=1e-5)


def test_the_mask_is_taken_as_it_is(files, pieces, student_logits):
    """Also where what is left out stands in the middle."""
    student, paths = files["bert"]
    mask = pieces["attention_mask"].copy()
    mask[0, 3:9] = 0
    with_hole = {**pieces, "attention_mask": mask}
    expected = softmax(student_logits(student, with_hole))
    assert np.allclose(ask(paths["fp32"], with_hole)["probabilities"], expected, atol=1e-5)
    assert not np.allclose(ask(paths["fp32"], pieces)["probabilities"], expected, atol=1e-3)


@pytest.mark.parametrize("kind", KINDS)
def test_no_large_weight_of_the_int8_file_is_float(files, kind):
    weights = onnx.load(files[kind][1]["int8-dynamic"]).graph.initializer
    floats = [one for one in weights if one.data_type == TensorProto.FLOAT and len(one.dims) > 1]
    assert all(min(one.dims) <= 1 for one in floats), [(one.name, one.dims) for one in floats]


@pytest.mark.parametrize("kind", KINDS)
def test_inputs_and_outputs_are_the_signature(files, kind):
    for path in files[kind][1].values():
        model = onnx.load(path)
        ends = (*model.graph.input, *model.graph.output)
        assert [one.name for one in ends] == ["input_ids", "attention_mask", "probabilities"]
        shapes = [one.type.tensor_type for one in ends]
        assert [one.elem_type for one in shapes] == [TensorProto.INT32] * 2 + [TensorProto.FLOAT]
        sizes = [[dim.dim_param or dim.dim_value for dim in one.shape.dim] for one in shapes]
        assert sizes == [["B", "L"], ["B", "L"], ["B", 3]]
        assert {one.key: one.value for one in model.metadata_props} == {
            "limbeck.signature": "1",
            "limbeck.task": "text-label",
            "limbeck.inputs": "input_ids:int32[B,L] attention_mask:int32[B,L]",
            "limbeck.outputs": "probabilities:float32[B,3]",
            "limbeck.target": "one-of",
            "limbeck.max_length": "24",
            "limbeck.recipe_sha256": "recipe hash",
            "limbeck.tokenizer_sha256": "tokenizer hash",
            "limbeck.classes_sha256": "classes hash",
        }
        assert model.producer_name == "limbeck"


def test_the_same_student_gives_the_same_bytes(tmp_path, files, sign):
    student, paths = files["bert"]
    emit_text_onnx(student, sign(), tmp_path / "again.onnx", scheme="int8-dynamic")
    assert (tmp_path / "again.onnx").read_bytes() == paths["int8-dynamic"].read_bytes()


def test_files_do_not_say_where_they_were_made(files):
    for student, paths in files.values():
        for path in paths.values():
            content = path.read_bytes()
            assert b".py" not in content
            assert str(student.parent).encode() not in content
            assert b"limbeck-" not in content


def test_the_last_bert_layer_works_on_one_position(files):
    """Behind its attention a layer has three matrix products, and the head two."""
    model = onnx.load(files["bert"][1]["fp32"])
    inferred = onnx.shape_inference.infer_shapes(model).graph
    cuts = [node for node in model.graph.node if "first_position" in node.input]
    assert len(cuts) == 2  # what the attention answers, and the residual around it
    assert [node.op_type for node in inferred.node].count("Sum") == 5


def test_int8_matrices_follow_the_preset(files, tmp_path, sign):
    """Optimum's avx2 has unsigned weights, arm64 and avx512_vnni signed ones."""
    student = files["mean-pooled"][0]
    kinds = {}
    for preset in ("arm64", "avx2", "avx512_vnni"):
        path = tmp_path / f"{preset}.onnx"
        emit_text_onnx(student, sign(), path, scheme="int8-dynamic", preset=preset)
        model = onnx.load(path)
        read = {node.input[1] for node in model.graph.node if node.op_type == "MatMulInteger"}
        kinds[preset] = {one.data_type for one in model.graph.initializer if one.name in read}
    assert kinds == {
        "arm64": {TensorProto.INT8},
        "avx2": {TensorProto.UINT8},
        "avx512_vnni": {TensorProto.INT8},
    }


@pytest.mark.parametrize("kind", ("bert", "text-cnn"))
def test_pairs_have_types_and_grades_a_score(
    tmp_path, save_student, sign, pieces, student_logits, kind
):
    student = save_student(kind)
    signature = sign(is_pair=True, has_gains=True)
    emit_text_onnx(student, signature, tmp_path / "pair.onnx", scheme="fp32", gains=(0.0, 1.0, 3.0))
    answers = ask(tmp_path / "pair.onnx", pieces)
    expected = softmax(student_logits(student, pieces, is_pair=True))
    assert list(answers) == ["probabilities", "score"]
    assert np.allclose(answers["probabilities"], expected, atol=1e-5)
    assert answers["score"].shape == (6,)
    assert np.allclose(answers["score"], expected @ [0, 1, 3], atol=1e-5)
    assert not np.allclose(
        answers["probabilities"][3:], softmax(student_logits(student, pieces))[3:]
    )


def test_any_of_several_classes_is_a_sigmoid_each(
    tmp_path, save_student, sign, pieces, student_logits
):
    student = save_student("mean-pooled", target="any-of")
    emit_text_onnx(student, sign(target="any-of"), tmp_path / "any.onnx", scheme="fp32")
    found = ask(tmp_path / "any.onnx", pieces)["probabilities"]
    assert np.allclose(found, 1 / (1 + np.exp(-student_logits(student, pieces))), atol=1e-5)


def test_a_score_is_the_logit(tmp_path, save_student, sign, pieces, student_logits):
    student = save_student("mean-pooled", target="score", outputs=1)
    signature = sign(target="score", is_pair=True)
    emit_text_onnx(student, signature, tmp_path / "score.onnx", scheme="fp32")
    found = ask(tmp_path / "score.onnx", pieces)
    assert list(found) == ["score"]
    assert np.allclose(
        found["score"], student_logits(student, pieces, is_pair=True)[:, 0], atol=1e-5
    )
