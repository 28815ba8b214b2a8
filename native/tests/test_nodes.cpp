// Every node type x every case of its contract obeys the laws of kernels, at one ISA level:
//   The bits are the same for any division into blocks, frame by frame, and for eight batches at a time. A parameter
//   that is constant gives the same bits as a tensor of equal values per frame. Silence gives silence where the
//   contract declares it.
// Prints one hash per type; the lines are equal for all ISA levels.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "check.hpp"
#include "dsp/phase.hpp"
#include "kernel/node_traits.hpp"

namespace amp::AMP_KNS {

// Structs that the compiler must reject as nodes of the frame kind: without the recursion, with one of another type, or
// with kFast and no recoef.
template <class T> struct Whole {
    enum Param { kGain, kParams };
    static constexpr int kInputs = 1, kOutputs = 1;
    static constexpr int kNumbers[] = {kGain};
    struct Coef {
        T gain;
    };
    struct State {};
    struct Mid {};
    static Coef coef(const T* p, const Setup&) { return {p[kGain]}; }
    static Mid tick(const T*, const Coef&, State&) { return {}; }
    static void shape(const Mid&, const T* x, const Coef& c, T* y, const Setup&) { y[0] = c.gain * x[0]; }
};
template <class T> struct NoTick : Whole<T> {
    static void tick() = delete;
};
template <class T> struct OtherTick : Whole<T> {
    static int tick(const T*, const typename Whole<T>::Coef&, typename Whole<T>::State&) { return 0; }
};
template <class T> struct OnlyFast : Whole<T> {
    static constexpr int kFast = 0;
};
static_assert(Kernel<Whole, double> && Kernel<Whole, f64x8> && ConsistentOptions<Whole, double>);
static_assert(!Kernel<NoTick, double> && !Kernel<OtherTick, f64x8> && !ConsistentOptions<OnlyFast, double>);

}  // namespace amp::AMP_KNS

namespace amp::AMP_KNS {
extern const NodeType* const node_types[];
extern const uint32_t node_type_count;
}  // namespace amp::AMP_KNS

namespace {

using namespace amp;
using AMP_KNS::node_type_count;
using AMP_KNS::node_types;
using Samples = std::vector<double>;

constexpr uint32_t kBatches = 11;
constexpr double kRate = 48000.0;
constexpr int64_t kPad = 8;  // frames after a row that a kernel may overwrite

enum class Params { held, filled, moving, late };  // late: constant for half of the frames, then changing

struct Run {
    Params params = Params::held;
    int width = 1;
    uint32_t cut = 0;   // frames per firing; 0: all at once
    bool tick = false;  // fire frame by frame with the tick function
    bool silent = false;
    bool poisoned = false;  // one input value is NaN
    bool switched = false;  // late only: the first half is rendered with constant parameters
};

double random_value(uint64_t seed) {
    seed = (seed ^ (seed >> 30)) * 0xbf58476d1ce4e5b9u;
    seed = (seed ^ (seed >> 27)) * 0x94d049bb133111ebu;
    return double((seed ^ (seed >> 31)) >> 11) * 0x1p-52 - 1.0;
}

double stimulus(const std::string& kind, int port, int b, int c, int64_t n) {
    if (kind == "none") return 0.0;
    if (kind == "impulse") return n == 3 + b ? 1.0 : 0.0;
    if (kind == "step") return n >= 5 ? 1.0 : 0.0;
    if (kind == "ramp") return double(n) / 64.0 - b + c;
    if (kind == "gate")
        return port == 2 ? 0.5 + 0.04 * b : (n / (port == 0 ? 150 + 10 * b : 97) + port) % 2 == 0 ? 1.0 : 0.0;
    if (kind == "sine" || kind == "sweep") return std::sin(double(n) * (kind == "sine" ? 0.1 : 1e-4 * double(n)) + b);
    return random_value(uint64_t(n) * 0x9e3779b97f4a7c15u + uint64_t(b * 1000 + c * 100 + port * 10 + 7));
}

// The memory of one step: views into vectors that the rig owns.
class Rig {
public:
    Rig(const NodeType& type, const amp_case_contract& c, const Run& run)
        : type_(type), contract_(*type.contract), case_(c), run_(run) {
        env_.sample_rate = kRate;
        const auto scale = AMP_KNS::make_phase_scale(kRate);
        env_.phase_scale[0] = scale.high, env_.phase_scale[1] = scale.low;
        env_.batches = kBatches, env_.batch_offset = 3, env_.width = run.width;
        env_.groups = int((kBatches + unsigned(run.width) - 1) / unsigned(run.width));
        controller_ = contract_.curve_param != 0;
        step_.env = &env_, step_.channels = int(c.channels), step_.key = 0x1234567u,
        step_.varying = run.params != Params::held;
        bind_inputs();
        bind_parameters();
        bind_outputs();
        bind_memory();
    }

