# OpenLDAP: its configuration is a directory that was made when the package was installed, its
# modules are found through libtool's archives, and a directive of it names the certificate.
# shellcheck shell=sh disable=SC2034,SC2154
packages='slapd ldap-utils'
config='{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["/usr/sbin/slapd"],"Cmd":["-h","ldap://127.0.0.1:1389/ ldaps://127.0.0.1:1636/","-u","openldap","-g","openldap","-d","0"],"Volumes":{"/var/lib/ldap":{}}}'
configure() {
  lacking openssl && return 125
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj /CN=localhost \
    -keyout "$work/key.pem" -out "$work/certificate.pem" 2>/dev/null
  put etc/ldap/tls/cert.pem <"$work/certificate.pem"
  put etc/ldap/tls/key.pem <"$work/key.pem"
  put tmp/tls.ldif <<'LDIF'
dn: cn=config
changetype: modify
add: olcTLSCertificateFile
olcTLSCertificateFile: /etc/ldap/tls/cert.pem
-
add: olcTLSCertificateKeyFile
olcTLSCertificateKeyFile: /etc/ldap/tls/key.pem
LDIF
  chroot "$root" slapmodify -n0 -F /etc/ldap/slapd.d -l /tmp/tls.ldif && rm "$root/tmp/tls.ldif"
  install -d "$root/run/slapd"
  chroot "$root" chown -R openldap:openldap /etc/ldap/slapd.d /run/slapd
}
serves=yes
work() {
  LDAPTLS_REQCERT=never chroot "$root" ldapsearch -x -H ldaps://127.0.0.1:1636 -b '' -s base namingContexts | grep -q nodomain &&
    chroot "$root" ldapsearch -x -H ldap://127.0.0.1:1389 -b 'dc=nodomain' | grep -q 'dn: dc=nodomain'
}
