"""What files are verified with, as one file: real inputs, and what the student answers to them.

It needs neither the data set nor the student nor PyTorch, so that another machine can repeat the
check: `docs/verification.md` describes it for readers without Python.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

import numpy as np
from numpy.typing import NDArray

from compress.errors import UserError
from compress.files import write_bytes_atomically
from compress.recipe import Target
from compress.tasks.item_codes import FIRST_ITEM
from export import ranking_verification, text_verification
from export.ranking_verification import Reference, Tolerance, compare_answers
from export.runner import Runner
from export.samples import Samples
from export.signature import Signature
from export.text_verification import (
    TextReference,
    TextTolerance,
    ask_pieces,
    compare_asked,
    compare_twins,
)
from export.verification import Asked, Check, ask

VERIFICATION = "verification.safetensors"
SCHEMA: Literal[1] = 1
_KEY = "limbeck.verification"
_INPUTS, _EXPECTED, _STUDENT, _TEXTS = "inputs/", "expected/", "student/", "texts/"
_LENGTHS = f"{_INPUTS}lengths"
_BLOCKED = "blocked/item_ids"

Arrays = dict[str, NDArray[Any]]


@dataclass(frozen=True, eq=False)
class VerificationSet:
    """N real inputs and hard ones, the student's answers, and how far a file may be from them."""

    reference: Reference | TextReference
    belongs_to: Mapping[str, str]
    """Of the signature that every file shares: the task, and the hashes of the recipe and of what
    answers are read with, named as in a file's metadata."""
    texts: Samples | None = None
    """The texts themselves, for files that cut them."""
    tolerances: Mapping[str, Tolerance | TextTolerance] = field(default_factory=dict)
    """By scheme, as they were when the set was made: for apps. `compare` goes by ours, so that a
    changed file cannot let others pass."""

    @classmethod
    def from_reference(
        cls,
        reference: Reference | TextReference,
        signature: Signature,
        texts: Samples | None = None,
    ) -> "VerificationSet":
        """Take over what the student answered.

        Args:
            reference: Its answers; of a large catalogue only the best scores are kept.
            signature: What its files take and return.
            texts: The texts that the reference's pieces were cut from.
        """
        tolerances: Mapping[str, Tolerance | TextTolerance] = text_verification.TOLERANCES
        if isinstance(reference, Reference):
            reference, tolerances = reference.shortened(), ranking_verification.TOLERANCES
        shared = {
            name: value
            for name, value in signature.metadata().items()
            if name == "limbeck.task" or name.endswith("_sha256")
        }
        return cls(reference, shared, texts, dict(tolerances))

    @property
    def samples(self) -> Samples:
        """What files are asked with, unless they cut texts themselves."""
        if isinstance(self.reference, Reference):
            return Samples({"history": self.reference.histories})
        return self.reference.samples

    @property
    def expected(self) -> Mapping[str, NDArray[Any]]:
        """What the student answers, by the names of a file's outputs, `[N, ...]` each."""
        if isinstance(self.reference, Reference):
            return {"item_ids": self.reference.item_ids}
        return self.reference.answers

    def check(self, runner: Runner, scheme: str, *, takes_texts: bool = False) -> Check:
        """Ask a file what the student was asked, one example at a time, and compare.

        Args:
            runner: The file, inside its `with`.
            scheme: Decides what is allowed.
            takes_texts: Whether it cuts texts itself.

        Raises:
            UserError: The scheme has no tolerance, or the set has no texts.
        """
        return self.compare(self.ask(runner, takes_texts=takes_texts), scheme)

    def ask(self, runner: Runner, *, takes_texts: bool = False) -> Asked:
        """Ask alone; see `check`."""
        if not takes_texts:
            ranks = isinstance(self.reference, Reference)
            return (ask if ranks else ask_pieces)(runner, self.samples)
        if self.texts is None:
            raise UserError(
                "The verification set holds no texts, so a file that cuts them itself cannot be "
                "checked. Export the run again with export.text_input: true."
            )
        return ask(runner, self.texts)

    def compare(
        self, asked: Asked, scheme: str, twin: Mapping[str, NDArray[Any]] | None = None
    ) -> Check:
        """Compare answers with the student's; see `check`.

        Args:
            asked: The file's answers.
            scheme: Decides what is allowed.
            twin: Of a file that cuts texts itself: what the same file without tokenizer answers.
        """
        tolerance = self.tolerance(scheme)
        if isinstance(self.reference, Reference):
            found = compare_answers(asked.answers, self.reference, cast(Tolerance, tolerance))
        else:
            found = compare_asked(asked, self.reference, cast(TextTolerance, tolerance))
            if twin is not None:
                found = compare_twins(found, asked.answers, twin, self.reference)
        return asked.sign(found)

    def tolerance(self, scheme: str) -> Tolerance | TextTolerance:
        """Return what a scheme's files may differ by.

        Raises:
            UserError: There is no tolerance for it.
        """
        ranks = isinstance(self.reference, Reference)
        own: Mapping[str, Tolerance | TextTolerance] = (
            ranking_verification.TOLERANCES if ranks else text_verification.TOLERANCES
        )
        if scheme not in own:
            known = ", ".join(sorted(own))
            raise UserError(f"There is no tolerance for the scheme {scheme}, but for {known}.")
        return own[scheme]

    @property
    def arrays(self) -> Arrays:
        """Every tensor of the file by its name, as `docs/verification.md` lists them."""
        if isinstance(self.reference, Reference):
            found = _ranking_arrays(self.reference)
        else:
            found = {f"{_INPUTS}{name}": one for name, one in self.samples.arrays.items()}
            if self.samples.lengths is not None:
                found[_LENGTHS] = self.samples.lengths
            for name, answers in self.reference.answers.items():
                found[f"{_EXPECTED}{name}"] = answers
        for name, texts in {} if self.texts is None else self.texts.arrays.items():
            encoded = [one.encode() for one in texts]
            found[f"{_TEXTS}{name}/utf8"] = np.frombuffer(b"".join(encoded), dtype=np.uint8)
            ends = np.cumsum([len(one) for one in encoded], dtype=np.int64)
            found[f"{_TEXTS}{name}/ends"] = ends
        return {name: np.ascontiguousarray(one) for name, one in found.items()}

    def save(self, path: Path) -> None:
        """Write it; the same set gives the same bytes."""
        from safetensors.numpy import save

        ranks = isinstance(self.reference, Reference)
        about = {
            "schema": SCHEMA,
            "belongs_to": dict(self.belongs_to),
            "tolerances": {name: asdict(one) for name, one in self.tolerances.items()},
            **(_ranking_facts if ranks else _text_facts)(cast(Any, self.reference)),
        }
        # One key: the library writes several in an order that changes from process to process.
        text = json.dumps(about, ensure_ascii=False, sort_keys=True)
        write_bytes_atomically(path, save(self.arrays, metadata={_KEY: text}))

    @classmethod
    def load(cls, path: Path) -> "VerificationSet":
        """Read what `save` wrote.

        Raises:
            UserError: It is not there, damaged, or of another version.
        """
        from safetensors import SafetensorError, safe_open

        try:
            with safe_open(path, framework="numpy") as file:
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                about = json.loads((file.metadata() or {})[_KEY])
            if about["schema"] != SCHEMA:
                raise UserError(
                    f"{path} is of version {about['schema']}, and this limbeck reads {SCHEMA}. "
                    "Verify with the limbeck that wrote it, or export the run again."
                )
            return _read(arrays, about)
        except FileNotFoundError as error:
            raise UserError(
                f"{path} is not there. It comes with every export; make it anew with: "
                "limbeck run RECIPE --from export"
            ) from error
        except (SafetensorError, OSError, KeyError, TypeError, ValueError) as error:
            what = str(error).splitlines()[0] if str(error) else type(error).__name__
            raise UserError(
                f"{path} is not a verification set, or is damaged: {what}. Copy it again from the "
                "run's export folder."
            ) from error


