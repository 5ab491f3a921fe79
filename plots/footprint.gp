# Resident, virtual and live memory over the trace, one panel an allocator, one scale for all.
# panels.txt: name, note; against.txt; <i>.txt: per cent of the trace, live, resident, virtual.
set multiplot
against = ""
stats "against.txt" using (against = strcol(1), 0) nooutput
head = 54.0/height
cell_w = 1.0/columns
foot = 16.0/height
cell_h = (1-head-foot)/rows
set label 1 trace.": memory over the trace, in ".unit_name[1+int(unit)] at screen 0.5, screen 1-15.0/height center
set label 2 "live: what the program asked for" at screen 0.28, screen 1-34.0/height center textcolor rgb "#888888" font ",10"
set label 3 "resident" at screen 0.52, screen 1-34.0/height center textcolor rgb "#0072b2" font ",10"
set label 4 "virtual (may leave the scale)" at screen 0.72, screen 1-34.0/height center textcolor rgb "#d55e00" font ",10"
set label 5 against at screen 0.5, screen 10.0/height center textcolor rgb "#666666" font ",9"
set xrange [0:100]
set yrange [0:scale*1.08]
set format y "%.3g"
do for [i=0:count-1] {
    column_at = i % int(columns)
    row_at = i / int(columns)
    name = ""; note = ""; leaves = 0
    stats "panels.txt" every ::i::i using (name = strcol(1), note = strcol(2), leaves = $3, 0) nooutput
    set lmargin at screen column_at*cell_w + 52.0/width
    set rmargin at screen (column_at+1)*cell_w - 20.0/width
    set tmargin at screen 1-head-row_at*cell_h - 34.0/height
    set bmargin at screen 1-head-(row_at+1)*cell_h + 28.0/height
    set label 11 name at graph 0, graph 1 offset 0,1.6 left font ",11"
    set label 12 note at graph 0, graph 1 offset 0,0.55 left font ",9" textcolor rgb "#666666"
    set label 14 (leaves > 0 ? "resident leaves the scale" : "") at graph 0.5, graph 0.92 center font ",9" textcolor rgb "#0072b2"
    set xtics 25 font ",9" offset 0,0.4
    set format x (row_at == rows-1 || i+columns >= count ? "%g %%" : "")
    set ytics font ",9"
    plot sprintf("%d.txt", i) using 1:2 with filledcurves y1=0 fillcolor rgb "#d9d9d9", \
         "" using 1:4 with lines linecolor rgb "#d55e00" linewidth 1 dashtype 2, \
         "" using 1:3 with lines linecolor rgb "#0072b2" linewidth 1.6
    do for [l=1:5] { unset label l }
}
unset multiplot
