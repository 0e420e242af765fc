# R's own front end with the program on the command line, as a service of one answer.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
interpreter=yes
packages='r-base-core'
config='{"User":"65534:65534","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","LANG=C.UTF-8"],"Entrypoint":["R","--no-save","--no-restore","--quiet"],"Cmd":["-e","library(parallel); cat(median(c(3, 1, 2)), toupper(letters[2]), class(parallel::detectCores()), \"\\n\")"]}'
work() { grep -qx '2 B integer ' "$log"; }
