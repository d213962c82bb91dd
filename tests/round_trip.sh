#!/bin/bash
# round_trip.sh: models as text count as they do in ONNX.
#
# Every model of $LPLAN_MODELS is dumped beside itself; the text must read back
# as the same text, and every layer of it must have the figures that the layer
# has in the ONNX file.
set -u
: "${LPLAN:=lplan}" "${LPLAN_MODELS:=}"
if [ -z "$LPLAN_MODELS" ]; then
    echo "1..0 # SKIP no folder of models (LPLAN_MODELS)"
    exit 0
fi
scratch=$(mktemp -d) || exit 99
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 99

# Print the options that bind the free dimensions of the model $1, by asking
# for each that is missing.
bindings() {
    local options=() name value
    while name=$("$LPLAN" analyze "$1" "${options[@]}" -o report 2>&1 |
        sed -n 's/.* bind it with --dim \(.*\)=N$/\1/p') && [ -n "$name" ]; do
        case $name in
        height | width) value=64 ;;
        total*) value=8 ;;
        past*) value=7 ;;
        *) value=2 ;;
        esac
        options+=(--dim "$name=$value")
    done
    echo "${options[@]}"
}

# Compare model.onnx with its text.
round_trip() {
    local options
    read -ra options <<<"$(bindings model.onnx)"
    "$LPLAN" dump model.onnx -o model.lpm &&
        "$LPLAN" dump model.lpm -o again.lpm &&
        cmp model.lpm again.lpm &&
        "$LPLAN" analyze model.onnx "${options[@]}" --all --format tsv -o a &&
        "$LPLAN" analyze model.lpm "${options[@]}" --all --format tsv -o b &&
        cmp a b
}

count=0 failed=0
for model in "$LPLAN_MODELS"/*/*.onnx "$LPLAN_MODELS"/*/*/*.onnx; do
    [ -f "$model" ] || continue
    count=$((count + 1))
    cp "$model" model.onnx
    if round_trip >output 2>&1; then
        echo "ok $count - ${model#"$LPLAN_MODELS"/}"
    else
        echo "not ok $count - ${model#"$LPLAN_MODELS"/}"
        sed 's/^/# /' output
        failed=1
    fi
    rm -f model.onnx model.lpm again.lpm a b report
done
echo "1..$count"
exit $failed
