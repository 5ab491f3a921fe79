# Internal and external fragmentation over the trace, one panel an allocator.
# panels.txt: name, note; against.txt; <i>.txt: per cent of the trace, internal, external in per cent.
set multiplot
against = ""
stats "against.txt" using (against = strcol(1), 0) nooutput
head = 54.0/height
cell_w = 1.0/columns
foot = 16.0/height
cell_h = (1-head-foot)/rows
set label 1 trace.": fragmentation over the trace" at screen 0.5, screen 1-15.0/height center
set label 2 "internal: of the blocks' bytes, not asked for" at screen 0.30, screen 1-34.0/height center textcolor rgb "#009e73" font ",10"
set label 3 "external: of the bytes held, in no live block" at screen 0.70, screen 1-34.0/height center textcolor rgb "#d55e00" font ",10"
set label 5 against at screen 0.5, screen 10.0/height center textcolor rgb "#666666" font ",9"
set xrange [0:100]
set yrange [0:100]
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
    set xtics 25 font ",9" offset 0,0.4
    set format x (row_at == rows-1 || i+columns >= count ? "%g %%" : "")
    set ytics 25 font ",9"
    set format y "%g %%"
    plot sprintf("%d.txt", i) using 1:3 with lines linecolor rgb "#d55e00" linewidth 1.4, \
         "" using 1:2 with lines linecolor rgb "#009e73" linewidth 1.4
    do for [l=1:5] { unset label l }
}
unset multiplot
against = ""
stats "against.txt" using (against = strcol(1), 0) nooutput
