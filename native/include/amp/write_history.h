/* Writes the blob of a control history (history.h) for amp_graph_runtime_set_history. See writer.h for memory and errors.
 * Failure: no call here can fail; amp_write_end reports. */
#ifndef AMP_WRITE_HISTORY_H
#define AMP_WRITE_HISTORY_H
#include "history.h"
#include "writer.h"

#ifdef __cplusplus
extern "C" {
#endif

/* [any] Begins a control history. */
AMP_INLINE void amp_write_history(amp_writer *w, void *memory, size_t capacity) {
    amp_writer_begin(w, memory, capacity, "AMPH");
    amp_writer_open_list(w, AMP_WRITER_CURVES);
}

/* [any] Writes a curve; `interpolation` is AMP_CURVE_*. */
AMP_INLINE void amp_write_curve(amp_writer *w, const char *curve, uint32_t interpolation) {
    amp_writer_item(w, AMP_WRITER_CURVES, curve);
    amp_writer_text(w, curve);
    amp_writer_number(w, 0, 1);
    amp_writer_byte_at(w, w->size - 1, interpolation);
    w->params = w->size;
    amp_writer_number(w, 0, 4);
}

/* [any] Writes a point of the last curve, at `time_s` seconds. */
AMP_INLINE void amp_write_point(amp_writer *w, double time_s, double value) {
    if (!amp_writer_last_is(w, AMP_WRITER_CURVES, "a point stands behind no curve. Call amp_write_curve before")) return;
    amp_writer_one_more(w, w->params, &w->inner);
    amp_writer_double(w, time_s);
    amp_writer_double(w, value);
}

#ifdef __cplusplus
}
#endif
#endif
