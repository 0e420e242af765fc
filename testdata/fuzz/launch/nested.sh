x="$(a "$(b `c 'd'` ${e:-$(f)})")"; case $x in g|h) i;; esac; for j in k; do l; done
