"""The process that turns an exported PyTorch program into a LiteRT file.

Run as `python -m export.litert.conversion_process PROGRAM.pt2 FILE.tflite` by
`export.litert.conversion`. What goes wrong is said in the last line of its output.
"""

import sys
from pathlib import Path


def main(program_file: Path, tflite_file: Path) -> None:
    """Convert the program; its inputs and outputs keep their names.

    Args:
        program_file: What `torch.export.save` wrote of a module that takes named tensors and
            returns a dict of tensors.
        tflite_file: The file to write.
    """
    import litert_torch
    import torch

    program = torch.export.load(program_file)
    _, inputs = program.example_inputs
    converted = litert_torch.convert(program.module(), sample_kwargs=inputs)
    converted.export(str(tflite_file))


if __name__ == "__main__":
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except Exception as error:  # the converter's libraries raise of every kind
        said = str(error).strip() or type(error).__name__
        print(said.splitlines()[0])
        sys.exit(1)
