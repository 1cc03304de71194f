"""Our Adam is torch's, without what torch loads with it."""

import subprocess
import sys

import torch

from edm.training.adam import Adam


def trained(optimizer_of):
    torch.manual_seed(1)
    network = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3), torch.nn.SiLU(), torch.nn.Conv2d(8, 4, 3), torch.nn.Flatten()
    )
    unused = torch.nn.Parameter(torch.ones(3))
    optimizer = optimizer_of([*network.to(memory_format=torch.channels_last).parameters(), unused])
    x = torch.randn(4, 3, 12, 12)
    for k in range(6):
        optimizer.param_groups[0]["lr"] = 1e-2 / (k + 1)
        optimizer.zero_grad()
        network(x).square().mean().backward()
        optimizer.step()
    moments = [optimizer.state[p][name] for p in network.parameters() for name in ("step", "exp_avg", "exp_avg_sq")]
    return [*network.parameters(), unused, *moments]


def test_it_takes_the_steps_of_torch_bit_for_bit():
    ours, theirs = trained(lambda p: Adam(p, 1e-2)), trained(lambda p: torch.optim.Adam(p, lr=1e-2, fused=True))
    assert all(torch.equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_a_step_does_not_load_the_compiler():
    code = (
        "import sys, torch; from edm.training.adam import Adam; p = torch.nn.Parameter(torch.ones(2));"
        "optimizer = Adam([p], 1e-3); p.sum().backward(); optimizer.step(); print('torch._dynamo' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
