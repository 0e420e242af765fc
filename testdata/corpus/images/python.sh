# A small web service with flask and numpy, its own modules beside it, run by a user of its own.
# shellcheck shell=sh disable=SC2034,SC2154
interpreter=yes
packages='python3 python3-flask python3-numpy'
config='{"User":"1000:1000","WorkingDir":"/app","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","PYTHONUNBUFFERED=1","PORT=8082","LANG=C.UTF-8"],"Entrypoint":["python3","/app/app.py"]}'
configure() {
  put app/app.py <<'PY'
import os

import numpy as np
from flask import Flask, jsonify, render_template

from helper.calc import det

app = Flask(__name__)


@app.get("/")
def root():
    return jsonify(det=det(np))


@app.get("/page")
def page():
    return render_template("page.html", det=det(np))


if __name__ == "__main__":
    app.run(host="0.0.0.0", port=int(os.environ.get("PORT", "8080")))
PY
  echo 'def det(np): return float(np.linalg.det(np.eye(3) * 2))' | put app/helper/calc.py
  : | put app/helper/__init__.py
  echo '<p>{{ det }}</p>' | put app/templates/page.html
  echo 'not opened' | put 'app/données/grüße-日本.txt'
  chroot "$root" useradd -u 1000 -m app
  rm -f "$root"/etc/*-
}
serves=yes
work() {
  curl -sf http://127.0.0.1:8082/ | grep -qE '"det":(8\.0|7\.9999)' &&
    curl -sf http://127.0.0.1:8082/page | grep -q '<p>'
}
