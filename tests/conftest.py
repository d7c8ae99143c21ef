"""Every test runs on one thread: pytest runs several at a time."""

import os
import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

_WORDS = (
    "the a of and in is it this dress love size fit color top look great very small but with soft "
    "fabric so jean sweater jacket perfect comfort beautiful skirt blouse pant shirt too large "
    "long short wear red blue black white wool shoe hat run true day work not like quality"
)
_ENDINGS = "s ed ing er est ly able y e t n l ion ful"
_CHINESE = "我很喜欢这条裙子红色蓝黑白大小合适质量好差衣服鞋帽太了不的是一件"

TINY_VOCABULARY = (
    *("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"),
    *string.ascii_lowercase,
    *string.digits,
    *string.punctuation,
    *(word for word in _WORDS.split() if len(word) > 1),
    *dict.fromkeys(_CHINESE),
    *(f"##{one}" for one in string.ascii_lowercase + string.digits),
    *(f"##{ending}" for ending in _ENDINGS.split() if len(ending) > 1),
)
"""A small WordPiece vocabulary: English, as in reviews of clothes, and some Chinese."""


def write_tiny_bert(folder: Path, **changes: Any) -> Path:
    """Save a random BERT classifier and its tokenizer as transformers saves them."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(TINY_VOCABULARY), encoding="utf-8")
    BertTokenizerFast(vocab_file=str(folder / "vocab.txt")).save_pretrained(folder)
    settings = {
        "vocab_size": len(TINY_VOCABULARY),
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 64,
        "initializer_range": 0.2,
    }
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = BertForSequenceClassification(BertConfig(**{**settings, **changes}))
        torch.nn.init.normal_(model.classifier.bias)  # transformers begins with zeros
    model.save_pretrained(folder, safe_serialization=True)
    return folder


@pytest.fixture(scope="session")
def make_tiny_bert() -> Callable[..., Path]:
    """`make_tiny_bert(folder, **config)`: a BERT of one's own, such as with other classes."""
    return write_tiny_bert


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random BERT classifier of 2 layers, 32 wide, 2 classes; not to be changed."""
    return write_tiny_bert(tmp_path_factory.mktemp("tiny-bert"))
