"""The pages, one file each. Streamlit runs a file anew for every redraw; `app.py` names them."""
