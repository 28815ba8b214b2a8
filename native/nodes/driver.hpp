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
// A node whose output is its one input says `static constexpr bool kPasses = true`. One that makes finite outputs of
// finite parameters says `static constexpr bool kFinite = true`.
//
// A node whose output holds while its parameters hold says `static constexpr bool kHolds = true`.
// A node without signal parameters says `static constexpr Nothing kNumbers`. A node whose State is {U phase}, whose
// Coef has a member `U inc` and whose Mid is {U phase} says `static constexpr bool kPhase = true`: its tick must do
// nothing but return the phase and add inc, and the frame layout replaces it by a sum over eight packs. Its Coef also
// has a member `U offset`, which shape adds to the phase: while it holds, the lane layout adds it once.
//
// The lane layout knows three more things a node may say. `static constexpr int kChoice = <a fixed parameter>, kChoices
// = <how many>` compiles a loop for each value. A node with kFast whose coefficients take long to work out and whose
// recursion is short splits recoef(v, u, c) into rest(half(v, u), c), with a type `Half` between. A node without inputs
// whose shape is seldom more than a short formula has
// `static mask_of<T> calm(const Mid&, const Coef&, T* y, const Setup&)`: that formula, and lanes for which it may not
// do.
#pragma once
#include <utility>

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
    static constexpr bool kHalves = requires { typename D::Half; };
    static constexpr bool kFinite = requires { D::kFinite; };
    static constexpr bool kCalm =
        requires(typename P::Mid m, typename P::Coef c, f64x8* y, Setup u) { P::calm(m, c, y, u); };
    static constexpr int kChoices = [] {
        if constexpr (requires { D::kChoices; }) return D::kChoices;
        return 1;
    }();
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
    [[gnu::always_inline]] static typename N<T>::Coef coef(const Row& row, const Setup& u, int64_t i) {
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

    // Frames i .. i + n - 1 of the parameter that moves, in eight batches, and which were inside throughout.
    [[gnu::noinline, gnu::flatten]] static m8 values(const FastRow& row, f64x8* v, int64_t i, int64_t n) {
        const double* const from = row.fused ? row.modulator : row.values;
        const int64_t step = row.step;
        const f64x8 low(row.low), high(row.high), scale(row.scale), offset(row.offset);
        m8 above[2] = {true, true}, below[2] = {true, true};  // taking turns, so that none waits for the one before
        const auto each = [&](auto value) __attribute__((always_inline)) {
            const auto frame = [&](int64_t k, int turn) __attribute__((always_inline)) {
                const f64x8 y = v[k] = value(k);
                above[turn] = le_too(above[turn], low, y), below[turn] = le_too(below[turn], y, high);
                one_loop();
            };
            for (int64_t k = 0; k + 1 < n; k += 2) frame(k, 0), frame(k + 1, 1);
            if (n % 2) frame(n - 1, 0);
            return above[0] & above[1] & below[0] & below[1];
        };
        const auto read = [=](int64_t k) __attribute__((always_inline)) { return load(from + (i + k) * step); };
        if (!row.fused) {
            for (int64_t k = 0; k < n; ++k) v[k] = read(k);
            return m8(true);
        }
        const f64x8 base = load(row.values);
        if (!from) return each([&](int64_t) { return base; });
        if (row.multiply) return each([&](int64_t k) { return base * (offset + scale * read(k)); });
        return each([&](int64_t k) { return base + scale * read(k); });
    }

    // Frame by frame on eight batches: the lane layout, and lanes inside feedback components.
    template <Motion kMotion> struct Walk {
        using T = f64x8;
        using Coef = typename P::Coef;
        static constexpr bool kFast = kMotion == kFastOnly, kAhead = kHalves && kMotion != kHeld;
        static constexpr int64_t kLead = 8;  // frames, a power of two
        const Setup u;
        const Row rows;
        typename P::State state;
        Coef c;
        Watch watch;

        [[gnu::always_inline]] void set_coef(int64_t i, const T& fast, Coef& to) {
            if constexpr (kMotion == kMoving) to = Driver::coef<T>(rows, u, i);
            if constexpr (kFast) P::recoef(fast, u, to);
        }
        [[gnu::always_inline]] void put(int64_t i, const T* y) {
            for (int o = 0; o < NO; ++o) {
                store(rows.out[o] + i * kLanes, y[o]);  // an output that holds gets one frame
                if constexpr (!kFinite) watch.see(y[o]);
            }
            one_loop();
        }
        [[gnu::always_inline]] void one(int64_t i, const Coef& coef) {
            T x[kIn], y[NO];
            rows.template inputs<T>(i, x);
            P::shape(tick<T>(x, coef, state, u), x, coef, y, u);
            put(i, y);
        }
        // Long coefficients are worked out ahead of the recursion, which does not wait for them; in two halves, as no
        // chain must be longer than what the core looks ahead.
        [[gnu::always_inline]] void ahead(int64_t i, int64_t n, const T* fast) {
            typename P::Half halves[kLead];
            Coef coefs[kLead];
            for (int64_t k = 0; k < kLead; ++k) coefs[k] = c;
            for (int64_t k = -2 * kLead; k < n; ++k) {
                const int64_t slot = k & (kLead - 1), next = k + kLead, last = next + kLead;
                if (k >= 0) one(i + k, coefs[slot]);
                if (next >= 0 && next < n) {
                    if constexpr (kFast)
                        P::rest(halves[slot], coefs[slot]);
                    else
                        set_coef(i + next, *fast, coefs[slot]);
                }
                if constexpr (kFast)
                    if (last < n) halves[slot] = P::half(fast[last], u);
            }
        }
        // Where frames are seldom more than calm, those that are come after the others: no branch among them.
        [[gnu::always_inline]] void calm(int64_t i, int64_t n, const T* fast) {
            static_assert(NI == 0 && kChunk <= 64);
            typename P::Mid mids[kChunk + 1];
            uint64_t others = 0;
            for (int64_t k = 0; k < n; ++k) {
                T y[NO];
                set_coef(i + k, fast[kFast ? k : 0], c);
                mids[k] = tick<T>(nullptr, c, state, u);
                others |= uint64_t{any(P::calm(mids[k], c, y, u))} << k;
                put(i + k, y);
            }
            if constexpr (kRunsPhase) mids[n].phase = state.phase;
            for (; others; others &= others - 1) {
                const int64_t k = __builtin_ctzll(others);
                T y[NO];
                set_coef(i + k, fast[kFast ? k : 0], c);
                if constexpr (kRunsPhase) c.inc = mids[k + 1].phase - mids[k].phase;  // not worked out again
                P::shape(mids[k], nullptr, c, y, u);
                put(i + k, y);
            }
        }
        [[gnu::always_inline]] void run(const FastRow& row, uint32_t live, int64_t first, int64_t end) {
            T fast[kFast ? kChunk : 1];  // the values of a chunk
            [[maybe_unused]] u64x8 offset;
            if constexpr (kRunsPhase && kMotion != kMoving) {  // one sum less per frame
                state.phase += offset = c.offset;
                c.offset = u64x8(0);
            }
            for (int64_t i = first; i < end; i += kChunk) {
                const int64_t n = end - i < int64_t{kChunk} ? end - i : int64_t{kChunk};
                if constexpr (kFast) watch.fused(values(row, fast, i, n), live);
                if constexpr (kAhead)
                    ahead(i, n, fast);
                else if constexpr (kCalm)
                    calm(i, n, fast);
                else
#pragma GCC unroll 4
                    for (int64_t k = 0; k < n; ++k) set_coef(i + k, fast[kFast ? k : 0], c), one(i + k, c);
            }
            if constexpr (kRunsPhase && kMotion != kMoving) state.phase -= offset;
        }
    };

    // One row, with a choice among few as a constant, so that no frame asks for it.
    template <Motion kMotion, int kChosen>
    [[gnu::flatten]] static void lanes_of_row(Step& s, const Setup& setup, const Firing& f, int r, Watch& seen) {
        Pinned<kPar> pinned(setup);
        Row mine = rows(s)[r];
        if constexpr (kChoices > 1) pinned.fixed[D::kChoice] = kChosen;
        if constexpr (kAdds) mine.more.n = kChosen;
        const int g = r % s.env->groups;
        Walk<kMotion> walk{pinned,
                           mine,
                           *state<f64x8>(s, r),
                           kMotion == kHeld ? *held<f64x8>(s, r) : coef<f64x8>(mine, pinned, f.offset),
                           {}};
        walk.run(fast_row<kMotion>(s, r / s.env->groups, g), s.env->batches - static_cast<uint32_t>(g) * kLanes,
                 f.offset, int64_t{f.offset} + f.frames);
        *state<f64x8>(s, r) = walk.state;
        seen.add(walk.watch);
    }
    template <Motion kMotion, int... kChosen>
    static void with_choice(std::integer_sequence<int, kChosen...>, int chosen, Step& s, const Setup& u,
                            const Firing& f, int r, Watch& seen) {
        ((chosen == kChosen ? lanes_of_row<kMotion, kChosen>(s, u, f, r, seen) : void()), ...);
    }

    static uint32_t across_lanes(Step& s, const Firing& f) {
        const Setup u{*s.env, s.fixed, s.key};
        const Motion moves = motion(s);
        Watch watch;
        int chosen = 0;
        if constexpr (kChoices > 1) chosen = static_cast<int>(s.fixed[D::kChoice]);
        for (int r = 0; r < s.channels * s.env->groups; ++r) {
            if constexpr (kAdds) chosen = static_cast<int>(rows(s)[r].more.n);
            const auto run = [&]<Motion kMotion>() {
                with_choice<kMotion>(std::make_integer_sequence<int, kAdds ? kMostAdded : kChoices>(), chosen, s, u, f,
                                     r, watch);
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

    template <class T> static constexpr bool kLone = width_of<T> == 1 && NO == 1;  // one number per frame and row

    // One frame of one row: nothing is copied or prepared that one frame would not pay for.
    template <class T, bool kSettles, class Inputs>
    [[gnu::always_inline]] static Carried frame(Step& s, int r, int64_t i, Inputs inputs) {
        const Setup u{*s.env, s.fixed, s.key};
        const Row& line = rows(s)[r];
        typename N<T>::Coef moving;
        const typename N<T>::Coef* coef = held<T>(s, r);
        if (s.varying) moving = Driver::coef<T>(line, u, i), coef = &moving;
        T x[kIn], y[NO];
        inputs(line, x);
        N<T>::shape(tick<T>(x, *coef, *state<T>(s, r), u), x, *coef, y, u);
        if constexpr (kSettles) flush(y[0]);
        for (int o = 0; o < NO; ++o) store_as(line.out[o] + i * width_of<T>, y[o]);
        if constexpr (kLone<T>) {
            return carry(y[0]);
        } else {
            bool finite = true;
            for (int o = 0; o < NO; ++o) finite = finite && all(y[o] - y[o] == T(0.0));
            return carry(line.out[0][i * width_of<T>], finite);
        }
    }

    template <class T> [[gnu::flatten]] static Carried tick_rows(Step& s, int64_t i, int64_t, Carried) {
        Carried first{};
        bool finite = true;
        for (int r = s.channels * s.env->groups; r-- > 0;) {  // what is handed on is of the first row
            first = frame<T, false>(
                s, r, i, [&](const Row& line, T* x) __attribute__((always_inline)) { line.template inputs<T>(i, x); });
            const Carried zeros = first - first;
            finite = finite && zeros[0] == 0.0 && (kLone<T> || zeros[1] == 0.0);
        }
        return carry(first[0], finite);
    }

    template <bool kCarried, bool kSettles>
    [[gnu::flatten]] static Carried tick_row(Step& s, int64_t i, int64_t, Carried before) {
        return frame<double, kSettles>(s, 0, i, [&](const Row& line, double* x) __attribute__((always_inline)) {
            kCarried ? line.inputs(i, x, before[0]) : line.template inputs<double>(i, x);
        });
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
