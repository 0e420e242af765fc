#!/bin/sh
# Throw-away keys with certificates, here or in the directory that is named: NAME.key, NAME.crt.
set -eu
cd "${1:-$(dirname "$0")}"
make() {
  name=$1
  shift
  openssl genpkey "$@" -out "$name.key" 2>/dev/null
  openssl req -x509 -new -key "$name.key" -subj "/CN=cloister $name" -days 36500 -sha384 -out "$name.crt"
}
make p256 -algorithm EC -pkeyopt ec_paramgen_curve:P-256
make p384 -algorithm EC -pkeyopt ec_paramgen_curve:P-384
make p521 -algorithm EC -pkeyopt ec_paramgen_curve:P-521
make k256 -algorithm EC -pkeyopt ec_paramgen_curve:secp256k1
