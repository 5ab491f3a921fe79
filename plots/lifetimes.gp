# How long blocks of each size live. lives.txt: ends of the bin of sizes, of lifetimes, per cent of the
# freed objects, of their bytes.
set multiplot
set label 1 trace.": how long blocks of each size live" at screen 0.5, screen 1-15.0/height center
set logscale xy
set logscale cb
set cbrange [0.01:100]
set palette defined (0 "#deebf7", 0.5 "#4292c6", 1 "#08306b")
set cbtics ("0.01 %%" 0.01, "0.1 %%" 0.1, "1 %%" 1, "10 %%" 10, "100 %%" 100) font ",9"
set style fill solid 1 noborder
set xrange [0.5:*]
set yrange [0.5:*]
set xlabel "bytes of the block" offset 0,0.3 font ",10"
set xtics ("0" 0.5, "1" 1, "16" 16, "256" 256, "4 Ki" 4096, "64 Ki" 65536, "1 Mi" 2**20, "16 Mi" 2**24, "256 Mi" 2**28) font ",9"
set ytics ("0" 0.5, "1" 1, "10" 10, "100" 100, "1,000" 1e3, "10,000" 1e4, "100,000" 1e5, "a million" 1e6, "10 million" 1e7) font ",9"
set bmargin at screen 56.0/height
set tmargin at screen 1-58.0/height
unset colorbox
set lmargin at screen 82.0/width
set rmargin at screen 0.47
set label 2 "of the freed blocks" at graph 0.5, graph 1 offset 0,0.8 center font ",10"
set label 3 "operations from allocation to free" at screen 0.012, screen 1-42.0/height left font ",10" textcolor rgb "#666666"
plot "lives.txt" using 1:3:1:2:3:4:5 with boxxyerror fillcolor palette
unset label 1
unset label 3
set colorbox user origin screen 0.925, screen 56.0/height size screen 0.016, screen 1-114.0/height
set lmargin at screen 0.51
set rmargin at screen 0.90
set format y ""
set ytics ("" 0.5, "" 1, "" 10, "" 100, "" 1e3, "" 1e4, "" 1e5, "" 1e6, "" 1e7)
set label 2 "of their bytes" at graph 0.5, graph 1 offset 0,0.8 center font ",10"
plot "lives.txt" using 1:3:1:2:3:4:($6 > 0 ? $6 : NaN) with boxxyerror fillcolor palette
unset multiplot
