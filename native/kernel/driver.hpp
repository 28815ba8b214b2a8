// Drivers: a node's maths (kernel/node_traits.hpp) is run
//   across frames  (frame layout): coef and shape on eight frames at a time, tick frame by frame on doubles;
//   across lanes   (lane layout):  coef, tick and shape on eight batches at a time, frame by frame;
//   per frame      (feedback):     the same three on one frame.
// Every lane does the same operations in the same order, so all drivers give the same bits.
#pragma once
#include "kernel/frame_layout.hpp"
#include "kernel/lane_layout.hpp"

namespace amp::AMP_KNS {

template <template <class> class N> struct Driver : Traits<N> {
    static_assert(Kernel<N, double> && Kernel<N, f64x8>);
    static_assert(ConsistentOptions<N, double> && ConsistentOptions<N, f64x8>);
    using Node = Traits<N>;
    using Node::NI, Node::NO, Node::kIn, Node::kPar, Node::rows, Node::bind_rows;
    using typename Node::D, typename Node::P, typename Node::Row;

    template <class T> static constexpr bool kLone = width_of<T> == 1 && NO == 1;  // one output value per frame and row

    // Runs one frame of one row, with no set-up that would cost more than the frame itself.
    template <class T, bool kConstant, bool kFlushes, class Inputs>
    [[gnu::always_inline]] static Carried frame(Step& s, int r, int64_t i, Inputs inputs) {
        const Setup u{*s.env, s.fixed, s.key};
        const Row& line = rows(s)[r];
        typename N<T>::Coef moving;
        const typename N<T>::Coef* coef = Node::template constant_coef<T>(s, r);
        if (!kConstant && s.varying) moving = Node::template coef<T>(line, u, i), coef = &moving;
        T x[kIn], y[NO];
        inputs(line, x);
        N<T>::shape(Node::template tick<T>(x, *coef, *Node::template state<T>(s, r), u), x, *coef, y, u);
        if constexpr (kFlushes) flush(y[0]);
        for (int o = 0; o < NO; ++o) store_as(line.out[o] + i * width_of<T>, y[o]);
        if constexpr (kLone<T>) {
            return carry(y[0]);
        } else {
            bool finite = true;
            for (int o = 0; o < NO; ++o) finite = finite && is_finite(y[o]);
            return carry(line.out[0][i * width_of<T>], finite);
        }
    }

    template <class T> [[gnu::flatten]] static Carried tick_rows(Step& s, int64_t i, int64_t, Carried) {
        Carried first{};
        bool finite = true;
        // the first row comes last: its value is passed to the next tick
        for (int r = s.channels * s.env->groups; r-- > 0;) {
            first = frame<T, false, false>(
                s, r, i, [&](const Row& line, T* x) __attribute__((always_inline)) { line.template inputs<T>(i, x); });
            const Carried zeros = first - first;
            finite = finite && zeros[0] == 0.0 && (kLone<T> || zeros[1] == 0.0);
        }
        return carry(first[0], finite);
    }

    template <bool kConstant, bool kCarried, bool kFlushes>
    [[gnu::flatten]] static Carried tick_row(Step& s, int64_t i, int64_t, Carried before) {
        return frame<double, kConstant, kFlushes>(
            s, 0, i, [&](const Row& line, double* x) __attribute__((always_inline)) {
                kCarried ? line.inputs(i, x, before[0]) : line.template inputs<double>(i, x);
            });
    }

    template <class T> static uint32_t fire(Step& s, const Firing& f) {
        if constexpr (width_of<T> == 1)
            return FrameLayout<N>::across_frames(s, f);
        else
            return LaneLayout<N>::across_lanes(s, f);
    }

    template <bool kConstant> static constexpr void carries(TickFn (&ways)[2][2]) {
        ways[0][0] = tick_row<kConstant, false, false>;
        ways[0][1] = tick_row<kConstant, false, true>;
        if constexpr (NI > 0) {
            ways[1][0] = tick_row<kConstant, true, false>;
            ways[1][1] = tick_row<kConstant, true, true>;
        }
    }

    template <class T> static constexpr LayoutOps ops() {
        LayoutOps o{};
        o.fire = fire<T>;
        o.tick = tick_rows<T>;
        o.prepare = Node::template prepare<T>;
        o.reset = Node::template reset<T>;
        o.state_bytes = sizeof(typename N<T>::State);
        o.coef_bytes = sizeof(typename N<T>::Coef);
        o.bind_rows = bind_rows;
        o.row_bytes = sizeof(Row);
        if constexpr (width_of<T> == 1) {
            if constexpr (FrameLayout<N>::kInSeries) o.series = FrameLayout<N>::series;
            carries<false>(o.carry[0]);
            carries<true>(o.carry[1]);
        }
        return o;
    }

    // Own heat, in whole packs of frames or of batches, summed over channels in ascending order.
    static uint32_t heat(Step& s, const Firing& f) {
        for (int g = 0; g < s.env->groups; ++g) {
            double* h = row(s.out[NO], 0, g, f.offset);
            const bool lanes = s.env->width == kLanes;
            const uint32_t n = lanes ? f.frames : (f.frames + kLanes - 1) / kLanes;
            for (uint32_t k = 0; k < n; ++k) {
                const uint32_t i = lanes ? k : k * kLanes;
                f64x8 sum(0.0);
                for (int c = 0; c < s.channels; ++c) {
                    const Row& line = rows(s)[c * s.env->groups + g];
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

// The NodeType of a node of the frame kind, derived from its struct.
template <template <class> class N> constexpr NodeType frame_node(const amp_node_contract& contract) {
    using R = Driver<N>;
    NodeType t{.kind = NodeKind::frame, .contract = &contract};
    t.ops[0] = R::template ops<double>();
    t.ops[1] = R::template ops<f64x8>();
    t.holds = requires { N<double>::kHolds; };
    t.adds = R::kAdds;
    t.in_place = R::NI == 1 && R::NO == 1;
    t.passes = requires { N<double>::kPasses; };
    if constexpr (R::kHasFast) t.fast = N<double>::kFast;
    if constexpr (HasHeat<N>) t.ops[0].heat = t.ops[1].heat = R::heat;
    return t;
}

}  // namespace amp::AMP_KNS
