"""Compare a run's ONNX files on an emulated arm64 processor: `python -m export.arm64 RUN`."""

import sys
from pathlib import Path

from compress.errors import UserError
from export.arm64.emulated import compare_on_arm64
from export.arm64.root import Arm64Root
from export.record import export_folder


def main(run: str) -> int:
    """Print one line a file; return the exit code: 1 where a file is refused, 2 for bad input."""
    try:
        found = compare_on_arm64(export_folder(Path(run)), Arm64Root.open())
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return error.exit_code
    for one in found:
        if one.max_abs_difference is None:
            print(f"{one.path}: refused: {'; '.join(one.faults)}")
            continue
        alike = "" if one.agreement is None else f", {one.agreement:.2%} of the answers alike"
        print(
            f"{one.path}: {'refused: ' + '; '.join(one.faults) if one.faults else 'verified'}; "
            f"arm64 and here differ by {one.max_abs_difference:.3g}{alike}; "
            f"agreement with the student on arm64 {one.check.agreement or 0.0:.4f}"
        )
    return 1 if any(one.faults for one in found) else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        print("usage: python -m export.arm64 RUN", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1]))
