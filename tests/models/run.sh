#!/bin/sh
# run.sh: files written by other programs are understood.
#
# Each folder beside this file holds a model made by an exporter, a converter
# or by hand in a rare form, and the outputs that another runtime computed
# (README.md). It must be analyzed with every layer counted, give those outputs
# within 1e-4 of their largest value, wider where numbers are narrower, in its
# planned arena with dead bytes overwritten, and have its text form read back
# with the same totals. Classifiers of trees are told, not counted.
set -u
: "${LPLAN:=lplan}" "${top_srcdir:=.}"
count=0 failures=0

tell()
{
    count=$((count + 1))
    if [ "$1" -eq 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        echo "# $3"
        failures=1
    fi
}

for folder in "$top_srcdir"/tests/models/*/; do
    name=$(basename "$folder")
    [ -f "$folder/model.onnx" ] || continue
    tolerance=1e-4 verdict="PASS $name" coverage=100 dims='--dim batch=2,time=5'
    case $name in
    fp16*) tolerance=3e-3 ;;
    esac
    case $name in
    sklearn*) dims='--shape X=3x4' ;;
    torchscript_dynamic) ;;
    *) dims= ;;
    esac
    line=$("$LPLAN" run --case "$folder" --rtol 0 --atol 0 \
        --ltol $tolerance --check-memory 2>&1 | head -n 1)
    case $line in
    "$verdict"*) tell 0 "$name: outputs" ;;
    *) tell 1 "$name: outputs" "$line" ;;
    esac
    # shellcheck disable=SC2086
    line=$("$LPLAN" analyze "$folder/model.onnx" $dims \
        --assert "coverage_percent >= $coverage" 2>&1 >/dev/null)
    tell $? "$name: analysis" "$line"
done
echo "1..$count"
exit $failures
