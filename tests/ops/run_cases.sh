#!/bin/sh
# run_cases.sh: models that can be run give their stored outputs.
#
# Every case in $LPLAN_MODELS/tiny is run in its planned arena, dead bytes
# overwritten, and compared with the run that shares none; its outputs must be
# within 1e-4 of their largest value of the stored ones, which another runtime
# computed.  Wider where numbers are narrower: float16 rounds otherwise in
# every layer; and where the other runtime's sums saturated in 16 bits, which
# tests/judge/stored.py proves sum by sum.
set -u

if [ -z "${LPLAN_MODELS:-}" ] || [ ! -d "$LPLAN_MODELS/tiny" ]; then
    echo "1..0 # SKIP no models to run (LPLAN_MODELS)"
    exit 0
fi
number=0
failures=0
for folder in "$LPLAN_MODELS"/tiny/*/; do
    name=$(basename "$folder")
    case $name in
    *fp16*) tolerance=3e-3 ;;
    *dynamic_int8*) tolerance=2e-3 ;;
    *) tolerance=1e-4 ;;
    esac
    number=$((number + 1))
    line=$("$LPLAN" run --case "$folder" --rtol 0 --atol 0 --ltol $tolerance \
        --check-memory 2>&1 | head -n 1)
    if [ "$line" = "PASS $name" ]; then
        echo "ok $number - $name"
    else
        echo "not ok $number - $name"
        echo "# $line"
        failures=$((failures + 1))
    fi
done
echo "1..$number"
[ "$failures" -eq 0 ]
