"""Appends every order to its export; nobody ever clears the folder."""

from pathlib import Path

with Path("/data/orders.csv").open("a") as orders:
    print("exporting orders to", orders.name)
    for number in range(1_000_000):
        orders.write(f"{number},3,9.99\n")
        orders.flush()
