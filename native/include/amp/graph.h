/* From descriptors to a plan. A descriptor blob says what the user built; the plan blob is compiled from it here, and only here.
 *
 * Every blob: magic (4 bytes), u32 version (1 where nothing else is said), u64 payload length, u64 FNV-1a-64 of the payload,
 * payload. Little endian, packed. Every version is read for ever.
 *   str = u16 length + utf-8;  tensor = u32 batches, u32 channels, u64 frames, then float64 in (b, c, n) order.
 *
 * Descriptor payload, magic "AMPD", version 1 or 2:
 *   f64 sample_rate; str graph_name; f64 heat_budget_w (NaN = none); u8 heat_policy (0 report, 1 halt); str output node ("" = none)
 *   u32 n_nodes, each: str name; str type; u32 revision; u32 oversample_ratio (reserved: 1);
 *     f64 thermo: heat_j_per_frame, capacity_j_per_k, conductance_w_per_k (NaN = not given);
 *     u32 n_params, each: str key; u8 kind, then
 *       0 number: f64 | 1 tensor: tensor | 2 curve: str curve name | 3 text (enum choice or text): str | 4 integer: i64
 *     [version 2: extensions]
 *   u32 n_edges, each: str src; str src_port; str dst; str dst_port; i32 slot; u64 delay_frames;
 *     u8 parts (bits: 1 tokens, 2 channel), [tensor initial tokens (1|B, 1|C, delay)], [i32 channel of the source to carry; all
 *     without]; u32 n_gates, each str; f64 kappa (NaN = default); [version 2: extensions]
 *   u32 n_modulations, each: str src; str src_port; str dst; str param; u8 mode (0 multiply, 1 add); f64 scale; f64 offset;
 *     i32 channel (-1 all); i32 slot; u64 delay_frames
 *   extensions = u32 count (up to 64), each: str id, none twice; u8 flags (bit 1: required); u32 length (up to 2^20); bytes
 *     They are kept and are part of the digests, in any order. A required one that the library does not act on is refused with
 *     AMP_E_UNSUPPORTED naming node or edge and id; any other is ignored. Defined for nodes, none acted on yet:
 *       params_json: UTF-8 JSON | declared_delay: u64 frames | plugin_digest: 32 bytes, SHA-256 of the plug-in's file
 *     Other ids are "vendor.name".
 * Plan payload, magic "AMPP"; the version says which digests of contracts it was made with (amp_node_digest gives those of 2):
 *   u64 digest of the descriptors; u64 of the contracts; u32 n_nodes in firing order, each: str name; u64 digest of its record;
 *   u32 n_components, each: u64 sub-block; u32 nodes
 * Schedule payload, magic "AMPI": u32 n_stages, each: u32 n_cohorts, each: u32 n_members, each: str name of a node
 * Parameters not named take their default. Order of nodes, edges and modulations means nothing: slots do.
 * Failure: record in `error`. amp_bytes are set to NULL, 0 first and stay so; facts stay unwritten. */
#ifndef AMP_GRAPH_H
#define AMP_GRAPH_H
#include "node.h"

#ifdef __cplusplus
extern "C" {
#endif

/* cffi-begin */
#define AMP_LANES 8   /* members of a full cohort */

/* [any] Checks descriptors against the contracts and compiles the plan. All violations are found at once (violation.h).
 * `plan` receives bytes owned by the caller (amp_bytes_free). */
AMP_API amp_status amp_plan_compile(const void *descriptors, size_t size, amp_bytes *plan, amp_error *error);

/* What a program asks of a plan before it runs it. */
typedef struct amp_plan_facts {
    uint32_t struct_size;          /* sizeof(amp_plan_facts) */
    uint32_t nodes, edges, components, curves;
    int32_t  output;               /* place of the output node in the order, -1: none */
    int32_t  output_channels;      /* 0: none */
    uint32_t reserved;
    int64_t  latency_frames;       /* of the graph */
    uint64_t digest;               /* of the plan: the one amp_plan_describe shows */
} amp_plan_facts;

/* [any] amp_plan_compile that also tells about the plan. `names` receives the nodes in firing order, then the control curves a
 * render needs, sorted: utf-8, each ended by a zero byte, owned by the caller (amp_bytes_free). */
AMP_API amp_status amp_plan_compile_facts(const void *descriptors, size_t size, amp_bytes *plan, amp_plan_facts *facts, amp_bytes *names,
                                          amp_error *error);

/* [any] The plan as JSON text for people, plots and other programs: digests, descriptor_version (of the blob), order, components
 * with their sub-block, channels; per node latency, arrival (virtual time of its frame 0), gates and extensions (id, required,
 * bytes; left out if there are none); edges with source and target ("node.port"), delay_frames, lag (frames held in virtual
 * time), capacity, synchrony_gates (places in the plan's list of gates), extensions and the shape and first values of their
 * initial tokens; the graph's latency. Same bytes for the same blobs. Fails like amp_graph_runtime_create. */
AMP_API amp_status amp_plan_describe(const void *descriptors, size_t descriptors_size, const void *plan, size_t plan_size,
                                     amp_bytes *json, amp_error *error);

/* [any] The schedule a runtime of this graph follows by itself (IPLS): nodes of one type that play one part in voices of one shape form
 * cohorts, whose members fire side by side in the lanes of one kernel; stages follow each other. The sound never depends on it.
 * `schedule` receives bytes owned by the caller (amp_bytes_free). Since 1.2. */
AMP_API amp_status amp_schedule_derive(const void *descriptors, size_t size, amp_bytes *schedule, amp_error *error);

/* [any] Checks a schedule as amp_graph_runtime_set_schedule does and gives it as JSON text: names of nodes by stage and cohort, and the
 * lanes of a full cohort. NULL, 0: the plan's own order. `json` receives bytes owned by the caller (amp_bytes_free). Since 1.2. */
AMP_API amp_status amp_schedule_describe(const void *descriptors, size_t descriptors_size, const void *schedule,
                                         size_t schedule_size, amp_bytes *json, amp_error *error);
/* cffi-end */

#ifdef __cplusplus
}
#endif
#endif
