"""Reads its pages from a table that no migration has made."""

import sqlite3

shop = sqlite3.connect("/tmp/catalogue.db")
for row in shop.execute("select name, price from products where price > 0"):
    print(row)
