# parameters, MACs and live bytes against depth
# columns: index module params macs live_bytes status

width = 1000
height = 820
call "common.gpi" ARG1 ARG2 ARG3 ARG4 ARG5
load "picture.gpi"

# ---- one pass: sums and maxima, of all and per bin; regions ----------------

# Region of a module path: 1 down, 2 middle, 3 up, 0 none.  The leftmost
# component that begins with one of the words tells.
place(path, word) = strstrt("/".path, "/".word) > 0 \
    ? strstrt("/".path, "/".word) : 1e9
downs(path) = least(place(path, "down"), place(path, "encoder"))
middles(path) = least(place(path, "mid"), place(path, "bottleneck"))
ups(path) = least(place(path, "up"), place(path, "decoder"))
first(d, m, u) = least(least(d, m), u) == 1e9 ? 0 \
    : d <= m && d <= u ? 1 : m <= u ? 2 : 3
region(path) = first(downs(path), middles(path), ups(path))

n = 0
count_rows(i) = (n = i + 1 > n ? i + 1 : n, i)
stats data using (count_rows(column("index"))) nooutput
per_bin = n > 150 ? ceil(n / 75.0) : 1
bins = ceil(n * 1.0 / per_bin)

array bin_params[bins]
array bin_macs[bins]
array bin_live[bins]
do for [b = 1:bins] {
    bin_params[b] = 0
    bin_macs[b] = 0
    bin_live[b] = 0
}
array from[4]
array to[4]
do for [r = 1:4] {
    from[r] = n
    to[r] = -1
}
params = 0
macs = 0
peak = -1
unknown = 0
add(i, p, m, l, status, r) = i < 0 ? 0 : \
    (b = int(i) / per_bin + 1, \
     bin_params[b] = bin_params[b] + p, bin_macs[b] = bin_macs[b] + m, \
     bin_live[b] = larger(bin_live[b], l), \
     params = params + p, macs = macs + m, \
     peak = larger(peak, l), \
     unknown = unknown || status eq "unknown", \
     from[r + 1] = i < from[r + 1] ? i : from[r + 1], \
     to[r + 1] = larger(to[r + 1], i), 0)
stats data using (add(column("index"), column("params"), column("macs"), \
    column("live_bytes"), stringcolumn("status"), \
    region(stringcolumn("module")))) nooutput

# Live bytes that spread over orders of magnitude get a logarithmic axis.
top_params = 0
top_macs = 0
low = peak > 0 ? peak : 1
total = 0
do for [b = 1:bins] {
    top_params = larger(top_params, bin_params[b])
    top_macs = larger(top_macs, bin_macs[b])
    low = bin_live[b] > 0 && bin_live[b] < low ? bin_live[b] : low
    total = total + bin_live[b]
}
wide = peak * bins > 4 * total

# The trend: a weighted mean over an eighth of the bins, nine of them when there
# are 75 (of the logarithm when "wide").
half = int(larger(2, bins / 16.0))
weight(b, k) = b + k < 1 || b + k > bins ? 0 : half + 1 - abs(k)
at(b) = b < 1 ? 1 : b > bins ? bins : b
scaled(v) = wide ? log(larger(v, 1)) : v
array trend_params[bins]
array trend_macs[bins]
array trend_live[bins]
do for [b = 1:bins] {
    all = sum [k = -half:half] weight(b, k)
    trend_params[b] = (sum [k = -half:half] \
        weight(b, k) * bin_params[at(b + k)]) / all
    trend_macs[b] = (sum [k = -half:half] \
        weight(b, k) * bin_macs[at(b + k)]) / all
    mean = (sum [k = -half:half] \
        weight(b, k) * scaled(bin_live[at(b + k)])) / all
    trend_live[b] = wide ? exp(mean) : mean
}

# ---- three panels ----------------------------------------------------------

dense = n > 5000 || per_bin == 1
trend = bins >= 24
center(b) = (b - 0.5) * per_bin - 0.5
per = per_bin > 1 ? sprintf(" per %d layers", per_bin) : " per layer"
dark = dense ? "" : "dark: single layers"
note = dark.(strlen(dark) && trend ? ", " : "").(trend ? "curve: trend" : "")
note = strlen(note) ? "   (".note.")" : ""

# Regions that overlap tell nothing.
regions = to[2] >= 0 && to[4] >= 0 && to[2] < from[4] \
    && (to[3] < 0 || (to[2] < from[3] && to[3] < from[4]))
