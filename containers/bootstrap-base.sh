#!/bin/sh
# Make a base image from Debian packages, for machines that reach no image registry.
#
#   sudo containers/bootstrap-base.sh [TAG]       default: localhost/gauntlet/base:bookworm
#
# Needs root, debootstrap, and podman, buildah or docker. Takes about a minute and 160 MB. A base that is there is kept.
#
#   DEBIAN_MIRROR     where packages come from; default http://deb.debian.org/debian
#   CONTAINER_TOOL    podman, buildah or docker; default: the first that works
#
# Then: containers/build.py --base TAG
set -eu

tag=${1:-localhost/gauntlet/base:bookworm}
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
# What the Containerfiles expect of a base, and no more: Python 3.11 with venv, and the public certificates.
packages=python3,python3-venv,python-is-python3,ca-certificates

here=$(dirname "$0")
tool=$("$here/find-tool.sh")
if "$tool" inspect --type image "$tag" >/dev/null 2>&1; then
    echo "$tag is there already"
    exit 0
fi
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT INT TERM

debootstrap --variant=minbase --include="$packages" bookworm "$root" "$mirror"
# A package manager's memory and manuals are no use to a container.
rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/usr/share/doc/* "$root"/usr/share/man/* \
    "$root"/var/log/*

case $tool in
podman | docker)
    tar -C "$root" -c . | "$tool" import - "$tag"
    ;;
buildah)
    container=$(buildah from scratch)
    buildah add --quiet "$container" "$root" /
    buildah commit --quiet "$container" "$tag"
    buildah rm "$container" >/dev/null
    ;;
esac
echo "$tag"
