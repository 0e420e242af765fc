#!/bin/bash
# Finds the program for the composite action: the one that the workflow names, else the one on PATH
# unless a version was asked for, else a release. Nothing of a release is run, or even unpacked, before
# the release's signature of its checksums has been verified with a key that did not come with it.
set -euo pipefail
export LC_ALL=C
: "${GITHUB_OUTPUT:?this script is started by the action}"

die() {
  local text=${1//'%'/%25}
  text=${text//$'\r'/%0D}
  printf '::error title=installing cloister::%s\n' "${text//$'\n'/%0A}"
  exit 1
}
found() {
  "$1" version >/dev/null 2>&1 || die "'$1' does not run here (it needs glibc 2.36, libcurl4 and libssl3)"
  local end
  end=end_$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf 'program<<%s\n%s\n%s\n' "$end" "$1" "$end" >>"$GITHUB_OUTPUT"
  exit 0
}

if [[ -n ${INPUT_CLOISTER_PATH-} ]]; then
  program=$(realpath -e -- "$INPUT_CLOISTER_PATH") || die "cloister-path '$INPUT_CLOISTER_PATH' is not there"
  found "$program"
fi
version=${INPUT_VERSION-}
if [[ -z $version ]] && program=$(type -P cloister); then found "$program"; fi
# The action at a release's tag installs that release.
if [[ -z $version && ${ACTION_REF-} =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]]; then version=$ACTION_REF; fi
version=${version#v}
[[ $version =~ ^[0-9]+\.[0-9]+\.[0-9]+([.+-][0-9A-Za-z.+-]*)?$ ]] ||
  die "there is no cloister on PATH: give cloister-path, or version (got '$version', want for example 0.1.0)"

here=$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")
directory=$(mktemp -d "${RUNNER_TEMP:?}/cloister-XXXXXX")
key=$directory/release.pub
if [[ -n ${INPUT_RELEASE_KEY-} ]]; then
  printf '%s\n' "$INPUT_RELEASE_KEY" >"$key"
elif [[ -e $here/release.pub ]]; then
  cp -- "$here/release.pub" "$key"
else
  die "this copy of the action has no release.pub to verify a release with: give release-key, or cloister-path"
fi

url=${INPUT_RELEASE_URL:-${GITHUB_SERVER_URL-}/${ACTION_REPOSITORY-}/releases/download/v$version}
archive=cloister-$version-linux-$(dpkg --print-architecture 2>/dev/null || uname -m | sed 's/x86_64/amd64/').tar.gz
for name in SHA256SUMS SHA256SUMS.sig "$archive"; do
  curl --proto '=https,file' --fail --silent --show-error --location --retry 3 --max-filesize 200000000 \
    --output "$directory/$name" -- "$url/$name" || die "cannot fetch $url/$name"
done
cd "$directory"
openssl dgst -sha256 -verify release.pub -signature SHA256SUMS.sig SHA256SUMS >/dev/null 2>&1 ||
  die "the checksums of release $version are not signed by the release key"
grep -E "^[0-9a-f]{64}  ${archive//[.+]/\\&}\$" SHA256SUMS >checksum ||
  die "the checksums of release $version do not name $archive"
sha256sum --check --status checksum || die "$archive is not what was signed"
tar -xzf "$archive" --no-same-owner
found "$directory/${archive%.tar.gz}/bin/cloister"
