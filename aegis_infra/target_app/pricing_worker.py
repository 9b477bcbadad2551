"""A process that recalculates prices without ever converging: a busy loop for a share of one core.

Run as a script by pricing.py: `pricing_worker.py SHARE PARENT_PID`. It ends by itself when its parent is gone.
"""

import hashlib
import os
import sys
import time

SLICE_SECONDS = 0.5  # the share is kept within each slice, so that a starved worker does not catch up later
ROUNDS = 5_000  # of key stretching: some milliseconds of work


def recalculate(share: float, parent: int) -> None:
    """Burns `share` (0–1) of a core, measured in CPU time, until the process `parent` is no longer the parent."""
    while os.getppid() == parent:
        began, spent = time.monotonic(), time.process_time()
        while time.monotonic() - began < SLICE_SECONDS and os.getppid() == parent:
            hashlib.pbkdf2_hmac("sha256", b"price list", b"discounts", ROUNDS)
            ahead = (time.process_time() - spent) / share - (time.monotonic() - began)
            if ahead > 0:
                time.sleep(ahead)


if __name__ == "__main__":
    recalculate(float(sys.argv[1]), int(sys.argv[2]))
