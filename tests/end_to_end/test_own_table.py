"""A user's own files, good and bad."""

import numpy as np
import pytest

from .conftest import call

RECIPE = """\
name: mine
data:
  source:
    kind: table
    interactions: events.csv
    items: items.csv
    columns: {{user: shopper, item: sku, time: at}}
    item_columns: {{item: sku, text: [title]}}
  minimum_users: {minimum}
task: {{kind: next-item, history_length: 10, top_k: 20}}
teacher:
  kind: text-sequence
  width: 8
  allow_weak_teacher: true
  training: {{epochs: 1}}
student:
  kind: transformer
  width: 8
  training: {{epochs: 1}}
benchmark: {{queries: 16, seconds: 0.1}}
"""


@pytest.fixture
def shop(tmp_path):
    """Writes the user's files; returns a call of `limbeck run` on them."""

    def run(events, users=40, minimum=30, more=(), recipe=RECIPE):
        (tmp_path / "recipe.yaml").write_text(recipe.format(minimum=minimum))
        items = [f"sku-{n},Teapot number {n}" for n in range(25)]
        (tmp_path / "items.csv").write_text("\n".join(["sku,title", *items]))
        if events is None:
            rng = np.random.default_rng(0)
            events = "shopper,sku,at\n" + "".join(
                f"u{user},sku-{item},2026-01-{day + 1:02d}\n"
                for user in range(users)
                for day, item in enumerate(rng.integers(0, 25, 8))
            )
        (tmp_path / "events.csv").write_text(events)
        return call("run", tmp_path / "recipe.yaml", "--quick", "--out", tmp_path / "run", *more)

    return run


def complained(done, *texts):
    assert done.code == 2, done.err
    assert "Traceback" not in done.err
    for text in texts:
        assert text in done.err


def test_a_shops_own_csv_becomes_a_verified_file(data, shop, tmp_path):
    done = shop(None)
    assert done.code == 0, done.err
    assert (tmp_path / "run" / "export" / "student.int8-dynamic.onnx").is_file()


def test_five_users_measure_nothing(shop):
    complained(shop(None, users=5), "5 users", "30")


def test_broken_csv_names_file_row_and_column(shop):
    text = "shopper,sku,at\nu1,sku-1,2026-01-01\nu1,sku-2,yesterday\n"
    complained(shop(text), "events.csv", "3", "at", "yesterday")


def test_ragged_row(shop):
    complained(shop("shopper,sku,at\nu1,sku-1\n"), "events.csv", "2")


def test_empty_file(shop):
    complained(shop(""), "events.csv", "empty")
    complained(shop("shopper,sku,at\n"), "events.csv", "no rows")


def test_missing_column_is_named_with_what_there_is(shop):
    complained(shop("shopper,skuu,at\nu1,sku-1,1\n"), "events.csv", "'sku'", "skuu")


def test_unknown_item_id(shop):
    complained(shop("shopper,sku,at\nu1,sku-99,1\n"), "events.csv", "2", "sku-99", "unknown_items")


def test_wrong_key_in_the_recipe(shop):
    recipe = RECIPE.replace("  width: 8\n  allow", "  widht: 8\n  allow")
    complained(shop(None, recipe=recipe), "widht", "did you mean 'width'?", "recipe.yaml:13")


def test_wrong_stage_and_override(shop):
    complained(shop(None, more=["--from", "teachr"]), "--from teachr: no such stage")
    complained(shop(None, more=["--set", "student.width"]), "key=value")
