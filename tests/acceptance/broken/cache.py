"""Keeps every page that it has ever made."""

pages = []
print("caching pages")
while True:
    pages.append(bytearray(b"x") * 4_000_000)
