# the 20 layers with the most MACs
# columns: index name macs macs_conv macs_linear macs_attention status

call "common.gpi" ARG1 ARG2 ARG3 ARG4 ARG5

# ---- twenty passes: each finds the next layer below the last one -----------

array name[20]
array class[20]
array macs[20]
rows = 0
total = 0
last = -1
last_at = -1

# Larger MACs first; the earlier layer first among equals.
below(m, i) = last < 0 || m < last || (m == last && i > last_at)
better(m, i) = m > 0 && i >= 0 && below(m, i) && m > best
look(i, m, a, b) = better(m, i) ? (best = m, best_at = i, best_name = a, \
    best_class = b, 0) : 0
kind(c, l, a) = larger(larger(c, l), a) <= 0 ? 0 : c >= l && c >= a ? 1 \
    : l >= a ? 2 : 3
do for [k = 1:20] {
    best = 0
    if (rows == k - 1) {
        stats data using (look(column("index"), column("macs"), \
            short(stringcolumn("name"), 64), kind(column("macs_conv"), \
            column("macs_linear"), column("macs_attention")))) nooutput
        if (best > 0) {
            rows = k
            name[k] = best_name
            class[k] = best_class
            macs[k] = best
            last = best
            last_at = best_at
        }
    }
}
layers = 0
unknown = 0
sum_macs(i, m, status) = i < 0 ? 0 : (layers = layers + 1, \
    total = total + m, unknown = unknown || status eq "unknown", 0)
stats data using (sum_macs(column("index"), column("macs"), \
    stringcolumn("status"))) nooutput
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
