#!/bin/bash
# examples.sh: what stands in examples/ works.
set -u
: "${top_srcdir:=.}" "${top_builddir:=.}" "${LPLAN:=lplan}"
examples=$top_srcdir/examples
output=$(mktemp)
trap 'rm -f "$output"' EXIT
count=0 failed=0

# try NAME COMMAND...: one test line; its output is in $output.
try() {
    local name=$1
    shift
    count=$((count + 1))
    if "$@" >"$output" 2>&1; then
        echo "ok $count - $name"
    else
        echo "not ok $count - $name"
        sed 's/^/# /' "$output"
        failed=1
    fi
}

heaviest_layers() {
    "$top_builddir/examples/use_library" "$examples/sd15_unet.onnx" >"$output" &&
        [ "$(wc -l <"$output")" -eq 3 ] &&
        sort -k1,1 -n -r -s -c "$output" && grep -q 15099494400 "$output"
}

# The library's program fails as it says.
refuses() {
    "$top_builddir/examples/use_library" "$examples/no-such-model.onnx"
    [ $? -eq 3 ]
}

analyzes() {
    "$LPLAN" analyze "$1" --format json
}

python_parses() {
    python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read())' "$1"
}

try "use_library prints three layers, the heaviest first" heaviest_layers
try "use_library reports a missing file" refuses
for model in "$examples"/*.lpm "$examples"/*.onnx; do
    [ -e "$model" ] && try "${model##*/} is analyzed" analyzes "$model"
done
if command -v python3 >/dev/null; then
    try "export_unet.py parses" python_parses "$examples/export_unet.py"
fi
echo "1..$count"
exit $failed
