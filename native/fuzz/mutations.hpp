// Deterministic changes to graphs, curves and bytes. Some keep the blob readable and change its meaning, others break
// it.
#pragma once
#include <limits>

#include "blob_writer.hpp"

namespace mutations {

using blob::Bytes;
using blob::Graph;

class Dice {  // splitmix64
public:
    explicit Dice(uint64_t seed) : state_(seed) {}
    uint64_t next() {
        uint64_t z = state_ += 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        return z ^ (z >> 31);
    }
    size_t below(size_t n) { return static_cast<size_t>(next() % n); }
    bool one_in(size_t n) { return below(n) == 0; }
    template <class L> auto& of(L& list) { return list[below(std::size(list))]; }

private:
    uint64_t state_;
};

inline double real(Dice& d) {
    static constexpr double kOdd[] = {0.0,
                                      -0.0,
                                      1.0,
                                      -1.0,
                                      0.5,
                                      1e-3,
                                      440.0,
                                      23520.0,
                                      24000.0,
                                      60.0,
                                      1e-300,
                                      5e-324,
                                      1e9,
                                      1e300,
                                      -1e300,
                                      9007199254740993.0,
                                      std::numeric_limits<double>::infinity(),
                                      -std::numeric_limits<double>::infinity(),
                                      std::numeric_limits<double>::quiet_NaN()};
    return d.one_in(3) ? d.of(kOdd) : static_cast<double>(d.next() >> 11) * 0x1p-53 * (d.one_in(2) ? 1.0 : 1000.0);
}

inline uint64_t whole(Dice& d) {
    static constexpr uint64_t kOdd[] = {0,
                                        1,
                                        2,
                                        3,
                                        7,
                                        8,
                                        15,
                                        16,
                                        17,
                                        31,
                                        32,
                                        33,
                                        64,
                                        100,
                                        1u << 20,
                                        1u << 31,
                                        (uint64_t{1} << 31) + 1,
                                        uint64_t{1} << 33,
                                        uint64_t{1} << 63,
                                        ~uint64_t{0}};
    return d.of(kOdd);
}

inline blob::Tensor tensor(Dice& d, uint64_t frames) {
    static constexpr uint32_t kBatches[] = {1, 1, 1, 6, 2, 0}, kChannels[] = {1, 1, 2, 8, 0};
    blob::Tensor t{d.of(kBatches), d.of(kChannels), std::min<uint64_t>(frames, 128), {}};
    for (uint64_t n = t.batches * t.channels * t.frames; n > 0; --n) t.data.push_back(real(d));
    if (d.one_in(10)) t.frames = whole(d);
    return t;
}

inline void mutate(Dice& d, blob::Stages& s) {  // keeps at least one stage
    auto &stage = d.of(s), &there = d.of(s);
    if (stage.empty() || there.empty()) return;
    auto &cohort = d.of(stage), &other = d.of(there);
    switch (d.below(6)) {
    case 0: std::swap(d.of(s), d.of(s)); break;
    case 1:
        s.insert(s.begin() + static_cast<std::ptrdiff_t>(d.below(s.size())), blob::Stages::value_type{cohort});
        break;
    case 2: stage.erase(stage.begin() + static_cast<std::ptrdiff_t>(d.below(stage.size()))); break;
    case 3:
        if (!cohort.empty()) other.push_back(cohort.back()), cohort.pop_back();
        break;
    case 4:
        if (!cohort.empty()) std::swap(d.of(cohort), d.of(cohort));
        break;
    default: cohort.push_back(d.one_in(2) ? "nobody" : "");
    }
}

inline void mutate(Dice& d, std::vector<blob::Extension>& list) {
    static constexpr const char* kIds[] = {"params_json", "declared_delay", "plugin_digest", "acme.tuning", ""};
    switch (d.below(6)) {
    case 0:
        if (!list.empty()) list.pop_back();
        break;
    case 1:
        if (!list.empty()) d.of(list).length = static_cast<uint32_t>(whole(d));
        break;
    case 2:
        if (!list.empty()) d.of(list).flags = static_cast<uint8_t>(d.below(d.one_in(4) ? 256 : 2));
        break;
    default: {
        static constexpr size_t kSizes[] = {0, 1, 7, 8, 32, 100};
        list.push_back({d.of(kIds), 0, std::string(d.of(kSizes), static_cast<char>(d.below(d.one_in(4) ? 256 : 128)))});
        break;
    }
    }
}

inline const char* port(Dice& d) {
    static constexpr const char* kPorts[] = {"out",       "in",    "gate", "trigger", "velocity",
                                             "amplitude", "reset", "side", ""};
    return d.of(kPorts);
}

inline std::string key(Dice& d, const std::string& type) {
    const amp_node_contract* c = amp_describe_node(type.c_str());
    return c && c->n_params && !d.one_in(8) ? c->params[d.below(c->n_params)].key : "no_such_key";
}

inline void mutate(Dice& d, blob::Param& p, const std::string& type) {
    static constexpr const char* kTexts[] = {"gate",  "cutoff", "sine", "saw",    "lowpass", "notch",
                                             "naive", "",       "peak", "random", "\xff\xfe"};
    switch (d.below(6)) {
    case 0: p.number = real(d); break;
    case 1: p.kind = static_cast<uint8_t>(d.below(d.one_in(20) ? 256 : 5)); break;
    case 2: p.text = d.of(kTexts); break;
    case 3: p.integer = static_cast<int64_t>(whole(d)); break;
    case 4: p.key = key(d, type); break;
    default:
        p.tensor = tensor(d, d.one_in(2) ? 1 : 5);
        p.kind = blob::kTensor;
        break;
    }
}

inline void mutate(Dice& d, blob::Node& n, const Graph& g) {
    switch (d.below(9)) {
    case 8: mutate(d, n.extensions); break;
    case 0: n.type = amp_node_at(static_cast<uint32_t>(d.below(amp_node_count())))->id; break;
    case 1: n.name = d.one_in(4) ? "" : g.nodes[d.below(g.nodes.size())].name + (d.one_in(2) ? "x" : ""); break;
    case 2: (d.one_in(3) ? n.capacity : d.one_in(2) ? n.conductance : n.heat) = real(d); break;
    case 3:
        if (d.one_in(8)) (d.one_in(2) ? n.revision : n.oversample) = static_cast<uint32_t>(whole(d));
        break;
    case 4: n.params.push_back({key(d, n.type), blob::kNumber, real(d)}); break;
    case 5:
        if (!n.params.empty()) n.params.pop_back();
        break;
    default:
        if (!n.params.empty()) mutate(d, d.of(n.params), n.type);
        break;
    }
}

inline void mutate(Dice& d, blob::Edge& e, const Graph& g) {
    switch (d.below(10)) {
    case 9: mutate(d, e.extensions); break;
    case 8:
        e.channel = d.one_in(4) ? static_cast<int32_t>(whole(d)) : static_cast<int32_t>(d.below(4)) - 1;
        if (d.one_in(20)) e.parts = static_cast<uint8_t>(d.below(256));
        break;
    case 0: e.src = d.of(g.nodes).name; break;
    case 1: e.dst = d.of(g.nodes).name; break;
    case 2: (d.one_in(2) ? e.src_port : e.dst_port) = port(d); break;
    case 3: e.slot = static_cast<int32_t>(whole(d)); break;
    case 4: e.kappa = real(d); break;
    case 5:
        e.tokens.clear();
        if (e.delay && !d.one_in(4)) e.tokens.push_back(tensor(d, e.delay));
        break;
    case 6: e.gates.push_back(port(d)); break;
    default:
        e.delay = whole(d);
        e.tokens.clear();
        break;
    }
}

inline void mutate(Dice& d, blob::Modulation& m, const Graph& g) {
    switch (d.below(7)) {
    case 0: m.src = d.of(g.nodes).name; break;
    case 1: m.dst = d.of(g.nodes).name; break;
    case 2: m.param = key(d, d.of(g.nodes).type); break;
    case 3: (d.one_in(2) ? m.scale : m.offset) = real(d); break;
    case 4: m.mode = static_cast<uint8_t>(d.below(d.one_in(10) ? 256 : 2)); break;
    case 5: (d.one_in(2) ? m.channel : m.slot) = static_cast<int32_t>(whole(d)); break;
    default: m.delay = whole(d); break;
    }
}

// Adds, removes or changes one element.
template <class L, class Change> void resize_or_change(Dice& d, L& list, Change&& change) {
    if (list.empty()) return;
    const auto at = static_cast<long>(d.below(list.size()));
    if (d.one_in(12))
        list.erase(list.begin() + at);
    else if (d.one_in(8)) {
        auto copy = list[static_cast<size_t>(at)];
        change(copy);
        list.push_back(std::move(copy));
    } else
        change(list[static_cast<size_t>(at)]);
}

inline void mutate(Dice& d, Graph& g) {
    const Graph was = g;
    if (d.one_in(3)) g.version = d.one_in(16) ? 3 : 2;
    const auto change = [&](auto& x) { mutate(d, x, was); };
    switch (d.below(8)) {
    case 0:
    case 1:
    case 2: resize_or_change(d, g.nodes, [&](blob::Node& n) { mutate(d, n, was); }); break;
    case 3:
    case 4: resize_or_change(d, g.edges, change); break;
    case 5: resize_or_change(d, g.modulations, change); break;
    case 6: {
        blob::Edge e{d.of(was.nodes).name,
                     d.of(was.nodes).name,
                     1 + d.below(40),
                     "out",
                     "in",
                     static_cast<int32_t>(100 + d.below(100))};
        if (d.one_in(2)) e.tokens = {{1, 1, e.delay, std::vector<double>(e.delay, real(d))}};
        g.edges.push_back(e);
        break;
    }
    default:
        if (d.one_in(4)) g.sample_rate = d.one_in(2) ? real(d) * 1e4 : 1e7;
        if (d.one_in(4)) g.budget_w = real(d);
        if (d.one_in(8)) g.policy = static_cast<uint8_t>(d.below(3));
        if (d.one_in(4)) g.output = d.of(was.nodes).name;
        break;
    }
}

inline void mutate(Dice& d, std::vector<blob::Curve>& curves) {
    resize_or_change(d, curves, [&](blob::Curve& c) {
        if (d.one_in(8)) c.name += "x";
        if (d.one_in(4)) c.interpolation = static_cast<uint8_t>(d.below(d.one_in(4) ? 256 : 4));
        resize_or_change(d, c.points,
                         [&](std::pair<double, double>& p) { (d.one_in(2) ? p.first : p.second) = real(d); });
    });
}

// Flips, overwrites, removes or repeats a few bytes after the header; in most cases the checksum is updated.
inline void damage(Dice& d, Bytes& b) {
    for (size_t k = 1 + d.below(4); k > 0 && b.size() > blob::kHeader + 8; --k) {
        const size_t at = blob::kHeader + d.below(b.size() - blob::kHeader);
        const auto place = b.begin() + static_cast<long>(at);
        const auto run = static_cast<long>(std::min<size_t>(1 + d.below(16), b.size() - at));
        switch (d.below(6)) {
        case 0: b.erase(place, place + run); break;
        case 1: {
            const Bytes part(place, place + run);
            b.insert(place, part.begin(), part.end());
            break;
        }
        case 2: {
            const uint64_t v = whole(d);
            std::memcpy(b.data() + at, &v, std::min<size_t>(8, b.size() - at));
            break;
        }
        default: b[at] ^= static_cast<uint8_t>(1u << d.below(8)); break;
        }
    }
    if (!d.one_in(8))
        blob::reseal(b);
    else if (d.one_in(2))
        b[d.below(std::min(b.size(), blob::kHeader))] ^= static_cast<uint8_t>(1 + d.below(255));
}

}  // namespace mutations
