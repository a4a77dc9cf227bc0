"""Turn a run of ``train_bundle.py`` into a bundle: calibrate on held-out faces, measure, write.

    python scripts/export_bundle.py DATA RUN --name NAME -o BUNDLE

Temperature (Guo et al. 2017, arXiv:1706.04599), soft matrix and confusion matrix come from the
held-out part of ``Training``; ``PublicTest`` is only reported.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from train_bundle import MEAN, STD, Faces, Network, load, logits_of

from felicity.labels import EXPRESSIONS
from felicity.models.bundle import open_bundle, write_bundle
from felicity.recognition.classifier import Classifier

HAPPY = 1


def softmax(logits: np.ndarray, temperature: float) -> np.ndarray:
    """Rows (N, 8) to probabilities."""
    z = logits.astype(np.float64) / temperature
    z = np.exp(z - z.max(1, keepdims=True))
    return z / z.sum(1, keepdims=True)


def expected_calibration_error(probabilities: np.ndarray, labels: np.ndarray, bins: int = 15) -> float:
    """Mean gap between confidence and accuracy over equal-width bins (Guo et al. 2017)."""
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    of_bin = np.minimum((confidence * bins).astype(int), bins - 1)
    gaps = [
        abs(right[of_bin == b].mean() - confidence[of_bin == b].mean()) * (of_bin == b).mean()
        for b in np.unique(of_bin)
    ]
    return float(sum(gaps))


def measures(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Accuracy, balanced accuracy, happy-against-rest F1 and calibration error."""
    answers = probabilities.argmax(1)
    recalls = [(answers[labels == k] == k).mean() for k in np.unique(labels)]
    hits = ((answers == HAPPY) & (labels == HAPPY)).sum()
    return {
        "faces": len(labels),
        "accuracy": round(float((answers == labels).mean()), 4),
        "balanced_accuracy": round(float(np.mean(recalls)), 4),
        "happy_f1": round(float(2 * hits / ((answers == HAPPY).sum() + (labels == HAPPY).sum())), 4),
        "ece": round(expected_calibration_error(probabilities, labels), 4),
    }


def to_onnx(model: Network) -> bytes:
    """The network as ONNX with a free batch, batch norms folded into convolutions."""
    for module in model.modules():
        for conv, norm in (("conv1", "norm1"), ("conv2", "norm2")):
            if hasattr(module, norm):
                setattr(module, conv, torch.nn.utils.fuse_conv_bn_eval(getattr(module, conv), getattr(module, norm)))
                setattr(module, norm, torch.nn.Identity())
        if isinstance(module, torch.nn.Sequential):
            for i in range(len(module) - 1):
                if isinstance(module[i], torch.nn.Conv2d) and isinstance(module[i + 1], torch.nn.BatchNorm2d):
                    module[i] = torch.nn.utils.fuse_conv_bn_eval(module[i], module[i + 1])
                    module[i + 1] = torch.nn.Identity()
    program = torch.onnx.export(
        model, (torch.zeros(2, 1, 48, 48),), dynamo=True, input_names=["faces"], output_names=["logits"],
        dynamic_shapes={"x": {0: torch.export.Dim("batch")}}, verbose=False,
    )  # fmt: skip
    return program.model_proto.SerializeToString()


def facts_of(faces: Faces, logits: np.ndarray, name: str, settings: dict[str, object]) -> dict[str, object]:
    """Everything ``bundle.json`` says but file names and digests; ``logits`` of all faces."""
    held_out = faces.held_out & (faces.majority >= 0)
    public = ~faces.training & (faces.majority >= 0)
    fitted = faces.training & ~faces.held_out & (faces.votes.sum(1) > 0)
    labels = faces.majority[held_out]

    def loss(log_t: float) -> float:
        return -float(np.log(softmax(logits[held_out], np.exp(log_t))[np.arange(len(labels)), labels]).mean())

    temperature = round(float(np.exp(minimize_scalar(loss, bounds=(-1.5, 1.5), method="bounded").x)), 4)
    p = softmax(logits, temperature)
    uncalibrated = round(expected_calibration_error(softmax(logits[held_out], 1.0), labels), 4)
    columns = [p[held_out][labels == j] for j in range(8)]
    confusion = np.zeros((8, 8), int)
    np.add.at(confusion, (labels, p[held_out].argmax(1)), 1)
    return {
        "name": name,
        "labels": [str(e) for e in EXPRESSIONS],
        "input": {"size": 48, "colour": "gray", "mean": MEAN, "std": STD},
        "temperature": temperature,
        "prior": faces.votes[fitted].mean(0).round(6).tolist(),
        "soft_matrix": {
            "matrix": np.stack([c.mean(0) for c in columns], 1).round(8).tolist(),
            "counts": [len(c) for c in columns],
            "cross": [(c.T @ c / len(c)).round(8).tolist() for c in columns],
        },
        "confusion": confusion.tolist(),
        "metrics": {
            "held_out": measures(p[held_out], labels) | {"ece_before": uncalibrated},
            "public_test": measures(p[public], faces.majority[public]),
        },
        "trained_on": "FER2013 Training fold, FER+ vote distributions; seven of eight groups of identical images",
        "calibrated_on": "FER2013 Training fold, the eighth group of identical images, FER+ majority labels",
        "licence": "Apache-2.0",
        "made_with": f"scripts/train_bundle.py {json.dumps(settings)}",
    }  # fmt: skip


def main() -> None:
    """Parse the command line, write the bundle, check it against the network."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("run", type=Path)
    parser.add_argument("--name", required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    state = torch.load(options.run / "checkpoint.pt", weights_only=True)
    model = Network(state["settings"]["width"])
    model.load_state_dict({k.removeprefix("module."): v for k, v in state["average"].items() if k != "n_averaged"})
    model.eval()
    faces = load(options.data)
    logits = logits_of(model, faces.images)
    facts = facts_of(faces, logits, options.name, state["settings"] | {"epochs_done": state["epoch"]})
    bundle = write_bundle(options.output, to_onnx(model), facts)
    sample = faces.images[:500]
    gap = np.abs(Classifier(bundle).probabilities(sample) - softmax(logits[:500], bundle.facts.temperature)).max()
    print(
        json.dumps(
            {
                "id": open_bundle(options.output).id,
                "largest_difference": float(gap),
                "temperature": facts["temperature"],
                "metrics": facts["metrics"],
            },
            indent=1,
        )
    )
    if gap > 1e-5:
        raise SystemExit("the exported network does not answer as the trained one")


if __name__ == "__main__":
    main()
