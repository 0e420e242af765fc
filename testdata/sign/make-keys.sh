#!/bin/sh
# Makes the throw-away keys of this folder with the openssl command; they protect nothing. Running
# it again gives other keys: the expected signatures of ../sgx must then be made anew as well.
set -eu
cd "$(dirname "$0")"
umask 077

openssl genrsa -3 -traditional -out sgx-pkcs1.pem 3072
openssl pkcs8 -topk8 -nocrypt -in sgx-pkcs1.pem -out sgx-pkcs8.pem
openssl pkcs8 -topk8 -v2 aes-256-cbc -passout pass:secret -in sgx-pkcs1.pem -out sgx-pkcs8-pbkdf2.pem
openssl pkcs8 -topk8 -scrypt -passout pass:secret -in sgx-pkcs1.pem -out sgx-pkcs8-scrypt.pem
openssl rsa -aes128 -traditional -passout pass:secret -in sgx-pkcs1.pem -out sgx-pkcs1-encrypted.pem
openssl rsa -pubout -in sgx-pkcs1.pem -out sgx-public.pem
openssl genrsa -3 -out rsa-2048.pem 2048
openssl genrsa -out exponent-65537.pem 3072
openssl ecparam -genkey -name prime256v1 -noout -out ec.pem
openssl genpkey -algorithm rsa-pss -pkeyopt rsa_keygen_bits:3072 -pkeyopt rsa_keygen_pubexp:3 -out rsa-pss.pem
chmod 644 ./*.pem
