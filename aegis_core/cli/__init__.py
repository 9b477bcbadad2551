"""The `aegis` command. It starts the agent, and talks to a running one over HTTP."""

from .app import main

__all__ = ["main"]
