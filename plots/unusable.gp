# Free space at one moment. panels.txt: name, note; <i>.txt, first block: ends of a bin, per cent of the
# free bytes in holes of that size; second: size of a request, per cent of the free bytes that it cannot
# use, and by the weaker form; moment.txt.
set multiplot
moment = ""
stats "moment.txt" using (moment = strcol(1), 0) nooutput
head = 54.0/height
foot = 16.0/height
cell_w = 1.0/columns
cell_h = (1-head-foot)/rows
set label 1 trace.": holes between blocks ".moment at screen 0.5, screen 1-15.0/height center
set label 2 "free bytes in holes of that size" at screen 0.22, screen 1-34.0/height center textcolor rgb "#0072b2" font ",10"
set label 3 "unusable for blocks of that size, U(r)" at screen 0.52, screen 1-34.0/height center textcolor rgb "#d55e00" font ",10"
set label 4 "in holes smaller than that" at screen 0.8, screen 1-34.0/height center textcolor rgb "#888888" font ",10"
set label 5 "bytes" at screen 0.5, screen 10.0/height center textcolor rgb "#666666" font ",9"
set logscale x 2
# Narrow panels name every other size.
if (columns > 3) {
    set xtics ("16" 16, "" 256, "4 Ki" 4096, "" 65536, "1 Mi" 2**20, "" 2**24, "256 Mi" 2**28)
} else {
    set xtics ("16" 16, "256" 256, "4 Ki" 4096, "64 Ki" 65536, "1 Mi" 2**20, "16 Mi" 2**24, "256 Mi" 2**28)
}
set xtics font ",9" offset 0,0.4
set xrange [16:2**30]
set yrange [0:100]
set ytics 25 font ",9"
set format y "%g %%"
set style fill solid 0.8 noborder
do for [i=0:count-1] {
    column_at = i % int(columns)
    row_at = i / int(columns)
    name = ""; note = ""
    stats "panels.txt" every ::i::i using (name = strcol(1), note = strcol(2), 0) nooutput
    set lmargin at screen column_at*cell_w + 52.0/width
    set rmargin at screen (column_at+1)*cell_w - 20.0/width
    set tmargin at screen 1-head-row_at*cell_h - 34.0/height
    set bmargin at screen 1-head-(row_at+1)*cell_h + 28.0/height
    set label 11 name at graph 0, graph 1 offset 0,1.6 left font ",11"
    set label 12 note at graph 0, graph 1 offset 0,0.55 left font ",9" textcolor rgb "#666666"
    file = sprintf("%d.txt", i)
    plot file index 0 using 1:3:1:2:(0):3 with boxxyerror fillcolor rgb "#0072b2", \
         "" index 1 using 1:3 with lines linecolor rgb "#888888" dashtype 2 linewidth 1.2, \
         "" index 1 using 1:2 with lines linecolor rgb "#d55e00" linewidth 1.6
    do for [l=1:5] { unset label l }
}
unset multiplot
