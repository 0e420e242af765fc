# A Tcl program with packages of the standard library.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
interpreter=yes
packages='tcl tcllib'
config='{"User":"65534:65534","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["/srv/answer.tcl"]}'
configure() {
  put srv/answer.tcl 755 <<'TCL'
#!/usr/bin/env tclsh
package require json
package require sha256
source [file join [file dirname [info script]] lib prices.tcl]
puts "[sum [json::json2dict {[3, 4]}]] [string range [sha2::sha256 x] 0 7] [clock format 0 -format %Y -timezone :UTC]"
TCL
  printf 'proc sum {list} { expr [join $list +] }\n' | put srv/lib/prices.tcl
}
work() { grep -qx '7 2d711642 1970' "$log"; }
