"""The environment that notebooks run in: one thread, no network, a learner's state of their own."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

NO_NETWORK = Path(__file__).parent / "no_network"


def notebook_environment() -> dict[str, str]:
    """Variables to set before a kernel starts. QKV_HOME is a fresh temporary folder, so no run sees another's state."""
    home = tempfile.mkdtemp(prefix="qkv-home-")
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    search_path = [str(NO_NETWORK), *(os.environ.get("PYTHONPATH") or "").split(os.pathsep)]
    return {
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(filter(None, search_path))),
        "PYTHONHASHSEED": "0",
        "HF_HUB_OFFLINE": "1",
        "QKV_HOME": home,
    }