array names[4]
names[2] = "down"
names[3] = "middle"
names[4] = "up"
array shades[4]
shades[2] = "#E9F0F7"
shades[3] = "#FCF1DA"
shades[4] = "#E7F3EE"
do for [r = 2:4] {
    if (regions && to[r] >= 0) {
        set object r rectangle from from[r] - 0.5, graph 0 \
            to to[r] + 0.5, graph 1 behind fillcolor rgb shades[r] \
            fillstyle solid 1.0 noborder
        set label 10 + r names[r] at (from[r] + to[r]) / 2.0, graph 1.07 \
            center textcolor rgb grey
    }
}

set multiplot
set lmargin at screen 0.1
set rmargin at screen 0.975
set xrange [-0.5:n - 0.5]
if (n < 8) {
    set xtics 1
}
set boxwidth per_bin * 0.9 absolute
unset key

set label 1 title_text at screen 0.5, 0.972 center textcolor rgb ink font big
set label 2 (unknown ? "at least " : "").sprintf( \
    "%s parameters   %s MACs   %s live at the peak", \
    count(params), count(macs), bytes(peak)) \
    at screen 0.5, 0.938 center textcolor rgb grey
set format x ""
set tmargin at screen 0.885
set bmargin at screen 0.645
set yrange [0:larger(top_params, 1) * 1.25]
set ytics ("0" 0)
do for [k = 1:6] {
    set ytics add (count(k * count_step(top_params)) k * count_step(top_params))
}
set label 3 "Parameters".per.note at graph 0.01, graph 0.93 left \
    textcolor rgb blue front
plot sample [b=1:bins:1] "+" using (center($1)):(bin_params[int($1)]) \
    with boxes linecolor rgb "#A6CDE6", \
    data using (column("index")):(dense ? NaN : column("params")) \
    with impulses linecolor rgb "#4F9ACB" linewidth line, \
    [b=1:bins:1] "+" using \
    (center($1)):(trend ? trend_params[int($1)] : NaN) \
    with lines linecolor rgb blue linewidth 2.5 * line

unset label 1
unset label 2
do for [r = 2:4] {
    unset label 10 + r
}
set tmargin at screen 0.605
set bmargin at screen 0.365
set yrange [0:larger(top_macs, 1) * 1.25]
set ytics ("0" 0)
do for [k = 1:6] {
    set ytics add (count(k * count_step(top_macs)) k * count_step(top_macs))
}
set label 3 "MACs".per.note at graph 0.01, graph 0.93 left \
    textcolor rgb orange front
plot sample [b=1:bins:1] "+" using (center($1)):(bin_macs[int($1)]) \
    with boxes linecolor rgb "#F5C6A5", \
    data using (column("index")):(dense ? NaN : column("macs")) \
    with impulses linecolor rgb "#E98F55" linewidth line, \
    [b=1:bins:1] "+" using \
    (center($1)):(trend ? trend_macs[int($1)] : NaN) \
    with lines linecolor rgb orange linewidth 2.5 * line

set tmargin at screen 0.325
set bmargin at screen 0.085
set format x "%.0f"
set xlabel "layer, in the order of execution" textcolor rgb ink offset 0, 0.3
set ytics ("0" 0)
if (wide) {
    bottom = 2 ** floor(log(low) / log(2))
    factor = 2 ** ceil(log(peak / bottom) / log(2) / 5)
    set logscale y 2
    set yrange [bottom * 0.99:peak * (peak / bottom) ** 0.25]
    do for [k = 0:6] {
        set ytics add (bytes(bottom * factor ** k) bottom * factor ** k)
    }
} else {
    set yrange [0:larger(peak, 1) * 1.25]
    do for [k = 1:6] {
        set ytics add (bytes(k * bytes_step(peak)) k * bytes_step(peak))
    }
}
set label 3 "Live activations".(per_bin > 1 \
    ? sprintf(", most in %d layers", per_bin) : "").note \
    .(wide ? ", logarithmic axis" : "") at graph 0.01, graph 0.93 left \
    textcolor rgb green front
plot sample [b=1:bins:1] "+" using (center($1)):(bin_live[int($1)]) \
    with boxes linecolor rgb "#A5DAC8", \
    data using (column("index")):(dense ? NaN : column("live_bytes")) \
    with impulses linecolor rgb "#4DBB9B" linewidth line, \
    [b=1:bins:1] "+" using (center($1)):(trend ? trend_live[int($1)] : NaN) \
    with lines linecolor rgb green linewidth 2.5 * line
unset multiplot
