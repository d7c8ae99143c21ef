"""Reading recipes: every fault at once, each with its line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compress.errors import RecipeError
from compress.recipe import NextItemRecipe, SoftTargets, Table, TextLabelRecipe
from compress.recipe_file import parse_recipe, read_recipe, recipe_schema, recipe_yaml

SMALLEST = """\
name: tiny
data:
  source: {kind: movielens-100k}
teacher:
  kind: text-sequence
student:
  kind: transformer
"""


def faults(text: str, *overrides: str) -> list[str]:
    with pytest.raises(RecipeError) as raised:
        parse_recipe(text, "r.yaml", overrides)
    lines = str(raised.value).splitlines()
    return [line.strip() for line in (lines[1:] if len(lines) > 1 else lines)]


def test_smallest_recipe_is_complete():
    recipe = parse_recipe(SMALLEST)
    assert recipe.data.split.kind == "leave-one-out"
    assert [loss.kind for loss in recipe.distillation.losses] == ["soft-targets", "label"]
    assert [artifact.scheme for artifact in recipe.export.artifacts] == ["fp32", "int8-dynamic"]


IDS = "[0012, 1_000, 1:30, 0x1F, yes, 1.10, 2020-01-01, 007, 12, 'quoted', Toy Story]"
AS_WRITTEN = tuple(IDS.replace("'", "").strip("[]").split(", "))


@pytest.mark.parametrize("overrides", [(), ("export.blocked_items.0=0012",)])
def test_ids_stay_as_they_are_written(overrides):
    """YAML reads 0012 as 10 and yes as true, which are other items."""
    recipe = parse_recipe(f"{SMALLEST}export:\n  blocked_items: {IDS}\n", "r.yaml", overrides)
    assert recipe.export.blocked_items == AS_WRITTEN
    assert parse_recipe(recipe_yaml(recipe)) == recipe


@pytest.mark.parametrize(
    "override", [f"export.blocked_items={IDS}", f"export={{blocked_items: {IDS}}}"]
)
def test_ids_of_the_command_line_stay_as_they_are_written(override):
    assert parse_recipe(SMALLEST, overrides=[override]).export.blocked_items == AS_WRITTEN


def test_what_is_no_id_is_refused():
    found = faults(f"{SMALLEST}export:\n  blocked_items: [i1, ~]\n")
    assert any(fault.startswith("export.blocked_items.1: ") for fault in found)


def test_shipped_recipes_are_good():
    recipes = sorted(Path("recipes").glob("*.yaml"))
    assert recipes
    for path in recipes:
        assert read_recipe(path).name == path.stem


def test_all_faults_are_listed_with_line_and_suggestion():
    text = SMALLEST.replace("kind: text-sequence", "kind: text-sequence\n  widht: 3") + (
        "distillation:\n  losses:\n    - kind: soft-targts\n"
        "benchmark: {seconds: -1, queries: many}\n"
    )
    assert faults(text) == [
        "teacher.widht: unknown key; did you mean 'width'? (r.yaml:6)",
        "distillation.losses.0: kind 'soft-targts' does not exist; did you mean 'soft-targets'? "
        "(r.yaml:11)",
        "benchmark.queries: input should be a valid integer, unable to parse string as an integer, "
        'not "many" (r.yaml:12)',
        "benchmark.seconds: input should be greater than 0, not -1 (r.yaml:12)",
    ]


def test_key_inside_a_kind_is_named_as_the_user_wrote_it():
    text = SMALLEST.replace("{kind: movielens-100k}", "{kind: table, interactions: a, itmes: b}")
    assert faults(text) == ["data.source.itmes: unknown key; did you mean 'items'? (r.yaml:3)"]


def test_missing_keys_are_named():
    assert faults("name: x\n") == [
        "data: missing; add it (r.yaml:1)",
        "teacher: missing; add it (r.yaml:1)",
        "student: missing; add it (r.yaml:1)",
    ]


def test_missing_kind_lists_the_kinds():
    text = SMALLEST.replace("{kind: movielens-100k}", "{interactions: a}")
    assert faults(text) == [
        "data.source: has no kind; add one of movielens-100k, movielens-1m, table (r.yaml:3)"
    ]


def test_impossible_combinations_are_refused():
    text = SMALLEST.replace("kind: transformer", "kind: transformer\n  width: 30\n  heads: 4")
    assert faults(text) == ["student: width: 30 is not divisible by heads: 4 (r.yaml:6)"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "r.yaml is empty"),
        ("- a\n", "a recipe is a mapping of keys, not a list"),
        ("a: [\n", "r.yaml:2: not valid YAML"),
        ("name: x\nname: y\n", "name: the key is given twice (r.yaml:2)"),
        ("a: &a {b: 1}\nc: *a\n", "YAML aliases"),
        ("teacher: !!python/object/apply:os.system [true]\n", "not valid YAML"),
        ("teacher: text\n", "teacher: must be a section with keys of its own, not text"),
        ("[" * 5000, "not valid YAML"),
    ],
)
def test_hostile_or_broken_text_is_one_clear_error(text, message):
    with pytest.raises(RecipeError) as raised:
        parse_recipe(text, "r.yaml")
    assert message in str(raised.value)


@given(st.text(max_size=200))
def test_any_text_is_a_recipe_or_a_recipe_error(text):
    try:
        parse_recipe(text)
    except RecipeError as error:
        assert str(error)


def test_file_that_is_not_there_or_not_text(tmp_path):
    with pytest.raises(RecipeError, match=r"Cannot read the recipe .*nothing\.yaml"):
        read_recipe(tmp_path / "nothing.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"name: a\n# \xe9\n")
    with pytest.raises(RecipeError, match=r"latin\.yaml:2 is not UTF-8"):
        read_recipe(tmp_path / "latin.yaml")


def test_overrides_change_keys_and_list_entries():
    recipe = parse_recipe(
        SMALLEST + "distillation: {losses: [{kind: soft-targets, temperature: 1}]}\n",
        overrides=[
            "student.width=48",
            "distillation.losses.0.temperature=2.5",
            "benchmark.seconds=1",
        ],
    )
    assert recipe.student.width == 48
    assert isinstance(recipe.distillation.losses[0], SoftTargets)
    assert recipe.distillation.losses[0].temperature == 2.5
    assert recipe.benchmark.seconds == 1


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("student.width", "write it as key=value"),
        ("student.widht=3", "student.widht: unknown key; did you mean 'width'? (--set "),
        ("name.a=3", "name is a text and has no keys inside"),
        ("name=2024-13-45", "the value is not valid YAML"),
        ("export.artifacts.0.scheme=fp32", "export.artifacts is no list in the recipe file"),
        ("student=null", "student: must be a section with keys of its own, not null"),
        ("a.b.c=1", "a: unknown key; known: name"),
        ("a.b.c=1", "(--set a.b.c)"),
        ("export.artifacts=[]", "export.artifacts"),
        ("benchmark.seconds=.inf", "benchmark.seconds: input should be a finite number"),
        (
            "export.artifacts=[{format: onnx}, {format: onnx}]",
            "artifacts lists onnx fp32 more than once",
        ),
        ("student.width=[", "the value is not valid YAML"),
    ],
)
def test_wrong_overrides_name_the_option(override, message):
    with pytest.raises(RecipeError) as raised:
        parse_recipe(SMALLEST, overrides=[override])
    assert message in str(raised.value)


def test_written_out_recipe_reads_as_the_same():
    recipe = parse_recipe(
        SMALLEST.replace(
            "{kind: movielens-100k}", "{kind: table, interactions: 购物.csv, minimum_value: 3}"
        )
    )
    assert isinstance(recipe.data.source, Table)
    assert parse_recipe(recipe_yaml(recipe)) == recipe


def test_schema_names_every_section_of_every_task():
    sections = {"data", "teacher", "student", "distillation", "budget"}
    parts = recipe_schema()["$defs"]
    for recipe in ("NextItemRecipe", "TextLabelRecipe", "TextPairRecipe"):
        assert sections <= set(parts[recipe]["properties"])


TEXTS = """\
name: tiny
task: {kind: text-label}
data: {source: {kind: womens-clothing}}
student: {kind: bert}
"""


def test_the_task_decides_which_kinds_there_are():
    assert isinstance(parse_recipe(TEXTS), TextLabelRecipe)
    assert isinstance(parse_recipe(SMALLEST), NextItemRecipe)
    with pytest.raises(RecipeError, match=r"kind 'text-lable' does not exist; did you mean 'text-"):
        parse_recipe(TEXTS.replace("text-label", "text-lable"))
    with pytest.raises(RecipeError, match="task: has no kind; add one of next-item, text-label"):
        parse_recipe(TEXTS.replace("kind: text-label", "max_length: 9"))
    with pytest.raises(RecipeError, match=r"data\.source: kind 'movielens-100k' does not exist"):
        parse_recipe(TEXTS.replace("womens-clothing", "movielens-100k"))


def test_a_choice_among_plain_types_is_one_fault_at_the_users_key():
    text = TEXTS.replace("kind: bert", "kind: bert, initialise: {layers: firs}")
    with pytest.raises(RecipeError) as caught:
        parse_recipe(text)
    assert str(caught.value) == (
        "student.initialise.layers: 'firs' is not one of none, first, last, uniform; "
        "did you mean 'first'? (recipe:4)"
    )


@pytest.mark.parametrize(
    ("written", "embeddings", "layers"),
    [("'embeddings, 6'", True, 6), ("[embeddings, 6]", True, 6), ("6", False, 6), ("''", False, 0)],
)
def test_freeze_is_written_as_a_person_would(written, embeddings, layers):
    recipe = parse_recipe(TEXTS + f"teacher: {{kind: huggingface, freeze: {written}}}\n")
    assert (recipe.teacher.frozen_embeddings, recipe.teacher.frozen_layers) == (embeddings, layers)
    assert parse_recipe(recipe_yaml(recipe)) == recipe


def test_features_are_compared_only_where_both_cut_texts_alike():
    matched = "distillation: {losses: [{kind: soft-targets}, {kind: attention}]}\n"
    assert parse_recipe(TEXTS + matched).distillation.reads_features
    other = TEXTS.replace("kind: bert", "kind: bert, tokenizer: {minimum_count: 3}")
    with pytest.raises(RecipeError, match="piece by piece, so both must cut texts alike"):
        parse_recipe(other + matched)


@pytest.mark.parametrize(
    ("student", "losses", "said"),
    [
        ("kind: bert, layers: 2, initialise: {layers: [0, 1, 2]}", "", "names 3 teacher layers"),
        ("kind: bert, layers: 2", "{kind: attention, layers: [[2, 5]]}", "the student's layer 2"),
        ("kind: text-cnn", "{kind: hidden-states}", "a text-cnn student has none"),
    ],
)
def test_layers_that_a_student_lacks_are_found_before_any_work(student, losses, said):
    text = TEXTS.replace("kind: bert", student)
    text += f"distillation: {{losses: [{{kind: soft-targets}}{losses and ', ' + losses}]}}\n"
    with pytest.raises(RecipeError, match=said):
        parse_recipe(text)


def test_what_training_leaves_out_keeps_the_students_defaults():
    text = TEXTS.replace("kind: bert", "kind: bert, training: {epochs: 6}")
    training = parse_recipe(text).student.training
    assert (training.epochs, training.patience, training.learning_rate) == (6, 3, 5e-4)


def test_a_score_has_no_temperature():
    text = """\
