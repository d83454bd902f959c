"""sentence-transformers on the same model and texts: its modules, its losses, and its trainer, step by step."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from benchmarks.text.runs import TEMPERATURE, Task
from ssl_domains.encoders import Encoder

__all__ = ["gradients", "loss_of", "model_of", "trainer_steps"]


def model_of(task: Task, encoder: Encoder) -> Any:
    """A `SentenceTransformer` with copies of an encoder's weights."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Dense, Pooling, StaticEmbedding, Transformer

    if task.encoder == "static":
        static: Any = encoder.model
        tokenizer = Tokenizer.from_str(task.preprocess.tokenizer)
        embedding = StaticEmbedding(tokenizer, embedding_weights=static.embedding.weight.detach().numpy().copy())
        dense = Dense(static.dense.in_features, static.dense.out_features, activation_function=torch.nn.Identity())
        dense.linear.load_state_dict(static.dense.state_dict())
        return SentenceTransformer(modules=[embedding, dense], device="cpu")
    folder = task.encoder.removeprefix("transformers:")
    transformer = Transformer(folder, max_seq_length=task.preprocess.tokens)
    pooling = Pooling(transformer.get_embedding_dimension(), pooling_mode="mean")
    return SentenceTransformer(modules=[transformer, pooling], device="cpu")


def loss_of(model: Any, cached: int | None = None) -> Any:
    """Its loss of queries against the documents of the batch; with gradient caching over so many texts at a time."""
    from sentence_transformers.sentence_transformer import losses

    scale = 1 / TEMPERATURE
    if cached is None:
        return losses.MultipleNegativesRankingLoss(model, scale=scale)
    return losses.CachedMultipleNegativesRankingLoss(model, scale=scale, mini_batch_size=cached)


def gradients(loss: Any, queries: Sequence[str], documents: Sequence[str]) -> float:
    """Compute the loss of pairs of texts, add its gradients to those of the model, and return it."""
    features = [loss.model.preprocess(list(texts)) for texts in (queries, documents)]
    value = loss(features, None)
    value.backward()
    return float(value.detach())


@contextmanager
def trainer_steps(
    model: Any, loss: Any, queries: Sequence[str], documents: Sequence[str], batch: int, folder: Path, threads: int
) -> Iterator[Iterator[int]]:
    """Its trainer, which makes one step each time that the next number is taken.

    The trainer runs in a thread of its own, which waits between two steps.
    """
    import pyarrow
    from datasets import Dataset
    from sentence_transformers import SentenceTransformerTrainer, SentenceTransformerTrainingArguments
    from transformers import TrainerCallback

    go, done, failed = threading.Semaphore(0), threading.Semaphore(0), []
    stop = threading.Event()

    class Turns(TrainerCallback):  # type: ignore[misc, unused-ignore]
        def on_step_end(self, args: Any, state: Any, control: Any, **more: Any) -> Any:
            done.release()
            go.acquire()
            control.should_training_stop = stop.is_set()
            return control

    arguments = SentenceTransformerTrainingArguments(
        str(folder), max_steps=10**6, per_device_train_batch_size=batch, report_to="none", use_cpu=True,
        save_strategy="no", logging_strategy="no", disable_tqdm=True, lr_scheduler_type="constant",
        learning_rate=1e-3, dataloader_drop_last=True, seed=0,
    )  # fmt: skip
    # With a fingerprint of its own the data set is not hashed, which fails with some versions of dill.
    columns = pyarrow.table({"anchor": list(queries), "positive": list(documents)})
    data = Dataset(columns, fingerprint="made-up")
    trainer = SentenceTransformerTrainer(model, arguments, train_dataset=data, loss=loss, callbacks=[Turns()])

    def work() -> None:
        torch.set_num_threads(threads)  # a thread starts with the number of the environment
        go.acquire()
        try:
            if not stop.is_set():
                trainer.train()
        except BaseException as error:
            failed.append(error)
        finally:
            done.release()

    def steps() -> Iterator[int]:
        number = 0
        while True:
            go.release()
            done.acquire()
            if failed:
                raise RuntimeError("the trainer of sentence-transformers failed") from failed[0]
            number += 1
            yield number

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        yield steps()
    finally:
        stop.set()
        go.release()
        thread.join()