    // Output rows in (port, batch, channel, frame) order, heat last.
    Samples render() {
        const LayoutOps& ops = type_.ops[run_.width == 8];
        if (ops.reset) ops.reset(step_);
        if (!step_.varying && ops.prepare) ops.prepare(step_);
        const uint32_t total = case_.frames, cut = run_.tick ? 1 : run_.cut ? run_.cut : total;
        for (uint32_t start = 0; start < total; start += cut) {
            if (run_.switched) hold_parameters(start + cut <= total / 2);
            const uint32_t frames = total - start < cut ? total - start : cut,
                           offset = start % 4;  // the block began `offset` frames earlier
            move_views(int64_t(start - offset));
            const Firing f{int64_t(start), offset, frames};
            if (ops.bind_rows) ops.bind_rows(step_);
            verdict_ |= run_.tick ? tick(ops, f) : ops.fire(step_, f);
            if (ops.heat) verdict_ |= ops.heat(step_, f);
            move_views(-int64_t(start - offset));
        }
        return collect();
    }
    uint32_t verdict() const { return verdict_; }

private:
    uint32_t tick(const LayoutOps& ops, const Firing& f) {
        step_.verdict = kFired;
        const Carried now = ops.tick(step_, f.offset, f.frame, Carried{}), zeros = now - now;
        return step_.verdict | (zeros[0] + zeros[1] == 0.0 ? kFired : kNonfinite);
    }
    int64_t width() const { return run_.width; }
    int batch(int g, int lane) const {
        const int b = run_.width == 8 ? g * 8 + lane : g;
        return b < int(kBatches) ? b : int(kBatches) - 1;
    }
    View rows(int channels, int64_t frames) {
        const int64_t length = (frames + kPad) * width();
        store_.emplace_back(size_t(length * channels * env_.groups),
                            __builtin_nan(""));  // values read after the end must have no effect
        return {store_.back().data(), length * env_.groups, length, width()};
    }
    template <class F> void fill(const View& v, int channels, int64_t frames, F value) {
        for (int c = 0; c < channels; ++c)
            for (int g = 0; g < env_.groups; ++g)
                for (int64_t n = 0; n < frames; ++n)
                    for (int j = 0; j < run_.width; ++j)
                        v.data[c * v.channel_stride + g * v.group_stride + n * v.step + j] = value(batch(g, j), c, n);
    }
    void bind_inputs() {
        const uint32_t n = controller_ ? 1 : contract_.n_inputs;
        in_.resize(n + 1);
        for (uint32_t k = 0; k < n; ++k) {
            in_[k] = rows(int(case_.channels), case_.frames);
            fill(in_[k], int(case_.channels), case_.frames, [&](int b, int c, int64_t i) {
                if (run_.poisoned && b == 7 && i == 9) return __builtin_nan("");
                return run_.silent ? 0.0
                                   : stimulus(case_.stimulus, int(k), controller_ ? 0 : b, controller_ ? 0 : c, i);
            });
            if (controller_) in_[k].channel_stride = in_[k].group_stride = 0;
        }
        step_.in = in_.data(), step_.n_in = int(n);
        step_.of_node.fed = std::string(case_.stimulus) == "none" ? 0 : (1u << n) - 1;
        const int64_t frames = case_.frames - 20,
                      all = int64_t(case_.channels) * frames;  // the input node has fewer samples than frames
        samples_.resize(size_t(all * kBatches));
        for (int64_t i = 0; i < int64_t(samples_.size()); ++i)
            samples_[size_t(i)] =
                stimulus(case_.stimulus, 0, int(i / all), int(i / frames % case_.channels), i % frames);
        source_ = {samples_.data(), frames, all, 1};
        step_.of_node.samples = &source_, step_.of_node.sample_frames = frames;
    }
    double setting(const amp_param_contract& p) const {
        const std::string text = std::string(" ") + case_.params, key = std::string(" ") + p.key + "=";
        const size_t at = text.find(key);
        if (at == std::string::npos) return p.value;
        const std::string word = text.substr(at + key.size(), text.find(' ', at + 1) - at - key.size());
        for (uint32_t k = 0; k < p.n_choices; ++k)
            if (word == p.choices[k]) return k;
        return std::strtod(word.c_str(), nullptr);
    }
    // Parses "matrix=1,2;3,4" of a case, row by row. The values differ per batch; the number of rows is the fixed
    // value.
    void bind_matrix(uint32_t k) {
        const char* at = std::strstr(case_.params, "matrix=") + std::strlen("matrix=");
        Samples m;
        rows_ = 1;
        for (char* end = nullptr; *at && *at != ' '; at = *end && *end != ' ' ? end + 1 : end) {
            m.push_back(std::strtod(at, &end));
            rows_ += *end == ';';
        }
        fixed_[k] = rows_;
        par_[k] = rows(int(m.size()), 8 / width());
        fill(par_[k], int(m.size()), 8 / width(), [&](int b, int c, int64_t) { return m[size_t(c)] * (1 + 0.01 * b); });
        par_[k].step = 0;
    }
    void bind_parameters() {
        par_.resize(contract_.n_params + 1);
        fixed_.resize(contract_.n_params + 1);
        for (uint32_t k = 0; k < contract_.n_params; ++k) {
            const amp_param_contract& p = contract_.params[k];
            if (p.kind == AMP_PARAM_MATRIX) {
                bind_matrix(k);
                continue;
            }
            const double base = fixed_[k] = setting(p), high = p.high_is_fs ? p.high * kRate : p.high;
            if (p.kind != AMP_PARAM_NUMBER || p.rate == AMP_RATE_FIXED) continue;
            const bool held = run_.params == Params::held;
            par_[k] = rows(int(case_.channels), held ? 8 / width() : int64_t(case_.frames));
            fill(par_[k], int(case_.channels), held ? 8 / width() : int64_t(case_.frames),
                 [&](int b, int c, int64_t n) {
                     double v = base * (1.0 + 0.01 * b) + (p.low < 0 ? 0.001 * c : 0.0);
                     if (run_.params == Params::moving || (run_.params == Params::late && n >= case_.frames / 2))
                         v = v * (1.0 + 0.05 * random_value(uint64_t(n * 64 + b + c))) + (base == 0.0 ? 0.001 : 0.0);
                     return v < p.low ? p.low : v > high ? high : v;
                 });
            if (held) par_[k].step = 0;
        }
        step_.par = par_.data(), step_.fixed = fixed_.data();
    }
    void bind_outputs() {
        out_.resize(contract_.n_outputs + 1);
        for (uint32_t k = 0; k < contract_.n_outputs; ++k) out_[k] = rows(channels_of(k), case_.frames);
        out_.back() = rows(1, case_.frames);
        step_.out = out_.data();
    }
    void bind_memory() {
        const LayoutOps& ops = type_.ops[run_.width == 8];
        const size_t n = size_t(step_.channels) * size_t(env_.groups);
        memory_.resize((ops.state_bytes + ops.coef_bytes + ops.row_bytes) * n + 256);
        const auto align = [](unsigned char* p) { return p + (64 - reinterpret_cast<uintptr_t>(p) % 64) % 64; };
        step_.state = align(memory_.data());
        step_.coef = align(step_.state + ops.state_bytes * n);
        step_.rows = align(step_.coef + ops.coef_bytes * n);
        if (ops.bind_rows) ops.bind_rows(step_);
        if (type_.aux_frames) step_.aux_frames = type_.aux_frames(step_);
        aux_.assign(n * step_.aux_frames * size_t(run_.width), 0.0);
        step_.aux = aux_.data();
    }
    void hold_parameters(bool hold) {
        for (uint32_t k = 0; k < contract_.n_params; ++k)
            if (contract_.params[k].kind != AMP_PARAM_MATRIX) par_[k].step = hold ? 0 : width();
        step_.varying = !hold;
        if (const auto prepare = type_.ops[run_.width == 8].prepare; hold && prepare) prepare(step_);
    }
    int channels_of(uint32_t port) const {
        if (contract_.outputs[port].gather == AMP_SCATTER_MATRIX) return rows_;
        return contract_.outputs[port].channels == AMP_CHANNELS_STEREO ? 2 : step_.channels;
    }
    void move_views(int64_t frames) {
        for (auto* views : {&in_, &par_, &out_})
            for (View& v : *views)
                if (v.data) v.data += frames * v.step;
    }
    Samples collect() const {
        Samples all;
        for (uint32_t k = 0; k < out_.size(); ++k) {
            const bool heat = k == contract_.n_outputs;
            if (heat && !type_.ops[0].heat) break;
            for (int b = 0; b < int(kBatches); ++b)
                for (int c = 0; c < (heat ? 1 : channels_of(k)); ++c) {
                    const double* row = out_[k].data + c * out_[k].channel_stride +
                                        b / run_.width * out_[k].group_stride + b % run_.width;
                    for (int64_t n = 0; n < case_.frames; ++n) all.push_back(row[n * width()]);
                }
        }
        return all;
    }

