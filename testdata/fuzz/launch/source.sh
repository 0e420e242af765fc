. /lib/lsb/init-functions
source ./x 2>&1 >/dev/null
A=1 exec env B=2 gosu redis redis-server --conf=/etc/r.conf &
