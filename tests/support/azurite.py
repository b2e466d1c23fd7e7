"""Where Azurite is, the server that speaks the protocol of Azure Blob Storage."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "azurite.sh"


@cache
def program() -> Path | None:
    """Its program; None where `scripts/azurite.sh` has not installed it."""
    found = subprocess.run(["sh", str(SCRIPT), "find"], capture_output=True, text=True, check=False)
    return Path(found.stdout.strip()) if found.returncode == 0 else None