    const NodeType& type_;
    const amp_node_contract& contract_;
    const amp_case_contract& case_;
    const Run run_;
    Environment env_{};
    Step step_;
    View source_;
    bool controller_ = false;
    int rows_ = 1;  // rows of the matrix
    uint32_t verdict_ = 0;
    std::vector<View> in_, par_, out_;
    std::vector<Samples> store_;
    std::vector<double> fixed_, aux_, samples_;
    std::vector<unsigned char> memory_;
};

void keeps(bool good, const char* id, const amp_case_contract& c, const Run& r, const char* law) {
    ++check::made;
    if (good) return;
    ++check::failed;
    std::printf("%s.%s: %s (params %d, width %d, cut %u, tick %d)\n", id, c.key, law, int(r.params), r.width, r.cut,
                r.tick);
}

bool same_bits(const Samples& a, const Samples& b) {
    return a.size() == b.size() && !std::memcmp(a.data(), b.data(), a.size() * sizeof(double));
}

Samples render(const NodeType& t, const amp_case_contract& c, const Run& r) {
    Rig rig(t, c, r);
    const Samples y = rig.render();
    keeps(rig.verdict() == kFired, t.contract->id, c, r, "a firing reports a fault");
    return y;
}

void check_case(const NodeType& t, const amp_case_contract& c, uint64_t& hash) {
    const char* id = t.contract->id;
    Samples held;
    for (const Params params : {Params::held, Params::filled, Params::moving}) {
        const Samples whole = render(t, c, {params});
        if (params == Params::held) held = whole;
        if (params == Params::filled)
            keeps(same_bits(held, whole), id, c, {params}, "held and filled parameters differ");
        for (const int width : {1, 8})
            for (const Run r :
                 {Run{params, width, 0}, Run{params, width, 1}, Run{params, width, 7}, Run{params, width, 63},
                  Run{params, width, 64}, Run{params, width, 65}, Run{params, width, 0, true}})
                keeps(same_bits(whole, render(t, c, r)), id, c, r, "bits depend on the cut or the layout");
        for (const double y : whole) {
            uint64_t word;
            std::memcpy(&word, &y, sizeof word);
            for (int k = 0; k < 8; ++k) hash = (hash ^ (word >> (8 * k) & 0xff)) * 0x100000001b3u;
        }
    }
    const Samples late = render(t, c, {Params::late});
    for (const int width : {1, 8})
        for (const uint32_t cut : {1u, 63u, 64u}) {
            const Run r{.params = Params::late, .width = width, .cut = cut, .switched = true};
            keeps(same_bits(late, render(t, c, r)), id, c, r, "parameters that begin to move change the frames before");
        }
    if (t.contract->laws & AMP_LAW_LINEAR && t.contract->n_inputs)
        for (const Run r : {Run{.poisoned = true}, Run{.width = 8, .poisoned = true},
                            Run{.cut = 7, .tick = true, .poisoned = true}}) {
            Rig rig(t, c, r);
            rig.render();
            keeps(rig.verdict() == kNonfinite, id, c, r, "a NaN passes unseen");
        }
    if (!(t.contract->laws & AMP_LAW_SILENCE)) return;
    const Run quiet{Params::moving, 1, 0, false, true};
    bool zero = true;
    for (const double y : render(t, c, quiet)) zero = zero && y == 0.0;
    keeps(zero, id, c, quiet, "silence does not stay silence");
}

// Roles name parameters of the required kind, and every built-in type has a NodeKind.
void check_roles(const NodeType& t) {
    const amp_node_contract& c = *t.contract;
    const auto says = [&](bool good, const char* law) { keeps(good, c.id, c.cases[0], {}, law); };
    const auto param = [&](uint32_t place) -> const amp_param_contract& { return c.params[place - 1]; };
    says(t.kind == NodeKind::frame || t.kind == NodeKind::row, "of no kind");
    says(c.io == AMP_IO_NONE || (c.io == AMP_IO_SOURCE ? c.n_inputs == 0 : c.n_inputs > 0),
         "not what its io role says");
    for (const uint32_t place : {c.curve_param, c.channels_param, c.limited_param, c.limit_param})
        says(place <= c.n_params, "a role without a parameter");
    says(!c.curve_param || (c.n_inputs == 0 && param(c.curve_param).kind == AMP_PARAM_TEXT), "its curve has no name");
    says(!c.channels_param || param(c.channels_param).kind == AMP_PARAM_INTEGER, "its channels are not counted");
    says((c.channels_param != 0) == (c.has_channels != 0), "has_channels is not what its role says");
    says(!c.limited_param == !c.limit_param, "a limit without what it limits");
    says(!c.limit_param || param(c.limit_param).rate == AMP_RATE_FIXED, "a limit that moves");
}

// A delay longer than the memory is reported, and the delay line reads the end of its memory.
void check_delay_range(const NodeType& t) {
    const amp_case_contract far{"far", "noise", "delay_s=0.02 max_delay_s=0.01", 1, 700, "exact", 0, ""};
    for (const int width : {1, 8}) {
        const Run r{Params::held, width};
        Rig beyond(t, far, r);
        const Samples clamped = beyond.render();
        keeps(beyond.verdict() == kOutOfRange, t.contract->id, far, r, "a delay beyond the memory passes unseen");
        const double* x = clamped.data();  // batch 0: 480 frames of silence, then the noise
        bool exact = true;
        for (int n = 0; n < 700; ++n) exact = exact && x[n] == (n < 480 ? 0.0 : stimulus("noise", 0, 0, 0, n - 480));
        keeps(exact, t.contract->id, far, r, "the clamped delay is not the longest");
    }
}

}  // namespace

int main() {
    for (uint32_t k = 0; k < node_type_count; ++k) {
        const amp_node_contract& contract = *node_types[k]->contract;
        keeps(k == 0 || std::strcmp(node_types[k - 1]->contract->id, contract.id) < 0, contract.id, contract.cases[0],
              {}, "types are not ordered by id");
        check_roles(*node_types[k]);
        uint64_t hash = 0xcbf29ce484222325u;
        for (uint32_t i = 0; i < contract.n_cases; ++i) check_case(*node_types[k], contract.cases[i], hash);
        if (contract.limited_param) check_delay_range(*node_types[k]);
        std::printf("%-12s %016llx\n", contract.id, static_cast<unsigned long long>(hash));
    }
    return check::finish("test_nodes");
}
