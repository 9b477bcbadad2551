"""A small order service with seven faults on purpose, so that the agent has something real to heal.

Every part of the shop is a module that works until its fault is switched on; `faults.py` lists them all.
"""
