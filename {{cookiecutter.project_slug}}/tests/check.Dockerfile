# Is the base image missing? Run `make base` once.
ARG DEBIAN_SUITE=trixie
FROM rivet-base:${DEBIAN_SUITE}
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3-venv \
    && rm -rf /var/lib/apt/lists/*
COPY requirements-dev.txt /
RUN --mount=type=cache,target=/root/.cache/pip \
    python3 -m venv /venv \
    && /venv/bin/pip install --disable-pip-version-check --require-hashes -r /requirements-dev.txt
ENV PATH=/venv/bin:$PATH HOME=/tmp
ENTRYPOINT ["tests/check", "--here"]
