"""CNN Lab's own loop: the feed, the engine of the backend and the log of every step."""

import sys
import tempfile
from pathlib import Path

from benchmarks.training_sides.task import config, info, task_from, timed
from cnnlab.augmentation.host import split_pipe
from cnnlab.augmentation.language import parse
from cnnlab.augmentation.ops import build_augmenter
from cnnlab.runs.writer import RunWriter
from cnnlab.training.engines.base import build_engine, fits_on_device, longest_chunk
from cnnlab.training.equipment import precision
from cnnlab.training.feed import Feed
from cnnlab.training.loop import chunk_length
from cnnlab.training.losses import build_loss
from cnnlab.training.model import TrainingModel
from cnnlab.training.models import build_networks
from cnnlab.training.optimizers import build_optimizer
from cnnlab.training.rates import learning_rates
from cnnlab.training.report import Report
from cnnlab.training.schedules import TableSchedule


def main(text: str) -> None:
    task = task_from(text)
    run = config(task)
    images, labels = task.images()
    by_output = {"label": labels}
    is_resident = fits_on_device(images.nbytes)
    host, pipe = (None, parse(task.augmentation)) if is_resident else split_pipe(parse(task.augmentation))
    with precision(task.precision):
        network, with_auxiliary = build_networks(run, info())
        augmenter = build_augmenter(pipe, (32, 32, 3), seed=0) if pipe.steps else None
        model = TrainingModel(network, augmenter, {"label": 10}, {"label": build_loss()}, with_auxiliary)
    feed = Feed(images, by_output, task.batch_size, 0, host, is_resident)
    rates = learning_rates(run.training, feed.steps_per_epoch)
    optimizer = build_optimizer(run.training, TableSchedule(rates))
    resident = {"images": images, "labels": by_output} if is_resident else {}
    engine = build_engine(model, optimizer, **resident)
    length = chunk_length(feed.steps_per_epoch, longest_chunk())
    with tempfile.TemporaryDirectory() as folder:
        report = Report(RunWriter(Path(folder)), rates, run.training.epochs, task.batch_size)

        def epoch(number: int) -> None:
            step = 0
            for chunk in feed.epoch(number, 0, length):
                report.steps_done(number, step, engine.train(chunk))
                step += chunk.num_steps

        timed(task, epoch)


if __name__ == "__main__":
    main(sys.argv[1])
