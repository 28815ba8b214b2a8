// Drivers: a node's maths is written once as a struct template over the number type T and run
//   across frames  (frame layout): coef and shape on eight frames at a time, tick frame by frame on doubles;
//   across lanes   (lane layout):  coef, tick and shape on eight batches at a time, frame by frame;
//   per frame      (feedback):     the same three on one frame.
// Every lane sees the same operations in the same order, so all drivers give the same bits.
//
//   template <class T> struct Node {
//     enum Param { ... , kParams };                 // in the order of the contract
//     static constexpr int kInputs, kOutputs;
//     static constexpr int kNumbers[] = {...};      // parameters that are signals (not fixed)
//     struct Coef;  struct State;  struct Mid;      // members of type T or u64_of<T> only; may be empty
//     static Coef coef(const T* p, const Setup&);                       // what depends on parameters only
//     static Mid tick(const T* x, const Coef&, State&);                 // the recursion: as little as possible
//     static void shape(const Mid&, const T* x, const Coef&, T* y, const Setup&);   // the rest of the frame
//     static T heat(const T* x, const T* y, const T* p);                // optional: own power in watts
//   };
//
// tick may take the Setup too, as its last argument, for what depends on fixed parameters.
//
// A node that is mostly modulated in one parameter may say `static constexpr int kFast = <that parameter>` and
// `static void recoef(T value, const Setup&, Coef&)`, which redoes what depends on it: the rest is then worked out once
// per firing while only that parameter moves. coef must give what recoef gives.
//
// The engine fuses the step of such a parameter into the node when one modulator moves a value that holds.
//
// A node whose one port sums its edges may say `static constexpr bool kAdds = true`: x is then their sum.
// A node whose coefficients take long to work out and whose recursion is short says `static constexpr bool kDeep =
// true`. A node whose output is its one input says `static constexpr bool kPasses = true`.
//
// A node whose output holds while its parameters hold says `static constexpr bool kHolds = true`.
// A node without signal parameters says `static constexpr Nothing kNumbers`. A node whose State is {U phase}, whose
// Coef has a member `U inc` and whose Mid is {U phase} says `static constexpr bool kPhase = true`: its tick must do
// nothing but return the phase and add inc, and the frame layout replaces it by a sum over eight packs.
#pragma once
#include "nodes/line.hpp"

