#!/usr/bin/env bash
# Builds an API server for tests and copies the CRDs it will serve, all from published Go modules (needs Go only):
#     build.sh FOLDER     writes FOLDER/bin (kube-apiserver, etcd) and FOLDER/crds
# go.mod beside this names the versions of the programs. Cold it takes minutes; afterwards Go's build cache has it all.
set -euo pipefail
mkdir -p "$1"
target=$(cd "$1" && pwd)
cd "$(dirname "$0")"

# KServe, and what its two modes stand on, in the versions that KServe's own go.mod asks for.
# A name for the folder, module@version, the checksum of its content, where its CRDs lie.
modules=(
    "kserve github.com/kserve/kserve@v0.20.0 h1:Bs7HxmGV4KFqqptDcWseKv+mwD4YOYHJWcuVgPG2Gug= config/crd/full"
    "gateway-api sigs.k8s.io/gateway-api@v1.5.1 h1:RqVRIlkhLhUO8wOHKTLnTJA6o/1un4po4/6M1nRzdd0= config/crd/standard"
    "knative knative.dev/serving@v0.48.1 h1:Tm8s/KbtnGp/8srGa+r4ETyO+2+8FhG6qX/NPeRyTJo= config/core/300-resources"
)

module_version() { go list -m -f '{{.Version}}' "$1"; }

build() { # NAME PACKAGE LDFLAGS
    local started=$SECONDS
    CGO_ENABLED=0 nice go build -buildvcs=false -trimpath -ldflags "-s -w $3" -o "$target/bin/$1.partial" "$2"
    mv "$target/bin/$1.partial" "$target/bin/$1"
    echo "  $1 built in $((SECONDS - started)) s"
}

copy_crds() { # NAME MODULE@VERSION CHECKSUM FOLDER
    local about folder
    about=$(go mod download -json "$2")
    grep -qF "\"Sum\": \"$3\"" <<<"$about" || { echo "$2 is not what it was: $about" >&2; exit 1; }
    folder=$(sed -n 's/.*"Dir": "\(.*\)".*/\1/p' <<<"$about")
    rm -rf "$target/crds/$1"
    mkdir -p "$target/crds/$1"
    # Beside CRDs lie kustomizations, and policies that would refuse an older release of the same CRDs.
    grep -lE '^kind: CustomResourceDefinition$' "$folder/$4"/*.yaml | xargs -I{} cp {} "$target/crds/$1/"
    chmod -R u+w "$target/crds/$1"
    echo "  CRDs of $2: $(find "$target/crds/$1" -name '*.yaml' | wc -l) files"
}

mkdir -p "$target/bin" "$target/crds"
kubernetes=$(module_version k8s.io/kubernetes)
etcd=$(module_version go.etcd.io/etcd/server/v3)
echo "Building kube-apiserver $kubernetes and etcd $etcd (minutes the first time)"
minor=${kubernetes#v1.}
stamp=k8s.io/component-base/version
build etcd go.etcd.io/etcd/server/v3 ""
build kube-apiserver k8s.io/kubernetes/cmd/kube-apiserver \
    "-X $stamp.gitVersion=$kubernetes -X $stamp.gitMajor=1 -X $stamp.gitMinor=${minor%%.*} -X $stamp.gitTreeState=clean"
for module in "${modules[@]}"; do
    read -r name source checksum folder <<<"$module"
    copy_crds "$name" "$source" "$checksum" "$folder"
done
