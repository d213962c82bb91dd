#!/bin/sh
# older_cases.sh: the test data of ONNX 1.12 that Debian packages.
#
# libonnx-testdata holds 932 node cases of opset 17 and older, and models that
# PyTorch exported at opset 6 to 9.  All pass but those of older_cases.list,
# which names them with the reason; one that is listed and passes fails the
# test.  Skipped where the package, or LPLAN_TESTDATA, is absent.
set -u

data=${LPLAN_TESTDATA:-/usr/share/libonnx-testdata/data}
list=$(dirname "$0")/older_cases.list
if [ ! -d "$data/node" ]; then
    echo "1..0 # SKIP no $data (Debian's libonnx-testdata)"
    exit 0
fi
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
grep -v -e '^#' -e '^$' "$list" | sort >"$scratch/listed"
number=0
failures=0
: >"$scratch/left"
for folder in node simple pytorch-converted pytorch-operator; do
    "$LPLAN" run --cases "$data/$folder" >"$scratch/out" 2>&1
    awk '$1 == "FAIL" || $1 == "SKIP" { sub(/:$/, "", $2); print $2 }' \
        "$scratch/out" | sort >"$scratch/here"
    cat "$scratch/here" >>"$scratch/left"
    number=$((number + 1))
    if comm -13 "$scratch/listed" "$scratch/here" | grep . >"$scratch/bad" ||
        ! grep -q '^PASS' "$scratch/out"; then
        echo "not ok $number - $folder"
        sed 's/^/# /' "$scratch/bad"
        failures=$((failures + 1))
    else
        echo "ok $number - $folder: $(grep -c '^PASS' "$scratch/out") cases"
    fi
done
number=$((number + 1))
sort -u "$scratch/left" >"$scratch/here"
if comm -23 "$scratch/listed" "$scratch/here" | grep . >"$scratch/bad"; then
    echo "not ok $number - no case that is listed passes"
    sed 's/^/# /' "$scratch/bad"
    failures=$((failures + 1))
else
    echo "ok $number - no case that is listed passes"
fi
echo "1..$number"
[ "$failures" -eq 0 ]
