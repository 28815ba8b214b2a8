// Runs a node in the frame layout: row by row, in chunks of kChunk frames that stay in L1.
#pragma once
#include "kernel/node_traits.hpp"

namespace amp::AMP_KNS {

template <template <class> class N> struct FrameLayout : Traits<N> {
    using Node = Traits<N>;
    using Node::kConstant, Node::kFastOnly, Node::kMoving, Node::rows, Node::motion;
    using Node::NO, Node::kIn, Node::kRunsPhase, Node::kHasFast, Node::kRecursive;
    using typename Node::D, typename Node::P, typename Node::Row, typename Node::Motion;

    static constexpr bool kInSeries = Node::NI == 1 && NO == 1 && !Node::kAdds && std::is_empty_v<typename D::State>;

    // Phases of the frames of a chunk, by a running sum of the increments.
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

    // Runs one chunk of one row.
    template <Motion kMotion>
    [[gnu::flatten]] static void chunk(const Setup& u, const Row& given, const FastRow& fast, uint32_t at0, uint32_t n,
                                       typename D::State& st, const typename D::Coef& hold,
                                       const typename P::Coef& hold8, Watch& seen) {
        Watch watch = seen;  // local copies: stores to signals cannot alias them, so they stay in registers
        const Row rows = given;
        constexpr int kPacks = kChunk / kLanes;
        constexpr bool kVarying = kMotion != kConstant;
        typename P::Coef coefs[kVarying ? kPacks : 1];
        typename P::Mid mids[kRecursive ? kPacks : 1];
        const uint32_t packs = (n + kLanes - 1) / kLanes;
        if constexpr (kVarying)
            for (uint32_t k = 0; k < packs; ++k) {
                if constexpr (kMotion == kMoving)
                    coefs[k] = Node::template coef<f64x8>(rows, u, at0 + k * kLanes);
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
                    put(mids[k], j, Node::template tick<double>(x, c, local, u));
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

    // Runs a node without state and with constant parameters: one plain loop per row. kDense: the frames of every input
    // are contiguous.
    template <bool kDense> [[gnu::noinline, gnu::flatten]] static uint32_t plain(Step& s, const Firing& f) {
        const Setup u{*s.env, s.fixed, s.key};
        // four sums, so that consecutive additions do not depend on each other
        f64x8 sums[4] = {f64x8(0.0), f64x8(0.0), f64x8(0.0), f64x8(0.0)};
        const Row* given = Node::rows(s);
        const auto* hold = Node::template constant_coef<double>(s, 0);
        int rows = s.channels * s.env->groups;
        do {
            const Row line = *given++;
            const auto hold8 = spread<typename P::Coef>(*hold++);
            int64_t i = f.offset, left = f.frames;
            f64x8 y[NO];
            const auto pack = [&](int64_t at) __attribute__((always_inline)) {
                f64x8 x[kIn];
                line.template inputs<f64x8, kDense>(at, x);
                P::shape({}, x, hold8, y, u);
                for (int o = 0; o < NO; ++o) store(line.out[o] + at, y[o]);
            };
            for (; left >= 4 * kLanes; left -= 4 * kLanes, i += 4 * kLanes)
#pragma GCC unroll 4
                for (int k = 0; k < 4; ++k) {
                    pack(i + k * kLanes);
                    for (int o = 0; o < NO; ++o) sums[k] += y[o];
                }
            for (; left > 0; left -= kLanes, i += kLanes) {
                pack(i);
                for (int o = 0; o < NO; ++o) sums[0] += first_lanes(y[o], left);
            }
        } while (--rows);
        return is_finite((sums[0] + sums[1]) + (sums[2] + sums[3])) ? kFired : kNonfinite;
    }

    // Runs steps in series for kPacks packs of frames (see LayoutOps::series). Returns false, and writes nothing, if a
    // value is not finite.
    template <int kPacks> [[gnu::flatten]] static bool through(const Op* ops, uint32_t n, int64_t i, int64_t left) {
        const Step& first = *ops->step;
        const int rows = first.channels * first.env->groups;
        f64x8 done[kMostRowsInSeries][kPacks], seen(0.0);
        for (int r = 0; r < rows; ++r) {
            f64x8 x[kPacks], sums[kPacks]{};
            for (int j = 0; j < kPacks; ++j) x[j] = load(Node::rows(first)[r].in[0] + i + j * kLanes);
            for (uint32_t k = 0; k < n; ++k) {
                Step& s = *ops[k].step;
                const Setup u{*s.env, s.fixed, s.key};
                const auto hold8 = spread<typename P::Coef>(*Node::template constant_coef<double>(s, r));
#pragma GCC unroll 8
                for (int j = 0; j < kPacks; ++j) {
                    f64x8 y;
                    P::shape({}, &x[j], hold8, &y, u);
                    x[j] = y;
                    sums[j] += kPacks > 1 ? y : first_lanes(y, left);
                }
            }
            for (int j = 0; j < kPacks; ++j) done[r][j] = x[j], seen += sums[j];
        }
        if (!is_finite(seen)) return false;
        for (int r = 0; r < rows; ++r)
            for (int j = 0; j < kPacks; ++j) store(Node::rows(first)[r].out[0] + i + j * kLanes, done[r][j]);
        return true;
    }

    static uint32_t series(const Op* ops, uint32_t n, const Firing& f) {
        constexpr int kPacks = 8;
        uint32_t i = 0;
        for (; i + kPacks * kLanes <= f.frames; i += kPacks * kLanes)
            if (!through<kPacks>(ops, n, int64_t{f.offset} + i, 0)) return i;
        for (; i < f.frames; i += kLanes)
            if (!through<1>(ops, n, int64_t{f.offset} + i, f.frames - i)) return i;
        return f.frames;
    }

    static uint32_t across_frames(Step& s, const Firing& f) {
        const Motion moves = motion(s);
        if constexpr (std::is_empty_v<typename D::State>)
            if (moves == kConstant) return rows(s)->dense() ? plain<true>(s, f) : plain<false>(s, f);
        const Setup u{*s.env, s.fixed, s.key};
        Watch watch;
        for (int c = 0, r = 0; c < s.channels; ++c)
            for (int g = 0; g < s.env->groups; ++g, ++r) {
                const Row& line = rows(s)[r];
                typename D::State& st = *Node::template state<double>(s, r);
                const typename D::Coef hold = moves == kConstant   ? *Node::template constant_coef<double>(s, r)
                                              : moves == kFastOnly ? Node::template coef<double>(line, u, f.offset)
                                                                   : typename D::Coef{};
                const auto hold8 = spread<typename P::Coef>(hold);
                const auto run = [&]<Motion kMotion>() {
                    const FastRow fast = Node::template fast_row<kMotion>(s, c, g);
                    for (uint32_t i = 0; i < f.frames; i += kChunk)
                        chunk<kMotion>(u, line, fast, f.offset + i, f.frames - i < kChunk ? f.frames - i : kChunk, st,
                                       hold, hold8, watch);
                };
                Node::by_motion(moves, run);
            }
        return watch.verdict();
    }
};

}  // namespace amp::AMP_KNS
