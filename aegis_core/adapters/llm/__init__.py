"""The rungs of the brain: cloud, ollama, rules, and the ladder over them."""
