"""Speed and memory, measured: `make bench`. Plain scripts; what they find goes to results/bench."""

import os

# One thread, like every run: before numpy and torch are imported, or they do not look.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
