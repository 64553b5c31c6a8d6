# The image that brings versions into pods (delivery.mode: init-fetch): `python3 -m model_export` with what its `fetch` imports, put on the
# runtime image, so that a node which runs the model has all but a small layer of it. Stages:
#
#   builder ──> packages ─┐
#               app ──────┤
#   RUNTIME_IMAGE ────────┴─> fetch
#
# It is a file of its own, with a context of its own: a change of the exporter must not make another runtime image. See components/images.py.

ARG RUNTIME_IMAGE=scratch
ARG BUILDER_IMAGE=docker.io/library/debian:bookworm-20250520-slim


FROM ${BUILDER_IMAGE} AS builder
# A builder image that brings these needs no package mirror.
RUN if ! python3 -c 'import ensurepip' >/dev/null 2>&1; then \
        apt-get update && apt-get install --yes --no-install-recommends ca-certificates python3-venv \
        && rm -rf /var/lib/apt/lists/*; \
    fi
RUN python3 -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_CACHE_DIR=/var/cache/pip
WORKDIR /src
COPY images/pip-install /usr/local/bin/


FROM builder AS packages
COPY requirements/fetch.txt requirements/
RUN --mount=type=cache,target=/var/cache/pip --mount=type=secret,id=pip_config --mount=type=secret,id=ca_certificates \
    pip-install --target /opt/fetch/lib -r requirements/fetch.txt \
    # Of the descriptions of all of Amazon's services, those of storage and of the ways to sign in.
    && find /opt/fetch/lib/botocore/data -mindepth 1 -maxdepth 1 -type d \
        ! -name s3 ! -name sts ! -name sso ! -name sso-oidc -exec rm -r {} + \
    && rm -rf /opt/fetch/lib/bin \
    # Unchecked, and one after the other, so that every build compiles to the same bytes; see images/Dockerfile.
    && python3 -m compileall -q --invalidation-mode unchecked-hash /opt/fetch/lib


FROM builder AS app
COPY model_export/ /opt/fetch/app/model_export/
RUN python3 -m compileall -q --invalidation-mode unchecked-hash /opt/fetch/app


FROM ${RUNTIME_IMAGE} AS fetch
COPY --from=packages /opt/fetch/lib /opt/fetch/lib
COPY --from=app /opt/fetch/app /opt/fetch/app
ENV PYTHONPATH=/opt/fetch/app:/opt/fetch/lib:/opt/serving/app:/opt/serving/lib
LABEL org.opencontainers.image.title="tf-serving-platform fetch" \
      org.opencontainers.image.description="Fetches a version from a model repository, every digest checked"
USER 65532:65532
ENTRYPOINT ["/usr/bin/tini", "--", "python3", "-m", "model_export"]
CMD ["fetch", "--help"]
