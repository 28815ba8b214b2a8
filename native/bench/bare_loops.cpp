// Twenty loops of one frame, with nodes of six types chosen by a fixed rule, each loop compiled into one function: the
// ticks that the engine runs, with nothing between them. Prints one line of JSON: nodes, nanoseconds per frame and the
// last sample, which the engine must match bit for bit.
#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <tuple>
#include <utility>
#include <vector>

#include "dsp/math.hpp"
#include "nodes/routing.hpp"

// The source of each type is included in its own namespace, because their tables have the same names.
namespace amp {
namespace level = AMP_KNS;
namespace bare_mix {
using namespace level;
}
namespace bare_gain {
using namespace level;
}
namespace bare_one_pole {
using namespace level;
}
namespace bare_svf {
using namespace level;
}
namespace bare_biquad {
using namespace level;
}
namespace bare_safety {
using namespace level;
}
}  // namespace amp
#undef AMP_KNS
#define AMP_KNS bare_mix
#include "nodes/mix.cpp"
#undef AMP_KNS
#define AMP_KNS bare_gain
#include "nodes/gain.cpp"
#undef AMP_KNS
#define AMP_KNS bare_one_pole
#include "nodes/one_pole.cpp"
#undef AMP_KNS
#define AMP_KNS bare_svf
#include "nodes/svf.cpp"
#undef AMP_KNS
#define AMP_KNS bare_biquad
#include "nodes/biquad.cpp"
#undef AMP_KNS
#define AMP_KNS bare_safety
#include "nodes/safety.cpp"

namespace {

using namespace amp;

constexpr double kRate = 48000.0;
constexpr uint32_t kFrames = 48000;
constexpr int kLoops = 20, kRounds = 15;

constexpr uint64_t drawn(uint64_t place) {  // splitmix64: Steele, Lea, Flood, 2014
    uint64_t z = (place + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}
double between(uint64_t place, double low, double high) {
    return low + (high - low) * (static_cast<double>(drawn(place) >> 11) * 0x1p-53);
}

struct Range {  // values of a parameter that differ from node to node; no loop diverges with any of them
    uint32_t param;
    double low, high;
};
template <template <class> class N, const amp_node_contract& c, Range... kRanges> struct Type {
    using Node = N<double>;
    using Run = level::Driver<N>;
    static constexpr const amp_node_contract& contract = c;
    static constexpr std::array<Range, sizeof...(kRanges)> ranges{kRanges...};
};
using Types = std::tuple<Type<bare_mix::Mix, bare_mix::kContract, Range{0, 0.3, 0.6}>,
                         Type<bare_gain::Gain, bare_gain::kContract, Range{0, 0.5, 0.95}>,
                         Type<bare_one_pole::OnePole, bare_one_pole::kContract, Range{1, 200, 9000}>,
                         Type<bare_svf::Svf, bare_svf::kContract, Range{1, 200, 9000}, Range{2, 0.5, 0.8}>,
                         Type<bare_biquad::Biquad, bare_biquad::kContract, Range{6, 200, 9000}, Range{7, 0.5, 0.8}>,
                         Type<bare_safety::Safety, bare_safety::kContract, Range{0, 0.3, 0.9}>>;
constexpr int kMix = 0;

constexpr int size_of(int loop) { return 3 + static_cast<int>(drawn(static_cast<uint64_t>(loop) * 64) % 7); }
constexpr int type_of(int loop, int node) {
    const auto place = static_cast<uint64_t>(loop * 64 + node);
    return node == 0 ? kMix : 1 + static_cast<int>(drawn(place) % (std::tuple_size_v<Types> - 1));
}

// One node: its part of the engine's step.
template <int kLoop, int kNode> struct Bare {
    using T = std::tuple_element_t<static_cast<size_t>(type_of(kLoop, kNode)), Types>;
    static constexpr uint32_t kParams = T::Node::kParams;
    double params[kParams];
    typename T::Node::Coef coef;
    typename T::Node::State state{};

    explicit Bare(const Environment& env) {
        for (uint32_t k = 0; k < kParams; ++k) params[k] = T::contract.params[k].value;
        for (const Range& r : T::ranges)
            params[r.param] = between(static_cast<uint64_t>(kLoop * 64 + kNode + 16) + r.param * 4096, r.low, r.high);
        coef = T::Node::coef(params, {env, params, 0});
    }
    [[gnu::always_inline]] double operator()(double x, const Environment& env) {
        const level::Setup u{env, params, 0};
        double y;
        const auto m = T::Run::template tick<double>(&x, coef, state, u);
        T::Node::shape(m, &x, coef, &y, u);
        return y;
    }
    void print() const {
        std::printf("%s[\"%s\", {", kNode ? ", " : "", T::contract.id);
        for (const Range& r : T::ranges)
            std::printf("%s\"%s\": %.17g", &r == &T::ranges[0] ? "" : ", ", T::contract.params[r.param].key,
                        params[r.param]);
        std::printf("}]");
    }
};

template <int kLoop, size_t... I> struct Loop {
    std::tuple<Bare<kLoop, static_cast<int>(I)>...> nodes;

    explicit Loop(const Environment& env) : nodes{Bare<kLoop, static_cast<int>(I)>(env)...} {}

    [[gnu::noinline, gnu::flatten]] void run(const Environment& env, const double* x, double* out) const {
        auto now = nodes;  // a local copy, which stores to the signal cannot alias
        double back = 0.0;
        for (uint32_t i = 0; i < kFrames; ++i) {
            double y = std::get<0>(now)(x[i] + back, env);
            out[i] = y;
            ((y = I == 0 ? y : std::get<I>(now)(y, env)), ...);
            level::flush(back = y);
        }
    }
};

template <int kLoop, size_t... I>
void measure(const Environment& env, const std::vector<double>& x, std::index_sequence<I...>) {
    const Loop<kLoop, I...> loop(env);
    std::vector<double> out(kFrames);
    double best = 1e9;
    for (int round = 0; round < kRounds; ++round) {
        const auto start = std::chrono::steady_clock::now();
        loop.run(env, x.data(), out.data());
        const std::chrono::duration<double, std::nano> taken = std::chrono::steady_clock::now() - start;
        best = std::min(best, taken.count() / kFrames);
    }
    std::printf("%s{\"nodes\": [", kLoop ? ", " : "");
    std::apply([](const auto&... node) { (node.print(), ...); }, loop.nodes);
    std::printf("], \"frame_ns\": %.4f, \"last\": %.17g}", best, out.back());
}

template <size_t... L>
void measure_all(const Environment& env, const std::vector<double>& x, std::index_sequence<L...>) {
    (measure<static_cast<int>(L)>(env, x, std::make_index_sequence<size_t(size_of(L))>{}), ...);
}

}  // namespace

int main() {
    Environment env{};
    env.sample_rate = kRate, env.batches = 1, env.width = 1, env.groups = 1;
    std::vector<double> x(kFrames);
    for (uint64_t i = 0; i < kFrames; ++i) x[i] = static_cast<double>(uint32_t(i * 2654435761u)) * 0x1p-32 - 0.5;
    std::printf("{\"isa\": \"%s\", \"frames\": %u, \"loops\": [", AMP_ISA_NAME, kFrames);
    measure_all(env, x, std::make_index_sequence<kLoops>{});
    std::printf("]}\n");
    return 0;
}
