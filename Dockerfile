# Build: everything from hash-pinned requirements, into a virtual environment.
FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv /opt/privacy-api
COPY requirements/server.txt requirements/build.txt ./
RUN /opt/privacy-api/bin/pip install --no-cache-dir --require-hashes -r server.txt -r build.txt
COPY pyproject.toml README.md LICENSE ./
COPY disclosure disclosure
COPY datasets datasets
COPY synthetic synthetic
COPY privacy_api privacy_api
RUN /opt/privacy-api/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
    && /opt/privacy-api/bin/pip uninstall --yes hatchling editables pip

# Run: no compiler, no pip, no root. Start with a read-only root file system and these two writable places:
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges \
#     -v privacy-api:/var/lib/privacy-api -e PRIVACY_API_BEHIND_TLS_PROXY=true -p 127.0.0.1:8000:8000 privacy-api
FROM python:3.13-slim
LABEL org.opencontainers.image.title="Privacy Controlling API" \
      org.opencontainers.image.licenses="MIT"
RUN groupadd --gid 10001 privacy && useradd --uid 10001 --gid 10001 --no-create-home --shell /usr/sbin/nologin privacy \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/privacy-api
COPY --from=build /opt/privacy-api /opt/privacy-api
ENV PATH=/opt/privacy-api/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PRIVACY_API_HOME=/var/lib/privacy-api \
    PRIVACY_API_HOST=0.0.0.0
USER 10001:10001
VOLUME /var/lib/privacy-api
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["privacy-api"]
CMD ["serve"]
