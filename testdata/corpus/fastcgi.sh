# Asks a FastCGI server for one page: sourced by recipes. FastCGI 1.0, sections 3.3 and 5.
# shellcheck shell=sh

# fastcgi_record TYPE LENGTH: the head of a record of request 1.
fastcgi_record() {
  # shellcheck disable=SC2059  # octal escapes
  printf "$(printf '\\001\\%03o\\000\\001\\%03o\\%03o\\000\\000' "$1" $(($2 / 256)) $(($2 % 256)))"
}

# fastcgi_get HOST:PORT FILE [QUERY]: what the script FILE answers, headers and padding included.
fastcgi_get() {
  fastcgi_params=
  for fastcgi_pair in REQUEST_METHOD=GET REDIRECT_STATUS=200 GATEWAY_INTERFACE=CGI/1.1 \
    SERVER_PROTOCOL=HTTP/1.1 "SCRIPT_NAME=/${2##*/}" "SCRIPT_FILENAME=$2" "QUERY_STRING=${3:-}"; do
    fastcgi_name=${fastcgi_pair%%=*} fastcgi_value=${fastcgi_pair#*=}
    fastcgi_params=$fastcgi_params$(printf '\\%03o\\%03o' ${#fastcgi_name} ${#fastcgi_value})$fastcgi_name$fastcgi_value
  done
  # shellcheck disable=SC2059  # octal escapes
  {
    fastcgi_record 1 8 && printf '\000\001\000\000\000\000\000\000'
    fastcgi_record 4 "$(printf "$fastcgi_params" | wc -c)" && printf "$fastcgi_params"
    fastcgi_record 4 0
    fastcgi_record 5 0
    sleep 1
  } | curl -s --max-time 5 "telnet://$1" | tr -d '\000'
}
