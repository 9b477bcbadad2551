"""Adds up an invoice, and has not thought of an empty one."""

import json


def mean_price(invoice: dict[str, list[float]]) -> float:
    return sum(invoice["prices"]) / len(invoice["prices"])


print("invoice of 2 items:", mean_price(json.loads('{"prices": [2.5, 3.5]}')))
print("invoice of 0 items:", mean_price(json.loads('{"prices": []}')))
