// oscillator: sine, saw, square and triangle on a 64-bit phase, naive or with their steps and corners band-limited by
// two-point polynomials. V. Valimaki and A. Huovilainen, "Antialiasing Oscillators in Subtractive Synthesis", 2007
// (steps); F. Esqueda, V. Valimaki and S. Bilbao, "Rounding Corners with BLAMP", 2016 (corners).
#include "dsp/math.hpp"
#include "nodes/contract.hpp"
#include "nodes/cycles.hpp"
#include "nodes/driver.hpp"

namespace amp::AMP_KNS {
namespace {

enum Waveform { kSine, kSaw, kSquare, kTriangle };
enum Quality { kNaive, kBlep2 };

// What rounds a step from -1 to 1 at phase 0 over one frame (dt cycles) on each side: add it to a step up, subtract it
// from one down. Zero elsewhere, so packs without a step nearby skip the division.
template <class T> AMP_INLINE T blep(u64_of<T> phase, u64_of<T> inc, T dt) {
    const auto after = phase < inc, before = ~phase < inc;
    if (__builtin_expect(!any(after | before), 1)) return T(0.0);
    const T t = unit52(phase), frames = T(1.0) / vmax(T(1e-13), dt);  // per cycle
    const T a = select(after, T(1.0) - t * frames, T(0.0)), b = select(before, T(1.0) - (T(1.0) - t) * frames, T(0.0));
    return b * b - a * a;
}

template <class T> AMP_INLINE T cube(T x) { return x * x * x; }

template <class T> struct Oscillator {
    using U = u64_of<T>;
    enum Param { kWaveform, kQuality, kFrequency, kPhaseCycles, kPulseWidth, kAmplitude, kChannels, kParams };
    static constexpr int kInputs = 0, kOutputs = 1;
    static constexpr int kNumbers[] = {kFrequency, kPhaseCycles, kPulseWidth, kAmplitude};
    static constexpr bool kPhase = true;
    static constexpr int kFast = kFrequency;
    struct Coef {
        U inc, offset, width;
        T dt, amplitude;
    };
    struct State {
        U phase;
    };
    struct Mid {
        U phase;
    };

    static Coef coef(const T* p, const Setup& u) {
        Coef c{U(0), fraction_of_cycle(p[kPhaseCycles]), fraction_of_cycle(p[kPulseWidth]), T(0.0), p[kAmplitude]};
        recoef(p[kFrequency], u, c);
        return c;
    }
    static void recoef(T frequency, const Setup& u, Coef& c) {
        c.inc = phase_step(frequency, u);
        c.dt = frequency * T(1.0 / u.env.sample_rate);
    }
    static Mid tick(const T*, const Coef& c, State& s) {
        const Mid m{s.phase};
        s.phase += c.inc;
        return m;
    }
    static T saw(U phase, const Coef& c, bool smooth) {
        const T y = from_bits((phase >> 12) | 0x4000000000000000u) - T(3.0);  // 2 t - 1
        return smooth ? y - blep(phase, c.inc, c.dt) : y;
    }
    static T square(U phase, const Coef& c, bool smooth) {
        const T y = select(phase < c.width, T(1.0), T(-1.0));
        return smooth ? y + (blep(phase, c.inc, c.dt) - blep(phase - c.width, c.inc, c.dt)) : y;
    }
    static T triangle(U phase, const Coef& c, bool smooth) {
        const T top = vabs(unit52(phase + U(uint64_t{1} << 62)) - T(0.5));  // cycles from the upper corner, at most 1/2
        const T y = T(1.0) - T(4.0) * top;
        if (!smooth) return y;
        const T bottom = T(0.5) - top;
        const auto near_top = top < c.dt, near_low = bottom < c.dt;
        if (__builtin_expect(!any(near_top | near_low), 1)) return y;
        const T frames = T(1.0) / vmax(T(1e-13), c.dt);
        const T high = select(near_top, T(1.0) - top * frames, T(0.0)),
                low = select(near_low, T(1.0) - bottom * frames, T(0.0));
        return y + (cube(low) - cube(high)) * (T(4.0 / 3.0) * c.dt);
    }
    static void shape(const Mid& m, const T*, const Coef& c, T* y, const Setup& u) {
        const U phase = m.phase + c.offset;
        const bool smooth = static_cast<int>(u.fixed[kQuality]) == kBlep2;
        switch (static_cast<int>(u.fixed[kWaveform])) {
        case kSine: y[0] = c.amplitude * vsin_of_phase(phase); break;
        case kSaw: y[0] = c.amplitude * saw(phase, c, smooth); break;
        case kSquare: y[0] = c.amplitude * square(phase, c, smooth); break;
        default: y[0] = c.amplitude * triangle(phase, c, smooth); break;
        }
    }
};

constexpr const char* kWaveforms[] = {"sine", "saw", "square", "triangle"};
constexpr const char* kQualities[] = {"naive", "blep2"};
constexpr amp_param_contract kParams[] = {
    choice("waveform", kWaveforms, kSaw,
           "Shape of a cycle; all but the square start at the phase of a sine: saw -1 to 1, triangle from 0 up."),
    choice("quality", kQualities, kBlep2,
           "naive: the ideal shape, sampled. blep2: steps and corners rounded over two frames, far less alias."),
    frequency("frequency_hz", 0.0, 440.0, "Frequency; 0 holds the phase."),
    phase_cycles(),
    number("pulse_width", "cycles", 0.01, 0.99, 0.5,
           "Part of the cycle in which the square is +1; its mean is 2 pulse_width - 1."),
    number("amplitude", "1", -1e6, 1e6, 1.0, "Peak value of the naive shape."),
    channels(),
};
constexpr amp_port_contract kOut[] = {output("out", "The oscillation.")};
constexpr amp_case_contract kCases[] = {
    {"sine", "none", "waveform=sine frequency_hz=997", 1, 2048, "exact", 0, kExactReason},
    {"saw", "none", "waveform=saw frequency_hz=440 channels=2", 2, 2048, "exact", 0, kExactReason},
    {"saw_naive", "none", "waveform=saw quality=naive frequency_hz=2489", 1, 1024, "exact", 0, kExactReason},
    {"square", "none", "waveform=square frequency_hz=1245 pulse_width=0.3", 1, 2048, "exact", 0, kExactReason},
    {"square_naive", "none", "waveform=square quality=naive frequency_hz=110 pulse_width=0.9", 1, 1024, "exact", 0,
     kExactReason},
    {"triangle", "none", "waveform=triangle frequency_hz=4186 phase_cycles=0.3", 1, 2048, "exact", 0, kExactReason},
    {"standing", "none", "waveform=saw frequency_hz=0 phase_cycles=0.25", 1, 64, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract{sizeof(amp_node_contract),
                                      1,
                                      "oscillator",
                                      "source",
                                      "Sine, saw, square and triangle oscillator.",
                                      "phase[0] = 0, phase[n + 1] = phase[n] + frequency_hz[n] / fs modulo one cycle, "
                                      "as a 64-bit integer; the shape is taken at "
                                      "t = phase + phase_cycles. sine sin(2 pi t); saw 2t - 1; square +1 for t < "
                                      "pulse_width, else -1; triangle 1 - 4 |t - 1/4| round the cycle.\n"
                                      "blep2 replaces every step (saw, square) and corner (triangle) by a two-point "
                                      "polynomial whose width is one frame at frequency_hz; motion of "
                                      "phase_cycles and pulse_width is not part of that width. Alias of the saw at 48 "
                                      "kHz: -48, -44, -42, -35 dB at 440, 1245, 2489, 4186 Hz.\n"
                                      "Reference: V. Valimaki, A. Huovilainen, Antialiasing Oscillators in Subtractive "
                                      "Synthesis, IEEE Signal Processing Magazine 24(2), 2007.",
                                      nullptr,
                                      kOut,
                                      kParams,
                                      kCases,
                                      0,
                                      count(kOut),
                                      count(kParams),
                                      count(kCases),
                                      0,
                                      1,
                                      AMP_ADJOINT_SUBGRADIENT,
                                      "",
                                      AMP_LAW_BLOCK_INVARIANT,
                                      1};

}  // namespace

extern const NodeType node_oscillator;
const NodeType node_oscillator = node_type<Oscillator>(kContract);

}  // namespace amp::AMP_KNS
