"""The runbook file."""
