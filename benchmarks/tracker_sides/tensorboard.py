"""TensorBoard: event files, and its server, which reads them in the background with its fast loader.

The list is the table beside the time series, usable once it has a row for every run: the page draws all of them, and
what the server has not read yet is not there. Where runs are missing the page's own button for reloading is pressed
again, a second after the answers to the last time, as a person would who knows that more must come.

A comparison is an address with filters for runs and tag. Beyond 500 runs none is ticked at first, so the box above the
filtered runs is pressed, whose own tick does not always follow them. It is usable once the chart's table has a row for
each run that has come to the last step, and its canvas holds something: lines in a canvas cannot be counted.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from benchmarks.tracker_sides.made_run import COMPARED_SERIES, SERIES, STEPS_PER_EPOCH, MadeRun
from benchmarks.tracker_sides.side import Side, View

ROWS = "document.querySelectorAll('runs-table tb-data-table-content-row').length"
TICKED = "document.querySelectorAll('runs-table tb-data-table-content-row input:checked').length"
RELOAD = """
  const reload = () => {
    const button = document.querySelector('app-header-reload button');
    if (window.presses === undefined) {
      window.presses = 0;
      performance.setResourceTimingBufferSize(100000);
    }
    const answers = performance.getEntriesByType('resource').filter((one) => one.name.includes('/data/'));
    const lists = answers.filter((one) => one.name.endsWith('/defaultExperimentId/data/runs')).length;
    const quiet_ms = performance.now() - Math.max(0, ...answers.map((one) => one.responseEnd));
    if (button && lists > window.presses && quiet_ms > 1000) {
      window.presses = lists;
      button.click();
    }
    return false;
  };
"""
# The picture of a canvas that a worker draws can be copied, and so be looked at.
IS_PAINTED = """
  const is_painted = (canvas) => {
    if (!canvas || !canvas.width || !canvas.height) return false;
    const copy = document.createElement('canvas');
    [copy.width, copy.height] = [canvas.width, canvas.height];
    const pen = copy.getContext('2d');
    pen.drawImage(canvas, 0, 0);
    return pen.getImageData(0, 0, copy.width, copy.height).data.some((value) => value > 0);
  };
"""


class TensorBoard(Side):
    """See above."""

    name = "tensorboard"
    requirement = "tensorboard==2.21.0"

    def write(self, runs: Iterable[MadeRun], folder: Path) -> list[str]:
        """Write one event file for each run, in a folder of its name."""
        return [_write_run(folder, run) for run in runs]

    def command(self, scripts: Path, folder: Path, port: int) -> list[str]:
        """Return the command of the server."""
        return [str(scripts / "tensorboard"), "--logdir", str(folder), "--port", str(port)]

    def list_view(self, names: Sequence[str]) -> View:
        """Return the time series, where the table of runs stands."""
        return View("/#timeseries", f"() => {{ {RELOAD} return {ROWS} === {len(names)} || reload(); }}")

    def comparison_view(self, run_ids: Sequence[str], epochs: int) -> View:
        """Return the time series of some runs only."""
        runs, tag = f"^({'|'.join(run_ids)})$", f"^{re.escape(COMPARED_SERIES)}$"
        is_usable = f"""() => {{
          {RELOAD} {IS_PAINTED}
          if ({ROWS} !== {len(run_ids)}) return reload();
          const box = document.querySelector('runs-table tb-data-table-header-cell input[type=checkbox]');
          if (box && {TICKED} < {len(run_ids)} && !window.has_ticked) {{
            window.has_ticked = true;
            setTimeout(() => (window.has_ticked = false), 2000);
            box.click();
          }}
          const card = document.querySelector('scalar-card');
          const rows = card ? [...card.querySelectorAll('tb-data-table-content-row')] : [];
          const ended = rows.filter((row) => row.textContent.includes(' {epochs * STEPS_PER_EPOCH:,} ')).length;
          if (ended === {len(run_ids)}) return is_painted(card.querySelector('line-chart canvas'));
          return card && rows.length === 0 ? false : reload();
        }}"""
        return View(f"/?runFilter={quote(runs, safe='')}&tagFilter={quote(tag, safe='')}#timeseries", is_usable)


def _write_run(folder: Path, run: MadeRun) -> str:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb
    from tensorboard.summary import Writer
    from tensorboard.summary._output import DirectoryOutput

    output = DirectoryOutput(str(folder / run.name))
    settings: Any = hparams_pb(run.settings, trial_id=run.name, start_time_secs=run.started_s)
    # Its writer knows scalars only; a second file for the settings would double the files that it has to follow.
    output._ev_writer.add_event(Event(wall_time=run.started_s, summary=settings))
    writer = Writer(output)
    for epoch, row in enumerate(run.values.tolist(), 1):
        for series, value in zip(SERIES, row, strict=True):
            writer.add_scalar(series, value, epoch * STEPS_PER_EPOCH, wall_time=run.time_s(epoch))
    writer.close()
    return run.name
