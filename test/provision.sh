#!/usr/bin/env bash
# Installs the real parts that some tests need: Docker Engine, a registry, sshd, gpg, Chromium, Prometheus, Helm,
# Kustomize and Kargo's CLI.
# For a Debian machine and root; safe to run again. What is already there is left alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
bin=/usr/local/bin

say() { printf 'provision: %s\n' "$*"; }

install_packages() {
  local wanted=() package program
  while read -r program package; do
    command -v "$program" >/dev/null || wanted+=("$package")
  done <<'LIST'
git git
dockerd docker.io
docker-registry docker-registry
/usr/sbin/sshd openssh-server
ssh openssh-client
gpg gnupg
openssl openssl
chromium chromium
prometheus prometheus
busybox busybox-static
iptables iptables
sqlite3 sqlite3
LIST
  [ ${#wanted[@]} -gt 0 ] || return 0
  say "installing ${wanted[*]}"
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends ca-certificates "${wanted[@]}" >/dev/null
}

# The tests talk to an engine of their own machine; nothing is pulled from outside.
start_docker() {
  docker version >/dev/null 2>&1 && return 0
  say "starting dockerd"
  nohup dockerd >/var/log/dockerd.log 2>&1 &
  for _ in $(seq 60); do
    docker version >/dev/null 2>&1 && return 0
    sleep 1
  done
  say "dockerd did not start; the end of its log:"
  tail -n 20 /var/log/dockerd.log
  return 1
}

# Kargo's own command line, by the Go module proxy, to drive the daemon with. Two of its modules have no
# versions, which some proxies refuse to serve: then its tests are skipped, and say so.
install_kargo() {
  command -v kargo >/dev/null && return 0
  command -v go >/dev/null || return 0
  say "building kargo (a few minutes, once)"
  timeout 600 go build -C "$here/tools/kargo-cli" -o "$bin/kargo" github.com/akuity/kargo/cmd/cli 2>/dev/null ||
    say "kargo cannot be had here: see test/tools/kargo-cli/README.md"
}

# At the versions that Kargo renders with, and with the same defaults. The build takes minutes on a small machine:
# the rest goes on meanwhile.
build_renderers() {
  command -v helm >/dev/null && command -v kustomize >/dev/null && return 0
  command -v go >/dev/null || return 0
  say "building helm and kustomize (a few minutes, once)"
  go build -C "$here/tools/rendering" -trimpath -ldflags "-s -w" -o "$bin/" \
    helm.sh/helm/v3/cmd/helm sigs.k8s.io/kustomize/kustomize/v5
}

build_renderers &
renderers=$!
# Deno comes with the other development dependencies: npm scripts find it there, and this is for all else.
link_deno() {
  command -v deno >/dev/null || ln -sf "$here/../node_modules/.bin/deno" "$bin/deno"
}

install_packages
start_docker
link_deno
wait "$renderers"
install_kargo
say "done"
