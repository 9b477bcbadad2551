"""The dashboard: what Aegis sees and does, on one screen. It talks HTTP only and never imports the core.

`app.py` is what Streamlit runs; `pages/` holds one file per page, `components/` what pages are made of.
Three modules are pure and know no Streamlit: `format` (figures as text), `stages` (the way of an incident)
and `story` (events as sentences).
"""
