// Runs a node in the lane layout: row by row, eight batches at a time.
#pragma once
#include <utility>

#include "kernel/node_traits.hpp"

namespace amp::AMP_KNS {

template <template <class> class N> struct LaneLayout : Traits<N> {
    using Node = Traits<N>;
    using Node::kFinite, Node::kHasFastPath, Node::kChoices, Node::kConstant, Node::kFastOnly, Node::kMoving;
    using Node::NI, Node::NO, Node::kIn, Node::kPar, Node::kAdds, Node::kRunsPhase, Node::kHasFast, Node::kHalves;
    using Node::rows, Node::motion;
    using typename Node::D, typename Node::P, typename Node::Row, typename Node::Motion;

    // Writes frames i .. i + n - 1 of the kFast parameter in eight batches to v; returns the batches in which all of
    // them are in range.
    [[gnu::noinline, gnu::flatten]] static m8 values(const FastRow& row, f64x8* v, int64_t i, int64_t n) {
        const double* const from = row.fused ? row.modulator : row.values;
        const int64_t step = row.step;
        const f64x8 low(row.low), high(row.high), scale(row.scale), offset(row.offset);
        // two alternate, so that consecutive comparisons do not depend on each other
        m8 above[2] = {true, true}, below[2] = {true, true};
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

    // Runs eight batches frame by frame: in the lane layout, and in feedback components with lanes.
    template <Motion kMotion> struct Walk {
        using T = f64x8;
        using Coef = typename P::Coef;
        static constexpr bool kFast = kMotion == kFastOnly, kAhead = kHalves && kMotion != kConstant;
        static constexpr int64_t kLead = 8;  // frames by which coefficients are computed ahead; a power of two
        const Setup u;
        const Row rows;
        typename P::State state;
        Coef c;
        Watch watch;

        [[gnu::always_inline]] void set_coef(int64_t i, const T& fast, Coef& to) {
            if constexpr (kMotion == kMoving) to = Node::template coef<T>(rows, u, i);
            if constexpr (kFast) P::recoef(fast, u, to);
        }
        [[gnu::always_inline]] void put(int64_t i, const T* y) {
            for (int o = 0; o < NO; ++o) {
                store(rows.out[o] + i * kLanes, y[o]);  // an output that is constant over frames is fired for one frame
                if constexpr (!kFinite) watch.see(y[o]);
            }
            one_loop();
        }
        [[gnu::always_inline]] void one(int64_t i, const Coef& coef) {
            T x[kIn], y[NO];
            rows.template inputs<T>(i, x);
            P::shape(Node::template tick<T>(x, coef, state, u), x, coef, y, u);
            put(i, y);
        }
        // Computes coefficients that take long kLead and 2 kLead frames ahead of the recursion, in two halves, so that
        // neither the recursion nor one half forms a dependency chain longer than the CPU's reorder window.
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
        // Runs the fast path for all frames, then shape for the frames that need it, so that the first loop has no
        // branch.
        [[gnu::always_inline]] void with_fast_path(int64_t i, int64_t n, const T* fast) {
            static_assert(NI == 0 && kChunk <= 64);
            typename P::Mid mids[kChunk + 1];
            uint64_t others = 0;
            for (int64_t k = 0; k < n; ++k) {
                T y[NO];
                set_coef(i + k, fast[kFast ? k : 0], c);
                mids[k] = Node::template tick<T>(nullptr, c, state, u);
                others |= uint64_t{any(P::fast_path(mids[k], c, y, u))} << k;
                put(i + k, y);
            }
            if constexpr (kRunsPhase) mids[n].phase = state.phase;
            for (; others; others &= others - 1) {
                const int64_t k = __builtin_ctzll(others);
                T y[NO];
                set_coef(i + k, fast[kFast ? k : 0], c);
                // the increment follows from the phases
                if constexpr (kRunsPhase) c.inc = mids[k + 1].phase - mids[k].phase;
                P::shape(mids[k], nullptr, c, y, u);
                put(i + k, y);
            }
        }
        [[gnu::always_inline]] void run(const FastRow& row, uint32_t live, int64_t first, int64_t end) {
            T fast[kFast ? kChunk : 1];  // values of the kFast parameter in this chunk
            [[maybe_unused]] u64x8 offset;
            if constexpr (kRunsPhase && kMotion != kMoving) {  // the offset is added once instead of once per frame
                state.phase += offset = c.offset;
                c.offset = u64x8(0);
            }
            for (int64_t i = first; i < end; i += kChunk) {
                const int64_t n = end - i < int64_t{kChunk} ? end - i : int64_t{kChunk};
                if constexpr (kFast) watch.fused(values(row, fast, i, n), live);
                if constexpr (kAhead)
                    ahead(i, n, fast);
                else if constexpr (kHasFastPath)
                    with_fast_path(i, n, fast);
                else
#pragma GCC unroll 4
                    for (int64_t k = 0; k < n; ++k) set_coef(i + k, fast[kFast ? k : 0], c), one(i + k, c);
            }
            if constexpr (kRunsPhase && kMotion != kMoving) state.phase -= offset;
        }
    };

    // Runs one row. kChosen (a fixed parameter with few values, or the number of summed edges) is a compile-time
    // constant, so that the loop does not branch on it.
    template <Motion kMotion, int kChosen>
    [[gnu::flatten]] static void lanes_of_row(Step& s, const Setup& setup, const Firing& f, int r, Watch& seen) {
        Pinned<kPar> pinned(setup);
        Row mine = rows(s)[r];
        if constexpr (kChoices > 1) pinned.fixed[D::kChoice] = kChosen;
        if constexpr (kAdds) mine.more.n = kChosen;
        const int g = r % s.env->groups;
        Walk<kMotion> walk{pinned,
                           mine,
                           *Node::template state<f64x8>(s, r),
                           kMotion == kConstant ? *Node::template constant_coef<f64x8>(s, r)
                                                : Node::template coef<f64x8>(mine, pinned, f.offset),
                           {}};
        walk.run(Node::template fast_row<kMotion>(s, r / s.env->groups, g),
                 s.env->batches - static_cast<uint32_t>(g) * kLanes, f.offset, int64_t{f.offset} + f.frames);
        *Node::template state<f64x8>(s, r) = walk.state;
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
            Node::by_motion(moves, run);
        }
        return watch.verdict();
    }
};

}  // namespace amp::AMP_KNS
