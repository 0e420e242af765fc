#!/bin/sh
# A private CA and client certificates, as certs.d keeps them, against Debian's registry and skopeo.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need skopeo docker-registry openssl jq
make_pki
start_registry tls tls
tls=$registry
start_registry client tls client
client=$registry
certs=$HOME/.config/containers/certs.d

refused 1 "certificate of .* is not trusted.*certs.d" pull "$tls/app:1"
refused 1 "not trusted" push "oci:$images:glibc" "$tls/app:1"
must push "oci:$images:glibc" "$tls/app:unverified" --tls-verify=false
echo "ok: --tls-verify=false"
CLOISTER_TLS_VERIFY=false
export CLOISTER_TLS_VERIFY
must pull "$tls/app:unverified" --store "$work/store-env"
echo "ok: CLOISTER_TLS_VERIFY=false"
unset CLOISTER_TLS_VERIFY

mkdir -p "$certs/$tls"
cp "$pki/ca.crt" "$certs/$tls/ca.crt"
must push "oci:$images:glibc" "$tls/app:1"
digest=$(cat "$out")
same "skopeo finds what was pushed over TLS" \
  "$(skopeo inspect --cert-dir "$certs/$tls" --format '{{.Digest}}' "docker://$tls/app:1")" "$digest"
skopeo --insecure-policy copy -q --dest-cert-dir "$certs/$tls" "oci:$images:glibc-two-layers" "docker://$tls/by-skopeo:1"
must pull "$tls/by-skopeo:1" --store "$work/store-tls"
same "and cloister what skopeo pushed" "$(cat "$out")" \
  "$(skopeo inspect --cert-dir "$certs/$tls" --format '{{.Digest}}' "docker://$tls/by-skopeo:1")"

SSL_CERT_FILE=$pki/ca.crt
export SSL_CERT_FILE
rm -r "${certs:?}/$tls"
must pull "$tls/app:1" --store "$work/store-file"
echo "ok: SSL_CERT_FILE"
unset SSL_CERT_FILE

mkdir -p "$certs/$client"
cp "$pki/ca.crt" "$certs/$client/ca.crt"
refused 1 "wants a client certificate.*NAME.cert and NAME.key" pull "$client/app:1"
cp "$pki/client.cert" "$certs/$client/client.cert"
refused 1 "client.cert. lacks its other half" pull "$client/app:1"
cp "$pki/server.key" "$certs/$client/client.key"
refused 1 "client certificate for .* cannot be used" pull "$client/app:1"
cp "$pki/client.key" "$certs/$client/client.key"
must push "oci:$images:glibc" "$client/app:1"
same "with a client certificate it is let in, as skopeo is" \
  "$(skopeo inspect --cert-dir "$certs/$client" --format '{{.Digest}}' "docker://$client/app:1")" "$digest"
must pull "$client/app:1" --store "$work/store-client"
same "both ways" "$(cat "$out")" "$digest"
refused 1 "." pull "$client/app:1" --plain-http --store "$work/store-http"
finish
