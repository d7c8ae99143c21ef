"""The user's own texts and models: Chinese queries, a fine-tuned folder, pairs, several labels."""

import csv
import json

import pytest

from .chinese_queries import write_chinese_queries
from .conftest import call

LESS = """
threads: 1
benchmark: {queries: 16, seconds: 0.2, bootstrap: 200, robustness: false}
budget: {}
"""
STUDENT = """
student:
  kind: bert
  width: 32
  layers: 1
  heads: 2
  tokenizer: {source: %s}
  training: {epochs: %d, learning_rate: 3e-3, warmup_steps: 5, batch_size: 16}
"""


def run(folder, recipe, *more):
    path = folder / "recipe.yaml"
    path.write_text(recipe + LESS, encoding="utf-8")
    done = call("run", path, "--quick", "--out", folder / "run", *more)
    report = folder / "run" / "report" / "report.json"
    return done, json.loads(report.read_text()) if report.is_file() else None


@pytest.fixture(scope="module")
def chinese(tiny_bert, tmp_path_factory):
    """A Chinese CSV, a teacher whose tokenizer knows Chinese characters, a character student."""
    folder = tmp_path_factory.mktemp("chinese")
    rows = write_chinese_queries(folder / "查询.csv")
    recipe = (
        f"""
name: chinese
data:
  source:
    kind: table
    train: 查询.csv
    columns: {{text: [查询], label: 部门}}
  split: {{kind: stratified, validation: 0.15, test: 0.2}}
task: {{kind: text-label, max_length: 24}}
teacher:
  kind: huggingface
  model: {tiny_bert}
  allow_weak_teacher: true
  training: {{epochs: 12, learning_rate: 2e-3, warmup_steps: 5, batch_size: 16}}
"""
        + STUDENT % ("characters", 12)
    )
    done, report = run(folder, recipe)
    assert done.code == 0, done.err
    return folder, rows, report


def test_chinese_queries_are_learned_and_shipped(chinese):
    folder, rows, report = chinese
    counts = report["counts"]
    assert counts["train_texts"] + counts["validation_texts"] + counts["test_texts"] == rows
    assert report["student"]["quality"]["macro_f1"]["value"] > 0.6  # four departments: .25 by luck
    assert all(one["usable"] for one in report["artifacts"]), report["artifacts"]
    pieces = json.loads((folder / "run/student-pieces/vocabulary-map.json").read_text())
    assert "裙" in {entry["piece"] for entry in pieces.values()}


def test_a_fine_tuned_folder_goes_in_without_training(chinese, tmp_path):
    """The teacher of the first job is a model that the user already has."""
    folder, _, report = chinese
    write_chinese_queries(tmp_path / "查询.csv")
    text = (folder / "recipe.yaml").read_text(encoding="utf-8")
    start, end = text.index("teacher:"), text.index("student:")
    given = f"teacher: {{kind: huggingface, model: {folder / 'run' / 'teacher'}, train: false, "
    given += "allow_weak_teacher: true}\n"
    done, again = run(tmp_path, text[:start] + given + text[end:].replace(LESS, ""))
    assert done.code == 0, done.err
    assert "fine-tuning: epoch" not in done.err
    assert again["teacher"]["quality"] == report["teacher"]["quality"]
    assert [curve["name"] for curve in again["curves"]] == ["student", "student without teacher"]


def test_a_model_of_other_classes_is_refused(chinese, tmp_path):
    folder, _, _ = chinese
    with (tmp_path / "other.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [("text", "label"), *((f"text {n}", f"class {n % 3}") for n in range(60))]
        )
    done, _ = run(
        tmp_path,
        "name: other\ndata: {source: {kind: table, train: other.csv}}\n"
        "task: {kind: text-label, max_length: 16}\n"
        f"teacher: {{kind: huggingface, model: {folder / 'run' / 'teacher'}, train: false}}"
        + STUDENT
        % ("teacher", 1),
    )
    assert done.code == 2
    assert "Traceback" not in done.err
    assert "class 0" in done.err
    assert "手机" in done.err


