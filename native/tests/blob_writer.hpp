// Graphs and curves as plain data, and their blobs in the layouts of amp/graph.h and amp/history.h. Nothing is checked:
// tests write invalid blobs, too.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "amp/amp.h"

namespace blob {

using Bytes = std::vector<uint8_t>;

inline constexpr size_t kHeader = 24;

struct Tensor {
    uint32_t batches = 1, channels = 1;
    uint64_t frames = 1;
    std::vector<double> data{0.0};
};

enum Kind : uint8_t { kNumber, kTensor, kCurve, kText, kInteger };

struct Param {
    std::string key;
    uint8_t kind = kNumber;
    double number = 0;
    std::string text{};
    Tensor tensor{};
    int64_t integer = 0;
};

inline Param number(const char* key, double v) { return {key, kNumber, v}; }
inline Param text(const char* key, const char* v) { return {key, kText, 0, v}; }
inline Param curve(const char* key, const char* name) { return {key, kCurve, 0, name}; }
inline Param tensor(const char* key, Tensor t) { return {key, kTensor, 0, "", std::move(t)}; }
inline Param integer(const char* key, int64_t v) { return {key, kInteger, 0, "", {}, v}; }

struct Extension {
    std::string id;
    uint8_t flags = 0;  // bit 1: required
    std::string bytes{};
    uint32_t length = 0xffffffffu;  // the length that is written before the bytes; 0xffffffff: the actual one
};

struct Node {
    std::string name, type;
    std::vector<Param> params{};
    uint32_t revision = 0;  // 0: the library's revision
    uint32_t oversample = 1;
    double heat = NAN, capacity = NAN, conductance = NAN;
    std::vector<Extension> extensions{};  // written by version 2 only
};

struct Edge {
    std::string src, dst;
    uint64_t delay = 0;
    std::string src_port = "out", dst_port = "in";
    int32_t slot = 0;
    std::vector<Tensor> tokens{};  // empty or one tensor
    std::vector<std::string> gates{};
    double kappa = NAN;
    uint8_t parts = 0;     // further bits of the byte that tells which parts follow
    int32_t channel = -1;  // written if not -1
    std::vector<Extension> extensions{};
};

struct Modulation {
    std::string src, dst, param;
    uint8_t mode = 0;
    double scale = 1, offset = 0;
    int32_t channel = -1, slot = 0;
    uint64_t delay = 0;
    std::string src_port = "out";
};

struct Graph {
    std::vector<Node> nodes{};
    std::vector<Edge> edges{};
    std::vector<Modulation> modulations{};
    std::string output{};
    double sample_rate = 48000, budget_w = NAN;
    uint8_t policy = 0;
    std::string name = "test";
    uint32_t version = 1;  // version of the layout
};

struct Curve {
    std::string name;
    uint8_t interpolation = AMP_CURVE_LINEAR;
    std::vector<std::pair<double, double>> points{};  // (time in seconds, value)
};

class Payload {
public:
    template <class T> Payload& put(T v) {
        const auto* p = reinterpret_cast<const uint8_t*>(&v);
        bytes.insert(bytes.end(), p, p + sizeof v);
        return *this;
    }
    Payload& str(const std::string& s) {
        put(static_cast<uint16_t>(s.size()));
        bytes.insert(bytes.end(), s.begin(), s.begin() + static_cast<uint16_t>(s.size()));
        return *this;
    }
    Payload& tensor(const Tensor& t) {
        put(t.batches).put(t.channels).put(t.frames);
        for (double x : t.data) put(x);
        return *this;
    }
    template <class T> Payload& count(const std::vector<T>& list) { return put(static_cast<uint32_t>(list.size())); }
    Bytes bytes{};
};

// Updates length and checksum after the payload was changed.
inline void reseal(Bytes& b) {
    if (b.size() < kHeader) return;
    const uint64_t length = b.size() - kHeader, sum = amp_checksum(b.data() + kHeader, length);
    std::memcpy(b.data() + 8, &length, sizeof length);
    std::memcpy(b.data() + 16, &sum, sizeof sum);
}

inline Bytes seal(const char* magic, const Payload& payload, uint32_t version = 1) {
    Payload whole;
    whole.bytes.assign(magic, magic + 4);
    whole.put(version).put(uint64_t{0}).put(uint64_t{0});
    whole.bytes.insert(whole.bytes.end(), payload.bytes.begin(), payload.bytes.end());
    reseal(whole.bytes);
    return whole.bytes;
}

inline void write(Payload& w, const Param& p) {
    w.str(p.key).put(p.kind);
    switch (p.kind) {
    case kNumber: w.put(p.number); break;
    case kTensor: w.tensor(p.tensor); break;
    case kInteger: w.put(p.integer); break;
    default: w.str(p.text); break;
    }
}

inline void write(Payload& w, const std::vector<Extension>& list) {
    w.count(list);
    for (const Extension& e : list) {
        w.str(e.id).put(e.flags).put(e.length == 0xffffffffu ? static_cast<uint32_t>(e.bytes.size()) : e.length);
        w.bytes.insert(w.bytes.end(), e.bytes.begin(), e.bytes.end());
    }
}

inline void write(Payload& w, const Node& n) {
    const amp_node_contract* c = amp_describe_node(n.type.c_str());
    w.str(n.name).str(n.type).put(n.revision ? n.revision : c ? c->revision : 1u).put(n.oversample);
    w.put(n.heat).put(n.capacity).put(n.conductance).count(n.params);
    for (const Param& p : n.params) write(w, p);
}

inline void write(Payload& w, const Edge& e) {
    w.str(e.src).str(e.src_port).str(e.dst).str(e.dst_port).put(e.slot).put(e.delay);
    w.put(static_cast<uint8_t>(e.parts | !e.tokens.empty() | (e.channel != -1) << 1));
    for (const Tensor& t : e.tokens) w.tensor(t);
    if (e.channel != -1) w.put(e.channel);
    w.count(e.gates);
    for (const std::string& g : e.gates) w.str(g);
    w.put(e.kappa);
}

inline void write(Payload& w, const Modulation& m) {
    w.str(m.src).str(m.src_port).str(m.dst).str(m.param).put(m.mode).put(m.scale).put(m.offset);
    w.put(m.channel).put(m.slot).put(m.delay);
}

inline Bytes descriptors(const Graph& g) {
    Payload w;
    w.put(g.sample_rate).str(g.name).put(g.budget_w).put(g.policy).str(g.output).count(g.nodes);
    const auto all = [&](const auto& list) {
        for (const auto& item : list) {
            write(w, item);
            if (g.version >= 2) write(w, item.extensions);
        }
    };
    all(g.nodes);
    w.count(g.edges);
    all(g.edges);
    w.count(g.modulations);
    for (const Modulation& m : g.modulations) write(w, m);
    return seal("AMPD", w, g.version);
}

inline Bytes history(const std::vector<Curve>& curves) {
    Payload w;
    w.count(curves);
    for (const Curve& c : curves) {
        w.str(c.name).put(c.interpolation).count(c.points);
        for (const auto& [time, value] : c.points) w.put(time).put(value);
    }
    return seal("AMPH", w);
}

using Stages = std::vector<std::vector<std::vector<std::string>>>;  // stage -> cohort -> names of nodes

inline Bytes schedule(const Stages& stages) {
    Payload w;
    w.count(stages);
    for (const auto& stage : stages) {
        w.count(stage);
        for (const auto& cohort : stage) {
            w.count(cohort);
            for (const std::string& name : cohort) w.str(name);
        }
    }
    return seal("AMPI", w);
}

// The argument of schedule() for a blob that the library wrote.
inline Stages stages_of(const Bytes& b) {
    const uint8_t* p = b.data() + kHeader;
    const auto next = [&p](auto v) {
        std::memcpy(&v, p, sizeof v);
        p += sizeof v;
        return v;
    };
    Stages stages(next(uint32_t{}));
    for (auto& stage : stages) {
        stage.resize(next(uint32_t{}));
        for (auto& cohort : stage) {
            cohort.resize(next(uint32_t{}));
            for (std::string& name : cohort) {
                const auto n = next(uint16_t{});
                name.assign(reinterpret_cast<const char*>(p), n);
                p += n;
            }
        }
    }
    return stages;
}

}  // namespace blob
