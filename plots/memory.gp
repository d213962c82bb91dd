# live bytes over the steps, the peak, and the tensors held across many layers
# columns: index name live_bytes
# skips: tensor bytes from to

width = 1000
height = 820
call "common.gpi" ARG1 ARG2 ARG3 ARG4 ARG5
load "picture.gpi"

# ---- the length, then live bytes; long models in groups of steps ------------

n = 0
longer(i) = (n = larger(n, i + 1), i)
stats data using (longer(column("index"))) nooutput
per_bin = n > 5000 ? ceil(n / 2500.0) : 1
bins = ceil(n * 1.0 / per_bin)
array live[bins]
do for [b = 1:bins] {
    live[b] = 0
}
peak = -1
peak_at = 0
peak_name = ""
look(i, l, name) = i < 0 ? 0 : (b = int(i) / per_bin + 1, \
    live[b] = larger(live[b], l), \
    l > peak ? (peak = l, peak_at = i, peak_name = name) : 0, 0)
stats data using (look(column("index"), column("live_bytes"), \
    stringcolumn("name"))) nooutput

# The skip tensors, at most 20 of them.
array tensor[20]
array from[20]
array to[20]
held = 0
keep(name, size, a, z) = (held = held + 1, held > 20 ? 0 : \
    (tensor[held] = short(name, 64)."   ".bytes(size), \
     from[held] = a, to[held] = z, 0))
if (strlen(skips)) {
    stats skips using (keep(stringcolumn("tensor"), column("bytes"), \
        column("from"), column("to"))) nooutput
}
bars = held > 20 ? 20 : held

# ---- live bytes ------------------------------------------------------------

set multiplot
set lmargin at screen 0.1
set rmargin at screen 0.975
set xrange [-0.5:n - 0.5]
if (n < 8) {
    set xtics 1
}
unset key

split = bars ? 0.1 + 0.018 * bars + 0.05 : 0.09
set label 1 title_text at screen 0.5, 0.972 center textcolor rgb ink font big
set tmargin at screen 0.9
set bmargin at screen split
set yrange [0:larger(peak, 1) * 1.18]
set ytics ("0" 0)
do for [k = 1:6] {
    set ytics add (bytes(k * bytes_step(peak)) k * bytes_step(peak))
}
if (bars) {
    set format x ""
} else {
    set xlabel "step" textcolor rgb ink offset 0, 0.3
}
set label 2 "Live activations".(per_bin > 1 \
    ? sprintf(", most in %d steps", per_bin) : "") \
    at graph 0, graph 1 left offset 0, 0.7 textcolor rgb green front
set label 3 sprintf("peak %s at step %d   %s", bytes(peak), peak_at, \
    short(peak_name, 60)) at peak_at, peak textcolor rgb orange front \
    point pointtype 7 pointsize 0.6 linecolor rgb orange
if (peak_at < n / 2.0) {
    set label 3 left offset 0.8, 0.6
} else {
    set label 3 right offset -0.8, 0.6
}
start(b) = (b - 1) * per_bin - 0.5
plot sample \
    [b=1:bins + 1:1] "+" using (start($1)):(live[least(int($1), bins)]) \
    with fillsteps fillcolor rgb "#A5DAC8", \
    [b=1:bins + 1:1] "+" using (start($1)):(live[least(int($1), bins)]) \
    with steps linecolor rgb green linewidth 1.2 * line

# ---- the skip tensors ------------------------------------------------------

unset label
if (bars) {
    set tmargin at screen split - 0.045
    set bmargin at screen 0.085
    set format x "%.0f"
    set xlabel "step" textcolor rgb ink offset 0, 0.3
    set yrange [bars + 0.5:0.5]
    unset ytics
    unset grid
    set border 1
    set label 2 (held > bars \
        ? sprintf("Held across many layers (%d of %d)", bars, held) \
        : "Held across many layers") \
        at graph 0, graph 1.0 left offset 0, 0.7 textcolor rgb blue front
    # A text stands in its bar where it fits, else beside it, else shortened.
    letter = n / 140.0
    do for [k = 1:bars] {
        room = letter * (strlen(tensor[k]) + 1)
        set label 10 + k tensor[k] at (from[k] + to[k]) / 2.0, k center \
            textcolor rgb ink font small front
        if (to[k] - from[k] < room && to[k] + room < n) {
            set label 10 + k at to[k] + letter, k left
        }
        if (to[k] - from[k] < room && to[k] + room >= n && from[k] > room) {
            set label 10 + k at from[k] - letter, k right
        }
        if (to[k] - from[k] < room && to[k] + room >= n && from[k] <= room) {
            set label 10 + k short(tensor[k], int((to[k] - from[k]) / letter))
        }
    }
    plot sample [k=1:bars:1] "+" using \
        ((from[int($1)] + to[int($1)]) / 2.0):1: \
        (from[int($1)]):(to[int($1)]):($1 - 0.38):($1 + 0.38) \
        with boxxyerror fillcolor rgb "#BBD9EC"
}
unset multiplot
