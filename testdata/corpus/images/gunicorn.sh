# A Flask application behind gunicorn, with a configuration file in Python.
# shellcheck shell=sh disable=SC2034,SC2154
interpreter=yes
packages='gunicorn python3-flask'
config='{"User":"www-data","WorkingDir":"/srv/app","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","PYTHONDONTWRITEBYTECODE=1"],"Entrypoint":["gunicorn"],"Cmd":["-c","gunicorn.conf.py","shop.web:create()"]}'
configure() {
  printf 'bind = "127.0.0.1:8093"\nworkers = 1\nworker_class = "gthread"\nworker_tmp_dir = "/tmp"\n' | put srv/app/gunicorn.conf.py
  put srv/app/shop/__init__.py </dev/null
  put srv/app/shop/web.py <<'PY'
import csv
from flask import Flask, jsonify, render_template


def create():
    app = Flask(__name__)
    with app.open_resource("prices.csv", "r") as file:
        prices = [int(row[1]) for row in csv.reader(file)]
    app.add_url_rule("/prices", "prices", view_func=lambda: jsonify(sum=sum(prices)))
    app.add_url_rule("/", "page", view_func=lambda: render_template("page.html", prices=prices))
    return app
PY
  printf 'a,3\nb,4\n' | put srv/app/shop/prices.csv
  echo '<p>{{ prices|join("+") }}</p>' | put srv/app/shop/templates/page.html
}
serves=yes
work() { curl -sf http://127.0.0.1:8093/prices | grep -q '"sum":7' && curl -sf http://127.0.0.1:8093/ | grep -q '<p>3+4</p>'; }
