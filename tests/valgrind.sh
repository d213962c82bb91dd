#!/bin/bash
# valgrind.sh PROGRAM...: the test programs named, and a sample of commands on
# the small models, under memcheck: no error and nothing lost.  "make valgrind"
# runs it, in a build without sanitizers; it takes long, and so is no part of
# "make check".  Needs LPLAN, top_srcdir and top_builddir.  Prints TAP.
set -u
: "${LPLAN:=lplan}" "${top_srcdir:=.}" "${top_builddir:=.}"
export OMP_NUM_THREADS=1
export CMOCKA_MESSAGE_OUTPUT=STDOUT
seconds=${VALGRIND_SECONDS:-900}
count=0 failed=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# judge NAME CODE COMMAND...: the command ends with CODE (any below 5 for "-")
# and without an error of memory.
judge() {
    local name=$1 wanted=$2 code
    shift 2
    count=$((count + 1))
    timeout "$seconds" "$top_builddir/libtool" --mode=execute \
        valgrind -q --error-exitcode=99 --leak-check=full \
        --errors-for-leak-kinds=definite,indirect "$@" >"$scratch/log" 2>&1
    code=$?
    if [ $code -eq 124 ]; then
        echo "ok $count - $name # SKIP not done in $seconds s"
    elif [ "$code" = "$wanted" ] || { [ "$wanted" = - ] && [ $code -lt 5 ]; }; then
        echo "ok $count - $name"
    else
        echo "not ok $count - $name"
        echo "# exit $code"
        grep -E '^(==|\[  (ERROR|FAILED))' "$scratch/log" | head -n 30 |
            sed 's/^/# /'
        failed=1
    fi
}

command -v valgrind >/dev/null || {
    echo "1..0 # SKIP valgrind is not installed"
    exit 0
}
for program; do
    judge "${program##*/}" 0 "$top_builddir/$program"
done

for model in "$top_srcdir"/tests/models/*/model.onnx \
    "$top_srcdir"/examples/*.lpm; do
    name=${model%/model.onnx} name=${name##*/} plan=$scratch/plan.yaml
    rm -f "$plan"
    judge "$name: analyze" - "$LPLAN" analyze "$model" --format json
    judge "$name: run" - "$LPLAN" run "$model" --fill-weights 1 --threads 1 \
        --check-memory
    judge "$name: plan" - "$LPLAN" plan "$model" --effort quick -o "$plan"
    [ -f "$plan" ] || continue
    judge "$name: check" 0 "$LPLAN" check "$model" "$plan"
    judge "$name: run by the plan" - "$LPLAN" run "$model" --schedule "$plan" \
        --fill-weights 1 --threads 1
done
judge "solve place" - "$LPLAN" solve place "$top_srcdir/examples/buffers.csv"
judge "solve remat" - "$LPLAN" solve remat "$top_srcdir/examples/skip.json" \
    --budget 0.9
for file in "$top_srcdir"/tests/fuzz/corpus/{onnx,lpm,run}/*; do
    judge "${file##*/}: damaged" - "$LPLAN" analyze "$file"
done
echo "1..$count"
exit $failed
