"""The embedded process runtime: child processes as targets, for hosts without an engine."""
