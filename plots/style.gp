# What all figures share. Set before: terminal (0 svg, 1 png, 2 pdf, 3 dumb), width, height in pixels.
set encoding utf8
set termoption noenhanced
if (terminal == 0) {
    set terminal svg size width,height font "DejaVu Sans,12" background "#ffffff" noenhanced
}
if (terminal == 1) {
    set terminal pngcairo size 2*width,2*height font "DejaVu Sans,12" fontscale 1.5 linewidth 2 pointscale 2 noenhanced
}
if (terminal == 2) {
    set terminal pdfcairo size width/96.0,height/96.0 font "DejaVu Sans,9" noenhanced
}
if (terminal == 3) {
    set terminal dumb size 120,int(height/16.0) noenhanced
}
set output "figure.out"

# Names come from data files. No quoting, no comments: a name is a name.
set datafile separator "\t"
set datafile commentschars ""

# Eight colours that the colour-blind tell apart (Okabe & Ito), the yellow darkened for white paper;
# beyond eight the marks and the dashes change.
color(i) = i < 0 ? 0x808080 : int(word("29362 13983232 40563 13400487 5683433 15114240 0 7954832", 1+int(i)%8))
mark(i) = i < 0 ? 1 : int(word("7 5 9 11 13 6 4 8 10 12", 1+int(i)/8*3%10))
dash(i) = i < 0 ? 3 : 1+int(i)/8

set linetype 11 linecolor rgb "#bbbbbb"
set border 3 linecolor rgb "#555555" linewidth 1
set tics nomirror out scale 0.5 textcolor rgb "#333333"
set grid linecolor rgb "#e4e4e4" linewidth 0.6 linetype 1 dashtype 1
set key off
set style textbox opaque noborder fillcolor rgb "#ffffff" margins 0.3,0.1
if (terminal == 3) { unset grid }
array unit_name[4] = ["B", "KiB", "MiB", "GiB"]

trace = ""
stats "trace.txt" using (trace = strcol(1), 0) nooutput
