# The dashboard. It talks HTTP to the core, and holds no socket and no data.
FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/app
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir -c requirements.txt streamlit requests pydantic-settings
COPY aegis_dashboard ./aegis_dashboard
COPY data/sample_incidents.json ./data/sample_incidents.json
EXPOSE 8501
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=2)"]
CMD ["streamlit", "run", "aegis_dashboard/app.py", "--server.headless=true", "--server.address=0.0.0.0", "--server.port=8501"]