def test_pairs_of_query_and_product_are_ranked(tiny_bert, tmp_path):
    """Relevance is a grade in words with gains; products that share the query's word are best."""
    with (tmp_path / "pairs.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("query", "product", "relevance"))
        words = ["dress", "shirt", "jeans", "boots", "scarf", "coat", "skirt", "socks"]
        for number in range(64):
            word = words[number % 8]
            for other in range(6):
                grade = "exact" if other == 0 else "substitute" if other == 1 else "irrelevant"
                noun = word if other < 2 else words[(number + other) % 8]
                product = f"{'red' if other else 'blue'} {noun} size {other}"
                writer.writerow((f"blue {word} {number}", product, grade))
    done, report = run(
        tmp_path,
        "name: pairs\ndata: {source: {kind: table, train: pairs.csv}}\n"
        "task: {kind: text-pair, max_length: 24,\n"
        "  gains: {exact: 1.0, substitute: 0.3, irrelevant: 0.0}}\n"
        f"teacher: {{kind: huggingface, model: {tiny_bert}, allow_weak_teacher: true,\n"
        "  training: {epochs: 4, learning_rate: 2e-3, warmup_steps: 5, batch_size: 16}}"
        + STUDENT
        % ("teacher", 4),
    )
    assert done.code == 0, done.err
    assert (report["task"], report["metric"]) == ("text-pair", "ndcg@10")
    assert {"ndcg@10", "mrr@10", "spearman", "accuracy"} <= set(report["teacher"]["quality"])
    assert report["student"]["quality"]["ndcg@10"]["value"] > 0.5
    assert all(one["usable"] for one in report["artifacts"]), report["artifacts"]


def test_scores_of_pairs_are_a_number_in_and_a_number_out(tiny_bert, tmp_path):
    with (tmp_path / "scores.jsonl").open("w", encoding="utf-8") as file:
        for number in range(240):
            near = number % 3
            line = {
                "query": f"query {number // 3}",
                "product": f"{'good ' * near}product",
                "relevance": near / 2,
            }
            file.write(json.dumps(line) + "\n")
    done, report = run(
        tmp_path,
        "name: scores\ndata: {source: {kind: table, train: scores.jsonl}}\n"
        "task: {kind: text-pair, max_length: 16, relevance: score}\n"
        f"teacher: {{kind: huggingface, model: {tiny_bert}, allow_weak_teacher: true,\n"
        "  training: {epochs: 3, learning_rate: 2e-3, warmup_steps: 5, batch_size: 16}}"
        + STUDENT
        % ("teacher", 3),
    )
    assert done.code == 0, done.err
    assert "spearman" in report["student"]["quality"]


def test_a_text_may_have_several_classes(tiny_bert, tmp_path):
    with (tmp_path / "many.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("text", "label"))
        for number in range(240):
            words = [word for bit, word in enumerate(("red", "warm", "long")) if number >> bit & 1]
            writer.writerow((" ".join(["a", *words, "coat", str(number)]), "|".join(words)))
    (tmp_path / "more.csv").write_text("text\n" + "a red long scarf\n" * 30)
    done, report = run(
        tmp_path,
        "name: many\ndata:\n  source: {kind: table, train: many.csv, unlabelled: [more.csv],\n"
        "    columns: {label_separator: '|'}}\n"
        "task: {kind: text-label, max_length: 16, multi_label: true}\n"
        f"teacher: {{kind: huggingface, model: {tiny_bert}, allow_weak_teacher: true,\n"
        "  training: {epochs: 6, learning_rate: 2e-3, warmup_steps: 5, batch_size: 16}}\n"
        "distillation: {augment: {share: 0.2}}" + STUDENT % ("teacher", 6),
    )
    assert done.code == 0, done.err
    assert report["counts"]["unlabelled_texts"] == 30
    assert report["student"]["quality"]["micro_f1"]["value"] > 0.5


def test_features_of_the_teacher_are_matched(tiny_bert, tmp_path):
    write_chinese_queries(tmp_path / "q.csv")
    done, report = run(
        tmp_path,
        "name: features\n"
        "data: {source: {kind: table, train: q.csv, columns: {text: [查询], label: 部门}}}\n"
        "task: {kind: text-label, max_length: 24}\n"
        f"teacher: {{kind: huggingface, model: {tiny_bert}, allow_weak_teacher: true,\n"
        "  freeze: 'embeddings, 1', unfreeze_every: 1,\n"
        "  training: {epochs: 10, patience: 10, learning_rate: 2e-3, warmup_steps: 5,\n"
        "    batch_size: 16}}\n"
        "distillation:\n  losses:\n    - {kind: soft-targets}\n    - {kind: label}\n"
        "    - {kind: hidden-states, weight: 0.05}\n    - {kind: attention, weight: 0.05}\n"
        "    - {kind: embeddings, weight: 0.05}" + STUDENT % ("teacher", 10),
    )
    assert done.code == 0, done.err
    assert report["student"]["quality"]["macro_f1"]["value"] > 0.3
