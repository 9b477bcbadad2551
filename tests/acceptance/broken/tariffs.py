"""Reads its tariffs from a file that nobody has mounted."""

import json
from pathlib import Path

print(json.loads(Path("/etc/tariffs/tariffs.json").read_text()))
