"""Aegis: an agent that heals the containers of a Docker host.

How to read this package: nouns are pure (`domain`), verbs do I/O (`pipeline`), brands live in adapters (`adapters`).
The way of an incident is told once, by the table in `pipeline/responder.py`; the wiring once, in `bootstrap.py`.
"""

__version__ = "0.1.0"
