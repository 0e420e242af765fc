# A Lua program with modules of Debian's, one compiled, and one of its own.
# shellcheck shell=sh disable=SC2034,SC2154
interpreter=yes
packages='lua5.4 lua-cjson lua-penlight'
config='{"User":"65534:65534","WorkingDir":"/app","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Entrypoint":["lua5.4","main.lua"]}'
configure() {
  put app/main.lua <<'LUA'
local json = require "cjson"
local prices = require("lib.prices")
local tablex = require 'pl.tablex'
print(json.encode({ sum = tablex.reduce('+', prices.all()) }))
LUA
  printf 'local M = {}\nfunction M.all()\n  local out = {}\n  for line in io.lines("/app/prices.txt") do out[#out + 1] = tonumber(line) end\n  return out\nend\nreturn M\n' | put app/lib/prices.lua
  printf '3\n4\n' | put app/prices.txt
}
work() { grep -qx '{"sum":7}' "$log"; }
