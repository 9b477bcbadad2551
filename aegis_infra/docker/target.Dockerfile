# The buggy app: the first patient.
FROM python:3.11-slim
ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /app
COPY requirements.txt ./
RUN pip install --no-cache-dir -c requirements.txt flask psutil
COPY aegis_infra/__init__.py ./aegis_infra/__init__.py
COPY aegis_infra/target_app ./aegis_infra/target_app
ENV APP_HOST=0.0.0.0 APP_PORT=8000
EXPOSE 8000
HEALTHCHECK --interval=3s --timeout=6s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health', timeout=5)"]
CMD ["python", "-m", "aegis_infra.target_app"]
