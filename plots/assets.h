/* The scripts and templates of this folder, built into the program so that it runs from anywhere:
 * asset_<file> with everything but letters and digits as '_', from plots/embed.cmake. */
#ifndef PLOTS_ASSETS_H
#define PLOTS_ASSETS_H

extern const char asset_style_gp[];
extern const char asset_time_memory_gp[];
extern const char asset_footprint_gp[];
extern const char asset_latency_gp[];
extern const char asset_calls_gp[];
extern const char asset_fragmentation_gp[];
extern const char asset_heapmap_gp[];
extern const char asset_memory_gp[];
extern const char asset_pagemap_gp[];
extern const char asset_unusable_gp[];
extern const char asset_occupancy_gp[];
extern const char asset_classes_gp[];
extern const char asset_scaling_gp[];
extern const char asset_split_gp[];
extern const char asset_lifetimes_gp[];
extern const char asset_sizes_gp[];
extern const char asset_fidelity_gp[];
extern const char asset_report_css[];

#endif
