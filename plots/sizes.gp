# What the trace asks for. sizes.txt: bin's lower and upper end, per cent of the calls, of the bytes;
# lifetimes.txt: lower and upper end, per cent of the freed objects.
set multiplot
set label 1 trace.": what the program asks for" at screen 0.5, screen 1-15.0/height center
set label 2 "share of the requests" at screen 0.36, screen 1-38.0/height center textcolor rgb "#0072b2" font ",10"
set label 3 "share of the requested bytes" at screen 0.62, screen 1-38.0/height center textcolor rgb "#d55e00" font ",10"
# All bins, and the label at the end of the last one.
stats "sizes.txt" using 1:2 nooutput
size_low = STATS_min_x; size_high = STATS_max_y
if (lifetimes) {
    stats "lifetimes.txt" using 1:2 nooutput
    life_low = STATS_min_x; life_high = STATS_max_y
}
set logscale x 2
set lmargin at screen 70.0/width
set rmargin at screen 1-44.0/width
set style fill solid 0.9 noborder
set format y "%g %%"
set yrange [0:*]
set tmargin at screen 1-56.0/height
set bmargin at screen lifetimes ? 0.58 : 0.10
set xlabel "bytes requested" offset 0,0.3
set xtics ("0" 0.5, "1" 1, "8" 8, "64" 64, "512" 512, "4 KiB" 4096, "32 KiB" 32768, "256 KiB" 262144, "2 MiB" 2**21, "16 MiB" 2**24, "128 MiB" 2**27, "1 GiB" 2**30)
if (size_high < 512*size_low) {
    set xtics add ("2" 2, "4" 4, "16" 16, "32" 32, "128" 128, "256" 256, "1 KiB" 1024, "2 KiB" 2048)
}
set xrange [size_low/1.01:size_high*1.01]
# In each bin the left half is requests, the right half bytes.
plot "sizes.txt" using 1:3:1:(sqrt($1*$2)):(0):3 with boxxyerror fillcolor rgb "#0072b2", \
     "" using 1:4:(sqrt($1*$2)):2:(0):4 with boxxyerror fillcolor rgb "#d55e00"
unset label 1
unset label 2
unset label 3
if (lifetimes) {
    set tmargin at screen 0.45
    set bmargin at screen 0.10
    set label 4 "share of the freed objects" at graph 0.5, graph 1.07 center textcolor rgb "#009e73" font ",10"
    set xlabel "lifetime: operations between allocation and free"
    set xtics ("0" 0.5, "1" 1, "10" 10, "100" 100, "1,000" 1e3, "10,000" 1e4, "100,000" 1e5, "a million" 1e6, "10 million" 1e7)
    set xrange [life_low/1.01:life_high*1.01]
    plot "lifetimes.txt" using 1:3:1:2:(0):3 with boxxyerror fillcolor rgb "#009e73"
}
unset multiplot
