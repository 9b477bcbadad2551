"""Writes a report every moment, and goes on with the next one when that fails."""

import logging
import time
from itertools import count
from pathlib import Path

logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
log = logging.getLogger("reports")

for number in count(1):
    try:
        Path(f"/data/report-{number}.txt").write_text("x" * 20_000)
        log.info("report %d written", number)
    except OSError:
        log.exception("report %d", number)
    time.sleep(0.3)
