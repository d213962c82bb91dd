#!/bin/bash
# replay.sh: every fuzz target takes every file of its corpus, and of the
# other targets (which are damaged models to it).
set -u
: "${top_srcdir:=.}" "${top_builddir:=.}"
count=0 failed=0
output=$(mktemp)
trap 'rm -f "$output"' EXIT

for target in onnx lpm npy pb csv device schedule graph run net plan; do
    mapfile -t files < <(find "$top_srcdir/tests/fuzz/corpus" \
        "$top_srcdir/tests/ops" "$top_srcdir/examples" -type f \
        \( -name '*.onnx' -o -name '*.lpm' -o -path '*/corpus/*' \) | sort)
    count=$((count + 1))
    if "$top_builddir/tests/fuzz/replay_$target" "${files[@]}" >"$output" 2>&1; then
        echo "ok $count - $target: $(tail -n 1 "$output")"
    else
        echo "not ok $count - $target"
        tail -n 30 "$output" | sed 's/^/# /'
        failed=1
    fi
done
echo "1..$count"
exit $failed
