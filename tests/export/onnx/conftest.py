"""Small students of every kind, saved as a run saves them, and what they were taught on."""

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

from compress.recipe import BertStudent, MeanPooledStudent, MobileBertStudent, TextCnnStudent
from compress.saved_text_model import load_text_model, save_text_model
from compress.tokenizers.tokenizer import PieceTokenizer
from export.signature import text_signature

CLASSES = ("Dresses", "Jeans", "Knits")
LENGTH = 24
SECTIONS = {
    "bert": BertStudent(kind="bert", width=32, layers=2, heads=2, intermediate=64),
    "mobilebert": MobileBertStudent(
        kind="mobilebert",
        width=32,
        bottleneck=16,
        embedding_width=16,
        layers=2,
        heads=2,
        intermediate=32,
        feed_forwards=2,
    ),
    "text-cnn": TextCnnStudent(kind="text-cnn", width=16, filters=8, kernels=(2, 3)),
    "mean-pooled": MeanPooledStudent(kind="mean-pooled", width=16, hidden=(16,), residual=True),
}
WORDS = [
    "the",
    "a",
    "of",
    "it",
    "is",
    "dress",
    "dresses",
    "jean",
    "##s",
    "knit",
    "##ted",
    "love",
    "##d",
    "##ly",
    "fit",
    "soft",
    "co",
    "##tton",
    "blue",
    "cafe",
    "naive",
    "resume",
    "!",
    ".",
    ",",
    "'",
    "-",
    "$",
    "%",
    "5",
    "0",
    "(",
    ")",
    "[",
    "]",
    "sep",
    "cls",
    "mask",
    "pad",
    "中",
    "文",
    "衣",
    "😀",
    "❤",
    "ᄒ",
    "##ᅡ",
    "##ᆫ",
]
LETTERS = "abcdefghijklmnopqrstuvwxyz"


@pytest.fixture(scope="session")
def bert_tokenizer():
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    pieces = [*special, *WORDS, *(f"##{one}" for one in LETTERS[:20]), *LETTERS[1:]]
    ids = {piece: number for number, piece in enumerate(pieces)}
    backend = Tokenizer(models.WordPiece(ids, unk_token="[UNK]", max_input_chars_per_word=100))
    backend.normalizer = normalizers.BertNormalizer()
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    backend.add_special_tokens(special)
    roles = ("pad_token", "unk_token", "cls_token", "sep_token", "mask_token")
    config = {**dict(zip(roles, special, strict=True)), "tokenizer_class": "BertTokenizer"}
    return PieceTokenizer(backend, config)


@pytest.fixture(scope="session")
def save_student(tmp_path_factory, bert_tokenizer):
    """Save a student of a kind with the spread of answers that a trained one has."""

    def save(kind, target="one-of", outputs=3):
        torch.manual_seed(1)
        section = SECTIONS[kind]
        model = section.build(
            pieces=bert_tokenizer.pieces, outputs=outputs, max_length=LENGTH, padding_id=0
        )
        with torch.no_grad():
            for weight in model.parameters():
                if weight.ndim > 1:
                    weight.normal_(std=weight.shape[-1] ** -0.5)
            model.word_embeddings().weight[0] = 0  # padding, which MobileBERT's neighbours see
        folder = tmp_path_factory.mktemp(kind)
        classes = () if target == "score" else CLASSES
        save_text_model(folder, model, bert_tokenizer, classes, target, section=section)
        return folder

    return save


@pytest.fixture(scope="session")
def sign():
    """A signature for the small students."""

    def sign(target="one-of", is_pair=False, has_gains=False):
        return text_signature(
            task="text-pair" if is_pair else "text-label",
            target=target,
            classes=len(CLASSES),
            max_length=LENGTH,
            is_pair=is_pair,
            has_gains=has_gains,
            recipe_sha256="recipe hash",
            tokenizer_sha256="tokenizer hash",
            classes_sha256="classes hash",
        )

    return sign


@pytest.fixture(scope="session")
def pieces():
    """Six texts as pieces, of different lengths, padded on the right; half are pairs."""
    rng = np.random.default_rng(0)
    ids = rng.integers(5, 60, (6, 20)).astype(np.int32)
    mask = (np.arange(20) < np.array([20, 1, 7, 20, 12, 3])[:, None]).astype(np.int32)
    types = (np.arange(20) >= np.array([20, 20, 20, 4, 6, 2])[:, None]).astype(np.int32) * mask
    return {"input_ids": ids * mask, "attention_mask": mask, "token_type_ids": types}


@pytest.fixture(scope="session")
def student_logits():
    """What the saved student itself answers."""

    def answer(folder, given, is_pair=False):
        model = load_text_model(folder).model
        given = {name: torch.from_numpy(array).long() for name, array in given.items()}
        if not is_pair:
            given["token_type_ids"] = torch.zeros_like(given["input_ids"])
        with torch.inference_mode():
            return model(**given).logits.numpy()

    return answer


def _weights(**arrays):
    return [numpy_helper.from_array(np.asarray(one), name) for name, one in arrays.items()]


@pytest.fixture
def model():
    """Embeddings, a mean over positions that stands for attention, one layer, a head."""
    rng = np.random.default_rng(0)

    def matrix(*shape):
        return rng.normal(size=shape).astype(np.float32)

    nodes = [
        helper.make_node("Gather", ["words", "input_ids"], ["word"]),
        helper.make_node("Gather", ["kinds", "token_type_ids"], ["kind"]),
        helper.make_node("Add", ["word", "kind"], ["x"]),
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[1], keepdims=1),
        helper.make_node("Mul", ["x", "mean"], ["attended"]),
        helper.make_node("Add", ["attended", "x"], ["s"]),
        helper.make_node("LayerNormalization", ["s", "gain", "shift"], ["n"], axis=-1),
        helper.make_node("MatMul", ["n", "up"], ["u"]),
        helper.make_node("Relu", ["u"], ["r"]),
        helper.make_node("MatMul", ["r", "down"], ["d"]),
        helper.make_node("Add", ["d", "n"], ["t"]),
        helper.make_node("LayerNormalization", ["t", "gain", "shift"], ["last"], axis=-1),
        helper.make_node("Constant", [], ["zero"], value=_weights(v=np.int64(0))[0]),
        helper.make_node("Gather", ["last", "zero"], ["first"], axis=1),
        helper.make_node("MatMul", ["first", "head"], ["logits"]),
    ]
    ends = [
        helper.make_tensor_value_info(name, TensorProto.INT64, ["B", "L"])
        for name in ("input_ids", "token_type_ids")
    ]
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["B", 3])
    arrays = _weights(
        words=matrix(20, 4),
        kinds=matrix(2, 4),
        gain=matrix(4),
        shift=matrix(4),
        up=matrix(4, 8),
        down=matrix(8, 4),
        head=matrix(4, 3),
    )
    graph = helper.make_graph(nodes, "test", ends, [logits], arrays)
    opset = [helper.make_opsetid("", 17)]
    return helper.make_model(graph, opset_imports=opset, ir_version=8)


@pytest.fixture
def ask_model():
    """Ask `model`, or what became of it, about texts; types are 0 unless said otherwise."""
    ids = np.random.default_rng(1).integers(0, 20, (3, 6))

    def ask(model, kind=0):
        onnx.checker.check_model(model, full_check=True)
        session = onnxruntime.InferenceSession(
            model.SerializeToString(), providers=["CPUExecutionProvider"]
        )
        given = {"input_ids": ids, "token_type_ids": np.full_like(ids, kind)}
        return session.run(None, {one.name: given[one.name] for one in session.get_inputs()})[0]

    return ask
