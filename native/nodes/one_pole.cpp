// one_pole: lowpass y += a (x - y) and its complement, 6 dB per octave.
#include "dsp/math.hpp"
#include "kernel/contract.hpp"
#include "kernel/driver.hpp"

namespace amp::AMP_KNS {
namespace {

enum Mode { kLowpass, kHighpass };

template <class T> struct OnePole {
    enum Param { kMode, kCutoff, kParams };
    static constexpr int kInputs = 1, kOutputs = 1;
    static constexpr int kNumbers[] = {kCutoff};
    static constexpr int kFast = kCutoff;
    struct Coef {
        T keep, take;
    };  // y' = keep y + take x: one product and one sum deep
    struct State {
        T y;
    };
    struct Mid {
        T y;
    };

    static Coef coef(const T* p, const Setup& u) {
        Coef c;
        recoef(p[kCutoff], u, c);
        return c;
    }
    static void recoef(T cutoff, const Setup& u, Coef& c) {
        c.keep = vexp(T(-6.283185307179586) * (cutoff * T(1.0 / u.env.sample_rate)));
        c.take = T(1.0) - c.keep;
    }
    static Mid tick(const T* x, const Coef& c, State& s) {
        s.y = c.keep * s.y + c.take * x[0];
        flush(s.y);
        return {s.y};
    }
    static void shape(const Mid& m, const T* x, const Coef&, T* y, const Setup& u) {
        y[0] = static_cast<int>(u.fixed[kMode]) == kLowpass ? m.y : x[0] - m.y;
    }
};

constexpr const char* kModes[] = {"lowpass", "highpass"};
constexpr amp_param_contract kParams[] = {
    choice("mode", kModes, kLowpass, "lowpass, or highpass = input minus lowpass."),
    frequency("cutoff_hz", 0.01, 1000.0,
              "Corner frequency; accurate well below fs, at 0.49 fs the filter is nearly open."),
};
constexpr amp_port_contract kIn[] = {input("in", "Signal to filter.")};
constexpr amp_port_contract kOut[] = {output("out", "Filtered signal.")};
constexpr amp_case_contract kCases[] = {
    {"lowpass", "step", "mode=lowpass cutoff_hz=100", 1, 1024, "exact", 0, kExactReason},
    {"highpass", "noise", "mode=highpass cutoff_hz=2000", 2, 1024, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract =
    contract({.id = "one_pole",
              .group = "filter",
              .summary = "One-pole lowpass or highpass, 6 dB per octave.",
              .doc = "low[n] = low[n-1] + a (x[n] - low[n-1]), a = 1 - exp(-2 pi cutoff_hz / fs); the impulse response "
                     "is that of the analogue RC filter, sampled. Highpass is x - low. Its time constant is 1 / (2 pi "
                     "cutoff_hz) seconds, so it also smooths control signals.\nReference: J. O. Smith, Introduction to "
                     "Digital Filters (one-pole filters).",
              .params = kParams,
              .cases = kCases,
              .adjoint = AMP_ADJOINT_EXACT,
              .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_LINEAR | AMP_LAW_TIME_INVARIANT | AMP_LAW_SILENCE},
             kIn, kOut);

}  // namespace

extern const NodeType node_one_pole;
const NodeType node_one_pole = frame_node<OnePole>(kContract);

}  // namespace amp::AMP_KNS
