// batch_mix: every batch receives the mean or the sum of all batches.
#include "kernel/contract.hpp"
#include "kernel/packs.hpp"

namespace amp::AMP_KNS {
namespace {

enum Param { kReduction };
enum Reduction { kMean, kSum };

// Adds batches in ascending order, eight frames at a time, so that the result does not depend on the layout.
template <int W> uint32_t fire(Step& s, const Firing& f) {
    const int batches = static_cast<int>(s.env->batches);
    const double share = static_cast<int>(s.fixed[kReduction]) == kMean ? 1.0 / batches : 1.0;
    const View &in = s.in[0], &out = s.out[0];
    Watch watch;
    for (int c = 0; c < s.channels; ++c)
        for (uint32_t i = 0; i < f.frames; i += kLanes) {
            const uint32_t n = f.frames - i < kLanes ? f.frames - i : kLanes;
            double sum[kLanes] = {};
            for (int b = 0; b < batches; ++b) {
                const double* x = row(in, c, b / W, f.offset + i) + b % W;
                for (uint32_t k = 0; k < n; ++k) sum[k] = b ? sum[k] + x[k * in.step] : x[k * in.step];
            }
            const f64x8 y = load(sum) * f64x8(share);
            watch.see(y, n);
            store(sum, y);
            for (int g = 0; g < s.env->groups; ++g)
                for (uint32_t k = 0; k < n; ++k)
                    for (int j = 0; j < W; ++j) row(out, c, g, f.offset + i + k)[j] = sum[k];
        }
    return watch.verdict();
}

constexpr const char* kReductions[] = {"mean", "sum"};
constexpr amp_param_contract kParams[] = {
    choice("reduction", kReductions, kMean, "What is made of the batches."),
};
constexpr amp_port_contract kIn[] = {input("in", "Signal that differs from batch to batch.")};
constexpr amp_port_contract kOut[] = {mapping_output("out", AMP_MAP_BATCHES, "The same signal in every batch.")};
constexpr amp_case_contract kCases[] = {
    {"mean", "noise", "reduction=mean", 2, 256, "exact", 0, kExactReason},
    {"sum", "ramp", "reduction=sum", 1, 100, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract = contract(
    {.id = "batch_mix",
     .group = "mix",
     .summary = "Mixes all batches down and gives every batch the mix.",
     .doc = "mean: y[b][n] = (x[0][n] + ... + x[B-1][n]) * (1 / B) for every b; sum: without the factor. Batches are "
            "added from 0 on. The only node whose output depends on which batches are rendered together; its graph "
            "runs as one piece, so many batches use more memory at a time and fewer threads.",
     .params = kParams,
     .cases = kCases,
     .adjoint = AMP_ADJOINT_EXACT,
     .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_TIME_INVARIANT | AMP_LAW_SILENCE},
    kIn, kOut);

}  // namespace

extern const NodeType node_batch_mix;
const NodeType node_batch_mix{
    .kind = NodeKind::row,
    .contract = &kContract,
    .ops = {{.fire = fire<1>, .tick = ticking<fire<1>>}, {.fire = fire<8>, .tick = ticking<fire<8>>}}};

}  // namespace amp::AMP_KNS
