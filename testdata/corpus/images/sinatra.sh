# A Rack application of Debian's gems, started by the stub of a server that loads config.ru.
# shellcheck shell=sh disable=SC2034,SC2154
interpreter=yes
packages='ruby ruby-sinatra puma'
config='{"User":"www-data","WorkingDir":"/srv/shop","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","LANG=C.UTF-8","RACK_ENV=production"],"Entrypoint":["puma"],"Cmd":["-b","tcp://127.0.0.1:8091","-t","1:2"]}'
configure() {
  printf "require_relative 'shop'\nrun Shop\n" | put srv/shop/config.ru
  cat <<'RB' | put srv/shop/shop.rb
require 'sinatra/base'
require 'json'

class Shop < Sinatra::Base
  set :views, File.join(__dir__, 'views')
  get('/prices') { JSON.generate(latin: 'ü'.encode('ISO-8859-1').bytesize, sum: settings.development? ? 0 : 9) }
  get('/page') { erb :page, locals: { name: params['name'] } }
end
RB
  echo '<p>hello <%= name %></p>' | put srv/shop/views/page.erb
}
serves=yes
work() {
  curl -sf http://127.0.0.1:8091/prices | grep -qx '{"latin":1,"sum":9}' &&
    curl -sf 'http://127.0.0.1:8091/page?name=you' | grep -q '<p>hello you</p>'
}
