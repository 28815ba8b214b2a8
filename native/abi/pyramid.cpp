// extern "C": the min/max pyramid of a signal.
#include "core/signals/pyramid.hpp"
#include "abi/guard.hpp"
#include "amp/diag.h"

extern "C" {

size_t amp_pyramid_size(int64_t frames) { return amp::pyramid_size(frames); }

void amp_pyramid_build(const double* samples, int64_t frames, double* pyramid) {
    if (samples && pyramid) amp::build_pyramid(samples, frames, pyramid);
}

amp_status amp_pyramid_query(const double* samples, int64_t frames, const double* pyramid, int64_t first, int64_t last,
                             int32_t columns, double* low, double* high) {
    return amp::reported("pyramid", nullptr, [&] {
        amp::need(samples && low && high && (pyramid || amp::pyramid_size(frames) == 0), "pyramid",
                  "samples, pyramid, low or high: NULL.", "Pass the arrays.");
        amp::need(columns >= 1, "pyramid", "columns: out of range (allowed 1 and more).", "Ask for one at least.");
        amp::need(first >= 0 && first < last && last <= frames, "pyramid",
                  "first and last: must lie in the signal, first before last.", "Choose frames of the signal.");
        amp::query_pyramid(samples, frames, pyramid, first, last, columns, low, high);
    });
}

}  // extern "C"
