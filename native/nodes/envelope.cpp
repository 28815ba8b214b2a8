// envelope: attack, hold, decay, sustain, release. The level is a closed formula of the frames since the last event and
// of the values latched at it, so frames without events are computed eight at a time.
#include "kernel/contract.hpp"
#include "kernel/packs.hpp"

namespace amp::AMP_KNS {
namespace {

enum Port { kGate, kTrigger, kVelocity, kPorts };
enum Param { kAttack, kHold, kDecay, kSustain, kRelease, kParamCount };

// Values latched at an event. Ends of segments are in frames since the event; the inverse of a segment without length
// is 0.
template <class T> struct Segments {
    T from, peak, sustain;  // levels
    T attack_end, hold_end, decay_end;
    T release;                             // length in frames; infinite while the gate is on
    T per_attack, per_decay, per_release;  // 1 / frames
};

template <class T> struct State {
    Segments<T> seg;
    T k;              // frames since the event
    T gate, trigger;  // 1: it was on in the last frame
};

// The same while a window is computed; on and off are masks.
template <class T> struct Live {
    Segments<T> seg;
    T k;
    mask_of<T> gate, trigger;
    explicit Live(const State<T>& s) : seg(s.seg), k(s.k), gate(s.gate > T(0.5)), trigger(s.trigger > T(0.5)) {}
    State<T> state() const { return {seg, k, select(gate, T(1.0), T(0.0)), select(trigger, T(1.0), T(0.0))}; }
};

template <class T> AMP_INLINE T fourth(T x) { return (x * x) * (x * x); }

// Level during sustain and release, `since` frames after the decay ended.
template <class T> AMP_INLINE T tail(const Segments<T>& s, T since) {
    return select(since < s.release, s.sustain * fourth(T(1.0) - since * s.per_release), T(0.0));
}

template <class T> AMP_INLINE T level(const Segments<T>& s, T k) {
    const T late = tail(s, k - s.decay_end);
    const auto early = k < s.decay_end;
    if (__builtin_expect(!any(early), 1)) return late;
    const T fall = s.sustain + (s.peak - s.sustain) * fourth(T(1.0) - (k - s.hold_end) * s.per_decay);
    const T y = select(early, fall, late);
    const auto high = k < s.hold_end;
    if (__builtin_expect(!any(high), 1)) return y;
    const T rise = s.from + (s.peak - s.from) * (k * s.per_attack);
    return select(k < s.attack_end, rise, select(high, s.peak, y));
}

template <class T> AMP_INLINE T frames_of(T seconds, double rate) { return vfloor(seconds * T(rate) + T(0.5)); }

template <class T> AMP_INLINE T inverse(T frames) {
    return select(frames > T(0.0), T(1.0) / vmax(T(1.0), frames), T(0.0));
}

// The segments that begin now at level `from`. p has the parameters of this frame.
template <class T> Segments<T> begin(T from, T velocity, mask_of<T> held, const T* p, double rate) {
    const T attack = frames_of(p[kAttack], rate), decay = frames_of(p[kDecay], rate),
            release = frames_of(p[kRelease], rate);
    const T hold_end = attack + frames_of(p[kHold], rate);
    return {from,
            velocity,
            p[kSustain] * velocity,
            attack,
            hold_end,
            hold_end + decay,
            select(held, T(__builtin_inf()), release),
            inverse(attack),
            inverse(decay),
            select(held, T(0.0), inverse(release))};
}

template <class T> Segments<T> let_go(T from, const T* p, double rate) {
    const T release = frames_of(p[kRelease], rate), none(0.0);
    return {from, from, from, none, none, none, release, none, none, inverse(release)};
}

template <class T> AMP_INLINE void assign(mask_of<T> m, Segments<T>& to, const Segments<T>& from) {
    T Segments<T>::* const members[] = {&Segments<T>::from,       &Segments<T>::peak,       &Segments<T>::sustain,
                                        &Segments<T>::attack_end, &Segments<T>::hold_end,   &Segments<T>::decay_end,
                                        &Segments<T>::release,    &Segments<T>::per_attack, &Segments<T>::per_decay,
                                        &Segments<T>::per_release};
    for (const auto member : members) to.*member = select(m, from.*member, to.*member);
}

struct Rows {
    const double *in[kPorts], *par[kParamCount];
    double *amplitude, *reset;
    Rows(const Step& s, int c, int g, uint32_t offset)
        : amplitude(row(s.out[0], c, g, offset)), reset(row(s.out[1], c, g, offset)) {
        for (int k = 0; k < kPorts; ++k) in[k] = row(s.in[k], c, g, offset);
        for (int k = 0; k < kParamCount; ++k) par[k] = row(s.par[k], c, g, offset);
    }
};

AMP_INLINE bool differ(bool a, bool b) { return a != b; }
AMP_INLINE m8 differ(m8 a, m8 b) { return a ^ b; }

// Computes one frame: events, level, reset.
template <class T> AMP_INLINE void frame(const Step& s, const Rows& rows, uint32_t i, Live<T>& st, Watch& watch) {
    const T half(0.5);
    const auto gate = at<T>(rows.in[kGate], s.in[kGate], i) > half;
    auto trigger = st.trigger;
    if (i == 0 || s.in[kTrigger].step) trigger = at<T>(rows.in[kTrigger], s.in[kTrigger], i) > half;
    T reset(0.0);
    if (__builtin_expect(any(differ(gate, st.gate) | differ(trigger, st.trigger)), 0)) {
        const auto start = (gate & !st.gate) | (trigger & !st.trigger), stop = st.gate & !(gate | start);
        T p[kParamCount];
        for (int k = 0; k < kParamCount; ++k) p[k] = at<T>(rows.par[k], s.par[k], i);
        const T now = level(st.seg, st.k), velocity = at<T>(rows.in[kVelocity], s.in[kVelocity], i);
        assign<T>(start, st.seg, begin<T>(now, velocity, gate, p, s.env->sample_rate));
        assign<T>(stop, st.seg, let_go<T>(now, p, s.env->sample_rate));
        st.k = select(start | stop, T(0.0), st.k);
        st.gate = gate, st.trigger = trigger;
        reset = select(start, T(1.0), T(0.0));
    }
    const T y = level(st.seg, st.k);
    store_as(rows.amplitude + i * s.out[0].step, y);
    store_as(rows.reset + i * s.out[1].step, reset);
    watch.see(y);
    st.k = st.k + T(1.0);
}

template <class T> uint32_t frame_by_frame(Step& s, const Firing& f) {
    Watch watch;
    for (int c = 0, r = 0; c < s.channels; ++c)
        for (int g = 0; g < s.env->groups; ++g, ++r) {
            const Rows rows(s, c, g, f.offset);
            State<T>& kept = reinterpret_cast<State<T>*>(s.state)[r];
            Live<T> st(kept);
            for (uint32_t i = 0; i < f.frames; ++i) frame<T>(s, rows, i, st, watch);
            kept = st.state();
        }
    return watch.verdict();
}

// Whether no gate or trigger of eight batches changes within eight frames.
AMP_INLINE bool quiet(const Step& s, const Rows& rows, uint32_t i, const Live<f64x8>& st) {
    const f64x8 half(0.5);
    m8 changed(false);
    for (uint32_t k = 0; k < kLanes; ++k)
        changed = changed | ((at<f64x8>(rows.in[kGate], s.in[kGate], i + k) > half) ^ st.gate);
    if (i == 0 || s.in[kTrigger].step)
        for (uint32_t k = 0; k < kLanes; ++k)
            changed = changed | ((at<f64x8>(rows.in[kTrigger], s.in[kTrigger], i + k) > half) ^ st.trigger);
    return !any(changed);
}

// Computes eight frames without an event.
AMP_INLINE void eight_frames(const Rows& rows, uint32_t i, Live<f64x8>& st, Watch& watch) {
    double* y = rows.amplitude + i * kLanes;
    for (int k = 0; k < kLanes; ++k) store(rows.reset + i * kLanes + k * kLanes, f64x8(0.0));
    f64x8 since = st.k - st.seg.decay_end, value;
    const m8 rests =  // the level is constant
        ((st.seg.per_release == f64x8(0.0)) & (since + f64x8(7.0) < st.seg.release)) | (since >= st.seg.release);
    if (any(since < f64x8(0.0))) {
        for (int k = 0; k < kLanes; ++k, st.k = st.k + f64x8(1.0))
            store(y + k * kLanes, value = level(st.seg, st.k)), watch.see(value);
        return;
    }
    st.k = st.k + f64x8(kLanes);
    if (all(rests)) {
        watch.see(value = tail(st.seg, since));
        for (int k = 0; k < kLanes; ++k) store(y + k * kLanes, value);
        return;
    }
    for (int k = 0; k < kLanes; ++k, since = since + f64x8(1.0))
        store(y + k * kLanes, value = tail(st.seg, since)), watch.see(value);
}

uint32_t across_lanes(Step& s, const Firing& f) {
    Watch seen;
    for (int c = 0, r = 0; c < s.channels; ++c)
        for (int g = 0; g < s.env->groups; ++g, ++r) {
            const Rows rows(s, c, g, f.offset);
            State<f64x8>& kept = reinterpret_cast<State<f64x8>*>(s.state)[r];
            Live<f64x8> st(kept);
            Watch watch;
            for (uint32_t i = 0; i < f.frames;) {
                if (f.frames - i >= kLanes && quiet(s, rows, i, st)) {
                    eight_frames(rows, i, st, watch);
                    i += kLanes;
                    continue;
                }
                const uint32_t end = f.frames - i < kLanes ? f.frames : i + kLanes;
                for (; i < end; ++i) frame<f64x8>(s, rows, i, st, watch);
            }
            kept = st.state();
            seen.add(watch);
        }
    return seen.verdict();
}

// Whether no gate or trigger changes within eight frames.
AMP_INLINE bool quiet(const Step& s, const Rows& rows, uint32_t i, const Live<double>& st) {
    const f64x8 half(0.5);
    const m8 gate = at<f64x8>(rows.in[kGate], s.in[kGate], i) > half,
             trigger = at<f64x8>(rows.in[kTrigger], s.in[kTrigger], i) > half;
    return (st.gate ? all(gate) : !any(gate)) && (st.trigger ? all(trigger) : !any(trigger));
}

uint32_t across_frames(Step& s, const Firing& f) {
    Watch watch;
    for (int c = 0, r = 0; c < s.channels; ++c)
        for (int g = 0; g < s.env->groups; ++g, ++r) {
            const Rows rows(s, c, g, f.offset);
            State<double>& kept = reinterpret_cast<State<double>*>(s.state)[r];
            Live<double> st(kept);
            Segments<f64x8> wide = spread<Segments<f64x8>>(st.seg);
            for (uint32_t i = 0; i < f.frames;) {
                if (f.frames - i >= kLanes && quiet(s, rows, i, st)) {
                    const f64x8 y = level(wide, f64x8(st.k) + lane_numbers());
                    store(rows.amplitude + i, y);
                    store(rows.reset + i, f64x8(0.0));
                    watch.see(y);
                    st.k += kLanes;
                    i += kLanes;
                    continue;
                }
                const uint32_t end = f.frames - i < kLanes ? f.frames : i + kLanes;
                for (; i < end; ++i) frame<double>(s, rows, i, st, watch);
                wide = spread<Segments<f64x8>>(st.seg);
            }
            kept = st.state();
        }
    return watch.verdict();
}

template <class T> void reset(Step& s) {
    for (int r = 0; r < s.channels * s.env->groups; ++r) reinterpret_cast<State<T>*>(s.state)[r] = State<T>{};
}

constexpr amp_param_contract kParams[] = {
    number("attack_s", "s", 0.0, 3600.0, 0.005, "Time of the straight rise to the peak."),
    number("hold_s", "s", 0.0, 3600.0, 0.0, "Time at the peak."),
    number("decay_s", "s", 0.0, 3600.0, 0.1, "Time of the fall to the sustain level."),
    number("sustain", "1", 0.0, 1.0, 0.7, "Sustain level, as a part of the peak."),
    number("release_s", "s", 0.0, 3600.0, 0.2, "Time of the fall to zero."),
};
constexpr amp_port_contract kIn[] = {
    optional_input("gate", 0.0, "On while above 0.5."),
    optional_input("trigger", 0.0, "A rise above 0.5 starts the envelope again."),
    optional_input("velocity", 1.0, "Peak level, read when the envelope starts."),
};
constexpr amp_port_contract kOut[] = {output("amplitude", "The level."),
                                      output("reset", "1 at the frame of a start, else 0.")};
constexpr amp_case_contract kCases[] = {
    {"note", "gate", "attack_s=0.002 hold_s=0.001 decay_s=0.005 sustain=0.5 release_s=0.004", 1, 2048, "exact", 0,
     kExactReason},
    {"jumps", "gate", "attack_s=0 hold_s=0 decay_s=0 sustain=1 release_s=0", 2, 512, "exact", 0, kExactReason},
};
constexpr amp_node_contract kContract = contract(
    {.id = "envelope",
     .group = "control",
     .summary = "AHDSR envelope with gate, trigger and velocity.",
     .doc = "A rising gate, or a trigger while the gate is on, starts the attack from the level of the moment: peak = "
            "velocity, sustain level = sustain * velocity. A falling gate starts the release from the level of the "
            "moment. A trigger while the gate is off (or not connected) plays attack, hold, decay and at once release. "
            "Times and sustain are read at the event and rounded to frames; 0 jumps.\nk frames into a part of K "
            "frames: attack from + (peak - from) k / K; decay sustain + (peak - sustain) (1 - k / K)^4; release from "
            "(1 - k / K)^4. The fourth power falls 24 dB in the first half and, unlike an exponential, arrives.",
     .params = kParams,
     .cases = kCases,
     .adjoint = AMP_ADJOINT_SUBGRADIENT,
     .laws = AMP_LAW_BLOCK_INVARIANT | AMP_LAW_TIME_INVARIANT | AMP_LAW_SILENCE},
    kIn, kOut);

template <class T> constexpr LayoutOps ops(FireFn fire) {
    return {.fire = fire, .tick = ticking<frame_by_frame<T>>, .reset = reset<T>, .state_bytes = sizeof(State<T>)};
}

}  // namespace

extern const NodeType node_envelope;
const NodeType node_envelope{
    .kind = NodeKind::row, .contract = &kContract, .ops = {ops<double>(across_frames), ops<f64x8>(across_lanes)}};

}  // namespace amp::AMP_KNS
