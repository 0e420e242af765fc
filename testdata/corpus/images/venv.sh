# A virtual environment as pip leaves it: flask and a package of the image's own with a console
# script, each with a RECORD; the base interpreter's site-packages are not seen.
# shellcheck shell=sh disable=SC2034,SC2154
interpreter=yes
packages='python3 python3-venv python3-flask'
config='{"User":"65534:65534","WorkingDir":"/srv","Env":["PATH=/venv/bin:/usr/local/bin:/usr/bin:/bin","VIRTUAL_ENV=/venv","PYTHONDONTWRITEBYTECODE=1"],"Cmd":["shop"]}'
configure() {
  chroot "$root" python3 -m venv /venv
  site=$root/venv/lib/python3.11/site-packages
  for module in flask werkzeug jinja2 markupsafe click itsdangerous; do
    cp -a "$root/usr/lib/python3/dist-packages/$module" "$site/"
  done
  find "$root/usr/lib/python3/dist-packages" -maxdepth 1 -iname '*-info' |
    grep -iE '/(flask|werkzeug|jinja2|markupsafe|click|itsdangerous)-' | while read -r info; do
    cp -a "$info" "$site/$(basename "$info" | sed 's/\.egg-info$/.dist-info/')"
  done
  put "${site#"$root/"}/shop/__init__.py" <<'PY'
__version__ = "1.0"
PY
  put "${site#"$root/"}/shop/cli.py" <<'PY'
from importlib import metadata, resources

from flask import Flask, render_template


def create():
    app = Flask("shop")
    prices = resources.files("shop").joinpath("data/prices.txt").read_text().split()

    @app.get("/")
    def index():
        return render_template("index.html", prices=prices, version=metadata.version("shop"))

    return app


def main():
    create().run(host="127.0.0.1", port=8086)
PY
  echo '<b>{{ prices|join(", ") }}</b> {{ version }}' | put "${site#"$root/"}/shop/templates/index.html"
  echo '3 4 5' | put "${site#"$root/"}/shop/data/prices.txt"
  printf 'Metadata-Version: 2.1\nName: shop\nVersion: 1.0\nRequires-Dist: flask\n' | put "${site#"$root/"}/shop-1.0.dist-info/METADATA"
  printf '[console_scripts]\nshop = shop.cli:main\n' | put "${site#"$root/"}/shop-1.0.dist-info/entry_points.txt"
  put venv/bin/shop 755 <<'PY'
#!/venv/bin/python3
# -*- coding: utf-8 -*-
import re
import sys
from shop.cli import main
if __name__ == '__main__':
    sys.argv[0] = re.sub(r'(-script\.pyw|\.exe)?$', '', sys.argv[0])
    sys.exit(main())
PY
  (cd "$site" && for info in *.dist-info; do
    [ ! -e "$info/RECORD" ] || continue
    module=$(echo "${info%%-*}" | tr '[:upper:]' '[:lower:]')
    { find "$module" "$info" -type f | sed 's/$/,,/' && echo "$info/RECORD,,"; } >"$work/RECORD"
    [ "$module" != shop ] || echo '../../../bin/shop,,' >>"$work/RECORD"
    cp "$work/RECORD" "$info/RECORD"
  done)
  rm -rf "$root/usr/lib/python3/dist-packages/flask" "$root"/usr/lib/python3/dist-packages/[Ff]lask*-info
}
serves=yes
work() { curl -sf http://127.0.0.1:8086/ | grep -q '<b>3, 4, 5</b> 1.0'; }
