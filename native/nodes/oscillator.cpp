// oscillator: sine, saw, square and triangle on a 64-bit phase, naive or with steps and corners band-limited by
// polynomials. There are two kernels. One computes the waveform from the phase alone, with two-point polynomials at
// most; the other follows events, as four-point polynomials and sync need. V. Valimaki and A. Huovilainen,
// "Antialiasing Oscillators in Subtractive Synthesis", 2007 (steps); F. Esqueda, V. Valimaki and S. Bilbao, "Rounding
// Corners with BLAMP", 2016 (corners).
#include "dsp/math.hpp"
#include "kernel/contract.hpp"
#include "kernel/driver.hpp"
#include "nodes/cycles.hpp"
#include "nodes/oscillator_events.hpp"

namespace amp::AMP_KNS {
namespace {

enum Port { kSync, kReset, kPorts };

// Whether a step at phase 0 may be less than one frame away.
template <class T> AMP_INLINE mask_of<T> near_step(u64_of<T> phase, u64_of<T> inc) { return magnitude(phase) <= inc; }

// The correction that rounds a step from -1 to 1 at phase 0 over one frame (dt cycles) on each side: added to a step
// up, subtracted from a step down. It is zero elsewhere, so packs without a step nearby skip the division.
template <class T> AMP_INLINE T blep(u64_of<T> phase, u64_of<T> inc, T dt) {
    const auto after = phase < inc, before = ~phase < inc;
    if (__builtin_expect(!any(after | before), 1)) return T(0.0);
    const T t = unit52(phase), frames = T(1.0) / vmax(T(1e-13), dt);  // frames per cycle
    const T a = select(after, T(1.0) - t * frames, T(0.0)), b = select(before, T(1.0) - (T(1.0) - t) * frames, T(0.0));
    return b * b - a * a;
}

template <class T> AMP_INLINE T cube(T x) { return x * x * x; }

// Everything is force-inlined: a call left in a loop over lanes would hide from the compiler which waveform the loop is
// compiled for.
template <class T> struct Oscillator {
    using U = u64_of<T>;
    enum Param { kWaveform, kQuality, kFrequency, kPhaseCycles, kPulseWidth, kAmplitude, kChannels, kParams };
    static constexpr int kInputs = 0, kOutputs = 1;
    static constexpr int kNumbers[] = {kFrequency, kPhaseCycles, kPulseWidth, kAmplitude};
    static constexpr bool kPhase = true, kFinite = true;
    static constexpr int kFast = kFrequency, kChoice = kWaveform, kChoices = 4;
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
    AMP_INLINE static Mid tick(const T*, const Coef& c, State& s) {
        const Mid m{s.phase};
        s.phase += c.inc;
        return m;
    }
    AMP_INLINE static T saw(U phase, const Coef& c, bool smooth) {
        const T y = saw_of_phase<T>(phase);
        return smooth ? y - blep(phase, c.inc, c.dt) : y;
    }
    AMP_INLINE static T square(U phase, const Coef& c, bool smooth) {
        const T y = select(phase < c.width, T(1.0), T(-1.0));
        return smooth ? y + (blep(phase, c.inc, c.dt) - blep(phase - c.width, c.inc, c.dt)) : y;
    }
    AMP_INLINE static mask_of<T> near_corner(U phase, const Coef& c) {
        const T top = from_top<T>(phase);
        return (top < c.dt) | (T(0.5) - top < c.dt);
    }
    AMP_INLINE static T triangle(U phase, const Coef& c, bool smooth) {
        const T top = from_top<T>(phase), y = triangle_of_phase<T>(phase);
        if (!smooth) return y;
        const T bottom = T(0.5) - top;
        const auto near_top = top < c.dt, near_low = bottom < c.dt;
        if (__builtin_expect(!any(near_top | near_low), 1)) return y;
        const T frames = T(1.0) / vmax(T(1e-13), c.dt);
        const T high = select(near_top, T(1.0) - top * frames, T(0.0)),
                low = select(near_low, T(1.0) - bottom * frames, T(0.0));
        return y + (cube(low) - cube(high)) * (T(4.0 / 3.0) * c.dt);
    }
    AMP_INLINE static mask_of<T> fast_path(const Mid& m, const Coef& c, T* y, const Setup& u) {
        const U phase = m.phase + c.offset;
        mask_of<T> near(false);
        switch (static_cast<int>(u.fixed[kWaveform])) {
        case kSine: y[0] = vsin_of_phase(phase); break;
        case kSaw: y[0] = saw(phase, c, false), near = near_step<T>(phase, c.inc); break;
        case kSquare:
            y[0] = square(phase, c, false);
            near = near_step<T>(phase, c.inc) | near_step<T>(phase - c.width, c.inc);
            break;
        default: y[0] = triangle(phase, c, false), near = near_corner(phase, c); break;
        }
        y[0] = c.amplitude * y[0];
        return near & mask_of<T>(static_cast<int>(u.fixed[kQuality]) == kBlep2);
    }
    AMP_INLINE static void shape(const Mid& m, const T*, const Coef& c, T* y, const Setup& u) {
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

// The oscillator computed frame by frame, with events. With blep2 the computed frame is one after the output frame;
// blep2 declares no latency, so external events act one frame late. With blep4 it is two after, which is the declared
// latency.
template <class T> struct Followed {
    using U = u64_of<T>;
    using Mask = mask_of<T>;
    using Plain = Oscillator<T>;
    using Coef = typename Plain::Coef;
    static constexpr int kInputs = kPorts, kOutputs = 1, kParams = Plain::kParams, kFast = Plain::kFast;
    static constexpr auto& kNumbers = Plain::kNumbers;
    struct State {
        U phase, inc, t, width;  // t: phase plus offset
        T sync, reset, running;
        T y[4];  // four frames: two before the computed one, one before, the computed one, one after
        T amplitude[2];
    };
    struct Mid {
        T y, amplitude;
    };

    static Coef coef(const T* p, const Setup& u) { return Plain::coef(p, u); }
    static void recoef(T frequency, const Setup& u, Coef& c) { Plain::recoef(frequency, u, c); }

    // Where a pack has several registers, rare work is a function call, so that unrolled loops do not contain copies of
    // it. Where a pack is one register it is inlined, because a call would force the loop's state out of registers.
    static constexpr bool kCalls = width_of<T> > 1 && native::parts > 1;
    // whether the phase is set in some lane: in none, in some, decided at run time
    enum Hit { kNone, kSome, kPerhaps };

    // Advances by one frame; in the lanes of `hit`, the phase was 0 `age` frames before the end of that frame.
    template <Hit kHit> static void frame(const Coef& c, State& s, Mask hit, T age, const Setup& u) {
        for (int k = 0; k < 3; ++k) s.y[k] = s.y[k + 1];
        s.y[3] = T(0.0);
        const Events<T> events{static_cast<int>(u.fixed[Plain::kWaveform]), static_cast<int>(u.fixed[Plain::kQuality]),
                               s.y};
        s.phase += s.inc;
        const U d = s.phase + c.offset - s.t, d_width = c.width - s.width;
        Move<T> move{s.t + d, d, c.width, d_width, d, T(0.0), T(1.0)};
        if (kHit == kSome || (kHit == kPerhaps && __builtin_expect(any(hit), 0))) {
            const U rest = part_of<T>(d, age), rest_width = part_of<T>(d_width, age);
            const Move<T> before{move.t - rest, d - rest,    c.width - rest_width, d_width - rest_width, d,
                                 age,           T(1.0) - age};
            s.phase = select(hit, part_of<T>(s.inc, age), s.phase);
            move = {s.phase + c.offset, rest, c.width, rest_width, d, T(0.0), age};
            events.pass(before);
            events.jump(hit, before, move);
        }
        events.pass(move);
        s.t = move.t, s.width = c.width;
        s.y[2] += shape_at<T>(events.waveform, s.t, s.width);
    }
    [[gnu::noinline]] static void call_frame(const Coef& c, State& s, Mask hit, T age, const Setup& u) {
        frame<kSome>(c, s, hit, age, u);
    }
    static void advance(const Coef& c, State& s, Mask hit, T age, const Setup& u) {
        if constexpr (!kCalls)
            frame<kPerhaps>(c, s, hit, age, u);
        else if (__builtin_expect(any(hit), 0))
            call_frame(c, s, hit, age, u);
        else
            frame<kNone>(c, s, hit, age, u);
    }
    // Sets the state as if the oscillator had always run like this.
    static void begin(const T* x, const Coef& c, State& s, const Setup& u) {
        const U back = quality(u) == kBlep2 ? c.inc : c.inc + c.inc;
        s = {U(0) - back, c.inc, c.offset - back, c.width, x[kSync], x[kReset], T(1.0), {}, {c.amplitude, c.amplitude}};
        advance(c, s, Mask(false), T(0.0), u);
    }
    [[gnu::noinline]] static void call_begin(const T* x, const Coef& c, State& s, const Setup& u) { begin(x, c, s, u); }

    static int quality(const Setup& u) { return static_cast<int>(u.fixed[Plain::kQuality]); }

    static Mid tick(const T* x, const Coef& c, State& s, const Setup& u) {
        if (__builtin_expect(any(s.running == T(0.0)), 0)) kCalls ? call_begin(x, c, s, u) : begin(x, c, s, u);
        const auto rise = (x[kSync] > T(0.0)) & (s.sync <= T(0.0)), set = (x[kReset] > T(0.5)) & (s.reset <= T(0.5));
        const T age = vmin(T(1.0), x[kSync] / select(rise, x[kSync] - s.sync, T(1.0)));
        s.sync = x[kSync], s.reset = x[kReset];
        if (quality(u) == kBlep2) s.inc = c.inc;
        advance(c, s, rise | set, select(rise & !set, age, T(0.0)), u);
        s.inc = c.inc;
        const T late = s.amplitude[0];
        s.amplitude[0] = s.amplitude[1], s.amplitude[1] = c.amplitude;
        return {s.y[2 - quality(u)], quality(u) == kBlep4 ? late : c.amplitude};
    }
    static void shape(const Mid& m, const T*, const Coef&, T* y, const Setup&) { y[0] = m.amplitude * m.y; }
};

int64_t latency(const double* fixed, double) {
    return static_cast<int>(fixed[Oscillator<double>::kQuality]) == kBlep4 ? 2 : 0;
}

bool follows(const Step& s) { return s.of_node.fed || latency(s.fixed, s.env->sample_rate) > 0; }

template <class T> uint32_t fire(Step& s, const Firing& f) {
    return follows(s) ? Driver<Followed>::fire<T>(s, f) : Driver<Oscillator>::fire<T>(s, f);
}

template <class T> Carried tick(Step& s, int64_t i, int64_t time, Carried before) {
    return follows(s) ? Driver<Followed>::tick_rows<T>(s, i, time, before)
                      : Driver<Oscillator>::tick_rows<T>(s, i, time, before);
}

void bind_rows(Step& s) { follows(s) ? Driver<Followed>::bind_rows(s) : Driver<Oscillator>::bind_rows(s); }

template <class T> void prepare(Step& s) {
    follows(s) ? Driver<Followed>::prepare<T>(s) : Driver<Oscillator>::prepare<T>(s);
}

template <class T> constexpr LayoutOps ops() {  // Followed's state begins with Oscillator's, and both start as zeros
    LayoutOps o = Driver<Followed>::ops<T>();
    o.fire = fire<T>;
    o.tick = tick<T>;
    o.prepare = prepare<T>;
    o.bind_rows = bind_rows;
    for (auto& ways : o.carry)
        for (auto& way : ways) way[0] = way[1] = nullptr;
    return o;
}

constexpr const char* kWaveforms[] = {"sine", "saw", "square", "triangle"};
constexpr const char* kQualities[] = {"naive", "blep2", "blep4"};
constexpr amp_param_contract kParams[] = {
    choice("waveform", kWaveforms, kSaw,
           "Shape of a cycle; all but the square start at the phase of a sine: saw -1 to 1, triangle from 0 up."),
    choice("quality", kQualities, kBlep2,
           "naive: the ideal shape, sampled. blep2: steps and corners rounded over two frames, far less alias. blep4: "
           "over four, less still, for a latency of two frames."),
    frequency("frequency_hz", 0.0, 440.0, "Frequency; 0 holds the phase."),
    phase_cycles(),
    number("pulse_width", "cycles", 0.01, 0.99, 0.5,
           "Part of the cycle in which the square is +1; its mean is 2 pulse_width - 1."),
    number("amplitude", "1", -1e6, 1e6, 1.0, "Peak value of the naive shape."),
    channels(),
};
constexpr amp_port_contract kIn[] = {
    optional_input("sync", 0.0,
                   "A rise through 0 sets the phase to 0 where the straight line between the frames is 0 (hard sync)."),
    optional_input("reset", 0.0, "A rise above 0.5 sets the phase to 0 at its frame."),
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
    {"saw_blep4", "none", "waveform=saw quality=blep4 frequency_hz=2489 channels=2", 2, 2048, "exact", 0, kExactReason},
    {"square_blep4", "none", "waveform=square quality=blep4 frequency_hz=1245 pulse_width=0.3", 1, 2048, "exact", 0,
     kExactReason},
    {"triangle_blep4", "none", "waveform=triangle quality=blep4 frequency_hz=4186 phase_cycles=0.3", 1, 2048, "exact",
     0, kExactReason},
    {"sync_naive", "sine", "waveform=triangle quality=naive frequency_hz=1234", 1, 2048, "exact", 0, kExactReason},
    {"sync_blep2", "noise", "waveform=saw quality=blep2 frequency_hz=7000", 2, 1024, "exact", 0, kExactReason},
    {"sync_blep4", "sine", "waveform=saw quality=blep4 frequency_hz=1777", 2, 2048, "exact", 0, kExactReason},
    {"sync_sine_blep4", "sine", "waveform=sine quality=blep4 frequency_hz=1777", 1, 1024, "exact", 0, kExactReason},
    {"reset_blep4", "gate", "waveform=saw quality=blep4 frequency_hz=333 phase_cycles=0.1", 1, 1024, "exact", 0,
     kExactReason},
};
constexpr amp_node_contract kContract = contract(
    {.id = "oscillator",
     .group = "source",
     .summary = "Sine, saw, square and triangle oscillator.",
     .doc =
         "phase[0] = 0, phase[n + 1] = phase[n] + frequency_hz[n] / fs modulo one cycle, as a 64-bit integer; the "
         "shape is taken at t = phase + phase_cycles. sine sin(2 pi t); saw 2t - 1; square +1 for t < pulse_width, "
         "else -1; triangle 1 - 4 |t - 1/4| round the cycle.\nblep2 replaces every step (saw, square) and corner "
         "(triangle) by a two-point polynomial whose width is one frame at frequency_hz; motion of phase_cycles and "
         "pulse_width is not part of that width. Alias of the saw at 48 kHz: -48, -44, -42, -35 dB at 440, 1245, 2489, "
         "4186 Hz.\nblep4 filters them with the cubic B-spline, four frames wide, at the place where t passes them, "
         "whatever moves t (less than half a cycle per frame, either way): saw, square and triangle are the ideal "
         "shape under that filter. It needs two frames ahead, which are latency and compensated by the graph. Alias of "
         "the saw: -67, -63, -62, -53 dB.\nA rise of sync or reset sets the phase to 0, sync between two frames. The "
         "step this makes and its change of slope are rounded like the others; of a sine, step and slope. blep2 has no "
         "frame ahead: with sync or reset connected, they, phase_cycles and pulse_width act one frame late. Alias of a "
         "saw of 3.3 times the frequency of its sync, 440 and 1245 Hz: naive -17, -13, blep2 -43, -40, blep4 -62, -59 "
         "dB.\nReference: V. Valimaki, A. Huovilainen, Antialiasing Oscillators in Subtractive Synthesis, IEEE Signal "
         "Processing Magazine 24(2), 2007; V. Valimaki, J. Pekonen, J. Nam, Perceptually informed synthesis of "
         "bandlimited classical waveforms using integrated polynomial interpolation, J. Acoust. Soc. Am. 131(1), 2012; "
         "F. Esqueda, V. Valimaki, S. Bilbao, Rounding Corners with BLAMP, DAFx 2016.",
     .params = kParams,
     .cases = kCases,
     .channels = "channels",
     .adjoint = AMP_ADJOINT_SUBGRADIENT,
     .laws = AMP_LAW_BLOCK_INVARIANT},
    kIn, kOut);

}  // namespace

extern const NodeType node_oscillator;
const NodeType node_oscillator{.kind = NodeKind::frame,
                               .contract = &kContract,
                               .ops = {ops<double>(), ops<f64x8>()},
                               .fast = Oscillator<double>::kFast,
                               .latency = latency};

}  // namespace amp::AMP_KNS
