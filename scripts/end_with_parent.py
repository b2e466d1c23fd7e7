"""`python -m scripts.end_with_parent MODULE ARGUMENTS…` runs a module as a program that ends with its parent process.

Without this, a killed supervisor would leave web server and worker behind. They would keep the port, and `make serve`
could not start again.
"""

import os
import sys

from common.processes import end_with_parent

if __name__ == "__main__":
    end_with_parent(os.getppid())
    os.execv(sys.executable, [sys.executable, "-m", *sys.argv[1:]])  # noqa: S606
