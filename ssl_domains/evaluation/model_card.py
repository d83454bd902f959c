"""The model card of an export: how it was trained, and its limits. It holds no identifier and no path."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ssl_domains.encoders.hugging_face.folder import PREFIX
from ssl_domains.evaluation.probe_report import ProbeReport, read_probe_reports
from ssl_domains.evaluation.sentence_models import TextPreprocess

if TYPE_CHECKING:
    from ssl_domains.engine import Run

__all__ = ["model_card"]

_USE = {
    "timm": """import timm, ssl_domains.encoders  # the import is only needed for architectures of ssl-domains
model = timm.create_model("{name}", checkpoint_path="model.safetensors", num_classes=0, **{arguments})""",
    "safetensors": """from safetensors.torch import load_file
from ssl_domains.encoders import create_encoder
from ssl_domains.inputs import InputSpec
encoder = create_encoder("{name}", takes={takes}{segments}).eval()
encoder.model.load_state_dict(load_file("model.safetensors"))
# encoder(values, valid).pooled; preprocess.json says how values are made""",
    "onnx": """import onnxruntime
session = onnxruntime.InferenceSession("model.onnx")
(features,) = session.run(None, {{"input": values}})  # values: float32 [B, {channels}, {sides}]""",
    "sentence-transformers": """from sentence_transformers import SentenceTransformer
model = SentenceTransformer("FOLDER")  # this folder
vectors = model.encode(["a text", "another one"])
model.similarity(vectors, vectors)  # cosines""",
    "transformers": """from transformers import AutoModel, AutoTokenizer
model, tokenizer = AutoModel.from_pretrained("FOLDER"), AutoTokenizer.from_pretrained("FOLDER")  # this folder
tokens = tokenizer(["a text", "another one"], padding=True, truncation=True, return_tensors="pt")
hidden, mask = model(**tokens).last_hidden_state, tokens["attention_mask"][..., None]
vectors = (hidden * mask).sum(dim=1) / mask.sum(dim=1)  # the mean over the tokens; no pooler was trained""",
}
_TEXT_FORMATS = ("sentence-transformers", "transformers")
_MODEL_USE = {
    "safetensors": """from ssl_domains.prediction import load_model
model = load_model("FOLDER")  # this folder
outputs = model(values)  # preprocess.json says how values are made""",
    "onnx": """import onnxruntime
session = onnxruntime.InferenceSession("model.onnx")
(outputs,) = session.run(None, {{"input": values}})  # values: float32 [B, {channels}, {sides}]""",
}
_OUTPUTS = {
    "classification": "logits `[B, {outputs}]`; their softmax gives the probabilities of {classes}",
    "multilabel": "logits `[B, {outputs}]`; their sigmoid gives the probability of each of {classes}",
    "transcription": "log-probabilities `[B, T, {outputs} + 1]` of each frame for the blank and, from 1 on, the "
    "characters {classes}; take the largest of each frame, equal neighbours as one, and leave the blanks out",
    "regression": "numbers `[B, 1]` in the unit of `{label}`",
    "segmentation": "logits `[B, {outputs}, S, S]` of the background and of {classes} on the canvas; resize them to "
    "the picture, then take the largest. The class numbers are 0, {numbers}",
}


