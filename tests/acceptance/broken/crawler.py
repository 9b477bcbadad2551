"""Starts a thread for every page."""

from threading import Event, Thread

done = Event()
for number in range(1000):
    Thread(target=done.wait, name=f"page-{number}", daemon=True).start()
