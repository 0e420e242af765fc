# A web service in Ruby, with a gem of Debian's and a file of its own.
# shellcheck shell=sh disable=SC2034,SC2154
interpreter=yes
packages='ruby ruby-webrick'
config='{"WorkingDir":"/app","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","LANG=C.UTF-8"],"Entrypoint":["ruby"],"Cmd":["server.rb"]}'
configure() {
  put app/server.rb <<'RB'
require 'webrick'
require 'json'
require 'digest'
require 'time'
require 'erb'
require_relative 'lib/prices'

template = ERB.new(File.read(File.join(__dir__, 'views', 'page.erb')))
server = WEBrick::HTTPServer.new(BindAddress: '127.0.0.1', Port: 8087, AccessLog: [], Logger: WEBrick::Log.new($stderr, 1))
server.mount_proc('/') { |_, response| response.body = JSON.generate(sum: Prices.sum, hash: Digest::SHA256.hexdigest('x')[0, 8], at: Time.parse('2024-01-01').year) }
server.mount_proc('/page') { |_, response| response.body = template.result(binding) }
trap('TERM') { server.shutdown }
server.start
RB
  printf "require 'yaml'\nmodule Prices\n  def self.sum = YAML.load_file(File.expand_path('../config/prices.yml', __dir__)).sum\nend\n" | put app/lib/prices.rb
  printf -- '- 3\n- 4\n' | put app/config/prices.yml
  echo '<p><%= Prices.sum %></p>' | put app/views/page.erb
}
serves=yes
work() {
  curl -sf http://127.0.0.1:8087/ | grep -q '"sum":7,"hash":"2d711642","at":2024' &&
    curl -sf http://127.0.0.1:8087/page | grep -q '<p>7</p>'
}
