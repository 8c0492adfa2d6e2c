#!/bin/sh
# Print the container tool to use: $CONTAINER_TOOL, or the first of buildah, podman and docker that works here.
# With the argument "run", only a tool that can also run containers (buildah cannot, in the way a cluster does).
set -eu

works() {
    command -v "$1" >/dev/null 2>&1 && "$1" info >/dev/null 2>&1
}

if [ -n "${CONTAINER_TOOL:-}" ]; then
    echo "$CONTAINER_TOOL"
    exit 0
fi
candidates="podman buildah docker"
[ "${1:-}" = run ] && candidates="podman docker"
for tool in $candidates; do
    if works "$tool"; then
        echo "$tool"
        exit 0
    fi
done
echo "No working container tool: install podman, buildah or docker, or set CONTAINER_TOOL." >&2
exit 3
