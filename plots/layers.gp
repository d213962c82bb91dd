# the 20 layers with the most MACs
# columns: index name macs macs_conv macs_linear macs_attention status

call "common.gpi" ARG1 ARG2 ARG3 ARG4 ARG5

# ---- one pass: the heaviest layers, in order --------------------------------

most = 20
array name[most]
array class[most]
array macs[most]
do for [k = 1:most] {
    macs[k] = 0
}
layers = 0
total = 0
unknown = 0

# Put a layer before the first lighter one, moving the others down.
shift(k, to) = k <= to ? 0 : (macs[k] = macs[k - 1], \
    name[k] = name[k - 1], class[k] = class[k - 1], shift(k - 1, to))
put(k, m, n, c) = (shift(most, k), macs[k] = m, name[k] = n, class[k] = c, 0)
insert(m, n, c) = m > macs[most] \
    ? put(1 + (sum [k = 1:most] macs[k] >= m), m, short(n, 64), c) : 0
kind(c, l, a) = c >= l && c >= a ? 1 : l >= a ? 2 : 3
look(i, m, n, c, status) = i < 0 ? 0 : (layers = layers + 1, \
    total = total + m, unknown = unknown || status eq "unknown", \
    insert(m, n, c))
stats data using (look(column("index"), column("macs"), \
    stringcolumn("name"), kind(column("macs_conv"), \
    column("macs_linear"), column("macs_attention")), \
    stringcolumn("status"))) nooutput
rows = sum [k = 1:most] macs[k] > 0
top = 0
longest = 10
do for [k = 1:rows] {
    top = top + macs[k]
    longest = larger(longest, strlen(name[k]))
}

# ---- one bar per layer -----------------------------------------------------

width = 1000
height = 150 + 26 * larger(rows, 3)
load "picture.gpi"

# Pixels from the top as a part of the screen.
down(pixels) = 1 - 1.0 * pixels / height

set lmargin at screen 0.03 + 0.0066 * longest
set rmargin at screen 0.93
set tmargin at screen down(92)
set bmargin at screen 50.0 / height
set label 1 title_text at screen 0.5, down(24) center textcolor rgb ink \
    font big
set label 2 rows == 0 ? "no layer has MACs" : \
    sprintf("%d of %d layers make %.0f %% of %s%s MACs", rows, layers, \
    100.0 * top / larger(total, 1), unknown ? "the known " : "", \
    count(total)) \
    at screen 0.5, down(54) center textcolor rgb grey
largest = rows ? macs[1] : 1
set xrange [0:largest * 1.02]
set yrange [larger(rows, 3) + 0.6:0.4]
set xtics ("0" 0)
do for [k = 1:6] {
    set xtics add (count(k * count_step(largest)) k * count_step(largest))
}
set xlabel "MACs" textcolor rgb ink offset 0, 0.3
unset ytics
set grid noytics xtics linecolor rgb "#D5DADD" linewidth line \
    dashtype solid back
do for [k = 1:rows] {
    set label 10 + k name[k] at 0, k right offset -0.8, 0 \
        textcolor rgb ink font small
    set label 40 + k count(macs[k]) at macs[k], k left offset 0.5, 0 \
        textcolor rgb ink font small front
}
set key at screen 0.93, down(76) right top horizontal samplen 1 \
    textcolor rgb ink font small
bar(k, c) = k <= rows && class[k] == c ? macs[k] : NaN
plot sample \
    [k=1:rows + 1:1] "+" using (0):1:(0):(bar(int($1), 1)) \
    :($1 - 0.36):($1 + 0.36) with boxxyerror fillcolor rgb blue \
    title "conv", \
    [k=1:rows + 1:1] "+" using (0):1:(0):(bar(int($1), 2)) \
    :($1 - 0.36):($1 + 0.36) with boxxyerror fillcolor rgb yellow \
    title "linear", \
    [k=1:rows + 1:1] "+" using (0):1:(0):(bar(int($1), 3)) \
    :($1 - 0.36):($1 + 0.36) with boxxyerror fillcolor rgb orange \
    title "attention"
