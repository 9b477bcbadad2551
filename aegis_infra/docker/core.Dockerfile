# The agent. It needs the Docker socket and its data folder, nothing else.
FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir -c requirements.txt \
    alembic cryptography docker fastapi filelock httptools json-repair ollama openai prometheus-client psutil pydantic \
    pydantic-settings requests rich slack-sdk sqlalchemy structlog tenacity typer uvicorn uvloop websockets
COPY pyproject.toml ./
COPY aegis_core ./aegis_core
RUN pip install --no-cache-dir --no-deps .
ENV AEGIS_HOST=0.0.0.0 AEGIS_DATA_DIR=/data
EXPOSE 8001
HEALTHCHECK --interval=5s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8001/health', timeout=2)"]
CMD ["aegis", "serve"]
