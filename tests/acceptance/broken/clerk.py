"""Lends its few connections to every order, and never gets one back."""

import queue
import sqlite3

pool: queue.Queue[sqlite3.Connection] = queue.Queue()
for _ in range(3):
    pool.put(sqlite3.connect(":memory:"))
open_orders = []
while True:
    connection = pool.get(timeout=1)
    open_orders.append(connection)
    print("order", len(open_orders))
