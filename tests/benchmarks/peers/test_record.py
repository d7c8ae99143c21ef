"""What the peers' stage leaves: a file that may come from elsewhere."""

import json

import pytest

from benchmarks.peers.record import RECORD, MeasuredPeer, PeerRoute, PeersRecord
from compress.errors import UserError

ROUTE = PeerRoute("ONNX Runtime", "torch.onnx.export(student)", {"onnxruntime": "1.31.1"})
PEER = MeasuredPeer(
    *("ONNX Runtime", "ONNX-Runtime", "onnx-peer", "ONNX-Runtime/peer.json", "aa"),
    *("int64", 9, ROUTE, None),
)
RECORD_OF_ONE = PeersRecord((PEER,), (), ("onnx int8-dynamic",), ("teacher", "ONNX Runtime"))


def written(folder, **changes):
    RECORD_OF_ONE.write(folder)
    found = json.loads((folder / RECORD).read_text())
    found["peers"][0].update(changes)
    (folder / RECORD).write_text(json.dumps(found))
    return folder


def test_it_is_read_as_it_was_written(tmp_path):
    assert PeersRecord.read(written(tmp_path)) == RECORD_OF_ONE


@pytest.mark.parametrize("runtime", ["python", "of-a-later-limbeck", None, ["onnx"]])
def test_a_runtime_that_is_code_or_unknown_is_refused(tmp_path, runtime):
    with pytest.raises(UserError, match=r"peers\.json is damaged.*knows no runtime"):
        PeersRecord.read(written(tmp_path, runtime=runtime, path="evil.py:Evil"))


@pytest.mark.parametrize("path", ["../export/student.onnx", "/etc/passwd", "a/../../b.json"])
def test_a_path_out_of_the_stages_folder_is_refused(tmp_path, path):
    with pytest.raises(UserError, match="ONNX Runtime has files outside of the folder"):
        PeersRecord.read(written(tmp_path, path=path))


def test_a_link_out_of_the_stages_folder_is_refused(tmp_path):
    (tmp_path / "stage").mkdir()
    (tmp_path / "stage" / "link").symlink_to(tmp_path)
    with pytest.raises(UserError, match="ONNX Runtime has files outside of the folder"):
        PeersRecord.read(written(tmp_path / "stage", path="link/peer.json"))


@pytest.mark.parametrize("slug", ["../quality/teacher", "/tmp/x", "", "..", 3])
def test_a_slug_that_names_no_file_is_refused(tmp_path, slug):
    with pytest.raises(UserError, match=r"peers\.json is damaged"):
        PeersRecord.read(written(tmp_path, slug=slug))


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "3", "{}", '{"peers": 3}', '{"peers": [{}]}', '{"peers": [3]}'],
)
def test_a_damaged_record_is_the_users_error(tmp_path, content):
    (tmp_path / RECORD).write_text(content)
    with pytest.raises(UserError, match=r"peers\.json is damaged.*Run the recipe again"):
        PeersRecord.read(tmp_path)
