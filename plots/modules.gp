# parameters, MACs and live bytes per module
# columns: index module params macs live_bytes

call "common.gpi" ARG1 ARG2 ARG3 ARG4 ARG5

# ---- modules, at depth 2 unless that makes too many or too small ones -------

most = 60
array path[most]
array params[most]
array macs[most]
array live[most]

# The first "depth" components of "path".
slash(s) = strstrt(s, "/")
head(s, depth) = slash(s) == 0 ? s : depth == 1 ? s[1:slash(s) - 1] \
    : s[1:slash(s)].head(s[slash(s) + 1:*], depth - 1)
plain(s) = s[1:1] eq "/" ? s[2:*] : s
known(s) = sum [k = 1:rows] (path[k] eq s ? k : 0)
row_of(s) = (r = known(s), r > 0 ? r : rows < most \
    ? (rows = rows + 1, path[rows] = s, params[rows] = 0, macs[rows] = 0, \
       live[rows] = 0, rows) : (full = 1, most))
add(i, s, p, m, l) = i < 0 ? 0 : (q = row_of(s), layers = layers + 1, \
    params[q] = params[q] + p, macs[q] = macs[q] + m, \
    live[q] = larger(live[q], l), 0)
full = 1
do for [depth = 2:1:-1] {
    if (full) {
        rows = 0
        full = 0
        layers = 0
        stats data using (add(column("index"), \
            head(plain(stringcolumn("module")), depth), column("params"), \
            column("macs"), column("live_bytes"))) nooutput
        full = full || 3 * rows > layers
    }
}

# ---- three panels side by side ---------------------------------------------

width = 1000
height = 150 + 18 * larger(rows, 6)
load "picture.gpi"

down(pixels) = 1 - 1.0 * pixels / height

longest = 6
top_params = 0
top_macs = 0
top_live = 0
do for [k = 1:rows] {
    path[k] = strlen(path[k]) ? short(path[k], 40) : "(none)"
    longest = larger(longest, strlen(path[k]))
    top_params = larger(top_params, params[k])
    top_macs = larger(top_macs, macs[k])
    top_live = larger(top_live, live[k])
}
start = 0.03 + 0.0068 * longest
gap = 0.03
panel = (0.97 - start - 2 * gap) / 3.0

set multiplot
set tmargin at screen down(82)
set bmargin at screen 40.0 / height
set yrange [larger(rows, 6) + 0.6:0.4]
unset ytics
set grid noytics xtics linecolor rgb "#D5DADD" linewidth line \
    dashtype solid back
unset key
set label 1 title_text at screen 0.5, down(24) center textcolor rgb ink \
    font big
do for [k = 1:rows] {
    set label 10 + k path[k] at graph 0, first k right offset -0.8, 0 \
        textcolor rgb ink font small
}

set lmargin at screen start
set rmargin at screen start + panel
set label 2 "Parameters" at graph 0, graph 1 left offset 0, 0.8 \
    textcolor rgb blue
set xrange [0:larger(top_params, 1) * 1.04]
set xtics ("0" 0) font small
do for [k = 1:3] {
    set xtics add (count(2 * k * count_step(top_params)) \
        2 * k * count_step(top_params))
}
plot sample [k=1:rows:1] "+" using \
    (0):1:(0):(params[int($1)]):($1 - 0.36):($1 + 0.36) \
    with boxxyerror fillcolor rgb blue

unset label
set lmargin at screen start + panel + gap
set rmargin at screen start + 2 * panel + gap
set label 2 "MACs" at graph 0, graph 1 left offset 0, 0.8 \
    textcolor rgb orange
set xrange [0:larger(top_macs, 1) * 1.04]
set xtics ("0" 0) font small
do for [k = 1:3] {
    set xtics add (count(2 * k * count_step(top_macs)) \
        2 * k * count_step(top_macs))
}
plot sample [k=1:rows:1] "+" using \
    (0):1:(0):(macs[int($1)]):($1 - 0.36):($1 + 0.36) \
    with boxxyerror fillcolor rgb orange

set lmargin at screen start + 2 * panel + 2 * gap
set rmargin at screen 0.97
set label 2 "Most live activations" at graph 0, graph 1 left offset 0, 0.8 \
    textcolor rgb green
set xrange [0:larger(top_live, 1) * 1.04]
set xtics ("0" 0) font small
do for [k = 1:3] {
    set xtics add (bytes(2 * k * bytes_step(top_live)) \
        2 * k * bytes_step(top_live))
}
plot sample [k=1:rows:1] "+" using \
    (0):1:(0):(live[int($1)]):($1 - 0.36):($1 + 0.36) \
    with boxxyerror fillcolor rgb green
unset multiplot
