# UNBUILT: written without a Docker engine at hand. Nobody has built or run this image yet; what it copies is what
# `make package` makes and tests.
#
#   make package && docker build --platform linux/amd64 -t sluice .     # or linux/arm64, linux/arm/v7, linux/arm/v6
#   docker run --network host -v "$PWD/config.toml:/etc/sluice/config.toml:ro" sluice
#
# The gateway alone, without workers: what browsers can play passes through, nothing is transcoded. It runs as nobody,
# who has to be able to read the configuration. The host's network is for the many addresses that WebRTC offers.
FROM --platform=$BUILDPLATFORM debian:bookworm-slim AS certificates
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates

FROM scratch
# amd64 and arm64 have no variant; arm has v6 or v7.
ARG TARGETARCH
ARG TARGETVARIANT
COPY dist/linux-${TARGETARCH}${TARGETVARIANT}/gateway /gateway
COPY dist/linux-${TARGETARCH}${TARGETVARIANT}/gateway.copyright /copyright
COPY config.toml /etc/sluice/config.toml
COPY --from=certificates /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
USER 65534:65534
EXPOSE 8889/tcp 8189/udp
ENTRYPOINT ["/gateway"]
CMD ["--config", "/etc/sluice/config.toml"]
