"""Every test runs as notebooks do: no network beyond this machine, one thread, a learner's state of its own."""

import os
import runpy

from notebook_environment import NO_NETWORK, notebook_environment

os.environ |= notebook_environment()
runpy.run_path(str(NO_NETWORK / "sitecustomize.py"))
