# Apache with Python inside: what its script imports no program on the command line says.
# shellcheck shell=sh disable=SC2034,SC2154
interpreter=yes
packages='apache2 libapache2-mod-wsgi-py3 python3-flask'
config='{"Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"Cmd":["apache2ctl","-D","FOREGROUND"],"StopSignal":"SIGWINCH"}'
configure() {
  # Made by apache2ctl at every start, as on a tmpfs.
  rm -rf "$root/run/apache2" "$root/run/lock/apache2"
  sed -i 's/^Listen 80$/Listen 127.0.0.1:8097/' "$root/etc/apache2/ports.conf"
  put etc/apache2/sites-enabled/000-default.conf <<'CONF'
ServerName localhost
WSGIPythonPath /srv/app
<VirtualHost *:8097>
  WSGIScriptAlias / /srv/app/app.wsgi
  Alias /static /srv/static
  ErrorDocument 404 /static/404.html
  <Directory /srv>
    Require all granted
  </Directory>
</VirtualHost>
CONF
  echo 'from shop import app as application' | put srv/app/app.wsgi
  put srv/app/shop.py <<'PY'
import decimal
from flask import Flask, render_template

app = Flask(__name__)


@app.route("/")
def index():
    return render_template("page.html", price=decimal.Decimal("1.5"))
PY
  echo 'price {{ price }}' | put srv/app/templates/page.html
  echo lost | put srv/static/404.html
}
serves=yes
work() { curl -sf http://127.0.0.1:8097/ | grep -q 'price 1.5' && curl -s http://127.0.0.1:8097/static/none | grep -q lost; }
