"""Answers of networks that never were: softmax of noise with a bonus for the true class."""

from pathlib import Path

import numpy as np
import polars as pl
from scipy import special

from cnnlab.analysis.answers import Answers
from cnnlab.files import read_json, write_json
from cnnlab.runs.writer import RunWriter


def made_answers(
    n: int = 400, num_classes: int = 5, *, bonus: float = 2.0, temperature: float = 1.0, seed: int = 0
) -> Answers:
    """Return answers that are calibrated as they are at `temperature` 1, and too sure below it."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(n, num_classes)) * bonus
    probabilities = special.softmax(logits, axis=1)
    labels = (probabilities.cumsum(axis=1) < rng.random((n, 1))).sum(axis=1).clip(max=num_classes - 1)
    return Answers(labels, special.softmax(logits / temperature, axis=1).astype(np.float32))


def as_frame(answers: Answers, *, split: str = "test", output: str = "label") -> pl.DataFrame:
    """Return answers in the columns of `predictions.parquet`."""
    unknown = np.isnan(answers.probabilities).any(axis=1)
    return pl.DataFrame(
        {
            "sample_id": [f"{split}-{place}" for place in range(answers.n)],
            "split": split,
            "output": output,
            "label": pl.Series(answers.labels, dtype=pl.Int32),
            "predicted": pl.Series(
                [
                    None if is_unknown else guess
                    for guess, is_unknown in zip(answers.predicted.tolist(), unknown, strict=True)
                ],
                dtype=pl.Int32,
            ),
            "probabilities": pl.Series(answers.probabilities.tolist(), dtype=pl.List(pl.Float32)),
        }
    )


def give_answers(run_dir: Path, val: Answers, test: Answers, class_names: list[str] | None = None) -> None:
    """Let a completed run have said this on its validation and test images."""
    names = class_names or [f"class {place}" for place in range(test.num_classes)]
    writer, result = RunWriter(run_dir), read_json(run_dir / "result.json")
    for split, answers in (("val", val), ("test", test)):
        ids = [f"{split}-{place}" for place in range(answers.n)]
        writer.predictions(split, "label", ids, answers.labels.tolist(), answers.probabilities)
        right = int(answers.is_right.sum())
        result[split]["label"] = {"accuracy": right / answers.n, "loss": 0.3, "correct": right, "n": answers.n}
    write_json(run_dir / "result.json", {**result, "outputs": {"label": names}, "main_output": "label"})
