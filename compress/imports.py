"""Keeping a process free of packages that it never uses."""

import sys


def leave_out_torchao() -> None:
    """Keep transformers from importing torchao, which comes with the `litert` extra.

    limbeck uses none of it in its own processes; it takes 14 MB and a quarter of a second, and
    complains about the GPU kernels that it cannot load. For programs, not for libraries: nobody
    can import it in this process after.
    """
    sys.modules.setdefault("torchao", None)  # type: ignore[arg-type]  # None forbids it
