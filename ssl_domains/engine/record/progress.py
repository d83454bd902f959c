"""Progress of a training on standard error, with the time left: a bar on a terminal, plain lines in a log."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from ssl_domains.durations import duration
from ssl_domains.engine.record.events import (
    Estimated,
    Event,
    Finished,
    Listener,
    Measured,
    Refreshed,
    Started,
    Stepped,
    Stopped,
    Warned,
)

__all__ = ["reporter"]


def reporter(
    quiet: bool = False, console: Console | None = None, clock: Callable[[], float] = time.monotonic
) -> Listener:
    """A listener for `pretrain`.

    Args:
        quiet: Print only warnings (``--json``).
        console: Console to print to; by default standard error.
        clock: Gives seconds, for the time left.
    """
    console = console or Console(stderr=True)
    if quiet:
        return _Quiet(console)
    return _Bar(console) if console.is_terminal else _Lines(console, clock)


class _Quiet:
    def __init__(self, console: Console) -> None:
        self.console = console

    def __call__(self, event: Event) -> None:
        if isinstance(event, Warned):
            self.say(f"warning: {event.text}")

    def say(self, text: str) -> None:
        # No markup, because a rule such as same('a')[…] is plain text; no wrapping, because a log line is one line.
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


class _Lines(_Quiet):
    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        super().__init__(console)
        self.clock = clock
        self.total = 0
        self.first: tuple[float, int] | None = None  # (time, step) of the first measurement

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        if isinstance(event, Started):
            self.total = event.total_steps
            self.say("\n".join((_start_line(event), *event.fitted)))
        elif isinstance(event, Estimated):
            self.say(_estimate_line(event))
        elif isinstance(event, Measured):
            self.say(_measured_line(event) + self.left(event.values["step"]))
        elif isinstance(event, Refreshed):
            took = f"{duration(event.seconds)}, {100 * event.share:.0f} % of the time so far"
            self.say(f"epoch {event.epoch} · computed anew: {', '.join(event.names)} · {took}")
        elif isinstance(event, Finished):
            self.say(f"done: {event.step} steps in {duration(event.seconds)}")

    def left(self, step: int) -> str:
        """The time left in words; the first step, which takes longer than others, doesn't count for it."""
        now = self.clock()
        if self.first is None:
            self.first = now, step
        start, before = self.first
        if step <= before or step >= self.total:
            return ""
        return f" · {duration((now - start) / (step - before) * (self.total - step))} left"


class _Bar(_Quiet):
    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self.progress: Progress | None = None
        self.task = TaskID(0)

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        if isinstance(event, Started):
            self.say("\n".join((_start_line(event), *event.fitted)))
            self.progress = Progress(
                TextColumn("epoch {task.fields[epoch]}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[speed]:.0f} samples/s · waiting for data {task.fields[wait]:.0%}"),
                TextColumn("· loss {task.fields[loss]}{task.fields[knn]}"),
                TimeRemainingColumn(),
                console=self.console,
                transient=True,
            )
            self.task = self.progress.add_task(
                "", total=event.total_steps, completed=event.step, epoch=0, speed=0.0, wait=0.0, loss="–", knn=""
            )
            self.progress.start()
        elif isinstance(event, Estimated):
            self.say(_estimate_line(event))
        elif isinstance(event, Stepped) and self.progress is not None:
            loss = "–" if event.loss is None else f"{event.loss:.3f}"
            self.progress.update(
                self.task,
                completed=event.step,
                epoch=event.epoch,
                speed=event.images_per_s,
                wait=event.data_wait,
                loss=loss,
            )
        elif isinstance(event, Measured) and self.progress is not None and "knn" in event.values:
            self.progress.update(self.task, knn=f" · {_knn(event.values)}")
        elif isinstance(event, Stopped):
            self.close()
        elif isinstance(event, Finished):
            self.close()
            self.say(f"done: {event.step} steps in {duration(event.seconds)}")

    def close(self) -> None:
        if self.progress is not None:
            self.progress.stop()
            self.progress = None


def _start_line(event: Started) -> str:
    go_on = f", going on at step {event.step}" if event.step else ""
    return (
        f"training on {event.samples} samples: {event.total_steps} steps of {event.steps_per_epoch} an epoch, "
        f"{event.parameters / 1e6:.2f} M parameters, {event.device}, {event.precision}, {event.composition}{go_on}"
    )


def _estimate_line(event: Estimated) -> str:
    steps = "step" if event.steps == 1 else "steps"
    return (
        f"estimate: about {duration(event.seconds)} for the {event.steps:,} {steps} left, at "
        f"{event.seconds_per_step:.3g} s a step; peak memory so far {event.peak_memory_bytes / 1e9:.2f} GB"
    )


def _measured_line(event: Measured) -> str:
    values = event.values
    parts = [
        f"step {values['step']}",
        f"loss {_number(values['loss'], 3)}",
        f"{_number(values['images_per_s'], 0)} samples/s",
        f"waiting for data {_number(100 * values['data_wait'], 0)} %",
        f"std {_number(values['std'], 3)}",
        f"rank {_number(values['effective_rank'], 1)}",
    ]
    return " · ".join(parts + ([_knn(values)] if "knn" in values else []))


def _knn(values: Mapping[str, Any]) -> str:
    """The online k-NN, beside what features that know nothing reach."""
    classes = values.get("knn_classes") or 0
    chance = f" (chance {1 / classes:.2f})" if classes else ""
    return f"k-NN {_number(values.get('knn'), 3)}{chance}"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:.{digits}f}"
