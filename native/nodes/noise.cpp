// noise: white and uniform, a function of (seed, node, batch, channel, frame), so that any frame can be computed
// without the ones before it. The hash is the finaliser of splitmix64 (G. Steele, D. Lea, C. Flood, "Fast Splittable
// Pseudorandom Number Generators", 2014).
#include "kernel/contract.hpp"
#include "kernel/packs.hpp"
#include "nodes/hash.hpp"

namespace amp::AMP_KNS {
namespace {

enum Param { kAmplitude, kSeed, kChannels };

template <bool kTick> uint32_t fire(Step& s, const Firing& f) {
    const Packs packs(s, f);
    const bool lanes = packs.frames == 1;
    const u64x8 one_each = to_u64(lane_numbers());
    const uint64_t seed = mix64(mix64(static_cast<uint64_t>(s.fixed[kSeed])) ^ s.key);
    Watch watch;
    for (int c = 0; c < s.channels; ++c)
        for (int g = 0; g < s.env->groups; ++g) {
            const u64x8 first(uint64_t{s.env->batch_offset} +
                              static_cast<uint64_t>(g) * static_cast<uint64_t>(s.env->width));
            const u64x8 stream = stream_of(u64x8(seed), lanes ? first + one_each : first, static_cast<uint64_t>(c));
            const double* amplitude = row(s.par[kAmplitude], c, g, f.offset);
            double* out = row(s.out[0], c, g, f.offset);
            for (uint32_t i = 0; i < f.frames; i += packs.frames) {
                const u64x8 n(static_cast<uint64_t>(f.frame) + i);
                const f64x8 t = unit52(hash_at(stream, lanes ? n : n + one_each));
                const f64x8 y = at<f64x8>(amplitude, s.par[kAmplitude], i) * ((t + t) - f64x8(1.0));
                if (kTick)
                    store_first(out + i * s.out[0].step, y, packs.valid(i));
                else
                    store(out + i * s.out[0].step, y);
                watch.see(y, packs.valid(i));
            }
        }
    return watch.verdict();
}

constexpr amp_param_contract kParams[] = {
    number("amplitude", "1", -1e6, 1e6, 1.0, "Largest magnitude; the RMS value is amplitude / sqrt(3)."),
    integer("seed", 0, 9007199254740992.0, 0, "Chooses another noise."),
    channels(),
};
constexpr amp_port_contract kOut[] = {output("out", "White noise, uniform in [-amplitude, amplitude).")};
constexpr amp_case_contract kCases[] = {
    {"white", "none", "", 1, 1024, "exact", 0, kExactReason},
    {"seeded", "none", "amplitude=0.5 seed=7 channels=2", 2, 1024, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract = contract(
    {.id = "noise",
     .group = "source",
     .summary = "White noise, uniform, reproducible.",
     .doc = "y[n] = amplitude * (2 u - 1) with u in [0, 1) a 52-bit hash of (seed, name of the node, batch_offset + "
            "batch, channel, n): independent over all five, and the same for every way a render is cut or spread.",
     .params = kParams,
     .cases = kCases,
     .channels = "channels",
     .adjoint = AMP_ADJOINT_EXACT,
     .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_BOUNDED,
     .bound = "amplitude"},
    {}, kOut);

}  // namespace

extern const NodeType node_noise;
constexpr LayoutOps kOps{.fire = fire<false>, .tick = ticking<fire<true>>};
const NodeType node_noise{
    .kind = NodeKind::row, .contract = &kContract, .ops = {kOps, kOps}, .alone = [](const double*) { return true; }};

}  // namespace amp::AMP_KNS
