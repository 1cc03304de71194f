"""What the golden files know of guided-diffusion: its noise levels, its networks, and files as it publishes them."""

import json
from pathlib import Path

_GOLDEN = Path(__file__).parent / "golden"
DIFFUSION = json.loads((_GOLDEN / "guidance_more.json").read_text())["adm_diffusion"]
