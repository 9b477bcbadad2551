"""Where notices go: Slack, the log, the runbook file; and the outbox that delivers them."""
