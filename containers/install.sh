#!/bin/sh
# Install an image's packages into /opt/gauntlet: one layer, made again only when a lock changes.
#
#   install.sh LOCK [COMPILER …]
#
# LOCK lies beside this script. The compilers are Debian packages that packages without a wheel need; they, like the
# installer, are gone at the end. What the build lends under /run/secrets (certificates, package indexes) is not kept.
set -eu

lock=$1
shift
here=$(dirname "$0")
secrets=/run/secrets

if [ -s $secrets/certificates ]; then
    export SSL_CERT_FILE=$secrets/certificates PIP_CERT=$secrets/certificates
fi
if [ -s $secrets/indexes ]; then
    . $secrets/indexes
    [ -z "${PIP_INDEX_URL:-}" ] || export UV_DEFAULT_INDEX="${UV_DEFAULT_INDEX:-$PIP_INDEX_URL}"
    [ -z "${PIP_EXTRA_INDEX_URL:-}" ] || export UV_INDEX="${UV_INDEX:-$PIP_EXTRA_INDEX_URL}"
fi

if [ $# -gt 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
fi

python3 -m venv /tmp/installer
/tmp/installer/bin/pip install --quiet --disable-pip-version-check --no-cache-dir --require-hashes -r "$here/installer.lock"

python3 -m venv --without-pip /opt/gauntlet
# The code of an image never changes, so Python need not ask whether bytecode is up to date.
PYC_INVALIDATION_MODE=UNCHECKED_HASH /tmp/installer/bin/uv pip install --quiet --no-cache --no-deps --require-hashes \
    --compile-bytecode --python /opt/gauntlet/bin/python -r "$here/$lock" -r "$here/kfp-runtime.lock"

# C headers serve those who compile against a package, which no component does; TensorFlow's alone are 420 MB.
rm -rf /opt/gauntlet/lib/python3*/site-packages/*/include

if [ $# -gt 0 ]; then
    DEBIAN_FRONTEND=noninteractive apt-get purge -y -qq --autoremove "$@" >/dev/null
    rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/apt /var/log/dpkg.log
fi
rm -rf /tmp/installer /root/.cache
