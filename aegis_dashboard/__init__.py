"""The dashboard: what Aegis sees and does, on one screen. It talks HTTP only and never imports the core.

`app.py` is what Streamlit runs; `views/` holds one file per page, `components/` what pages are made of.
(A folder called `pages` would be Streamlit's own: it would run the files in it by themselves, without `app.py`, for
whoever opens one of their addresses first.)
Three modules are pure and know no Streamlit: `format` (figures as text), `stages` (the way of an incident)
and `story` (events as sentences).
"""
