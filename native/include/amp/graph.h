/* Graphs as blobs: the user's graph is a descriptor blob, from which amp_plan_compile makes a plan blob; also schedules. The caller owns
 * all blobs that it passes; calls only read them, and keep none after they return.
 *
 * Every blob: magic (4 bytes), u32 version (1 unless stated), u64 payload length, u64 FNV-1a-64 of the payload, payload. Little endian,
 * packed. Later libraries will read every version.
 *   str = u16 length + utf-8;  tensor = u32 batches, u32 channels, u64 frames, then float64 in (b, c, n) order.
 *
 * Descriptor payload, magic "AMPD", version 1 or 2:
 *   f64 sample_rate; str graph_name; f64 heat_budget_w in W (NaN = none); u8 heat_policy (0 report, 1 halt); str output node ("" = none)
 *   u32 n_nodes, each: str name; str type; u32 revision; u32 oversample_ratio (reserved: 1);
 *     f64 thermo: heat_j_per_frame, capacity_j_per_k, conductance_w_per_k (NaN = not given);
 *     u32 n_params, each: str key; u8 kind, then
 *       0 number: f64 | 1 tensor: tensor | 2 curve: str curve name | 3 text (enum choice or text): str | 4 integer: i64
 *     [version 2: extensions]
 *   u32 n_edges, each: str src; str src_port; str dst; str dst_port; i32 slot; u64 delay_frames;
 *     u8 parts (bits: 1 tokens, 2 channel), [tensor initial tokens (1|B, 1|C, delay)], [i32 channel of the source to carry; absent:
 *     all]; u32 n_gates, each str; f64 kappa (NaN = default); [version 2: extensions]
 *   u32 n_modulations, each: str src; str src_port; str dst; str param; u8 mode (0 multiply, 1 add); f64 scale; f64 offset;
 *     i32 channel (-1 all); i32 slot; u64 delay_frames
 *   extensions = u32 count (up to 64), each: str id (unique); u8 flags (bit 1: required); u32 length (up to 2^20); bytes
 *     They are stored in the plan and part of its digests; their order does not matter. If the library does not act on a required one, it
 *     refuses the graph with AMP_E_UNSUPPORTED naming node or edge and id; it ignores others. Defined for nodes, none implemented yet:
 *       params_json: UTF-8 JSON | declared_delay: u64 frames | plugin_digest: 32 bytes, SHA-256 of the plug-in's file
 *     Other ids are "vendor.name".
 * Plan payload, magic "AMPP"; the version tells which digests of contracts it contains (amp_node_digest returns those of version 2):
 *   u64 digest of the descriptors; u64 of the contracts; u32 n_nodes in firing order, each: str name; u64 digest of its record;
 *   u32 n_components, each: u64 sub-block; u32 nodes
 * Schedule payload, magic "AMPI": u32 n_stages, each: u32 n_cohorts, each: u32 n_members, each: str name of a node
 * Parameters that are not listed have their defaults. The order of nodes, edges and modulations does not matter; slots order edges.
 * Failure: record in `error`. amp_bytes are set to NULL, 0; facts are not written. */
#ifndef AMP_GRAPH_H
#define AMP_GRAPH_H
#include "node.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cffi-begin */
#define AMP_LANES 8   /* most members of a derived cohort: the lanes of a kernel */

/* [any] Checks descriptors against the contracts and compiles the plan. One call reports all violations (violation.h).
 * `plan` receives bytes that the caller owns (amp_bytes_free). */
AMP_API amp_status amp_plan_compile(const void *descriptors, size_t size, amp_bytes *plan, amp_error *error);

/* Facts about a plan. Owned by the caller, filled by amp_plan_compile_facts. */
typedef struct amp_plan_facts {
    uint32_t struct_size;          /* sizeof(amp_plan_facts) */
    uint32_t nodes, edges, components, curves;
    int32_t  output;               /* place of the output node in the firing order, -1: none */
    int32_t  output_channels;      /* channels of the output node, 0: none */
    uint32_t reserved;
    int64_t  latency_frames;       /* latency of the graph */
    uint64_t digest;               /* digest of the plan, as in amp_plan_describe */
} amp_plan_facts;

/* [any] Compiles like amp_plan_compile and fills `facts`. `names` receives the names of the nodes in firing order, then those of the
 * control curves that a render needs, sorted: UTF-8, each with a final zero byte, owned by the caller (amp_bytes_free). */
AMP_API amp_status amp_plan_compile_facts(const void *descriptors, size_t size, amp_bytes *plan, amp_plan_facts *facts, amp_bytes *names,
                                          amp_error *error);

/* [any] The plan as JSON text: digests, descriptor_version (of the blob), order, components with their sub-block, channels; per node
 * latency, arrival (virtual time of its frame 0), gates and extensions (id, required, bytes; omitted if there are none); edges with source
 * and target ("node.port"), delay_frames, lag (frames held in virtual time), capacity, synchrony_gates (places in the plan's list of
 * gates), extensions, and shape and first values of their initial tokens; the graph's latency. Equal blobs give equal bytes. `json`
 * receives bytes that the caller owns (amp_bytes_free). Fails like amp_graph_runtime_create. */
AMP_API amp_status amp_plan_describe(const void *descriptors, size_t descriptors_size, const void *plan, size_t plan_size,
                                     amp_bytes *json, amp_error *error);

/* [any] Derives the schedule that a runtime of this graph follows by default (IPLS): corresponding nodes of equal voices form cohorts,
 * which fire as the lanes of one kernel; stages run one after the other. The sound never depends on the schedule. `schedule` receives
 * bytes that the caller owns (amp_bytes_free). Since 1.2. */
AMP_API amp_status amp_schedule_derive(const void *descriptors, size_t size, amp_bytes *schedule, amp_error *error);

/* [any] Checks a schedule as amp_graph_runtime_set_schedule does and returns it as JSON text: names of nodes by stage and cohort, and the
 * lanes of a full cohort. NULL, 0: the plan's own order. `json` receives bytes that the caller owns (amp_bytes_free). Since 1.2. */
AMP_API amp_status amp_schedule_describe(const void *descriptors, size_t descriptors_size, const void *schedule,
                                         size_t schedule_size, amp_bytes *json, amp_error *error);
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
