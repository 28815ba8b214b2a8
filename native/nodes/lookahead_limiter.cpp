// lookahead_limiter: lowers the gain along a straight line before a peak arrives.
// The least gain required in the window is found with two passes over blocks of the window's length: M. van Herk, "A
// fast algorithm for local minimum and maximum filters", Pattern Recognition Letters 13, 1992. Gains are quantized to
// steps of a power of two, small enough to be inaudible and large enough that the running sum over the window is exact:
// it does not drift, and it does not depend on how time is divided into blocks.
#include "dsp/math.hpp"
#include "kernel/contract.hpp"
#include "kernel/packs.hpp"

namespace amp::AMP_KNS {
namespace {

enum Param { kLookahead, kCeiling, kRelease };
constexpr double kNearlyOne = 1e-9;  // a gain closer to 1 than this is set to 1

int64_t latency(const double* fixed, double rate) {
    return static_cast<int64_t>(vfloor(fixed[kLookahead] * rate + 0.5));
}

// Memory per row: four arrays as long as the window. They hold the signal and the ceiling; and in channel 0, for all
// channels of a batch, the least gains and the quantized gains.
uint32_t memory(const Step& s) { return static_cast<uint32_t>(4 * (latency(s.fixed, s.env->sample_rate) + 1)); }

template <class T> struct State {
    T least;  // least gain since the current block of the window's length began
    T gain;   // gain after release
    T sum;    // sum of the quantized gains over the window
};

template <class T> struct Limiter {
    const Step& s;
    const int64_t window = latency(s.fixed, s.env->sample_rate) + 1;
    const double steps = step_count(window);

    // Steps per unit of gain: 2^q with q + log2(window) <= 53.
    static double step_count(int64_t window) {
        double q = 9007199254740992.0;
        for (int64_t w = 1; w < window; w *= 2) q *= 0.5;
        return q;
    }
    double* array(int c, int g, int which) const {
        return s.aux + ((int64_t{c} * s.env->groups + g) * s.aux_frames + which * window) * s.env->width;
    }
    T get(int c, int g, int which, int64_t at) const { return load_as<T>(array(c, g, which) + at * s.env->width); }
    void set(int c, int g, int which, int64_t at, T x) const { store_as(array(c, g, which) + at * s.env->width, x); }
    State<T>& state(int g) const { return reinterpret_cast<State<T>*>(s.state)[g]; }
    enum Array { kSignal, kMost, kLeast, kGain };

    void reset() const {
        for (int g = 0; g < s.env->groups; ++g) {
            state(g) = {T(1.0), T(1.0), T(static_cast<double>(window))};
            for (int64_t at = 0; at < window; ++at) set(0, g, kLeast, at, T(1.0)), set(0, g, kGain, at, T(1.0));
        }
    }

    // The gain that this frame requires, over all channels. Writes the frame and its ceiling to memory.
    T wanted(int g, uint32_t i, uint32_t offset, int64_t at) const {
        T least(1.0);
        for (int c = 0; c < s.channels; ++c) {
            const T x = at_frame(s.in[0], c, g, offset, i), most = at_frame(s.par[kCeiling], c, g, offset, i);
            set(c, g, kSignal, at, x);
            set(c, g, kMost, at, most);
            least = vmin(least, select(vabs(x) > most, most / vabs(x), T(1.0)));
        }
        return least;
    }
    static T at_frame(const View& v, int c, int g, uint32_t offset, uint32_t i) {
        return load_as<T>(row(v, c, g, offset) + i * v.step);
    }

    // The least gain in the window that ends here: in this block so far, and in the end of the block before.
    T least_of_window(int g, State<T>& st, int64_t at, T wanted) const {
        st.least = at == 0 ? wanted : vmin(st.least, wanted);
        set(0, g, kLeast, at, wanted);
        if (at + 1 < window) return vmin(st.least, get(0, g, kLeast, at + 1));
        for (int64_t k = window - 1; k-- > 0;)
            set(0, g, kLeast, k, vmin(get(0, g, kLeast, k), get(0, g, kLeast, k + 1)));
        return st.least;
    }

    T gain(int g, State<T>& st, int64_t at, T wanted, T rise) const {
        const T open = st.gain + (T(1.0) - st.gain) * rise;
        st.gain = vmin(least_of_window(g, st, at, wanted), select(T(1.0) - open < T(kNearlyOne), T(1.0), open));
        const T in_steps = vfloor(st.gain * T(steps)) * T(1.0 / steps);
        st.sum = st.sum + (in_steps - get(0, g, kGain, at));
        set(0, g, kGain, at, in_steps);
        return st.sum / T(static_cast<double>(window));
    }

    uint32_t fire(const Firing& f) const {
        Watch watch;
        const View& release = s.par[kRelease];
        for (int g = 0; g < s.env->groups; ++g) {
            State<T> st = state(g);
            int64_t at = f.frame % window;
            T rise = rise_of(g, 0, f.offset);
            for (uint32_t i = 0; i < f.frames; ++i, at = at + 1 < window ? at + 1 : 0) {
                if (release.step && i) rise = rise_of(g, i, f.offset);
                const T level = gain(g, st, at, wanted(g, i, f.offset, at), rise);
                const int64_t oldest = at + 1 < window ? at + 1 : 0;
                for (int c = 0; c < s.channels; ++c) {
                    const T most = get(c, g, kMost, oldest), y = get(c, g, kSignal, oldest) * level;
                    // corrects the rounding of the product
                    const T held = select(vabs(y) > most, select(y > T(0.0), most, -most), y);
                    store_as(row(s.out[0], c, g, f.offset) + i * s.out[0].step, held);
                    watch.see(held);
                }
            }
            state(g) = st;
        }
        return watch.verdict();
    }
    // The release coefficient. All channels use that of channel 0, because they share one gain.
    T rise_of(int g, uint32_t i, uint32_t offset) const {
        return T(1.0) - vexp(T(-1.0) / (at_frame(s.par[kRelease], 0, g, offset, i) * T(s.env->sample_rate)));
    }
};

template <class T> uint32_t fire(Step& s, const Firing& f) { return Limiter<T>{s}.fire(f); }

template <class T> constexpr LayoutOps ops() {
    return {.fire = fire<T>,
            .tick = ticking<fire<T>>,
            .reset = [](Step& s) { Limiter<T>{s}.reset(); },
            .state_bytes = sizeof(State<T>)};
}

constexpr amp_param_contract kParams[] = {
    fixed("lookahead_s", "s", 0.0, 0.1, 0.005, "How long before a peak the gain begins to fall; the latency."),
    number("ceiling", "1", 1e-6, 1e6, 1.0, "Largest magnitude that leaves the node."),
    number("release_s", "s", 1e-4, 60.0, 0.1,
           "Time in which the way back to gain 1 shrinks to 1/e; that of channel 0 counts for all.", AMP_SCALE_LOG),
};
constexpr amp_port_contract kIn[] = {input("in", "Signal to limit.")};
constexpr amp_port_contract kOut[] = {output("out", "The signal within the ceiling, in phase with the input.")};
constexpr amp_case_contract kCases[] = {
    {"limits", "noise", "lookahead_s=0.001 ceiling=0.25 release_s=0.01", 2, 2048, "exact", 0, kExactReason},
    {"no_lookahead", "sine", "lookahead_s=0 ceiling=0.5 release_s=0.001", 1, 512, "exact", 0, kExactReason},
    {"peak", "impulse", "lookahead_s=0.002 ceiling=0.1 release_s=0.002", 2, 1024, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract = contract(
    {.id = "lookahead_limiter",
     .group = "dynamics",
     .summary = "Limits peaks; the gain falls before they come.",
     .doc = "r[n] = least of 1 and ceiling / |x[n]| over the channels; m[n] = least of r[n - L .. n] with L = "
            "lookahead_s fs frames; g[n] = min(m[n], g[n-1] + (1 - g[n-1]) (1 - exp(-1 / (release_s fs)))); y[n] = "
            "x[n] * mean of g[n .. n + L], held within +-ceiling against the last rounding. Every g in the mean is at "
            "most r[n], so |y| <= ceiling always; a peak brings the gain down along a straight line of L frames, and "
            "where nothing is above the ceiling y is x. Channels share one gain. The frames ahead are latency, which "
            "the graph compensates.\nReference: U. Zolzer (ed.), DAFX: Digital Audio Effects, 2nd ed., chapter 4.",
     .params = kParams,
     .cases = kCases,
     .latency_frames = 240,
     .adjoint = AMP_ADJOINT_SUBGRADIENT,
     .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_TIME_INVARIANT | AMP_LAW_BOUNDED | AMP_LAW_SILENCE,
     .bound = "ceiling"},
    kIn, kOut);

}  // namespace

extern const NodeType node_lookahead_limiter;
const NodeType node_lookahead_limiter{.kind = NodeKind::row,
                                      .contract = &kContract,
                                      .ops = {ops<double>(), ops<f64x8>()},
                                      .aux_frames = memory,
                                      .latency = latency};

}  // namespace amp::AMP_KNS
