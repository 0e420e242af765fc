# A plain R program, run by Rscript: its own sources and data, a model, plots of two kinds.
# shellcheck shell=sh disable=SC2034,SC2154
interpreter=yes
packages='r-base-core'
config='{"WorkingDir":"/app","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","LANG=C.UTF-8"],"Entrypoint":["Rscript"],"Cmd":["report.R"]}'
configure() {
  put app/report.R <<'R'
source("lib/prices.R")
prices <- read.csv("data/prices.csv")
fit <- lm(price ~ size, data = prices)
cat("slope", format(unname(coef(fit)[2]), digits = 3), "\n")
cat("sum", add(prices$price), "\n")
pdf("/tmp/plot.pdf")
plot(prices$size, prices$price, main = "prices")
invisible(dev.off())
png("/tmp/plot.png", type = "cairo")
hist(prices$price)
invisible(dev.off())
cat("plots", file.exists("/tmp/plot.pdf"), file.size("/tmp/plot.png") > 1000, "\n")
R
  echo 'add <- function(x) sum(x)' | put app/lib/prices.R
  printf 'size,price\n1,2\n2,4\n3,6\n4,9\n' | put app/data/prices.csv
}
work() { grep -qx 'slope 2.3 ' "$log" && grep -qx 'sum 21 ' "$log" && grep -qx 'plots TRUE TRUE ' "$log"; }
