"""Keeping back what exporters say: they advise, and warn of what is meant so."""

import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO


@contextmanager
def quietly() -> Iterator[None]:
    """Silence prints, warnings and log lines up to warnings; errors still raise."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "true")
    logging.disable(logging.WARNING)
    try:
        with (
            warnings.catch_warnings(),
            redirect_stdout(StringIO()),
            redirect_stderr(StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)
