"""Is told by its environment where its database is."""

import os

DATABASE_URL = os.environ["DATABASE_URL"]
print("billing from", DATABASE_URL)
