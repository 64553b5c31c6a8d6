# One version of one model on a runtime image; the build context is the version folder. See components/images.py.
ARG RUNTIME_IMAGE=scratch
FROM ${RUNTIME_IMAGE}
ARG MODEL_NAME
ARG MODEL_VERSION
COPY . /models/${MODEL_NAME}/${MODEL_VERSION}/
ENV TFSP_MODEL_NAME=${MODEL_NAME} \
    TFSP_MODEL_BASE_PATH=/models/${MODEL_NAME}
LABEL org.opencontainers.image.title="${MODEL_NAME}" \
      org.opencontainers.image.version="${MODEL_VERSION}"
