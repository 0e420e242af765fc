# cloister as an image: the program, the libraries that it is linked with, and CA certificates. No shell.
#   docker build -t cloister .
#   docker run --rm -v cloister-store:/home/cloister cloister build redis:7 --dry-run
# For a result that can be repeated pin the base: --build-arg DEBIAN=debian:12-slim@sha256:…
ARG DEBIAN=debian:12-slim
FROM ${DEBIAN} AS build
COPY . /src
WORKDIR /src
RUN ./dev root /root-of-image

FROM scratch
COPY --from=build /root-of-image/ /
USER 65532:65532
ENV HOME=/home/cloister
WORKDIR /home/cloister
ENTRYPOINT ["/usr/bin/cloister"]
