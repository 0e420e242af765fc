# Scientific Python: a script that reads a table, fits it, and draws a picture.
# shellcheck shell=sh disable=SC2034,SC2154
interpreter=yes
packages='python3 python3-numpy python3-scipy python3-pandas python3-matplotlib'
config='{"WorkingDir":"/app","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","MPLCONFIGDIR=/tmp/matplotlib","OPENBLAS_NUM_THREADS=1"],"Entrypoint":["python3","plot.py"]}'
configure() {
  put app/plot.py <<'PY'
import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from scipy import optimize, stats

table = pd.read_csv("data.csv", parse_dates=["day"])
days = (table["day"] - table["day"].iloc[0]).dt.days.to_numpy(float)
(slope, start), _ = optimize.curve_fit(lambda x, a, b: a * x + b, days, table["value"].to_numpy(float))
print("slope %.2f r %.2f" % (slope, stats.linregress(days, table["value"]).rvalue))
figure, axes = plt.subplots()
axes.plot(days, table["value"], label="values")
axes.plot(days, slope * days + start, label=r"$a x + b$")
axes.legend()
figure.savefig("/tmp/plot.png")
print("png", np.fromfile("/tmp/plot.png", dtype=np.uint8, count=4)[1:].tobytes().decode())
PY
  printf 'day,value\n2024-01-01,1\n2024-01-02,3\n2024-01-03,5\n2024-01-05,9\n' | put app/data.csv
}
work() { grep -qx 'slope 2.00 r 1.00' "$log" && grep -qx 'png PNG' "$log"; }
