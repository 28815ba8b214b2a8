// extern "C": contracts, plans, histories, and bytes that the caller frees.
#include <cmath>
#include <cstdlib>
#include <cstring>

#include "abi/guard.hpp"
#include "amp/amp.h"
#include "kernel/registry.hpp"
#include "plan/schedule.hpp"

using namespace amp;

namespace {

void give(const void* data, size_t size, amp_bytes* out) {
    auto* p = static_cast<uint8_t*>(std::malloc(size ? size : 1));
    if (!p) throw std::bad_alloc();
    std::memcpy(p, data, size);
    *out = {p, size};
}

}  // namespace

extern "C" {

void amp_bytes_free(amp_bytes* bytes) {
    if (!bytes) return;
    std::free(bytes->data);
    *bytes = {nullptr, 0};
}

uint64_t amp_checksum(const void* data, size_t size) { return data ? fnv1a(data, size) : kFnvBasis; }

uint32_t amp_node_count(void) { return static_cast<uint32_t>(registry().size()); }
const amp_node_contract* amp_node_at(uint32_t i) {
    const NodeType* t = registry().at(i);
    return t ? t->contract : nullptr;
}
const amp_node_contract* amp_describe_node(const char* id) {
    const NodeType* t = id ? find_type(id) : nullptr;
    return t ? t->contract : nullptr;
}
uint64_t amp_node_digest(const char* id) {
    const amp_node_contract* c = amp_describe_node(id);
    return c ? contract_digest(*c) : 0;
}

amp_status amp_plan_compile(const void* descriptors, size_t size, amp_bytes* plan, amp_error* error) {
    if (plan) *plan = {nullptr, 0};
    return guarded("plan", error, [&] {
        need(plan && (descriptors || size == 0), "plan", "plan or descriptors: NULL.",
             "Pass a record for the plan and the bytes.");
        const auto bytes = encode(compile(read_descriptors(descriptors, size)));
        give(bytes.data(), bytes.size(), plan);
    });
}

amp_status amp_plan_compile_facts(const void* descriptors, size_t size, amp_bytes* plan, amp_plan_facts* facts,
                                  amp_bytes* names, amp_error* error) {
    for (amp_bytes* bytes : {plan, names})
        if (bytes) *bytes = {nullptr, 0};
    return guarded("plan", error, [&] {
        need(plan && names && (descriptors || size == 0), "plan", "plan, names or descriptors: NULL.",
             "Pass records for the plan and the names, and the bytes.");
        need(facts && facts->struct_size >= sizeof(amp_plan_facts), "plan",
             "facts: NULL or of an unknown version (struct_size).", "Fill it as amp/graph.h says.");
        const Plan p = compile(read_descriptors(descriptors, size));
        std::string all;
        for (const PlanNode& n : p.nodes) all += n.name + '\0';
        for (const std::string& curve : p.curves) all += curve + '\0';
        const auto count = [](const auto& list) { return static_cast<uint32_t>(list.size()); };
        const auto bytes = encode(p);
        give(all.data(), all.size(), names);
        try {
            give(bytes.data(), bytes.size(), plan);
        } catch (...) {
            amp_bytes_free(names);
            throw;
        }
        *facts = {facts->struct_size,
                  count(p.nodes),
                  count(p.edges),
                  count(p.components),
                  count(p.curves),
                  p.output,
                  p.output < 0 ? 0 : p.nodes[static_cast<size_t>(p.output)].channels,
                  0,
                  p.latency,
                  p.digest};
    });
}

amp_status amp_plan_describe(const void* descriptors, size_t descriptors_size, const void* plan, size_t plan_size,
                             amp_bytes* json, amp_error* error) {
    if (json) *json = {nullptr, 0};
    return guarded("plan", error, [&] {
        need(json && (descriptors || descriptors_size == 0) && (plan || plan_size == 0), "plan",
             "json or a blob: NULL.", "Pass a record for the text and the bytes.");
        const Plan p = compile(read_descriptors(descriptors, descriptors_size));
        if (plan) expect_same(p, plan, plan_size);
        const std::string s = describe(p);
        give(s.data(), s.size(), json);
    });
}

amp_status amp_schedule_derive(const void* descriptors, size_t size, amp_bytes* schedule, amp_error* error) {
    if (schedule) *schedule = {nullptr, 0};
    return guarded("schedule", error, [&] {
        need(schedule && (descriptors || size == 0), "schedule", "schedule or descriptors: NULL.",
             "Pass a record for the schedule and the bytes.");
        const Plan p = compile(read_descriptors(descriptors, size));
        const auto bytes = encode(p, derive(p));
        give(bytes.data(), bytes.size(), schedule);
    });
}

amp_status amp_schedule_describe(const void* descriptors, size_t descriptors_size, const void* schedule,
                                 size_t schedule_size, amp_bytes* json, amp_error* error) {
    if (json) *json = {nullptr, 0};
    return guarded("schedule", error, [&] {
        need(json && (descriptors || descriptors_size == 0) && (schedule || schedule_size == 0), "schedule",
             "json or a blob: NULL.", "Pass a record for the text and the bytes.");
        const Plan p = compile(read_descriptors(descriptors, descriptors_size));
        const std::string s = describe(p, schedule ? read_schedule(p, schedule, schedule_size) : plain(p));
        give(s.data(), s.size(), json);
    });
}

amp_status amp_history_sample(const void* blob, size_t size, const char* curve, double sample_rate, int64_t first,
                              int64_t frames, double* out, amp_error* error) {
    return guarded("history", error, [&] {
        constexpr int64_t kFarthest = int64_t{1} << 61;
        need(curve && (out || frames == 0) && frames >= 0 && std::isfinite(sample_rate) && sample_rate > 0, "history",
             "curve, out, frames or sample_rate: NULL or not positive.", "Name the curve, and give room and a rate.");
        need(first >= -kFarthest && first <= kFarthest && frames <= kFarthest, "history",
             "first_frame or frames: out of range (allowed up to 2^61 either way).", "Sample nearer to time zero.");
        if (!kernels())
            throw Failure(AMP_E_UNSUPPORTED, "history",
                          "AMP_ISA: this machine lacks that level, or the name is unknown (allowed v2, v3, v4).",
                          "Unset AMP_ISA.");
        const History h = read_history(blob, blob ? size : 0);
        const auto it = h.find(curve);
        if (it == h.end())
            throw Failure(AMP_E_INVALID_ARG, "history",
                          text("%s: there is no such curve in the history (allowed %s).", curve,
                               listed(h, [](const auto& one) { return one.first; }).c_str()),
                          "Use one of these.", "", curve);
        it->second.sample(kernels()->curve_segment, sample_rate, first, frames, out);
    });
}

}  // extern "C"
