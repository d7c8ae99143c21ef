"""ONNX Runtime's verdicts in one line an engine."""

import logging

from export.ort.usability import read_verdicts, usability


def test_verdicts_keep_what_they_are_from():
    lines = [
        "Checking NNAPI",
        "3 partitions with a total of 28/107 nodes can be handled by the NNAPI EP.",
        "\tPartition sizes: [5, 6, 17]",
        "Model should perform well with NNAPI as is: NO",
        "10 partitions with a total of 93/107 nodes can be handled by the NNAPI EP.",
        "Model should perform well with NNAPI if modified to have fixed input shapes: MAYBE",
        "Checking CoreML MLProgram",
        "1 partitions with a total of 107/107 nodes can be handled by the CoreML MLProgram EP.",
        "Model should perform well with CoreML MLProgram as is: YES",
    ]
    assert read_verdicts(lines) == {
        "nnapi": "no as it is (28 of 107 nodes in 3 parts); "
        "maybe with fixed shapes (93 of 107 nodes in 10 parts)",
        "coreml_ml_program": "yes as it is (107 of 107 nodes in 1 parts)",
    }


def test_the_real_checker_is_heard_however_quiet_it_is_around(onnx_files):
    logging.disable(logging.ERROR)
    try:
        found = usability(onnx_files["fp32"])
        assert logging.root.manager.disable == logging.ERROR
    finally:
        logging.disable(logging.NOTSET)
    assert set(found) == {"nnapi", "coreml_neural_network", "coreml_ml_program"}
    assert all("as it is (" in verdict for verdict in found.values())
