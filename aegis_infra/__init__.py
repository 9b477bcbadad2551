"""What runs around the agent: the target application, container files and monitoring configuration."""
