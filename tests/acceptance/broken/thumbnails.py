"""Draws through a native library that reads where it must not."""

import ctypes

print("drawing the thumbnails of order 17")
ctypes.string_at(0)
