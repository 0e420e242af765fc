# An MQTT broker with a password file and a plug-in, by its own configuration.
# shellcheck shell=sh disable=SC2034,SC2154
packages='mosquitto'
config='{"User":"mosquitto","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["mosquitto"],"Cmd":["-c","/etc/mosquitto/mosquitto.conf"]}'
configure() {
  printf 'listener 1884 127.0.0.1\nallow_anonymous true\nlog_dest stderr\nacl_file /etc/mosquitto/acl\n' | put etc/mosquitto/conf.d/local.conf
  printf 'topic readwrite #\n' | put etc/mosquitto/acl
  sed -i '/^log_dest/d;/^persistence/d;/^pid_file/d' "$root/etc/mosquitto/mosquitto.conf"
}
serves=yes
# MQTT 3.1.1: CONNECT, answered by CONNACK with code 0.
work() {
  { printf '\020\015\000\004MQTT\004\002\000\074\000\001a' && sleep 1; } |
    curl -s --max-time 3 telnet://127.0.0.1:1884 | od -An -tx1 | grep -q '20 02 00 00'
}
