// matrix_mix: y = M x over the channels.
#include "kernel/contract.hpp"
#include "kernel/packs.hpp"

namespace amp::AMP_KNS {
namespace {

enum Param { kMatrix };

// Adds the products of a row from column 0 on. The matrix is constant over frames: one for all batches or one per
// batch.
template <bool kTick> uint32_t fire(Step& s, const Firing& f) {
    const Packs packs(s, f);
    const View &in = s.in[0], &matrix = s.par[kMatrix], &out = s.out[0];
    const int columns = s.channels, rows = static_cast<int>(s.fixed[kMatrix]);
    Watch watch;
    for (int r = 0; r < rows; ++r)
        for (int g = 0; g < s.env->groups; ++g) {
            const double *m = row(matrix, r * columns, g, 0), *x = row(in, 0, g, f.offset);
            double* y = row(out, r, g, f.offset);
            for (uint32_t i = 0; i < f.frames; i += packs.frames) {
                f64x8 sum = load(m) * at<f64x8>(x, in, i);
                for (int c = 1; c < columns; ++c)
                    sum += load(m + c * matrix.channel_stride) * at<f64x8>(x + c * in.channel_stride, in, i);
                if (kTick)
                    store_first(y + i * out.step, sum, packs.valid(i));
                else
                    store(y + i * out.step, sum);
                watch.see(sum, packs.valid(i));
            }
        }
    return watch.verdict();
}

constexpr amp_param_contract kParams[] = {
    matrix("matrix", -1e6, 1e6, "One row per channel that goes out, one column per channel that comes in."),
};
constexpr amp_port_contract kIn[] = {
    input("in", "Signals to mix; their channels, in the order of their slots, are the columns.", AMP_GATHER_MATRIX)};
constexpr amp_port_contract kOut[] = {
    scattering_output("out", AMP_SCATTER_MATRIX, "One channel per row of the matrix.")};
constexpr amp_case_contract kCases[] = {
    {"bleed", "noise", "matrix=1,0.1;0.25,-1", 2, 256, "exact", 0, kExactReason},
    {"spread", "ramp", "matrix=0.5,0.5,0.7;1,0,0.3;0,-1,1e-3;0.1,0.2,0.3", 3, 100, "exact", 0, kExactReason},
    {"copies", "impulse", "matrix=1;-0.5", 1, 100, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract =
    contract({.id = "matrix_mix",
              .group = "mix",
              .summary = "Mixes channels into channels by a matrix.",
              .doc = "y[r][n] = sum over c of matrix[r][c] * x[c][n], added from column 0 on. x are the channels of "
                     "all edges, stacked in slot order; the columns must be as many, and the output has as many "
                     "channels as there are rows: bleed between channels, mid and side, downmix, upmix, decoding. The "
                     "matrix may differ per batch, (B, rows, columns), and change at any frame through set_param; its "
                     "shape stays.\nA matrix per band is a crossover of filters with a matrix_mix behind each.",
              .params = kParams,
              .cases = kCases,
              .adjoint = AMP_ADJOINT_EXACT,
              .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_TIME_INVARIANT | AMP_LAW_SILENCE},
             kIn, kOut);

}  // namespace

extern const NodeType node_matrix_mix;
constexpr LayoutOps kOps{.fire = fire<false>, .tick = ticking<fire<true>>};
const NodeType node_matrix_mix{.kind = NodeKind::row, .contract = &kContract, .ops = {kOps, kOps}};

}  // namespace amp::AMP_KNS
