"""Brands: each package translates between one SDK and the types of the domain, nothing else."""
