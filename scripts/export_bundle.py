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
from train_bundle import MEAN, STD, Faces, Network, load, logits_of

from felicity.evaluation.metrics import Scores
from felicity.exporting import measures
from felicity.index import SoftMatrix
from felicity.labels import EXPRESSIONS
from felicity.models.bundle import open_bundle, write_bundle
from felicity.recognition.classifier import Classifier
from felicity.training.temperature import fit_temperature, probabilities_at


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
    temperature = fit_temperature(logits[held_out], labels)
    p = probabilities_at(logits, temperature)
    return {
        "name": name,
        "labels": [str(e) for e in EXPRESSIONS],
        "input": {"size": 48, "colour": "gray", "mean": MEAN, "std": STD},
        "temperature": temperature,
        "prior": faces.votes[fitted].mean(0).round(6).tolist(),
        "soft_matrix": SoftMatrix.from_probabilities(p[held_out], labels).rounded().to_json(),
        "confusion": Scores.of(labels, p[held_out], EXPRESSIONS).confusion.tolist(),
        "metrics": {
            "held_out": measures(logits[held_out], labels, temperature),
            "public_test": measures(logits[public], faces.majority[public], temperature),
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
    gap = np.abs(
        Classifier(bundle).probabilities(sample) - probabilities_at(logits[:500], bundle.facts.temperature)
    ).max()
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
