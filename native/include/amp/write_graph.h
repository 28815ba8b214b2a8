/* Writes the blob of a graph (graph.h) for amp_plan_compile and amp_graph_runtime_create. See writer.h for memory and errors.
 *
 *   amp_writer w;                                              size_t size;
 *   amp_write_graph(&w, memory, sizeof memory, 48000, "beep", "out");
 *   amp_write_node(&w, "tone", "sine");                        amp_write_number(&w, "frequency_hz", 440);
 *   amp_write_node(&w, "out", "output");
 *   amp_write_edge(&w, "tone", NULL, "out", NULL);
 *   status = amp_write_end(&w, &size, &error);                 `memory` has a blob of `size` bytes
 *
 * Order: nodes, then edges, then modulations. Parameters and thermo constants belong to the node that was written last; slot, delay and
 * channel to the last edge or modulation; tokens, gates and heat share to the last edge. Everything that is not written has its default.
 * The order of parameters does not matter; the bytes equal those of Python if parameters are in the order of their keys and none has its
 * default. The blob has version 1, without extensions.
 * Failure: no call here can fail; amp_write_end reports. */
#ifndef AMP_WRITE_GRAPH_H
#define AMP_WRITE_GRAPH_H
#include "writer.h"

#ifdef __cplusplus
extern "C" {
#endif

static inline int amp_writer_param(amp_writer *w, const char *key, uint8_t kind) {
    if (!amp_writer_last_is(w, AMP_WRITER_NODES, "a parameter stands behind no node. Call amp_write_node before")) return 0;
    amp_writer_one_more(w, w->params, &w->inner);
    amp_writer_text(w, key);
    amp_writer_number(w, kind, 1);
    return !w->mistake;
}

static inline int amp_writer_link(amp_writer *w) {
    if (w->part == AMP_WRITER_MODULATIONS) return amp_writer_last_is(w, AMP_WRITER_MODULATIONS, "");
    return amp_writer_last_is(w, AMP_WRITER_EDGES,
                              "a slot, delay or channel stands behind no edge. Call amp_write_edge or amp_write_modulation before");
}

/* Writes the end of an edge: no gates, default heat share. */
static inline void amp_writer_edge_end(amp_writer *w) {
    w->end = w->size;
    amp_writer_number(w, 0, 4);
    amp_writer_nan(w);
}

/* Records that the edge has `piece`, and sets the offset where it is written; the end of the edge must be written again after it. */
static inline int amp_writer_piece(amp_writer *w, uint32_t piece, uint32_t later, const char *otherwise) {
    if (later) amp_writer_fail(w, otherwise);
    if (w->mistake) return 0;
    w->pieces |= piece;
    amp_writer_number_at(w, w->tail + 12, w->pieces, 1);
    w->size = w->end;
    return 1;
}

/* [any] Begins a graph. `output`: name of the node whose first output is the result, "" for none. */
AMP_INLINE void amp_write_graph(amp_writer *w, void *memory, size_t capacity, double sample_rate, const char *name,
                                const char *output) {
    amp_writer_begin(w, memory, capacity, "AMPD");
    amp_writer_double(w, sample_rate);
    amp_writer_text(w, name);
    w->tail = w->size;
    amp_writer_nan(w);
    amp_writer_number(w, 0, 1);
    amp_writer_text(w, output);
    amp_writer_open_list(w, AMP_WRITER_NODES);
}

/* [any] Heat budget of the graph in W; policy if it is exceeded: 0 report, 1 halt. Before the first node. */
AMP_INLINE void amp_write_heat_budget(amp_writer *w, double watts, uint32_t policy) {
    if (w->part != AMP_WRITER_NODES || w->count) amp_writer_fail(w, "the heat budget comes before the nodes. Call it first");
    amp_writer_number_at(w, w->tail, amp_writer_bits(watts), 8);
    amp_writer_byte_at(w, w->tail + 8, policy);
}

/* [any] Writes a node, with the revision that this library has for its type. */
AMP_INLINE void amp_write_node(amp_writer *w, const char *name, const char *type) {
    const amp_node_contract *contract = amp_describe_node(type ? type : "");
    amp_writer_item(w, AMP_WRITER_NODES, name);
    amp_writer_text(w, name);
    amp_writer_text(w, type);
    amp_writer_number(w, contract ? contract->revision : 1u, 4);
    amp_writer_number(w, 1, 4);        /* oversampling ratio, reserved */
    w->tail = w->size;
    for (int i = 0; i < 3; ++i) amp_writer_nan(w);
    w->params = w->size;
    amp_writer_number(w, 0, 4);
}

/* [any] Thermo constants of the last node, in J per frame, J/K and W/K; NaN: not given. */
AMP_INLINE void amp_write_thermo(amp_writer *w, double heat_j_per_frame, double capacity_j_per_k, double conductance_w_per_k) {
    if (!amp_writer_last_is(w, AMP_WRITER_NODES, "thermo constants stand behind no node. Call amp_write_node before")) return;
    amp_writer_number_at(w, w->tail, amp_writer_bits(heat_j_per_frame), 8);
    amp_writer_number_at(w, w->tail + 8, amp_writer_bits(capacity_j_per_k), 8);
    amp_writer_number_at(w, w->tail + 16, amp_writer_bits(conductance_w_per_k), 8);
}

/* [any] A parameter of the last node: one number for all batches, channels and frames. */
AMP_INLINE void amp_write_number(amp_writer *w, const char *key, double value) {
    if (amp_writer_param(w, key, 0)) amp_writer_double(w, value);
}

/* [any] A parameter with values of shape (B|1, C|1, N|1), or a matrix (B|1, rows, columns); copied. */
AMP_INLINE void amp_write_tensor(amp_writer *w, const char *key, const amp_buffer *values) {
    if (amp_writer_param(w, key, 1)) amp_writer_tensor(w, values);
}

/* [any] A parameter that follows a curve of the control history. */
AMP_INLINE void amp_write_curve_ref(amp_writer *w, const char *key, const char *curve) {
    if (amp_writer_param(w, key, 2)) amp_writer_text(w, curve);
}

/* [any] A parameter that is a choice or a text. */
AMP_INLINE void amp_write_text(amp_writer *w, const char *key, const char *text) {
    if (amp_writer_param(w, key, 3)) amp_writer_text(w, text);
}

/* [any] A parameter that is an integer. */
AMP_INLINE void amp_write_integer(amp_writer *w, const char *key, int64_t value) {
    if (amp_writer_param(w, key, 4)) amp_writer_number(w, (uint64_t)value, 8);
}

/* [any] Writes an edge, with slot 0 and no delay. Ports that are NULL: "out" and "in". */
AMP_INLINE void amp_write_edge(amp_writer *w, const char *src, const char *src_port, const char *dst, const char *dst_port) {
    amp_writer_item(w, AMP_WRITER_EDGES, dst);
    amp_writer_text(w, src);
    amp_writer_text(w, src_port ? src_port : "out");
    amp_writer_text(w, dst);
    amp_writer_text(w, dst_port ? dst_port : "in");
    w->tail = w->size;
    amp_writer_number(w, 0, 4);        /* slot */
    amp_writer_number(w, 0, 8);        /* delay */
    amp_writer_number(w, 0, 1);        /* pieces */
    amp_writer_edge_end(w);
}

/* [any] Writes a modulation, with slot 0, from all channels: mode 0 is p * (offset + scale * m), 1 is p + scale * m. */
AMP_INLINE void amp_write_modulation(amp_writer *w, const char *src, const char *src_port, const char *dst, const char *param,
                                     uint32_t mode, double scale, double offset) {
    amp_writer_item(w, AMP_WRITER_MODULATIONS, dst);
    amp_writer_text(w, src);
    amp_writer_text(w, src_port ? src_port : "out");
    amp_writer_text(w, dst);
    amp_writer_text(w, param);
    w->tail = w->size;
    amp_writer_number(w, 0, 1);
    amp_writer_byte_at(w, w->tail, mode);
    amp_writer_double(w, scale);
    amp_writer_double(w, offset);
    amp_writer_number(w, UINT32_MAX, 4);       /* channel -1: all */
    amp_writer_number(w, 0, 4);                /* slot */
    amp_writer_number(w, 0, 8);                /* delay */
}

/* [any] Slot of the last edge or modulation: a port combines its edges in the order of their slots. */
AMP_INLINE void amp_write_slot(amp_writer *w, int32_t slot) {
    if (amp_writer_link(w)) amp_writer_number_at(w, w->tail + (w->part == AMP_WRITER_EDGES ? 0 : 21), (uint32_t)slot, 4);
}

/* [any] Delay of the last edge or modulation in frames. The delays of a loop must add up to 1 or more. */
AMP_INLINE void amp_write_delay(amp_writer *w, uint64_t frames) {
    if (amp_writer_link(w)) amp_writer_number_at(w, w->tail + (w->part == AMP_WRITER_EDGES ? 4 : 25), frames, 8);
}

/* [any] Initial tokens of the last edge, of shape (1|B, 1|C, delay); copied. Before channel and gates. */
AMP_INLINE void amp_write_tokens(amp_writer *w, const amp_buffer *tokens) {
    if (!amp_writer_last_is(w, AMP_WRITER_EDGES, "initial tokens stand behind no edge. Call amp_write_edge before")) return;
    if (!amp_writer_piece(w, 1u, w->pieces | w->inner, "initial tokens come once, before channel, gates and heat share. Move the call")) return;
    amp_writer_tensor(w, tokens);
    amp_writer_edge_end(w);
}

/* [any] The one channel of the source that the last edge or modulation carries. For an edge: before its gates. */
AMP_INLINE void amp_write_channel(amp_writer *w, int32_t channel) {
    if (!amp_writer_link(w)) return;
    if (w->part == AMP_WRITER_MODULATIONS) {
        amp_writer_number_at(w, w->tail + 17, (uint32_t)channel, 4);
        return;
    }
    if (!amp_writer_piece(w, 2u, (w->pieces & 6u) | w->inner, "the channel of an edge comes once, before gates and heat share. Move the call"))
        return;
    amp_writer_number(w, (uint32_t)channel, 4);
    amp_writer_edge_end(w);
}

/* [any] Adds a synchrony gate to the last edge. Before its heat share. */
AMP_INLINE void amp_write_gate(amp_writer *w, const char *gate) {
    if (!amp_writer_last_is(w, AMP_WRITER_EDGES, "a gate stands behind no edge. Call amp_write_edge before")) return;
    if (w->pieces & 4u) amp_writer_fail(w, "gates come before the heat share. Move the call");
    amp_writer_one_more(w, w->end, &w->inner);
    if (w->mistake) return;
    w->size -= 8;
    amp_writer_text(w, gate);
    amp_writer_nan(w);
}

/* [any] Share of the source's heat that the last edge carries, 0 to 1. Must be the last call for the edge. */
AMP_INLINE void amp_write_kappa(amp_writer *w, double kappa) {
    if (!amp_writer_last_is(w, AMP_WRITER_EDGES, "a heat share stands behind no edge. Call amp_write_edge before")) return;
    w->pieces |= 4u;
    amp_writer_number_at(w, w->size - 8, amp_writer_bits(kappa), 8);
}

#ifdef __cplusplus
}
#endif
#endif
