"""What is said of a device's processors follows from the types of the operations."""


def test_what_reads_or_writes_other_numbers_than_fp16_is_off_the_neural_engine(emitted):
    details = emitted("fp16").details

    off = " ".join(details["off_neural_engine"])
    for operation in ("topk", "gather", "scatter_along_axis", "cast"):
        assert operation in off
    for operation in ("linear", "layer_norm", "softmax", "matmul"):
        assert operation not in off


def test_operations_are_counted_without_weights(emitted):
    operations = dict(one.split() for one in emitted("int8-weight").details["operations"])

    assert operations["linear"] == "6"
    assert not any(name.startswith("const") for name in operations)


def test_the_rest_may_run_on_it_and_core_ml_decides(emitted):
    details = emitted("fp16").details
    total = sum(int(one.split()[1]) for one in details["operations"])
    off = sum(int(one.split()[1]) for one in details["off_neural_engine"])

    assert details["fp16_operations"] == total - off > off
    assert details["compute_units"] == (
        f"CPU: all {total} operations; GPU and Neural Engine: Core ML decides on the device; "
        f"Neural Engine: at most the {total - off} that compute in fp16 alone"
    )


def test_in_fp32_there_is_no_neural_engine(emitted):
    details = emitted("fp32").details

    assert details["fp16_operations"] == 0
    assert details["off_neural_engine"] == []
    assert "GPU: Core ML decides on the device; no Neural Engine" in details["compute_units"]