namespace amp::AMP_KNS {

template <template <class> class N> struct Driver {
    using D = N<double>;
    using P = N<f64x8>;
    static constexpr int NI = D::kInputs, NO = D::kOutputs;
    static constexpr bool kAdds = requires { D::kAdds; };
    using Row = Line<NI, NO, D::kParams, kAdds>;
    static constexpr int kIn = Row::kIn, kPar = Row::kPar;
    static constexpr bool kRunsPhase = requires { D::kPhase; };
    static constexpr bool kHasFast = requires { D::kFast; };
    static constexpr bool kDeep = requires { D::kDeep; };
    static constexpr bool kRecursive = !std::is_empty_v<typename D::State> && !kRunsPhase;

    enum Motion { kHeld, kFastOnly, kMoving };  // of the parameters

    static Row* rows(const Step& s) { return static_cast<Row*>(s.lines); }
    static void lay(Step& s) {
        for (int c = 0, r = 0; c < s.channels; ++c)
            for (int g = 0; g < s.env->groups; ++g, ++r) rows(s)[r].lay(s, c, g);
    }

    template <Motion kMotion> static FastRow fast_row(const Step& s, int c, int g) {
        if constexpr (kMotion == kFastOnly) return FastRow(s, D::kFast, c, g);
        return {};
    }

    static Motion motion(const Step& s) {
        if (!s.varying) return kHeld;
        if constexpr (kHasFast) {
            for (int k : D::kNumbers)
                if (k != D::kFast && s.par[k].step != 0) return kMoving;
            return kFastOnly;
        }
        return kMoving;
    }

    template <class T>
    [[gnu::always_inline]] static typename N<T>::Mid tick(const T* x, const typename N<T>::Coef& c,
                                                          typename N<T>::State& s, const Setup& u) {
        if constexpr (requires { N<T>::tick(x, c, s, u); })
            return N<T>::tick(x, c, s, u);
        else
            return N<T>::tick(x, c, s);
    }
    template <class T>
    [[gnu::always_inline]] static typename N<T>::Coef coef(const Row& row, const Setup& u, uint32_t i) {
        T p[kPar];
        for (int k : D::kNumbers) p[k] = load_as<T>(row.par[k] + i * row.par_step[k]);
        return N<T>::coef(p, u);
    }
    template <class T> static typename N<T>::Coef* held(Step& s, int index) {
        return reinterpret_cast<typename N<T>::Coef*>(s.coef) + index;
    }
    template <class T> static typename N<T>::State* state(Step& s, int index) {
        return reinterpret_cast<typename N<T>::State*>(s.state) + index;
    }

    template <class T> static void prepare(Step& s) {
        const Setup u{*s.env, s.fixed, s.key};
        if (s.varying) return;
        for (int r = 0; r < s.channels * s.env->groups; ++r) *held<T>(s, r) = coef<T>(rows(s)[r], u, 0);
    }

    template <class T> static void reset(Step& s) {
        for (int r = 0; r < s.channels * s.env->groups; ++r) *state<T>(s, r) = typename N<T>::State{};
    }

    // The phases of a chunk: one running sum of its increments.
    template <bool kVarying>
    static void phases(const typename P::Coef* coefs, uint32_t n, typename D::State& st, const typename D::Coef& hold,
                       u64x8 (&phase)[kLanes]) {
        if constexpr (kVarying) {
            for (uint32_t k = 0; k < kLanes; ++k) {
                const uint32_t left = n > k * kLanes ? n - k * kLanes : 0;
                phase[k] = left ? coefs[k].inc : u64x8(0);
                if (left < kLanes)
                    phase[k] = select(lane_numbers() < f64x8(static_cast<double>(left)), phase[k], u64x8(0));
            }
            st.phase = scan(st.phase, phase);
        } else {
            const u64x8 first = u64x8(hold.inc) * to_u64(lane_numbers()) + u64x8(st.phase);
            for (uint64_t k = 0; k < kLanes; ++k) phase[k] = first + u64x8(hold.inc * (k * kLanes));
            st.phase += hold.inc * n;
        }
    }

    // One chunk of one row in frame layout.
    template <Motion kMotion>
    [[gnu::flatten]] static void chunk(const Setup& u, const Row& given, const FastRow& fast, uint32_t at0, uint32_t n,
                                       typename D::State& st, const typename D::Coef& hold,
                                       const typename P::Coef& hold8, Watch& seen) {
        Watch watch = seen;  // copies, that stores to signals leave alone
        const Row rows = given;
        constexpr int kPacks = kChunk / kLanes;
        constexpr bool kVarying = kMotion != kHeld;
        typename P::Coef coefs[kVarying ? kPacks : 1];
        typename P::Mid mids[kRecursive ? kPacks : 1];
        const uint32_t packs = (n + kLanes - 1) / kLanes;
        if constexpr (kVarying)
            for (uint32_t k = 0; k < packs; ++k) {
                if constexpr (kMotion == kMoving)
                    coefs[k] = coef<f64x8>(rows, u, at0 + k * kLanes);
                else
                    P::recoef(fast.value(at0 + k * kLanes, n - k * kLanes, watch), u, coefs[k] = hold8);
            }
        u64x8 phase[kLanes];
        if constexpr (kRunsPhase) phases<kVarying>(coefs, n, st, hold, phase);
        if constexpr (kRecursive) {
            if (n % kLanes) mids[packs - 1] = {};
            typename D::State local = st;
            for (uint32_t k = 0; k < packs; ++k) {
                const uint32_t lanes = n - k * kLanes < kLanes ? n - k * kLanes : kLanes;
                for (uint32_t j = 0; j < lanes; ++j) {
                    double x[kIn];
                    rows.template inputs<double>(at0 + k * kLanes + j, x);
                    const auto c = kVarying ? pick<typename D::Coef>(coefs[k], j) : hold;
                    put(mids[k], j, tick<double>(x, c, local, u));
                }
            }
            st = local;
        }
        const auto shape = [&](uint32_t k, f64x8* y) __attribute__((always_inline)) {
            f64x8 x[kIn];
            rows.template inputs<f64x8>(at0 + k * kLanes, x);
            const auto& c8 = kVarying ? coefs[k] : hold8;
            typename P::Mid m{};
            if constexpr (kRunsPhase) m.phase = phase[k];
            if constexpr (kRecursive) m = mids[k];
            P::shape(m, x, c8, y, u);
            for (int o = 0; o < NO; ++o) store(rows.out[o] + (at0 + k * kLanes), y[o]);
        };
        f64x8 y[NO];
        for (uint32_t k = 0; k < n / kLanes; ++k) {
            shape(k, y);
            for (int o = 0; o < NO; ++o) watch.see(y[o]);
        }
        if (n % kLanes) {
            shape(packs - 1, y);
            for (int o = 0; o < NO; ++o) watch.see(y[o], n % kLanes);
        }
        seen = watch;
    }

    // A row of a node without state, its parameters held: one plain loop. kDense: its inputs move frame by frame.
    template <bool kDense>
    [[gnu::always_inline]] static void plain_row(const Row& line, const typename P::Coef& hold8, const Setup& u,
                                                 uint32_t i, uint32_t end, Watch& watch) {
        const auto pack = [&](uint32_t at, f64x8* y) __attribute__((always_inline)) {
            f64x8 x[kIn];
            line.template inputs<f64x8, kDense>(at, x);
            P::shape({}, x, hold8, y, u);
            for (int o = 0; o < NO; ++o) store(line.out[o] + at, y[o]);
        };
        f64x8 y[NO];
        if (end - i >= 4 * kLanes) {
            f64x8 sums[4] = {f64x8(0.0), f64x8(0.0), f64x8(0.0),
                             f64x8(0.0)};  // that no addition waits for the one before
            for (; i + 4 * kLanes <= end; i += 4 * kLanes)
#pragma GCC unroll 4
                for (uint32_t k = 0; k < 4; ++k) {
                    pack(i + k * kLanes, y);
                    for (int o = 0; o < NO; ++o) sums[k] += y[o];
                }
            for (const f64x8& sum : sums) watch.see(sum);
        }
        for (; i + kLanes <= end; i += kLanes) {
            pack(i, y);
            for (int o = 0; o < NO; ++o) watch.see(y[o]);
        }
        if (i == end) return;
        pack(i, y);
        for (int o = 0; o < NO; ++o) watch.see(y[o], end - i);
    }

    [[gnu::noinline, gnu::flatten]] static uint32_t plain(Step& s, const Firing& f) {
        const Setup u{*s.env, s.fixed, s.key};
        const uint32_t first = f.offset, end = first + f.frames;
        Watch watch;
        for (int r = 0, rows = s.channels * s.env->groups; r < rows; ++r) {
            const Row line = Driver::rows(s)[r];
            const auto hold8 = spread<typename P::Coef>(*held<double>(s, r));
            if (line.dense())
                plain_row<true>(line, hold8, u, first, end, watch);
            else
                plain_row<false>(line, hold8, u, first, end, watch);
        }
        return watch.verdict();
    }

    static uint32_t across_frames(Step& s, const Firing& f) {
        const Motion moves = motion(s);
        if constexpr (std::is_empty_v<typename D::State>)
            if (moves == kHeld) return plain(s, f);
        const Setup u{*s.env, s.fixed, s.key};
        Watch watch;
        for (int c = 0, r = 0; c < s.channels; ++c)
            for (int g = 0; g < s.env->groups; ++g, ++r) {
                const Row& line = rows(s)[r];
                typename D::State& st = *state<double>(s, r);
                const typename D::Coef hold = moves == kHeld       ? *held<double>(s, r)
                                              : moves == kFastOnly ? coef<double>(line, u, f.offset)
                                                                   : typename D::Coef{};
                const auto hold8 = spread<typename P::Coef>(hold);
                const auto run = [&]<Motion kMotion>() {
                    const FastRow fast = fast_row<kMotion>(s, c, g);
                    for (uint32_t i = 0; i < f.frames; i += kChunk)
                        chunk<kMotion>(u, line, fast, f.offset + i, f.frames - i < kChunk ? f.frames - i : kChunk, st,
                                       hold, hold8, watch);
                };
                if (moves == kHeld)
                    run.template operator()<kHeld>();
                else if (moves == kMoving)
                    run.template operator()<kMoving>();
                else if constexpr (kHasFast)
                    run.template operator()<kFastOnly>();
            }
        return watch.verdict();
    }

    // Frame by frame on packs of batches: the lane layout.
    template <Motion kMotion> struct Walk {
        using Coef = typename P::Coef;
        const Setup& u;
        const Row& row;
        const FastRow& fast;
        const uint32_t live;  // lanes of this row that are batches
        typename P::State state;
        Coef c;
        Watch watch;

        [[gnu::always_inline]] void set_coef(uint32_t i, Coef& to) {
            if constexpr (kMotion == kMoving) to = Driver::coef<f64x8>(row, u, i);
            if constexpr (kMotion == kFastOnly) P::recoef(fast.value(i, live, watch), u, to);
        }
        [[gnu::always_inline]] void one(uint32_t i, const Coef& coef) {
            f64x8 x[kIn], y[NO];
            row.template inputs<f64x8>(i, x);
            P::shape(tick<f64x8>(x, coef, state, u), x, coef, y, u);
            for (int o = 0; o < NO; ++o) {
                store(row.out[o] + i * kLanes, y[o]);  // an output that holds gets one frame
                watch.see(y[o]);
            }
        }
        // Long coefficients are worked out for a few frames ahead, so that the recursion does not wait for them.
        [[gnu::always_inline]] void ahead(uint32_t first, uint32_t n) {
            Coef coefs[kLanes];
            for (uint32_t k = 0; k < n; ++k) set_coef(first + k, coefs[k] = c);
            for (uint32_t k = 0; k < n; ++k) one(first + k, coefs[k]);
        }
        [[gnu::always_inline]] void run(uint32_t first, uint32_t end) {
            const auto parts = [&](auto work) __attribute__((always_inline)) {
                for (uint32_t i = first; i < end; i += kLanes) work(i, end - i < kLanes ? end - i : kLanes);
            };
            if constexpr (kDeep && kMotion != kHeld)
                parts([&](uint32_t i, uint32_t n) __attribute__((always_inline)) { ahead(i, n); });
            else
                for (uint32_t i = first; i < end; ++i) set_coef(i, c), one(i, c);
        }
    };

    template <Motion kMotion>
    [[gnu::flatten]] static void lanes_of_row(Step& s, const Setup& setup, const Firing& f, int r, Watch& seen) {
        const Pinned<kPar> pinned(setup);
        const Setup u = pinned;
        const Row row = rows(s)[r];
        const int g = r % s.env->groups;
        const FastRow fast = fast_row<kMotion>(s, r / s.env->groups, g);
        Walk<kMotion> walk{u,
                           row,
                           fast,
                           s.env->batches - static_cast<uint32_t>(g) * kLanes,
                           *state<f64x8>(s, r),
                           kMotion == kHeld ? *held<f64x8>(s, r) : coef<f64x8>(row, u, f.offset),
                           seen};
        walk.run(f.offset, f.offset + f.frames);
        *state<f64x8>(s, r) = walk.state;
        seen = walk.watch;
    }

    static uint32_t across_lanes(Step& s, const Firing& f) {
        const Setup u{*s.env, s.fixed, s.key};
        const Motion moves = motion(s);
        Watch watch;
        for (int r = 0; r < s.channels * s.env->groups; ++r)
            if (moves == kHeld)
                lanes_of_row<kHeld>(s, u, f, r, watch);
            else if (moves == kMoving)
                lanes_of_row<kMoving>(s, u, f, r, watch);
            else if constexpr (kHasFast)
                lanes_of_row<kFastOnly>(s, u, f, r, watch);
        return watch.verdict();
    }

    // One frame of one row: nothing is copied or prepared that one frame would not pay for.
    template <class T, bool kSettles, class Inputs>
    [[gnu::always_inline]] static void frame(Step& s, int r, uint32_t i, Carried& c, Inputs inputs) {
        const Setup u{*s.env, s.fixed, s.key};
        const Row& line = rows(s)[r];
        typename N<T>::Coef moving;
        const typename N<T>::Coef* coef = held<T>(s, r);
        if (s.varying) moving = Driver::coef<T>(line, u, i), coef = &moving;
        T x[kIn], y[NO];
        inputs(line, x);
        N<T>::shape(tick<T>(x, *coef, *state<T>(s, r), u), x, *coef, y, u);
        if constexpr (kSettles) flush(y[0]);
        for (int o = 0; o < NO; ++o) {
            store_as(line.out[o] + i * width_of<T>, y[o]);
            if constexpr (width_of<T> == 1)
                c.seen += y[o];
            else if (!all(y[o] - y[o] == T(0.0)))
                c.seen = __builtin_nan("");
        }
        if constexpr (width_of<T> == 1) c.value = y[0];
    }

    template <class T> [[gnu::flatten]] static Carried tick_rows(Step& s, uint32_t i, int64_t, Carried c) {
        for (int r = s.channels * s.env->groups; r-- > 0;)  // what is handed on is of the first row
            frame<T, false>(s, r, i, c, [&](const Row& line, T* x) __attribute__((always_inline)) {
                line.template inputs<T>(i, x);
            });
        return c;
    }

    template <bool kCarried, bool kSettles>
    [[gnu::flatten]] static Carried tick_row(Step& s, uint32_t i, int64_t, Carried c) {
        const double before = c.value;
        frame<double, kSettles>(s, 0, i, c, [&](const Row& line, double* x) __attribute__((always_inline)) {
            kCarried ? line.inputs(i, x, before) : line.template inputs<double>(i, x);
        });
        return c;
    }

    template <class T> static uint32_t fire(Step& s, const Firing& f) {
        if constexpr (width_of<T> == 1)
            return across_frames(s, f);
        else
            return across_lanes(s, f);
    }

    template <class T> static constexpr LayoutOps ops() {
        LayoutOps o{};
        o.fire = fire<T>;
        o.tick = tick_rows<T>;
        o.prepare = prepare<T>;
        o.reset = reset<T>;
        o.state_bytes = sizeof(typename N<T>::State);
        o.coef_bytes = sizeof(typename N<T>::Coef);
        o.lay = lay;
        o.line_bytes = sizeof(Row);
        if constexpr (width_of<T> == 1) {
            o.carry[0][0] = tick_row<false, false>;
            o.carry[0][1] = tick_row<false, true>;
            if constexpr (NI > 0) {
                o.carry[1][0] = tick_row<true, false>;
                o.carry[1][1] = tick_row<true, true>;
            }
        }
        return o;
    }

    // Own heat: whole packs of frames or of batches alike, summed over channels in order.
    static uint32_t heat(Step& s, const Firing& f) {
        for (int g = 0; g < s.env->groups; ++g) {
            double* h = row(s.out[NO], 0, g, f.offset);
            const bool lanes = s.env->width == kLanes;
            const uint32_t n = lanes ? f.frames : (f.frames + kLanes - 1) / kLanes;
            for (uint32_t k = 0; k < n; ++k) {
                const uint32_t i = lanes ? k : k * kLanes;
                f64x8 sum(0.0);
                for (int c = 0; c < s.channels; ++c) {
                    Row line;
                    line.lay(s, c, g);
                    const uint32_t j = f.offset + i;
                    f64x8 x[kIn], y[NO], p[kPar];
                    line.template inputs<f64x8>(j, x);
                    for (int q : D::kNumbers) p[q] = at<f64x8>(line.par[q], s.par[q], j);
                    for (int o = 0; o < NO; ++o) y[o] = load(line.out[o] + j * s.out[o].step);
                    sum += P::heat(x, y, p) / f64x8(s.env->sample_rate);
                }
                store(h + i * s.out[NO].step, sum);
            }
        }
        return kFired;
    }
};

template <template <class> class N>
concept HasHeat = requires(const f64x8* p) { N<f64x8>::heat(p, p, p); };

template <template <class> class N> constexpr NodeType node_type(const amp_node_contract& contract) {
    using R = Driver<N>;
    NodeType t{};
    t.contract = &contract;
    t.ops[0] = R::template ops<double>();
    t.ops[1] = R::template ops<f64x8>();
    t.holds = requires { N<double>::kHolds; };
    t.adds = R::kAdds;
    t.in_place = R::NI == 1 && R::NO == 1;
    t.passes = requires { N<double>::kPasses; };
    t.fast = -1;
    if constexpr (R::kHasFast) t.fast = N<double>::kFast;
    if constexpr (HasHeat<N>) t.ops[0].heat = t.ops[1].heat = R::heat;
    return t;
}

}  // namespace amp::AMP_KNS
