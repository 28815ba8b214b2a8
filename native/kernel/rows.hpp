// Pointers to frame 0 of the block for one row of a node. They are recomputed when a view has moved.
#pragma once
#include "kernel/packs.hpp"

namespace amp::AMP_KNS {

template <int NI, int NO, int NP, bool kAdds> struct Line {
    static constexpr int kIn = NI > 0 ? NI : 1, kPar = NP > 0 ? NP : 1;

    struct More {
        const double* row[kMostAdded - 1];
        int64_t step[kMostAdded - 1];
        int64_t n;
    };
    struct None {};

    const double* in[kIn];
    int64_t in_step[kIn];
    double* out[NO];
    const double* par[kPar];
    int64_t par_step[kPar];
    [[no_unique_address]] std::conditional_t<kAdds, More, None> more;

    Line() = default;
    void bind(const Step& s, int c, int g) {
        for (int k = 0; k < NI; ++k) in[k] = row(s.in[k], c, g, 0), in_step[k] = s.in[k].step;
        if constexpr (kAdds)
            for (more.n = 0; more.n < s.of_node.n_more; ++more.n)
                more.row[more.n] = row(s.of_node.more[more.n], c, g, 0),
                more.step[more.n] = s.of_node.more[more.n].step;
        for (int k = 0; k < NP; ++k) par[k] = row(s.par[k], c, g, 0), par_step[k] = s.par[k].step;
        for (int k = 0; k < NO; ++k) out[k] = row(s.out[k], c, g, 0);
    }

    // Copies member by member, so that a local copy stays in registers.
    [[gnu::always_inline]] Line(const Line& o) : more(o.more) {
        for (int k = 0; k < NI; ++k) in[k] = o.in[k], in_step[k] = o.in_step[k];
        for (int k = 0; k < NO; ++k) out[k] = o.out[k];
        for (int k = 0; k < NP; ++k) par[k] = o.par[k], par_step[k] = o.par_step[k];
    }
    Line& operator=(const Line&) = default;

    // Whether the frames of all inputs are contiguous.
    bool dense() const {
        bool yes = true;
        for (int k = 0; k < NI; ++k) yes = yes && in_step[k] == 1;
        if constexpr (kAdds)
            for (int k = 0; k < more.n; ++k) yes = yes && more.step[k] == 1;
        return yes;
    }
    template <class T, bool kDense = false, class Index> [[gnu::always_inline]] void inputs(Index i, T* x) const {
        for (int k = 0; k < NI; ++k) x[k] = load_as<T>(in[k] + i * (kDense ? 1 : in_step[k]));
        if constexpr (kAdds)
            for (int k = 0; k < more.n; ++k) x[0] = x[0] + load_as<T>(more.row[k] + i * (kDense ? 1 : more.step[k]));
    }
    // The same, where `carried` is the value of input 0, or of the last edge that input 0 sums.
    [[gnu::always_inline]] void inputs(int64_t i, double* x, double carried) const {
        x[0] = carried;
        if constexpr (kAdds)
            if (more.n > 0) {
                x[0] = in[0][i * in_step[0]];
                for (int k = 0; k < more.n - 1; ++k) x[0] = x[0] + more.row[k][i * more.step[k]];
                x[0] = x[0] + carried;
            }
        for (int k = 1; k < NI; ++k) x[k] = in[k][i * in_step[k]];
    }
};

}  // namespace amp::AMP_KNS
