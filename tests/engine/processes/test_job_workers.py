"""Workers of a pool of jobs: a signal stops what they do, and no further job begins."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from ssl_domains.engine.processes import job_workers
from ssl_domains.engine.processes.interruption import Interruption
from ssl_domains.engine.processes.job_workers import create_pool, stop_workers, worker_job


@pytest.fixture(autouse=True)
def as_worker() -> Iterator[None]:
    """This process has the signal handlers of a worker."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    job_workers._settle(None, ())
    yield
    job_workers._State.stopped = job_workers._State.busy = False
    for number, handler in before.items():
        signal.signal(number, handler)


def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def test_sigterm_interrupts_a_job_and_no_other_begins() -> None:
    with pytest.raises(KeyboardInterrupt), worker_job():
        terminate()
    with pytest.raises(KeyboardInterrupt), worker_job():
        pytest.fail("a job began")


def test_sigterm_between_two_jobs_ends_the_second_before_it_begins() -> None:
    with worker_job():
        pass
    terminate()  # raises nothing: the process may hold a lock here
    with pytest.raises(KeyboardInterrupt), worker_job():
        pytest.fail("a job began")


def train() -> None:
    with Interruption() as interruption:
        terminate()
        assert interruption.requested  # a training saves here
    raise KeyboardInterrupt


def test_a_training_saves_first() -> None:
    with pytest.raises(KeyboardInterrupt), worker_job():
        train()
    with pytest.raises(KeyboardInterrupt), worker_job():
        pytest.fail("a job began")


def test_ctrl_c_and_a_second_sigterm_change_nothing() -> None:
    os.kill(os.getpid(), signal.SIGINT)
    with worker_job():
        pass
    with pytest.raises(KeyboardInterrupt), worker_job():
        terminate()
    terminate()


def test_an_error_of_a_job_stops_no_other() -> None:
    with pytest.raises(ValueError, match="bad"), worker_job():
        raise ValueError("bad")
    with worker_job():
        pass


def _first(path: str) -> None:
    with worker_job():
        with open(path, "w") as pipe:
            pipe.write("begun")
        while True:  # as a measurement that takes long
            pass


def _second(path: str) -> None:
    with worker_job(), open(path, "w"):
        pass


def test_a_pool_is_stopped_though_jobs_are_handed_over(tmp_path) -> None:
    started = tmp_path / "started"
    os.mkfifo(started)
    pool = create_pool(1)
    running = pool.submit(_first, str(started))
    waiting = [pool.submit(_second, str(tmp_path / f"job-{n}")) for n in range(3)]
    assert started.read_text() == "begun"
    stop_workers(pool)
    assert isinstance(running.exception(), KeyboardInterrupt)
    assert all(one.cancelled() or isinstance(one.exception(), KeyboardInterrupt) for one in waiting)
    assert not list(tmp_path.glob("job-*"))
