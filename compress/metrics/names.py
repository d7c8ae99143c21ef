"""What metrics are called where a person reads."""

_NAMES = {
    "accuracy": "accuracy",
    "top5_accuracy": "top-5 accuracy",
    "macro_f1": "macro-F1",
    "micro_f1": "micro-F1",
    "calibration_error": "calibration error",
    "spearman": "Spearman’s ρ",
}
_RANKING_NAMES = {"ndcg": "NDCG", "mrr": "MRR", "hit": "Hit", "recall": "Recall"}


def metric_name(metric: str) -> str:
    """Return a metric's key as the field writes it: `ndcg@10` is NDCG@10, `macro_f1` macro-F1."""
    name, at, cutoff = metric.partition("@")
    return _NAMES.get(metric) or _RANKING_NAMES.get(name, name.replace("_", " ")) + at + cutoff
