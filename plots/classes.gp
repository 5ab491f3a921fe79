# Size classes, one scale for all panels. panels.txt: name, note; <i>.txt: usable size, end of its bar, per cent of all usable bytes
# that lie in blocks of the class, and that they do not ask for; moment.txt.
set multiplot
moment = ""
stats "moment.txt" using (moment = strcol(1), 0) nooutput
head = 54.0/height
foot = 16.0/height
cell_w = 1.0/columns
cell_h = (1-head-foot)/rows
# Where all allocations were refused nothing is live, and there is no greatest share.
most = 0
do for [i=0:count-1] {
    stats sprintf("%d.txt", i) using ($3 == $3 ? $3 : 0) nooutput
    most = exists("STATS_max") && STATS_max > most ? STATS_max : most
}
set label 1 trace.": size classes and their slack ".moment at screen 0.5, screen 1-15.0/height center
set label 2 "of the usable bytes, in blocks of that size" at screen 0.32, screen 1-34.0/height center textcolor rgb "#56b4e9" font ",10"
set label 3 "of these, not asked for" at screen 0.62, screen 1-34.0/height center textcolor rgb "#d55e00" font ",10"
set label 5 "usable bytes of a block" at screen 0.5, screen 10.0/height center textcolor rgb "#666666" font ",9"
set logscale x 2
set xtics ("16" 16, "256" 256, "4 Ki" 4096, "64 Ki" 65536, "1 Mi" 2**20, "16 Mi" 2**24, "256 Mi" 2**28) font ",9" offset 0,0.4
set xrange [8:2**26]
set yrange [0:(most > 0 ? 1.05*most : 1)]
set ytics font ",9"
set format y "%g %%"
set style fill solid 0.9 noborder
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
    plot sprintf("%d.txt", i) using 1:3:1:2:(0):3 with boxxyerror fillcolor rgb "#56b4e9", \
         "" using 1:4:1:2:(0):4 with boxxyerror fillcolor rgb "#d55e00"
    do for [l=1:5] { unset label l }
}
unset multiplot
