"""The last tests need pip's index once, unless the cache has the data already."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from compress.data.users import (
    MOST_GROUPS,
    UserGroups,
    read_users,
    user_groups,
    users_fingerprint,
)
from compress.errors import DataError, DownloadError
from compress.recipe import Groups, MovieLens1M, MovieLens100K, Table

SOURCE = Table(kind="table", interactions="events.csv")
CSV = "user,age,country\nu1,25,PT\nu2,,DE\nu3,31, PT \n"


def written(folder: Path, text: str, name: str = "users.csv") -> Groups:
    (folder / name).write_text(text)
    return Groups(users=name, columns=("age", "country"))


def test_users_of_the_data_set_are_grouped_in_its_order(tmp_path):
    groups = written(tmp_path, CSV)
    age, country = user_groups(groups, SOURCE, tmp_path, ["u3", "u9", "u1", "u2"]).groupings
    assert (age.column, age.names) == ("age", ("25", "31", "unknown"))
    assert age.codes.tolist() == [1, 2, 0, 2]
    assert [country.names[code] for code in country.codes] == ["PT", "unknown", "PT", "DE"]


@pytest.mark.parametrize("name", ["users.parquet", "users.jsonl", "users.tsv"])
def test_every_format_gives_the_same_groups(name, tmp_path):
    path = tmp_path / name
    if name.endswith(".parquet"):
        columns = {"user": [1, 2, 3], "age": [25.0, None, 31.0], "country": ["PT", "DE", "PT"]}
        pq.write_table(pa.table(columns), path)
    elif name.endswith(".jsonl"):
        path.write_text(
            '{"user": 1, "age": 25, "country": "PT"}\n{"user": 2, "country": "DE"}\n'
            '{"user": 3, "age": 31.0, "country": "PT"}\n'
        )
    else:
        path.write_text("user\tage\tcountry\n1\t25\tPT\n2\t\tDE\n3\t31\tPT\n")
    groups = Groups(users=name, columns=("age", "country"))
    age, country = user_groups(groups, SOURCE, tmp_path, ["1", "2", "3"]).groupings
    assert (age.names, age.codes.tolist()) == (("25", "31", "unknown"), [0, 2, 1])
    assert (country.names, country.codes.tolist()) == (("DE", "PT"), [1, 0, 1])


def test_numbers_are_cut_by_the_users_of_the_data_set(tmp_path):
    rows = "".join(f"u{age},{age}\n" for age in range(100))
    (tmp_path / "users.csv").write_text(f"user,age\n{rows}")
    groups = Groups(users="users.csv", columns=("age",), bins=2)
    (age,) = user_groups(groups, SOURCE, tmp_path, [f"u{one}" for one in range(10, 20)]).groupings
    assert age.names == ("10–14", "15–19")
    assert np.bincount(age.codes).tolist() == [5, 5]


def test_a_column_that_is_not_there_is_told_with_the_closest(tmp_path):
    (tmp_path / "users.csv").write_text(CSV)
    groups = Groups(users="users.csv", columns=("contry",))
    with pytest.raises(DataError, match="no column 'contry'. Did you mean 'country'?"):
        users_fingerprint(groups, SOURCE, tmp_path)


def test_a_user_twice_is_refused_with_both_rows(tmp_path):
    groups = written(tmp_path, CSV + "u1,40,AT\n")
    with pytest.raises(DataError, match=r"row 5, column 'user': user 'u1' is there .* row 2"):
        users_fingerprint(groups, SOURCE, tmp_path)


def test_a_table_that_is_not_there_is_told_before_anything_runs(tmp_path):
    groups = Groups(users="members.csv", columns=("age",))
    with pytest.raises(DataError, match=r"members\.csv: there is no such file"):
        users_fingerprint(groups, SOURCE, tmp_path)


def test_a_column_of_ids_makes_no_groups(tmp_path):
    rows = "".join(f"u{one},z{one}\n" for one in range(MOST_GROUPS + 1))
    (tmp_path / "users.csv").write_text(f"user,zip\n{rows}")
    groups = Groups(users="users.csv", columns=("zip",))
    with pytest.raises(DataError, match="101 different values make no groups"):
        users_fingerprint(groups, SOURCE, tmp_path)


def test_however_a_program_writes_that_it_knows_nothing_it_is_unknown(tmp_path):
    cells = ["", "NULL", "None", "N/A", "na", "NaN", "<NA>", "#N/A", "nil", "Unknown", "?"]
    rows = "".join(f"u{number},{cell}\n" for number, cell in enumerate(cells))
    (tmp_path / "users.csv").write_text(f"user,country\n{rows}")
    groups = Groups(users="users.csv", columns=("country",))
    ids = [f"u{one}" for one in range(len(cells))]
    (country,) = user_groups(groups, SOURCE, tmp_path, ids).groupings
    assert country.names == ("?", "unknown")
    assert country.codes.tolist() == [1] * 10 + [0]


def test_a_table_that_lacks_many_of_the_users_is_told(tmp_path):
    groups = written(tmp_path, CSV)
    ids = ["u1", *(f"other{one}" for one in range(39))]
    assert user_groups(groups, SOURCE, tmp_path, ids).warnings == (
        "39 of 40 users are unknown to users.csv: of them nothing is said by group.",
    )
    assert user_groups(groups, SOURCE, tmp_path, ["u1", "u2", "u3"]).warnings == ()


def test_a_list_is_no_value_to_group_by(tmp_path):
    pq.write_table(pa.table({"user": ["a"], "likes": [["x", "y"]]}), tmp_path / "users.parquet")
    groups = Groups(users="users.parquet", columns=("likes",))
    with pytest.raises(DataError, match="row 1, column 'likes': a list is no value"):
        users_fingerprint(groups, SOURCE, tmp_path)


def test_truth_values_are_yes_and_no(tmp_path):
    pq.write_table(pa.table({"user": ["a", "b"], "member": [True, False]}), tmp_path / "u.parquet")
    table = read_users(tmp_path / "u.parquet", "user", ["member"])
    assert table.values == {"member": {"a": "yes", "b": "no"}}


def test_a_table_of_other_users_is_refused_with_an_id_of_each(tmp_path):
    groups = written(tmp_path, CSV)
    with pytest.raises(DataError, match="such as '1', the table has 'u1'"):
        user_groups(groups, SOURCE, tmp_path, ["1", "2"])


def test_the_fingerprint_is_of_the_content(tmp_path):
    groups = written(tmp_path, CSV)
    before = users_fingerprint(groups, SOURCE, tmp_path)
    assert users_fingerprint(groups, SOURCE, tmp_path) == before
    written(tmp_path, CSV.replace("DE", "AT"))
    assert users_fingerprint(groups, SOURCE, tmp_path) != before


def test_a_table_without_users_has_no_groups(tmp_path):
    assert users_fingerprint(Groups(), SOURCE, tmp_path) is None
    assert user_groups(Groups(), SOURCE, tmp_path, ["a"]) == UserGroups()


def test_movielens_needs_no_download_to_be_planned(monkeypatch, tmp_path):
    monkeypatch.setenv("LIMBECK_CACHE", str(tmp_path))
    assert users_fingerprint(Groups(), MovieLens100K(kind="movielens-100k"), tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_movielens_brings_its_users():
    source = MovieLens100K(kind="movielens-100k")
    ids = [str(one) for one in range(1, 944)]
    try:
        age, gender, occupation = user_groups(Groups(), source, Path(), ids).groupings
    except DownloadError as error:
        pytest.skip(f"MovieLens-100K is not to be had here: {error}")
    assert gender.names == ("F", "M")
    assert np.bincount(gender.codes).tolist() == [273, 670]
    assert age.names[:2] == ("under 18", "18–24")
    assert (len(age.names), len(occupation.names)) == (7, 21)
    assert np.bincount(occupation.codes)[occupation.names.index("student")] == 196


def test_movielens_1m_has_its_published_bands_and_occupations():
    source = MovieLens1M(kind="movielens-1m")
    ids = [f"1m_{one}" for one in range(1, 6041)]
    try:
        age, _, occupation = user_groups(Groups(), source, Path(), ids).groupings
    except DownloadError as error:
        pytest.skip(f"MovieLens-1M is not to be had here: {error}")
    bands = dict(zip(age.names, np.bincount(age.codes).tolist(), strict=True))
    assert (bands["under 18"], bands["25–34"], bands["56 and over"]) == (222, 2096, 380)
    assert np.bincount(occupation.codes)[occupation.names.index("farmer")] == 17
