# R, U, H and P over the trace, one panel an allocator, one scale for all. panels.txt: name, note, 1 if
# it leaves the scale; <i>.txt: per cent of the trace, requested, usable, held, resident; limits.txt;
# against.txt.
set multiplot
limits = ""; against = ""
stats "limits.txt" using (limits = strcol(1), 0) nooutput
stats "against.txt" using (against = strcol(1), 0) nooutput
head = 72.0/height
foot = 16.0/height
cell_w = 1.0/columns
cell_h = (1-head-foot)/rows
set label 1 trace.": requested, usable, held and resident memory, in ".unit_name[1+int(unit)] at screen 0.5, screen 1-15.0/height center
set label 2 "requested (R)" at screen 0.24, screen 1-34.0/height center textcolor rgb "#888888" font ",10"
set label 3 "usable (U)" at screen 0.42, screen 1-34.0/height center textcolor rgb "#009e73" font ",10"
set label 4 "held (H)" at screen 0.58, screen 1-34.0/height center textcolor rgb "#d55e00" font ",10"
set label 5 "resident (P)" at screen 0.74, screen 1-34.0/height center textcolor rgb "#0072b2" font ",10"
set label 6 limits at screen 0.5, screen 1-52.0/height center textcolor rgb "#666666" font ",9"
set label 7 against at screen 0.5, screen 10.0/height center textcolor rgb "#666666" font ",9"
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
    set label 14 (leaves > 0 ? "held leaves the scale" : "") at graph 0.5, graph 0.92 center font ",9" textcolor rgb "#d55e00"
    set xtics 25 font ",9" offset 0,0.4
    set format x (row_at == rows-1 || i+columns >= count ? "%g %%" : "")
    set ytics font ",9"
    plot sprintf("%d.txt", i) using 1:2 with filledcurves y1=0 fillcolor rgb "#d9d9d9", \
         floor_live with lines linecolor rgb "#777777" linewidth 1 dashtype 3, \
         "" using 1:4 with lines linecolor rgb "#d55e00" linewidth 1.6, \
         "" using 1:5 with lines linecolor rgb "#0072b2" linewidth 1.6 dashtype 2, \
         "" using 1:3 with lines linecolor rgb "#009e73" linewidth 1.2
    do for [l=1:7] { unset label l }
}
unset multiplot
