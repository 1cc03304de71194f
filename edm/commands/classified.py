"""What a classifier of noisy samples is measured by: accuracy and −log p at each σ, beside the exact posterior's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from edm.base.errors import Refused
from edm.data.settings import data_learned
from edm.training.validation import SIGMAS

if TYPE_CHECKING:
    from edm.classifier import Classifier
    from edm.diagnostics import Calibrated


def measured(classifier: Classifier, name: object) -> list[Calibrated]:
    """Over the data that it has learned, on samples held out. Raises Refused where its file does not say which."""
    from edm.diagnostics import calibration

    known: Any = data_learned(classifier.header)
    if known is None:
        raise Refused(f"{name} does not say what it has learned, so that nothing can be compared with it")
    return calibration(classifier, known, SIGMAS)


def table(found: list[Calibrated]) -> str:
    """As lines for people."""
    exact = found[0].exact_nll is not None
    lines = [f"  {'σ':>10} {'accuracy':>10} {'−log p':>10}" + (f" {'exact':>10} {'exact':>10}" if exact else "")]
    for one in found:
        best = f" {one.exact_accuracy:10.3f} {one.exact_nll:10.4f}" if exact else ""
        lines.append(f"  {one.sigma:10.4g} {one.accuracy:10.3f} {one.nll:10.4f}{best}")
    return "\n".join(lines)


def for_card(found: list[Calibrated]) -> dict[str, str]:
    """As lines of a model's card."""
    some = found[::2]
    lines = {
        "Accuracy at σ": ", ".join(f"{one.sigma:.3g}: {one.accuracy:.1%}" for one in some),
        "−log p at σ, nats": ", ".join(f"{one.sigma:.3g}: {one.nll:.3g}" for one in some),
        "Calibration error at σ": ", ".join(f"{one.sigma:.3g}: {one.error:.2g}" for one in some),
    }
    if found[0].exact_nll is not None:
        lines["The exact posterior’s accuracy"] = ", ".join(
            f"{one.sigma:.3g}: {one.exact_accuracy:.1%}" for one in some
        )
        lines["The exact posterior’s nats"] = ", ".join(f"{one.sigma:.3g}: {one.exact_nll:.3g}" for one in some)
    return lines