name: tiny
task: {kind: text-pair, relevance: score}
data: {source: {kind: table, train: x.csv}}
student: {kind: bert}
distillation: {losses: [{kind: soft-targets, temperature: 2}]}
"""
    with pytest.raises(RecipeError, match="soft-targets of a score are numbers"):
        parse_recipe(text)


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("task: text-label\n", "task: write {kind: text-label} (r.yaml:2)"),
        ("task: text-pairs\n", "task: write {kind: text-pair} (r.yaml:2)"),
        (
            "task: [3]\n",
            "task: write {kind: text-label}; known: next-item, text-label, text-pair (r.yaml:2)",
        ),
        (
            "",
            "task: missing, and the data are texts; add {kind: text-label} or {kind: text-pair} "
            "(r.yaml:1)",
        ),
    ],
)
def test_a_task_that_is_not_there_or_no_section_is_the_only_fault(task, said):
    text = TEXTS.replace("task: {kind: text-label}\n", task)
    assert faults(text) == [said]
    files = text.replace("{kind: womens-clothing}", "{kind: table, train: x.csv}")
    assert faults(files) == [said]


def test_classes_may_be_numbers_or_yes_and_no_as_in_the_data():
    weights = "kind: text-label, class_weights: {1: 2, 2.0: 3, 0.5: 4, false: 5, a: 6}"
    task = parse_recipe(TEXTS.replace("kind: text-label", weights)).task
    assert task.class_weights == {"1": 2, "2": 3, "0.5": 4, "false": 5, "a": 6}
    gains = "kind: text-pair, gains: {0: 0, true: 1}"
    text = TEXTS.replace("kind: text-label", gains)
    pairs = parse_recipe(text.replace("womens-clothing", "table, train: x.csv"))
    assert pairs.task.gains == {"0": 0, "true": 1}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("title", "write a list: [title]"),
        ("'title, body'", "write a list: ['title, body']"),
        ("3", "write a list: [3]"),
        ("null", "must be a list, not null"),
        ("{a: b}", "must be a list, not mapping"),
    ],
)
def test_one_column_is_written_as_a_list(written, said):
    source = f"{{kind: table, train: x.csv, columns: {{text: {written}}}}}"
    text = TEXTS.replace("{kind: womens-clothing}", source)
    assert faults(text) == [f"data.source.columns.text: {said} (r.yaml:3)"]


def test_nothing_cannot_stand_between_classes():
    source = "{kind: table, train: x.csv, columns: {label_separator: ''}}"
    found = faults(TEXTS.replace("{kind: womens-clothing}", source))
    assert len(found) == 1
    assert "label_separator: string should have at least 1 character" in found[0]


def test_a_fault_inside_a_list_does_not_make_the_list_too_short():
    given = TEXTS + "export: {artifacts: [{format: onnx, scheme: int8-dynamic, preset: arm}]}\n"
    assert faults(given) == [
        "export.artifacts.0.preset: 'arm' is not one of arm64, avx2, avx512_vnni; did you mean "
        "'arm64'? (r.yaml:5)"
    ]
    assert "at least 1 item" in faults(TEXTS + "export: {artifacts: []}\n")[0]
