// Passes bytes to every call that takes them, until one fails: compile, describe, create, configure, execute. The work
// is bounded. Each function returns the first status that is not AMP_OK.
#pragma once
#include <cstdlib>
#include <cstring>
#include <string>

#include "rig.hpp"

namespace exercise {

using blob::Bytes;

inline constexpr uint64_t kMostChannels = 300;  // sum over all ports; larger plans are not rendered

// Sums the channels of all nodes and ports in the plan's description.
inline uint64_t channels(const std::string& json) {
    static const std::string key = "\"channels\": ";
    uint64_t sum = 0;
    for (size_t at = json.find(key); at != std::string::npos; at = json.find(key, at + 1))
        sum += std::strtoull(json.c_str() + at + key.size(), nullptr, 10);
    return sum;
}

inline amp_status render(rig::Runtime& r, uint32_t batches, bool executed) {
    if (r.configure(batches, 32, batches > 1 ? AMP_RUN_HEAT | AMP_RUN_TRACE : AMP_RUN_STOP_NONFINITE)) return r.status;
    for (const int64_t frames : {1, 33, 166}) {
        if (!executed) break;
        if (r.note(amp_graph_runtime_execute(r.raw, frames, nullptr, nullptr, 0))) return r.status;
    }
    return AMP_OK;
}

// Reads every violation of the last call: there are some if and only if it failed, and each has a sentence.
inline void violations(amp_status status) {
    size_t found = 0;
    const size_t count = amp_violation_count(&found);
    if ((status == AMP_OK) != (found == 0) || count > found || count > AMP_MOST_VIOLATIONS) std::abort();
    for (size_t i = 0; i < count; ++i) {
        const amp_violation* v = amp_violation_at(i);
        if (!v || v->struct_size != sizeof *v || v->code >= 0 || v->code < AMP_E_FULL || v->frames < 0) std::abort();
        size_t read = 0;  // reads every text to its end, so that a sanitizer detects freed memory
        for (const char* s : {v->node, v->port, v->sentence, v->cure, v->src}) read += std::strlen(s);
        if (read == 0 || !*v->sentence) std::abort();
        if (i == 0 && v->code != status) std::abort();
    }
    if (amp_violation_at(count)) std::abort();
}

struct Outcome {
    amp_status compiled = AMP_OK, last = AMP_OK;
    bool executed = false;
};

// Uses a descriptor blob, with a plan or without.
inline Outcome descriptors(const Bytes& b, const Bytes& foreign_plan = {}) {
    Outcome o;
    amp_bytes plan{}, json{};
    o.compiled = o.last = amp_plan_compile(b.data(), b.size(), &plan, nullptr);
    violations(o.last);
    if (o.last) return o;
    const Bytes own(plan.data, plan.data + plan.size);
    amp_bytes_free(&plan);
    const Bytes& used = foreign_plan.empty() ? own : foreign_plan;
    o.last = amp_plan_describe(b.data(), b.size(), used.data(), used.size(), &json, nullptr);
    violations(o.last);
    o.executed = channels(std::string(reinterpret_cast<char*>(json.data), json.size)) <= kMostChannels;
    amp_bytes_free(&json);
    rig::Runtime r(b, used);
    if (r.status != o.last) std::abort();  // describe and create must agree about a plan
    if (o.last) return o;
    r.history(graphs::voice_curves());
    for (const uint32_t batches : {1u, 6u})
        if (const amp_status s = render(r, batches, o.executed); s && !o.last) o.last = s;
    return o;
}

// Graphs for schedule blobs, with valid schedules: voices with loops, derived, and with all nodes alone.
struct Schedules {
    std::vector<Bytes> descriptors;
    std::vector<blob::Stages> stages;
    Schedules() {
        for (const auto& g : {graphs::choir(5), graphs::choir(2), graphs::short_loop(), graphs::ahead()}) {
            descriptors.push_back(blob::descriptors(g));
            amp_bytes b{};
            if (amp_schedule_derive(descriptors.back().data(), descriptors.back().size(), &b, nullptr)) std::abort();
            stages.push_back(blob::stages_of({b.data, b.data + b.size}));
            amp_bytes_free(&b);
        }
    }
};

// Describes a schedule blob and follows it: both must return the same status.
inline Outcome schedule(const Bytes& b, const Bytes& descriptors) {
    Outcome o;
    amp_bytes json{};
    o.compiled = o.last =
        amp_schedule_describe(descriptors.data(), descriptors.size(), b.data(), b.size(), &json, nullptr);
    violations(o.last);
    amp_bytes_free(&json);
    rig::Runtime r(descriptors);
    if (r.note(amp_graph_runtime_set_schedule(r.raw, b.data(), b.size())) != o.last) std::abort();
    if (o.last) return o;
    o.executed = true;
    o.last = render(r, 1, true);
    return o;
}

// Samples a history blob, and plays it by a runtime with the curves of graphs::voice().
inline amp_status history(const Bytes& b, rig::Runtime& voice) {
    double y[64];
    amp_status last = AMP_OK;
    for (const int64_t first : {int64_t{-5}, int64_t{0}, int64_t{1} << 40}) {
        const amp_status s = amp_history_sample(b.data(), b.size(), "cutoff", 48000, first, 64, y, nullptr);
        violations(s);
        if (!last) last = s;
    }
    voice.configure(1, 32);
    if (const amp_status s = voice.note(amp_graph_runtime_set_history(voice.raw, b.data(), b.size()))) return s;
    if (const amp_status s = render(voice, 1, true); !last) last = s;
    return last;
}

// Runtimes for snapshot blobs: every graph, with heat and a queued change, after some frames.
struct Snapshots {
    std::vector<std::unique_ptr<rig::Runtime>> runtimes;
    std::vector<Bytes> cuts;
    Snapshots() {
        for (const auto& g : graphs::all()) {
            auto& r = *runtimes.emplace_back(std::make_unique<rig::Runtime>(g));
            if (g.nodes[0].type == "controller") r.history(graphs::voice_curves());
            const char* first = g.nodes[0].type == "noise" ? "amplitude" : "frequency_hz";
            if (r.configure(cuts.size() % 2 ? 6 : 1, 32, cuts.size() % 3 ? AMP_RUN_HEAT : 0)) std::abort();
            r.set(g.nodes[0].name.c_str(), first, 0.5, 100);
            if (r.note(amp_graph_runtime_execute(r.raw, 70, nullptr, nullptr, 0))) std::abort();
            cuts.push_back(r.snapshot());
        }
    }
};

// Restores a snapshot blob into every runtime; those that accept it render on.
inline amp_status snapshot(const Bytes& b, Snapshots& of) {
    amp_status last = AMP_E_DRIFT;
    for (auto& r : of.runtimes) {
        const amp_status s = r->restore(b);
        if (s == AMP_E_DRIFT) continue;
        last = s ? s : r->note(amp_graph_runtime_execute(r->raw, 166, nullptr, nullptr, 0));
    }
    return last;
}

}  // namespace exercise
