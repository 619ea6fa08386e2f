# The programs as images: docker build --target server|adapter|operator|models|triton .    How to run them: docs/deployment.md
#
# Our own images hold an interpreter, what one program imports (pinned by hash in deploy/images/) and that program; no pip, no
# compiler. They run as a user without rights, on a read-only root: /tmp, /dev/shm and /data are all they write to.
ARG PYTHON_IMAGE=python:3.11.15-slim-bookworm@sha256:d29f48a31a8b408ed19272ca1e7b10ebae13b240a27e862d3d4217c528e2e0c3
# The release whose client the server has (2.73), past NVIDIA's bulletins up to 26.07. A registry that mirrors it, or a digest,
# goes in by --build-arg.
ARG TRITON_IMAGE=nvcr.io/nvidia/tritonserver:26.09-py3

# What all of our own images have of this folder.
FROM scratch AS shared
COPY pyproject.toml README.md LICENSE /
COPY proto/gen/clearcanvas /proto/gen/clearcanvas
COPY database /database
COPY egress /egress
COPY telemetry /telemetry
COPY transport /transport

# What builds; thrown away.
# hadolint ignore=DL3006
FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build
COPY deploy/images/build.lock ./
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes --no-deps --only-binary=:all: -r build.lock

FROM build AS build-server
COPY deploy/images/server.lock ./
RUN /opt/build/bin/pip wheel --require-hashes --no-deps --no-build-isolation --only-binary=:all: --no-binary=pyvips \
        --wheel-dir /wheels -r server.lock \
    && python -m venv --without-pip /opt/clearcanvas \
    && /opt/build/bin/pip --python /opt/clearcanvas install --no-deps --no-index /wheels/*.whl
COPY --from=shared / ./
COPY cards cards
COPY evaluation evaluation
COPY server server
RUN /opt/build/bin/pip wheel --no-deps --no-index --no-build-isolation --wheel-dir /own . \
    && /opt/build/bin/pip --python /opt/clearcanvas install --no-deps --no-index /own/*.whl

FROM build AS build-adapter
COPY deploy/images/adapter.lock ./
RUN python -m venv --without-pip /opt/clearcanvas \
    && /opt/build/bin/pip --python /opt/clearcanvas install --require-hashes --no-deps --only-binary=:all: -r adapter.lock
COPY --from=shared / ./
COPY adapter adapter
RUN /opt/build/bin/pip wheel --no-deps --no-index --no-build-isolation --wheel-dir /own . \
    && /opt/build/bin/pip --python /opt/clearcanvas install --no-deps --no-index /own/*.whl

FROM build AS build-operator
COPY requirements/app.lock ./
RUN /opt/build/bin/pip wheel --require-hashes --no-deps --no-build-isolation --only-binary=:all: --no-binary=pyvips \
        --wheel-dir /wheels -r app.lock \
    && python -m venv --without-pip /opt/clearcanvas \
    && /opt/build/bin/pip --python /opt/clearcanvas install --no-deps --no-index /wheels/*.whl
COPY --from=shared / ./
COPY adapter adapter
COPY cards cards
COPY cli cli
COPY engine engine
COPY evaluation evaluation
RUN /opt/build/bin/pip wheel --no-deps --no-index --no-build-isolation --wheel-dir /own . \
    && /opt/build/bin/pip --python /opt/clearcanvas install --no-deps --no-index /own/*.whl

# hadolint ignore=DL3006
FROM ${PYTHON_IMAGE} AS runtime
RUN python -m pip uninstall --yes --quiet --root-user-action=ignore pip setuptools wheel \
    && groupadd --gid 10001 clearcanvas \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin clearcanvas \
    && install --directory --owner=10001 --group=10001 /data /certs
ENV PATH=/opt/clearcanvas/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    CLEARCANVAS_DATA=/data
WORKDIR /app
USER 10001:10001

# The gRPC service: 8401, and metrics on 8411.
FROM runtime AS server
COPY --from=build-server /opt/clearcanvas /opt/clearcanvas
COPY golden golden
ENV CLEARCANVAS_MODEL_REPOSITORY=/models
EXPOSE 8401 8411
CMD ["python", "-m", "server"]

# The HTTP surface: 8402, and metrics on 8412.
FROM runtime AS adapter
COPY --from=build-adapter /opt/clearcanvas /opt/clearcanvas
EXPOSE 8402 8412
CMD ["python", "-m", "adapter"]

# The command line, for those who look after it: keys, ledger, models, certificates. Nothing of it runs all the time.
FROM runtime AS operator
COPY --from=build-operator /opt/clearcanvas /opt/clearcanvas
ENTRYPOINT ["clearcanvas"]

# The model repository, weights and all, as `clearcanvas models pull` and `import` left it: each hash is checked here, and a
# flipped byte ends the build. A pod's first container copies it to where the server reads it.
FROM server AS models
COPY model_repository /models
RUN ["python", "-c", "import sys; from pathlib import Path; from cards.check import check_hashes; sys.exit('\\n'.join(check_hashes(Path('/models'))) or 0)"]
CMD ["cp", "-r", "/models/.", "/repository"]

# NVIDIA's own image, with our repository: gRPC on 8400, and metrics on 8002. HTTP, a third door, stays shut.
# hadolint ignore=DL3006
FROM ${TRITON_IMAGE} AS triton
COPY deploy/images/triton.lock /tmp/
RUN pip install --no-cache-dir --break-system-packages --require-hashes --no-deps --only-binary=:all: -r /tmp/triton.lock \
    && rm /tmp/triton.lock
COPY --chmod=0755 deploy/images/serve-models.sh /usr/local/bin/serve-models
COPY --from=models /models /models
# An empty folder: a model.py in the working directory would be run in the place of a model's own.
WORKDIR /srv
USER 1000:1000
EXPOSE 8400 8002
ENTRYPOINT ["serve-models"]
CMD ["isnet", "selfie", "backdrop"]
