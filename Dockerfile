# UNBUILT: written without a Docker engine at hand. Nobody has built or run this image yet; what it copies is what
# `make package` makes and tests.
#
#   make package && docker build --build-arg TARGETARCH=amd64 -t sluice .
#   docker run --network host -v "$PWD/config.toml:/etc/sluice/config.toml:ro" sluice
#
# The gateway alone, without workers: what browsers can play passes through, nothing is transcoded.
FROM debian:bookworm-slim AS certificates
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates

FROM scratch
ARG TARGETARCH
COPY dist/linux-${TARGETARCH}/gateway /gateway
COPY dist/linux-${TARGETARCH}/gateway.copyright /copyright
COPY config.toml /etc/sluice/config.toml
COPY --from=certificates /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
USER 65534:65534
EXPOSE 8889/tcp 8189/udp
ENTRYPOINT ["/gateway"]
CMD ["--config", "/etc/sluice/config.toml"]