def _ranking_arrays(reference: Reference) -> Arrays:
    found: Arrays = {
        f"{_INPUTS}history": reference.histories,
        f"{_EXPECTED}item_ids": reference.item_ids,
        f"{_EXPECTED}scores": reference.scores_of(reference.item_ids)[0],
        f"{_STUDENT}scores": reference.scores,
    }
    if reference.best is not None:
        found[f"{_STUDENT}item_ids"] = reference.best
    if len(reference.blocked):
        found[_BLOCKED] = reference.blocked
    return found


def _ranking_facts(reference: Reference) -> dict[str, Any]:
    return {
        "task": "next-item",
        "top": ranking_verification.TOP,
        "items": reference.codes - FIRST_ITEM,
        "mask_seen": reference.mask_seen,
    }


def _text_facts(reference: TextReference) -> dict[str, Any]:
    gains = reference.gains
    return {
        "task": "text",
        "target": reference.target,
        "threshold": reference.threshold,
        "gains": None if gains is None else list(gains),
    }


def _read(arrays: Arrays, about: Mapping[str, Any]) -> VerificationSet:
    """Put a set together again.

    Raises:
        KeyError: Something is missing.
        TypeError: Something is of another type.
        ValueError: Something does not fit the rest.
    """
    if about["task"] == "next-item":
        reference: Reference | TextReference = _read_ranking(arrays, about)
        kind: type[Tolerance] | type[TextTolerance] = Tolerance
    else:
        reference, kind = _read_texts(arrays, about), TextTolerance
    tolerances = {name: kind(**one) for name, one in about["tolerances"].items()}
    return VerificationSet(reference, about["belongs_to"], _raw_texts(arrays), tolerances)


