"""Sentences on the differences between the answers of a bundle and of its run."""

from __future__ import annotations

from felicity.models.bundle_facts import BundleFacts
from felicity.style import numbers


def how_it_answers(facts: BundleFacts) -> str:
    """Return a sentence on the effect of temperature and bias on a bundle's answers, which its run lacks."""
    bias = dict(zip(facts.labels, facts.bias or [], strict=False))
    moved = ", ".join(f"{label} {numbers.points(value, 2)}" for label, value in bias.items() if value)
    if not moved and facts.temperature == 1:
        said = ["the network's own answers, which are not calibrated; the run answers likewise"]
    else:
        added = f" and a bias for each expression is added ({moved})" if moved else ""
        said = [
            f"logits are divided by the temperature {facts.temperature:g}{added}, fitted to the validation set so "
            "that answers are right as often as their probabilities say; the run answers without"
        ]
    config = (facts.training or {}).get("config", {})
    if moved and (config.get("class_weights") or config.get("sampling") == "balanced"):
        said.append(
            "the run learnt as if all expressions were equally frequent, and the bias takes its answers back to the "
            "shares in validation"
        )
    measured = facts.metrics.get("validation", {})
    if "accuracy_before" in measured:
        run, bundle = (numbers.share(measured[name]) for name in ("accuracy_before", "accuracy"))
        said.append(f"on validation the run's answers are right on {run}, the bundle's on {bundle}")
    if facts.answer_prior:
        said.append("in use they are made for other shares of the expressions than those in validation")
    return "; ".join(said)
