#!/bin/bash
# micro.sh: small models whose counts are known.
#
# Each tests/ops/micro/*.lpm says in comments what `lplan analyze --format json`
# must find: "# expect KEY=VALUE ..." for keys of "totals" (or any path that jq
# knows, .layers[0].status=exact), "# options --dim n=3" for how it is run.
set -u
command -v jq >/dev/null || { echo "1..0 # SKIP no jq"; exit 0; }

count=0 failed=0
report=$(mktemp)
trap 'rm -f "$report" "$report.err"' EXIT

# tell GOOD NAME: one test line.
tell() {
    count=$((count + 1))
    if [ "$1" = yes ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        failed=1
    fi
}

# expect NAME KEY=VALUE: compare one figure of the report.
expect() {
    local key=${2%%=*} value=${2#*=} found path
    case $key in
    .*) path=$key ;;
    *) path=.totals.$key ;;
    esac
    found=$(jq -r "$path" "$report" 2>&1)
    if [ "$found" = "$value" ]; then
        tell yes "$1 $2"
    else
        tell no "$1 $2"
        echo "# found $found"
    fi
}

for file in "${top_srcdir:=.}"/tests/ops/micro/*.lpm; do
    [ -e "$file" ] || { echo "1..0 # SKIP no models"; exit 0; }
    name=$(basename "$file" .lpm)
    read -r -a options < <(sed -n 's/^# options //p' "$file")
    read -r -d '' -a figures < <(sed -n 's/^# expect //p' "$file")
    if [ ${#figures[@]} -eq 0 ]; then
        tell no "$name expects nothing"
    elif ! "${LPLAN:=lplan}" analyze "$file" --format json ${options[@]+"${options[@]}"} \
        >"$report" 2>"$report.err"; then
        tell no "$name is analyzed"
        sed 's/^/# /' "$report.err"
    else
        for figure in "${figures[@]}"; do
            expect "$name" "$figure"
        done
    fi
done
echo "1..$count"
exit $failed