def _read_ranking(arrays: Arrays, about: Mapping[str, Any]) -> Reference:
    items, best = int(about["items"]), arrays.get(f"{_STUDENT}item_ids")
    blocked = arrays.get(_BLOCKED, np.empty(0, dtype=np.int32))
    reference = Reference(
        histories=_two_sided(arrays, f"{_INPUTS}history", np.int32),
        scores=_two_sided(arrays, f"{_STUDENT}scores", np.float32),
        item_ids=_two_sided(arrays, f"{_EXPECTED}item_ids", np.int32),
        mask_seen=bool(about["mask_seen"]),
        best=best,
        items=None if best is None else items,
        blocked=blocked,
    )
    _same_count(reference.histories, reference.scores, reference.item_ids)
    if best is None and reference.codes != items + FIRST_ITEM:
        raise ValueError(f"student/scores are of {reference.codes - FIRST_ITEM} items, not {items}")
    if best is not None and best.shape != reference.scores.shape:
        raise ValueError(f"student/item_ids {best.shape} and student/scores disagree")
    if blocked.ndim != 1 or blocked.dtype != np.int32:
        raise ValueError(f"{_BLOCKED} is {blocked.dtype} {blocked.shape}, not a list of int32")
    codes = (reference.histories, reference.item_ids, blocked, *(() if best is None else (best,)))
    if any(((one < 0) | (one >= reference.codes)).any() for one in codes):
        raise ValueError(f"an item code is not from 0 to {reference.codes - 1}")
    return reference


def _read_texts(arrays: Arrays, about: Mapping[str, Any]) -> TextReference:
    target, gains = about["target"], about["gains"]
    if target not in get_args(Target):
        raise ValueError(f"the target {target} is unknown")
    names = [name for name in arrays if name.startswith(_INPUTS) and name != _LENGTHS]
    samples = Samples(
        {name.removeprefix(_INPUTS): _two_sided(arrays, name, np.int32) for name in sorted(names)},
        arrays.get(_LENGTHS),
    )
    answers = {
        name.removeprefix(_EXPECTED): one
        for name, one in arrays.items()
        if name.startswith(_EXPECTED)
    }
    reference = TextReference(
        samples, answers, target, float(about["threshold"]), None if gains is None else tuple(gains)
    )
    _same_count(samples.arrays["input_ids"], answers[reference.main], *answers.values())
    return reference


def _raw_texts(arrays: Arrays) -> Samples | None:
    found: Arrays = {}
    for key in arrays:
        if not (key.startswith(_TEXTS) and key.endswith("/utf8")):
            continue
        name, data = key.removeprefix(_TEXTS).removesuffix("/utf8"), arrays[key].tobytes()
        ends = arrays[f"{_TEXTS}{name}/ends"].tolist()
        texts = np.empty(len(ends), dtype=object)
        texts[:] = [data[a:b].decode() for a, b in zip([0, *ends], ends, strict=False)]
        found[name] = texts
    return Samples(found) if found else None


def _two_sided(arrays: Arrays, name: str, dtype: Any) -> NDArray[Any]:
    found = arrays[name]
    if found.ndim != 2 or found.dtype != dtype:
        raise ValueError(f"{name} is {found.dtype} {found.shape}, not a table of {np.dtype(dtype)}")
    return found


def _same_count(*arrays: NDArray[Any]) -> None:
    counts: Iterable[int] = {len(one) for one in arrays}
    if len(set(counts)) != 1 or not len(arrays[0]):
        raise ValueError(f"its tensors are of {sorted(counts)} examples, not of one number")
