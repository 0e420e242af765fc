#!/bin/sh
# The HTML report in a browser: it opens without a complaint or a request, can be filtered, searched
# and walked through by keyboard, in both colours and on a phone, shows hostile names as what they are,
# and stays quick with 5,000 files.
# shellcheck source=tests/e2e/lib.sh
. "$(dirname "$0")/lib.sh"
need python3
: "${REPORT_PAGE:?}"
command -v chromium >/dev/null || skip "chromium is not installed (./dev browser installs it and runs this)"

# What no small image has: 5,000 files, a chain of 3,000, hostile texts, a manifest alone.
for kind in large deep hostile bare; do
  "$REPORT_PAGE" "$kind" >"$work/$kind.html"
done

must audit "oci:$images:glibc" --runtime "$runtime" --format html -o "$work/image.html"

# Every page in $work is opened; of those above more is claimed.
python3 "$CLOISTER_SOURCE_DIR/tests/e2e/html_report.py" "$work" chromium >"$out" 2>&1 || fail "the report in a browser"
cat "$out"
e2e_claims=$(grep -cE '^(ok|FAILED): ' "$out")
finish
