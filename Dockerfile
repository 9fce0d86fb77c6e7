# syntax=docker/dockerfile:1
ARG PYTHON_IMAGE=python:3.12.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /src
# What the lock names, checked against its hashes; this layer changes only with the lock.
COPY requirements.lock ./
RUN pip download --require-hashes --dest /wheels -r requirements.lock \
    && sed -e 's/ \\$//' -e '/^ *--hash/d' requirements.lock > versions.txt \
    && python -m venv /build \
    && /build/bin/pip install --no-index --find-links /wheels --constraint versions.txt setuptools
COPY pyproject.toml README.md LICENSE ./
COPY app app
COPY agents agents
COPY tables tables
COPY codecs codecs
RUN /build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist .
# The image gets the wheel and what it needs, from the checked files; the development tools stay in this stage.
RUN python -m venv /opt/billtide \
    && /opt/billtide/bin/pip install --no-index --find-links /wheels --constraint versions.txt /dist/*.whl

FROM ${PYTHON_IMAGE}
LABEL org.opencontainers.image.title="billtide" \
      org.opencontainers.image.version="0.1.0" \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --gid 10001 billtide \
    && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin billtide \
    && install -d -o 10001 -g 10001 /var/lib/billtide
COPY --from=build /opt/billtide /opt/billtide
ENV PATH=/opt/billtide/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    BILLTIDE_DATA_DIR=/var/lib/billtide \
    BILLTIDE_TELEMETRY_HOST=0.0.0.0 \
    BILLTIDE_TELEMETRY_PORT=9464
USER 10001:10001
WORKDIR /var/lib/billtide
EXPOSE 9464
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s --retries=6 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9464/livez', timeout=2)"]
STOPSIGNAL SIGTERM
ENTRYPOINT ["billtide"]
CMD ["worker"]
