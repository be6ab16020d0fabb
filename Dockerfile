# retimbre in the browser, for a server: docs/deploy.md says how to run it.
FROM python:3.12-slim

# The released package and Streamlit; no compiler, no PyTorch. For the page Train: --build-arg EXTRAS=app,train
ARG EXTRAS=app
# Where pip looks besides its own index; docs/deploy.md says what for.
ARG PIP_EXTRA_INDEX_URL
WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY src src
COPY examples examples
RUN pip install --no-cache-dir ".[${EXTRAS}]" \
    && rm -rf /build && useradd --create-home player

# Sessions are kept here while they last; a tmpfs keeps visitors' sounds off the disk.
ENV TMPDIR=/tmp MPLCONFIGDIR=/tmp/matplotlib PYTHONUNBUFFERED=1
USER player
WORKDIR /home/player
EXPOSE 8501
HEALTHCHECK CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health')"]
ENTRYPOINT ["retimbre", "app", "--host", "0.0.0.0", "--no-browser"]
CMD ["--max-minutes", "5", "--max-mb", "50"]
