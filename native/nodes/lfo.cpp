// lfo: a slow waveform, smoothed and scaled: y = offset + depth * slewed(shape). It runs as two stages, each a node to
// the driver: the first writes the waveform to the output, the second reads it there and smooths it.
#include "dsp/math.hpp"
#include "kernel/contract.hpp"
#include "kernel/driver.hpp"
#include "nodes/cycles.hpp"
#include "nodes/hash.hpp"

namespace amp::AMP_KNS {
namespace {

enum Waveform { kSine, kTriangle, kSaw, kSquare, kRandom };
enum Param { kShape, kRate, kPhaseCycles, kSlew, kDepth, kOffset, kChannels, kParamCount };

// kScaled: the first stage also applies depth and offset, for an lfo without slew, where the second stage has nothing
// to do.
template <class T, bool kScaled> struct ShapeOf {
    using U = u64_of<T>;
    static constexpr int kParams = kParamCount, kInputs = 0, kOutputs = 1;
    static constexpr int kNumbers[] = {kRate, kPhaseCycles, kDepth, kOffset};
    static constexpr int kChoice = kShape, kChoices = 4;
    static constexpr bool kPhase = true, kFinite = true;
    struct Coef {
        U inc, offset;
        T depth, middle;
    };
    struct State {
        U phase;
    };
    struct Mid {
        U phase;
    };

    static Coef coef(const T* p, const Setup& u) {
        return {phase_step(p[kRate], u), fraction_of_cycle(p[kPhaseCycles]), p[kDepth], p[kOffset]};
    }
    static Mid tick(const T*, const Coef& c, State& s) {
        const Mid m{s.phase};
        s.phase += c.inc;
        return m;
    }
    static T at(U phase, const Setup& u) {
        switch (static_cast<int>(u.fixed[kShape])) {
        case kSine: return vsin_of_phase(phase);
        case kTriangle: return triangle_of_phase<T>(phase);
        case kSaw: return saw_of_phase<T>(phase);
        default: return select(phase < U(uint64_t{1} << 63), T(1.0), T(-1.0));
        }
    }
    static void shape(const Mid& m, const T*, const Coef& c, T* y, const Setup& u) {
        const T x = at(m.phase + c.offset, u);
        y[0] = kScaled ? c.middle + c.depth * x : x;
    }
};
template <class T> using Shape = ShapeOf<T, false>;
template <class T> using Scaled = ShapeOf<T, true>;

// Sample and hold: one random value per cycle, from a hash of the cycle's number; one random stream per row.
template <class T> struct Random {
    using U = u64_of<T>;
    static constexpr int kParams = kParamCount, kInputs = 0, kOutputs = 1;
    static constexpr int kNumbers[] = {kRate, kPhaseCycles};
    struct Coef {
        U inc, offset, turns;
    };  // turns: whole cycles of the offset, whose fraction is signed
    struct State {
        U phase, cycle, stream;
    };
    struct Mid {
        U cycle, stream;
    };

    static Coef coef(const T* p, const Setup& u) {
        const auto [whole, rest] = split_cycles(p[kPhaseCycles]);
        return {phase_step(p[kRate], u), rest, to_u64(whole) - (rest >> 63)};
    }
    static Mid tick(const T*, const Coef& c, State& s) {
        const U sum = s.phase + c.offset, next = s.phase + c.inc;
        const Mid m{s.cycle + c.turns + select(sum < c.offset, U(1), U(0)), s.stream};
        s.cycle += select(next < c.inc, U(1), U(0));
        s.phase = next;
        return m;
    }
    static void shape(const Mid& m, const T*, const Coef&, T* y, const Setup&) {
        const T t = unit52(hash_at(m.stream, m.cycle));
        y[0] = (t + t) - T(1.0);
    }
};

template <class T> struct Slew {
    static constexpr int kParams = kParamCount, kInputs = 1, kOutputs = 1;
    static constexpr int kNumbers[] = {kSlew, kDepth, kOffset};
    struct Coef {
        T keep, depth, offset;
    };
    struct State {
        T y, running;
    };  // running 0: the first value is output without smoothing
    struct Mid {
        T y;
    };

    static Coef coef(const T* p, const Setup& u) {
        const T frames = p[kSlew] * T(u.env.sample_rate);
        return {select(frames > T(0.0), vexp(T(-1.0) / vmax(frames, T(0.01))), T(0.0)), p[kDepth], p[kOffset]};
    }
    static Mid tick(const T* x, const Coef& c, State& s) {
        const T keep = c.keep * s.running;
        const Mid m{keep * s.y + (T(1.0) - keep) * x[0]};
        s = {m.y, T(1.0)};
        flush(s.y);
        return m;
    }
    static void shape(const Mid& m, const T*, const Coef& c, T* y, const Setup&) { y[0] = c.offset + c.depth * m.y; }
};

constexpr size_t larger(size_t a, size_t b) { return a < b ? b : a; }
template <class T>
constexpr size_t kState = larger(sizeof(typename Shape<T>::State), sizeof(typename Random<T>::State));
template <class T> constexpr size_t kCoef = larger(sizeof(typename Shape<T>::Coef), sizeof(typename Random<T>::Coef));

bool is_random(const Step& s) { return static_cast<int>(s.fixed[kShape]) == kRandom; }

// The step of the second stage: it reads what the first stage wrote, and its state follows that of the first in memory.
template <class T> Step second(const Step& s) {
    Step t = s;
    const size_t rows = static_cast<size_t>(s.channels) * static_cast<size_t>(s.env->groups);
    t.state += rows * kState<T>;
    t.coef += rows * kCoef<T>;
    t.rows = static_cast<unsigned char*>(s.rows) + rows * sizeof(Driver<Shape>::Row);
    t.in = t.out;
    return t;
}

bool without_slew(const Step& s) {
    bool none = s.par[kSlew].step == 0;
    for (int c = 0; none && c < s.channels; ++c)
        for (int g = 0; g < s.env->groups; ++g) none = none && all(load(row(s.par[kSlew], c, g, 0)) == f64x8(0.0));
    return none;
}

// Sets the state that the slew would have: the waveform of the last frame, one increment before the present phase.
template <class T> void keep_last(Step& s, const Firing& f) {
    Step slew = second<T>(s);
    const Setup u{*s.env, s.fixed, s.key};
    for (int c = 0, r = 0; c < s.channels; ++c)
        for (int g = 0; g < s.env->groups; ++g, ++r) {
            T p[kParamCount];
            auto coef = *Driver<Shape>::template constant_coef<T>(s, r);
            if (s.varying) {
                for (int k : Shape<T>::kNumbers) p[k] = at<T>(row(s.par[k], c, g, f.offset), s.par[k], f.frames - 1);
                coef = Shape<T>::coef(p, u);
            }
            const auto after = Driver<Shape>::template state<T>(s, r)->phase;
            auto& last =
                *Driver<Slew>::template state<T>(slew, r) = {Shape<T>::at((after - coef.inc) + coef.offset, u), T(1.0)};
            flush(last.y);
        }
}

template <class T> uint32_t fire(Step& s, const Firing& f) {
    if (!is_random(s) && without_slew(s)) {
        const uint32_t verdict = Driver<Scaled>::template fire<T>(s, f);
        keep_last<T>(s, f);
        return verdict;
    }
    Step slew = second<T>(s);
    is_random(s) ? Driver<Random>::template fire<T>(s, f) : Driver<Shape>::template fire<T>(s, f);
    return Driver<Slew>::template fire<T>(slew, f);
}

template <class T> Carried tick(Step& s, int64_t i, int64_t time, Carried before) {
    Step slew = second<T>(s);
    is_random(s) ? Driver<Random>::template tick_rows<T>(s, i, time, before)
                 : Driver<Shape>::template tick_rows<T>(s, i, time, before);
    return Driver<Slew>::template tick_rows<T>(slew, i, time, before);
}

template <class T> void bind_rows(Step& s) {
    Step slew = second<T>(s);
    Driver<Shape>::bind_rows(s);  // binds the rows of every possible first stage
    Driver<Slew>::bind_rows(slew);
}

template <class T> void prepare(Step& s) {
    Step slew = second<T>(s);
    is_random(s) ? Driver<Random>::template prepare<T>(s) : Driver<Shape>::template prepare<T>(s);
    Driver<Slew>::template prepare<T>(slew);
}

template <class T> void reset(Step& s) {
    Step slew = second<T>(s);
    Driver<Slew>::template reset<T>(slew);
    if (!is_random(s)) return Driver<Shape>::template reset<T>(s);
    Driver<Random>::template reset<T>(s);
    for (int c = 0, r = 0; c < s.channels; ++c)
        for (int g = 0; g < s.env->groups; ++g, ++r) {
            u64_of<T> batch(uint64_t{s.env->batch_offset} +
                            static_cast<uint64_t>(g) * static_cast<uint64_t>(s.env->width));
            if constexpr (width_of<T> == kLanes) batch += to_u64(lane_numbers());
            reinterpret_cast<typename Random<T>::State*>(s.state)[r].stream =
                stream_of(u64_of<T>(mix64(s.key)), batch, static_cast<uint64_t>(c));
        }
}

template <class T> constexpr LayoutOps ops() {
    return {.fire = fire<T>,
            .tick = tick<T>,
            .prepare = prepare<T>,
            .reset = reset<T>,
            .state_bytes = kState<T> + sizeof(typename Slew<T>::State),
            .coef_bytes = kCoef<T> + sizeof(typename Slew<T>::Coef),
            .bind_rows = bind_rows<T>,
            .row_bytes = sizeof(Driver<Shape>::Row) + sizeof(Driver<Slew>::Row)};
}

constexpr const char* kShapes[] = {"sine", "triangle", "saw", "square", "random"};
constexpr amp_param_contract kParams[] = {
    choice("shape", kShapes, kSine, "Shape between -1 and 1; random holds a new value for every cycle."),
    frequency("rate_hz", 0.0, 1.0, "Cycles per second; 0 stands still."),
    phase_cycles(),
    number("slew_s", "s", 0.0, 60.0, 0.0, "Time constant of a one-pole that rounds the shape; 0 passes it unchanged."),
    number("depth", "1", -1e9, 1e9, 1.0, "Factor on the shape."),
    number("offset", "1", -1e9, 1e9, 0.0, "Added to the scaled shape."),
    channels(),
};
constexpr amp_port_contract kOut[] = {output("out", "The slow signal.")};
constexpr amp_case_contract kCases[] = {
    {"sine", "none", "shape=sine rate_hz=50 depth=2 offset=1", 1, 1024, "exact", 0, kExactReason},
    {"triangle", "none", "shape=triangle rate_hz=99 phase_cycles=0.4 channels=2", 2, 1024, "exact", 0, kExactReason},
    {"saw", "none", "shape=saw rate_hz=77 slew_s=0.001", 1, 1024, "exact", 0, kExactReason},
    {"square", "none", "shape=square rate_hz=300 slew_s=0.0005", 1, 1024, "exact", 0, kExactReason},
    {"random", "none", "shape=random rate_hz=900 channels=2 phase_cycles=-1.25", 2, 1024, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract =
    contract({.id = "lfo",
              .group = "control",
              .summary = "Low-frequency oscillator: sine, triangle, saw, square, random steps.",
              .doc = "y[n] = offset + depth * slewed(shape(t)), t = phase + phase_cycles, the phase a 64-bit integer "
                     "that grows by rate_hz / fs per frame. sine sin(2 pi t); triangle from 0 up; saw 2t - 1; square "
                     "+1 in the first half; random one value per whole cycle of t, uniform in [-1, 1), a hash of the "
                     "node's name, batch, channel and cycle. slewed: s += (1 - exp(-1 / (slew_s fs))) (shape - s), "
                     "from the first value on. Shapes are not band-limited; for audio use oscillator.",
              .params = kParams,
              .cases = kCases,
              .channels = "channels",
              .adjoint = AMP_ADJOINT_SUBGRADIENT,
              .laws = AMP_LAW_BLOCK_INVARIANT},
             {}, kOut);

}  // namespace

extern const NodeType node_lfo;
const NodeType node_lfo{.kind = NodeKind::frame,
                        .contract = &kContract,
                        .ops = {ops<double>(), ops<f64x8>()},
                        .alone = [](const double* fixed) { return static_cast<int>(fixed[kShape]) == kRandom; }};

}  // namespace amp::AMP_KNS
