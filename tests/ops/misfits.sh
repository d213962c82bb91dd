#!/bin/sh
# misfits.sh: models whose operands or attributes do not fit are refused with
# exit code 3 and a message that names why.
#
# The models stand in misfits.txt, split by "---"; the first line of each is a
# comment that the message must hold.  Prints TAP.
set -u

models=$(cd "$(dirname "$0")" && pwd)/misfits.txt
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
awk -v to="$scratch" '
    BEGIN { n = 1 }
    /^---$/ { n++; next }
    { print > sprintf("%s/%03d.lpm", to, n) }' "$models"

count=0 failures=0
for model in "$scratch"/*.lpm; do
    count=$((count + 1))
    why=$(sed -n '1s/^# //p' "$model")
    found=$("${LPLAN:=lplan}" analyze "$model" 2>&1 >/dev/null)
    code=$?
    case $code:$found in
    3:*"$why"*) echo "ok $count - $why" ;;
    *)
        echo "not ok $count - $why"
        echo "# exit $code: $found"
        failures=1
        ;;
    esac
done
echo "1..$count"
exit $failures
