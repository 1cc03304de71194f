"""Adam with β₁ = 0.9, β₂ = 0.999, ε = 1e-8: bit for bit `torch.optim.Adam(…, fused=True)`, or, with weight decay,
`torch.optim.AdamW(…, fused=True)`.

That class loads torch's compiler when it is made, which costs every run seconds before its first step; the function
beneath it, which this one calls, does not.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch.optim.adam import adam

BETAS, EPSILON = (0.9, 0.999), 1e-8


class Adam:
    """param_groups and state as of `torch.optim`: the state of a parameter is its step, exp_avg and exp_avg_sq.

    grad_scale, found_inf: of torch's GradScaler, while it takes a step with this: what gradients are to be divided by,
    and whether the step is to be left out. So they stay on their device, and nobody waits for them.
    """

    _step_supports_amp_scaling = True  # as torch calls it
    grad_scale: torch.Tensor | None
    found_inf: torch.Tensor | None

    def __init__(self, parameters: Iterable[torch.nn.Parameter], lr: float, weight_decay: float = 0.0):
        self.weight_decay = weight_decay
        self.param_groups = [{"params": list(parameters), "lr": lr}]
        self.state: dict[torch.Tensor, dict[str, torch.Tensor]] = {}

    def zero_grad(self) -> None:
        for parameter in self.param_groups[0]["params"]:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        parameters = [p for p in self.param_groups[0]["params"] if p.grad is not None]
        states = [self.state.get(p) or self.state.setdefault(p, _fresh(p)) for p in parameters]
        adam(
            parameters,
            [p.grad for p in parameters],
            [state["exp_avg"] for state in states],
            [state["exp_avg_sq"] for state in states],
            [],
            [state["step"] for state in states],
            fused=True,
            amsgrad=False,
            beta1=BETAS[0],
            beta2=BETAS[1],
            lr=self.param_groups[0]["lr"],
            weight_decay=self.weight_decay,
            decoupled_weight_decay=self.weight_decay > 0,
            eps=EPSILON,
            maximize=False,
            grad_scale=getattr(self, "grad_scale", None),
            found_inf=getattr(self, "found_inf", None),
        )


def _fresh(parameter):
    step = torch.zeros((), dtype=torch.float32, device=parameter.device)
    return {"step": step, **{name: torch.zeros_like(parameter) for name in ("exp_avg", "exp_avg_sq")}}
