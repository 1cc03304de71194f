"""What a run learns of its data, by name: what differs between a denoiser and a classifier of noisy samples. All else,
from the loop to the page, is the same for both.

To add one, put a `Goal` into GOALS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from edm.base.choices import Choice
from edm.training.loss import CrossEntropy, Loss, classified

if TYPE_CHECKING:
    import torch

    from edm.base.types import Numbers, Shape


@dataclass(frozen=True)
class Goal(Choice):
    """make(design, seed, sigma_data, augmentation, uncertainty) -> its loss, an `edm.training.loss.Loss`.

    points, images: the usual network of each. measure(model, y, labels, sigmas) -> what a tick says of it at each σ:
    fields of `edm.training.events.Tick`; None: a denoiser's loss. draws: whether a tick draws samples of it. classes:
    whether it needs data with classes. error: what is measured at each σ, and over: by which mean of it ticks compare
    (`edm.training.score`), as a figure says it. usual: fields of `edm.Training` as it is usually trained, where those
    are not the defaults.
    """

    points: str = "mlp"
    images: str = "ddpmpp"
    measure: Callable[..., dict[str, Any]] | None = None
    draws: bool = True
    classes: bool = False
    error: str = "λ·error"
    over: str = "EDM’s λ and p<sub>train</sub>"
    usual: dict[str, Any] = field(default_factory=dict)

    def network(self, shape: Shape) -> str:
        """The usual network for samples of that shape."""
        return self.images if len(shape) == 3 else self.points


def _classified(model, y: torch.Tensor, labels: torch.Tensor, sigmas: Numbers) -> dict[str, Any]:
    losses, right = classified(model, y, labels, sigmas)
    return {"validation": tuple(losses), "accuracy": tuple(right)}


GOALS: dict[str, Goal] = {
    goal.name: goal
    for goal in (
        Goal("denoiser", "a denoiser", Loss, "D(x; σ)", "what samples are drawn with"),
        Goal(
            "classifier", "a noisy classifier", CrossEntropy, "p(c | x; σ)",
            "the class of a noisy sample, to guide a denoiser by", measure=_classified,
            images="half", draws=False, classes=True, error="−log p", over="p<sub>train</sub> of EDM",
            usual={
                "lr": 1e-3, "anneal": True, "weight_decay": 0.05,
                "design": {"P_mean": 0.0, "P_std": 2.0},
            },
        ),
    )
}  # fmt: skip
