# The image of the container action (action/container/action.yml): cloister as in Dockerfile, and what
# the action's entry script needs. It lies here because the runner takes the directory of the file as
# the context of the build, and runs as root because the runner's files and the workspace are another
# user's.
ARG DEBIAN=debian:12-slim
FROM ${DEBIAN} AS build
COPY . /src
WORKDIR /src
RUN ./dev root /root-of-image

FROM ${DEBIAN}
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates jq libcbor0.8 libcurl4 \
      libisal2 libssl3 && rm -rf /var/lib/apt/lists/*
COPY --from=build /root-of-image/usr/bin/cloister /usr/bin/cloister
COPY action/run.sh /action/run.sh
ENTRYPOINT ["/action/run.sh"]
