# Archives and modules of Python outside of the working directory: a zipapp, PYTHONPATH, -m.
# shellcheck shell=sh disable=SC2016,SC2034,SC2154
interpreter=yes
packages='python3 python3-yaml python3-dateutil'
config='{"WorkingDir":"/w","Env":["PYTHONDONTWRITEBYTECODE=1","PATH=/usr/local/bin:/usr/bin:/bin","PYTHONPATH=/opt/lib:/opt/more"],"Entrypoint":["/bin/sh","-c","/w/app.pyz && python3 -m job --fast"]}'
configure() {
  mkdir -p "$work/z/inner"
  printf 'import yaml, inner, shared\nprint("ZIP", yaml.safe_load("a: 1"), inner.V, shared.W)\n' >"$work/z/__main__.py"
  echo 'from dateutil import tz, parser; V = parser.parse("2024-01-01").year' >"$work/z/inner/__init__.py"
  mkdir -p "$root/w"; python3 -m zipapp "$work/z" -o "$root/w/app.pyz" -p '/usr/bin/env python3' || return 1
  chmod 755 "$root/w/app.pyz"
  echo 'W = 3' | put opt/lib/shared.py
  put opt/more/job/__init__.py </dev/null
  put opt/more/job/__main__.py <<'PY'
import pkgutil, importlib, job.steps, configparser, os
c = configparser.ConfigParser(); c.read(os.path.join(os.path.dirname(__file__), "job.ini"))
names = sorted(m.name for m in pkgutil.iter_modules(job.steps.__path__))
print("JOB", [importlib.import_module("job.steps." + n).run() for n in names], c["a"]["b"])
PY
  printf '[a]\nb=1\n' | put opt/more/job/job.ini
  put opt/more/job/steps/__init__.py </dev/null
  printf 'import xml.etree.ElementTree\ndef run(): return 1\n' | put opt/more/job/steps/one.py
  printf 'import multiprocessing\ndef run(): return 2\n' | put opt/more/job/steps/two.py
}
work() { grep -q "ZIP {'a': 1} 2024 3" "$log" && grep -q 'JOB \[1, 2\] 1' "$log"; }