def model_card(run: Run, format: str, num_features: int, task: Mapping[str, Any] | None = None) -> str:
    """The model card as Markdown, from the files of the run folder.

    Args:
        run: The run.
        format: Export format, such as ``timm``.
        num_features: Width of the encoder's output.
        task: What the exported model predicts, as in ``task.json``; None for an encoder alone.
    """
    config, data = run.config, run.data_fingerprint
    spec = run.preprocess.spec
    trained = task or _task_of(run)
    # The folder that a model of transformers came from is one of this machine.
    name = "A model of transformers" if config.encoder.name.startswith(PREFIX) else config.encoder.name
    use = (_USE if task is None else _MODEL_USE)[format].format(
        name=config.encoder.name, takes=repr(spec), arguments=json.dumps({"in_chans": spec.channels}),
        segments=f", segments={config.encoder.segments}" if config.encoder.segments > 1 else "",
        channels=spec.channels, sides=", ".join(map(str, spec.space)),
    )  # fmt: skip
    pairs = config.pairs
    rule = pairs.rule
    if rule == "none" and config.method.name == "simclr":
        rule = "none: plain SimCLR"
    if pairs.relations == "none" and pairs.rule != "none":
        rule += " (composed the batches only; positives were a sample's own views)"
    if pairs.shuffle_metadata is not None:
        rule += f" (on shuffled metadata, seed {pairs.shuffle_metadata}: a control, not for use)"
    first = config.encoder.init if config.encoder.init in ("random", "pretrained") else "weights of another run or file"
    commit = run.environment.get("commit") or "unknown"
    recipes = (run.recipe, *run.recipe.get("variants", ()))  # with multi-crop, the variants have the steps
    named = [f"- {step['name']}: {step.get('reason', '')}" for recipe in recipes for step in recipe.get("steps", ())]
    steps = list(dict.fromkeys(named))
    if "crop" in run.recipe:
        steps.insert(0, f"- {run.recipe['crop']['name']} crop: a view shows a part of a sample")
    lines = [
        f"# {name}, {_trained(trained)} by ssl-domains",
        "",
        f"{_input(run, format)}; output {f'`[B, {num_features}]`' if task is None else _outputs(task)}.",
        "",
        "```python",
        use,
        "```",
        *_described(task),
        "",
        "## How it was made",
        "",
        f"- Data: {data.get('rows', 'unknown')} training samples{_splits(data.get('split'))}.",
        f"- Method: {config.method.name}{_options(config.method.model_dump(exclude={'name'}))}.",
        *([f"- Pairs: `{rule}`."] if trained is None else [f"- Label: `{trained['label']}`."]),
        f"- First weights: {first}.",
        f"- Training: {max(run.step, 0)} steps of {config.train.batch_size} samples × {config.views.n} views, "
        f"{config.train.optimizer}, learning rate {config.train.lr:g}, seed {config.train.seed}.",
        f"- ssl-domains {run.environment.get('versions', {}).get('ssl-domains', 'unknown')}, commit {commit}.",
        "",
        "## Views it was made invariant to",
        "",
        *(steps or ["- none recorded"]),
        "",
        "## Limits",
        "",
        _limit(task),
        "- It may carry what is common in its training data (site, device, population) as well as what is meant.",
        "- The views above took that information away on purpose; a task that needs it should not use this encoder.",
        *_probed(read_probe_reports(run.folder)),
        "",
    ]
    return "\n".join(lines)


def _input(run: Run, format: str) -> str:
    """What goes in, in words."""
    spec, preprocess = run.preprocess.spec, run.preprocess
    if format in _TEXT_FORMATS and isinstance(preprocess, TextPreprocess):
        return f"Texts, of which {preprocess.tokens} tokens are read"
    sides = ", ".join("any length" if side is None else str(side) for side in spec.space)
    unit = " in [0, 1]" if run.config.views.size is not None else ""
    return f"Input `[B, {spec.channels}, {sides}]`{unit} as `preprocess.json` says"


def _task_of(run: Run) -> Mapping[str, Any] | None:
    """What a fine-tuned run predicts; None for a run that was trained without labels."""
    path = run.folder / "task.json"
    if not path.is_file():
        return None
    with run.reading(path.name):
        task: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return task


def _trained(task: Mapping[str, Any] | None) -> str:
    return "pre-trained without labels" if task is None else f"fine-tuned on {task['label']}"


def _outputs(task: Mapping[str, Any]) -> str:
    classes = [f"`{name}`" for name in task["classes"]]
    return _OUTPUTS[task["kind"]].format(
        outputs=len(classes) + (task["kind"] == "segmentation"),
        classes=", ".join(classes),
        label=task["label"],
        numbers=", ".join(map(str, task["numbers"])),
    )


def _described(task: Mapping[str, Any] | None) -> list[str]:
    """Lines with the task as JSON; none for an encoder alone."""
    if task is None:
        return []
    return ["", "## What it predicts", "", "```json", json.dumps(task, indent=2, ensure_ascii=False), "```"]


def _limit(task: Mapping[str, Any] | None) -> str:
    if task is None:
        return "- An encoder alone: it decides nothing by itself. Train a head, and test it on groups it has not seen."
    return (
        "- Test it on groups that neither pre-training nor fine-tuning has seen, from the place where it is to be used."
    )


def _options(options: Mapping[str, Any]) -> str:
    """Options of the method as text: ``, temperature 0.1 at the start, learned``."""
    options = dict(options)
    learned = options.pop("learnable_temperature", False)
    shown = {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in options.items()}
    words = "".join(f", {name.replace('_', ' ')} {value}" for name, value in shown.items())
    return words + (" at the start, learned" if learned else "")


def _splits(split: dict[str, int] | None) -> str:
    if split is None:
        return ", all there were: the table had no split, so any probe on them is transductive"
    return ", of a table with a group-disjoint split"


def _probed(reports: list[ProbeReport]) -> list[str]:
    """Markdown lines with the scores of every probe and of its floors."""
    lines = []
    for report in reports:
        metric = report.metrics[0]
        shown = [
            f"{row.arm}, {row.probe} probe: {value:.3f}"
            for row in report.rows
            if (value := row.values.get(metric)) is not None and row.used == max(r.used for r in report.rows)
        ]
        lines += ["", f"### {report.title}", "", f"{metric}:", "", *(f"- {one}" for one in shown)]
    return lines
