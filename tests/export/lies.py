"""What lying files have in common: how they are changed, recorded and refused."""

import json
from dataclasses import replace

import numpy as np
from onnx import helper, numpy_helper

from compress.files import tree_bytes, tree_sha256
from export.rows import read_artifacts, write_artifacts
from export.verify_run import verify_file, verify_run


def record_again(folder):
    """Pretend that the file was so when it was exported: what it answers is all that tells."""
    (artifact,) = read_artifacts(folder)
    path = folder / artifact.path
    again = replace(artifact, bytes=tree_bytes(path), sha256=tree_sha256(path))
    write_artifacts(folder, [again], [])


def why(folder):
    """The reasons for which the folder's only file is refused."""
    (verdict,) = verify_run(folder.parent)
    assert verdict.refused
    assert not verdict.passed
    assert not verify_file(folder / verdict.path).passed
    return " | ".join(verdict.faults)


def change_json(path, change):
    found = json.loads(path.read_text())
    change(found)
    path.write_text(json.dumps(found))


def swap_name(graph, old, new):
    """Let every node that reads `old` read `new`."""
    for node in graph.node:
        for place, name in enumerate(node.input):
            if name == old:
                node.input[place] = new


def behind(output, *nodes, weights=()):
    """Put nodes between what an output was and the output; `before` is its old name."""

    def change(graph):
        for node in graph.node:
            for place, name in enumerate(node.output):
                if name == output:
                    node.output[place] = f"{output}.before"
        swap_name(graph, output, f"{output}.before")
        graph.node.extend(nodes)
        known = {one.name for one in graph.initializer}
        graph.initializer.extend(one for one in weights if one.name not in known)

    return change


def constant(name, value):
    return numpy_helper.from_array(np.asarray(value), name)


shift_ids = behind(
    "item_ids",
    helper.make_node("Add", ["item_ids.before", "one"], ["shifted"]),
    helper.make_node("Min", ["shifted", "last"], ["item_ids"]),
    weights=(constant("one", np.int32(1)), constant("last", np.int32(301))),
)
reorder_classes = behind(
    "probabilities",
    helper.make_node("Gather", ["probabilities.before", "order"], ["probabilities"], axis=1),
    weights=(constant("order", np.array([1, 0, 2])),),
)
