# An executable R script that loads packages of CRAN's with compiled parts, one of them only by "::".
# shellcheck shell=sh disable=SC2034,SC2154
interpreter=yes
packages='r-base-core r-cran-jsonlite r-cran-digest r-cran-stringr'
config='{"User":"65534:65534","WorkingDir":"/srv","Env":["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin","LANG=C.UTF-8"],"Entrypoint":["/srv/answer"]}'
configure() {
  put srv/answer 755 <<'R'
#!/usr/bin/env Rscript
suppressPackageStartupMessages(library(jsonlite))
library("stringr")
stopifnot(requireNamespace("tools", quietly = TRUE))
words <- str_split(readLines("/srv/words.txt"), " ")[[1]]
cat(toJSON(list(words = words, hash = substr(digest::digest("x", serialize = FALSE), 1, 8)), auto_unbox = TRUE), "\n")
cat(fromJSON('{"a": [1, 2, 3]}')$a, sep = "-")
cat("\n")
R
  echo 'good day' | put srv/words.txt
}
work() { grep -qx '{"words":\["good","day"\],"hash":"9dd4e461"} ' "$log" && grep -qx '1-2-3' "$log"; }
