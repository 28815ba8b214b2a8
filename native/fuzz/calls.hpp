// Random sequences of calls of the C API on one runtime, drawn from bytes. A second runtime receives only the accepted
// calls; it uses the plan's own order, one block size, no taps, snapshots or cancelling. Both must give the same bits.
// Every refused call must report an error and change nothing. A broken rule aborts the process.
#pragma once
#include <algorithm>
#include <functional>
#include <optional>

#include "rig.hpp"
#include "trail.hpp"

namespace calls {

using blob::Bytes;
using blob::Tensor;

inline constexpr int64_t kMostFrames = 3000;  // per sequence of calls
inline constexpr int kMostCalls = 60;

// Equal in every value, or NaN in both.
inline bool same(const std::vector<double>& a, const std::vector<double>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](double x, double y) {
        return std::memcmp(&x, &y, sizeof x) == 0 || (std::isnan(x) && std::isnan(y));
    });
}

class Sequence {
public:
    explicit Sequence(Source& s) : s_(s) { create(); }
    void run() {
        for (int i = 0; i < kMostCalls && !s_.empty() && frames_left_ > 0; ++i) (this->*s_.of(kCalls))();
        if (configured_ && !stopped_) execute_plainly(64);
    }
    long executed() const { return executed_; }  // frames whose samples were compared

private:
    using Runtime = rig::Runtime;
    using Call = std::function<amp_status(Runtime&)>;
    struct Kept {
        Bytes blob;
        std::vector<Call> log;
        uint32_t batches, flags;
        int64_t position;
    };

    // Checks that a call's status is in range and explained by the error record; returns it.
    amp_status checked(amp_status s) {
        subject_->note(s);
        const amp_error& e = subject_->error;
        must(s <= 0 && s >= AMP_E_FULL && amp_status_name(s), "a status out of range");
        must(s != AMP_E_INTERNAL, "an internal error");
        if (s) tell("  refused: %s", e.message);
        must(e.code == s, "last_error is of another call");
        must((s != AMP_OK) == (e.message[0] != '\0'), "a failure without a message, or a message without one");
        must(!configured_ || amp_graph_runtime_position(subject_->raw) == position_, "the position moved");
        return s;
    }
    // Makes a call on the tested runtime and, if it was accepted, on the other.
    amp_status make(const Call& call) {
        const amp_status s = checked(call(*subject_));
        if (s) return s;
        must(call(*plain_) == AMP_OK, "a call was accepted once and refused once");
        log_.push_back(call);
        if (stopped_)  // at frame 0 setting a value rebuilds the shards
            stopped_ = amp_graph_runtime_execute(subject_->raw, 0, nullptr, nullptr, 0) != AMP_OK;
        return s;
    }

    void create() {
        static const auto all = [] {
            auto graphs = graphs::all();
            graphs.push_back(graphs::choir(9));
            return graphs;
        }();
        graph_ = &s_.of(all);
        const Bytes bytes = blob::descriptors(*graph_);
        trail.clear();
        tell("graph %d", static_cast<int>(graph_ - all.data()));
        subject_ = std::make_unique<Runtime>(bytes);
        must(subject_->raw, "a graph was refused");
        fresh_plain();
        configured_ = stopped_ = false;
        choose_schedule(bytes);
        kept_.reset();
        bound_ = nullptr;
        position_ = 0;
    }
    void fresh_plain() {
        plain_ = std::make_unique<Runtime>(*graph_);
        must(amp_graph_runtime_set_schedule(plain_->raw, nullptr, 0) == AMP_OK, "the plan's own order was refused");
        log_.clear();
    }
    void choose_schedule(const Bytes& descriptors) {
        amp_bytes derived{};
        const amp_status s = amp_schedule_derive(descriptors.data(), descriptors.size(), &derived, nullptr);
        must(s == AMP_OK, "no schedule was derived");
        Bytes blob(static_cast<const uint8_t*>(derived.data), static_cast<const uint8_t*>(derived.data) + derived.size);
        amp_bytes_free(&derived);
        const uint32_t how = s_.below(4);
        tell("schedule %u", how);
        const auto set = [&](const Bytes& b) {
            return checked(amp_graph_runtime_set_schedule(subject_->raw, b.empty() ? nullptr : b.data(), b.size()));
        };
        if (how == 0) must(set({}) == AMP_OK, "the plan's own order was refused");
        if (how == 1) must(set(blob) == AMP_OK, "the derived schedule was refused");
        blob[s_.below(255) * blob.size() / 255] ^= static_cast<uint8_t>(1 + s_.below(255));
        if (how == 2) must(set(blob) != AMP_OK, "a damaged schedule was taken");
    }
    void create_from_damaged() {
        Bytes bytes = blob::descriptors(*graph_);
        bytes[s_.below(255) * bytes.size() / 255] ^= static_cast<uint8_t>(1 + s_.below(255));
        if (s_.one_in(2)) blob::reseal(bytes);
        const Runtime r(bytes);
        must((r.raw == nullptr) == (r.status != AMP_OK), "a runtime beside a failure, or neither");
        must((r.status != AMP_OK) == (r.error.message[0] != '\0'), "create: a failure without a message");
    }

    void configure() {
        static constexpr uint32_t kBatches[] = {1, 2, 4, 5, 9}, kBlocks[] = {0, 1, 7, 16, 63, 64, 65, 500};
        const uint32_t batches = s_.of(kBatches), block = s_.of(kBlocks), flags = s_.below(16);
        const amp_config c{sizeof c, batches, block, flags, 1 + s_.below(8), 0};
        tell("configure batches %u block %u flags %u", batches, block, flags);
        const amp_status s = amp_graph_runtime_configure(subject_->raw, &c);
        if (s == AMP_OK) position_ = 0, stopped_ = false, configured_ = true, batches_ = batches, flags_ = flags;
        // configure drops the old configuration before it refuses values set for other batches; it refuses bound
        // samples first.
        const Call call = [batches, flags, s](Runtime& r) {
            return r.configure(batches, 64, flags) == s ? AMP_OK : AMP_E_INTERNAL;
        };
        must(call(*plain_) == AMP_OK, "configure was accepted once and refused once");
        log_.push_back(call);
        if (checked(s)) {
            amp_node_metrics m{sizeof m, 0, 0, 0, 0, 0, 0, 0};
            configured_ &= amp_graph_runtime_metrics(subject_->raw, "out", &m) == AMP_OK;
            return;
        }
        if (has_curves()) make([](Runtime& r) { return r.history(graphs::voice_curves()); });
    }
    void configure_wrongly() {
        amp_config c{sizeof c, 1, 64, 0, 0, 0};
        const uint32_t how = s_.below(4);
        if (how == 0) c.batches = 0;
        if (how == 1) c.block_frames = 0xffffffffu;
        if (how == 2) c.struct_size = 4;
        must(checked(amp_graph_runtime_configure(subject_->raw, how == 3 ? nullptr : &c)) == AMP_E_INVALID_ARG,
             "a wrong configuration was taken");
    }

    bool has_curves() const { return graph_->nodes[0].type == "controller"; }
    uint32_t channels(const char* node, const char* port = nullptr) const {
        return static_cast<uint32_t>(std::max(0, amp_graph_runtime_port_channels(subject_->raw, node, port)));
    }

    void set_param() {
        static constexpr double kValues[] = {0.5, 0.0, 1.0, -0.7, 3.0, 100.0, 1e6, 1e300, NAN, INFINITY};
        const blob::Node& node = s_.of(graph_->nodes);
        const amp_node_contract* c = amp_describe_node(node.type.c_str());
        if (!c->n_params) return;
        const std::string key = c->params[s_.below(c->n_params)].key, name = node.name;
        Tensor t{
            s_.one_in(3) ? batches_ : 1, s_.one_in(3) ? 1 + s_.below(3) : 1, s_.one_in(3) ? 1 + s_.below(40) : 1u, {}};
        t.data.assign(size_t{t.batches} * t.channels * t.frames, s_.of(kValues));
        t.data.back() += 0.25 * s_.below(3);
        const int64_t at = s_.one_in(2) ? position_ + s_.below(255) - 8 : -1;
        tell("set_param %s.%s (%u, %u, %d) %g ... %g at %lld", name.c_str(), key.c_str(), t.batches, t.channels,
             static_cast<int>(t.frames), t.data[0], t.data.back(), static_cast<long long>(at));
        make([=](Runtime& r) { return r.set(name.c_str(), key.c_str(), t, at); });
    }
    void set_param_wrongly() {
        std::vector<double> one{0.5};
        amp_buffer b = rig::view(one, 1, 1, 1);
        const char* node = graph_->nodes[0].name.c_str();
        const uint32_t how = s_.below(6);
        if (how == 1) b.frames = -1;
        if (how == 2) b.batches = b.channels = 0xffffffffu;
        if (how == 3) b.data = nullptr;
        if (how == 4) b.struct_size = 0;
        const amp_status s = amp_graph_runtime_set_param(subject_->raw, how == 0 ? "nobody" : node,
                                                         how == 5 ? nullptr : "nothing", &b, -1);
        must(checked(s) != AMP_OK, "a wrong parameter was taken");
    }
    void clear_params() {
        tell("clear_params");
        make([](Runtime& r) { return r.note(amp_graph_runtime_clear_params(r.raw)); });
    }
    void history() {
        auto curves = graphs::voice_curves();
        if (s_.one_in(2)) curves.pop_back();
        tell("history of %d curves", static_cast<int>(curves.size()));
        const bool fits = has_curves() && curves.size() == 2 && (!configured_ || position_ == 0);
        must((make([=](Runtime& r) { return r.history(curves); }) == AMP_OK) == fits,
             "a history was taken that does not fit, or refused though it does");
    }
    void bind() {
        static std::vector<double> samples(9 * 2 * 500, 0.25);
        const uint32_t batches = s_.one_in(2) ? batches_ : 1, wide = s_.one_in(6) ? 3 : 2;
        const int64_t frames = 1 + 2 * s_.below(200);
        const blob::Node& node = s_.of(graph_->nodes);
        tell("bind %s (%u, %u, %d)", node.name.c_str(), batches, wide, static_cast<int>(frames));
        const Call call = [=, name = node.name](Runtime& r) {
            const amp_buffer b = rig::view(samples, batches, wide, frames);
            return r.note(amp_graph_runtime_bind_input(r.raw, name.c_str(), wide == 3 ? nullptr : &b));
        };
        if (make(call) == AMP_OK) bound_ = call;
    }

    void cancel() {
        tell("cancel");
        amp_graph_runtime_cancel(subject_->raw);
        cancelled_ = configured_ || cancelled_;
    }
    void execute() { execute_plainly(s_.below(4) ? 1 + s_.below(90) : s_.below(3) * 250); }

    // Renders with the output and a tap. Both runtimes must deliver the same samples and stop for the same reason.
    void execute_plainly(int64_t frames) {
        frames = std::clamp<int64_t>(frames, 0, std::max<int64_t>(0, frames_left_));
        const char* tapped = s_.of(graph_->nodes).name.c_str();
        std::vector<double> out(batches_ * channels("out") * static_cast<size_t>(frames)), tap, want;
        tap.resize(batches_ * channels(tapped) * static_cast<size_t>(frames));
        const amp_buffer b = rig::view(out, batches_, channels("out"), frames);
        const amp_tap t{sizeof t, 0, tapped, nullptr, rig::view(tap, batches_, channels(tapped), frames)};
        const bool possible = configured_ && !stopped_;
        tell("execute %d at %lld", static_cast<int>(frames), static_cast<long long>(position_));
        const amp_status s = amp_graph_runtime_execute(subject_->raw, frames, &b, &t, s_.below(2));
        const int64_t now = configured_ ? amp_graph_runtime_position(subject_->raw) : position_;
        const int64_t delivered = now - position_;
        must(delivered >= 0 && delivered <= frames && (s || delivered == frames),
             "not what was asked for was delivered");
        position_ = now;
        checked(s);
        if (!possible || s == AMP_E_PENDING) {
            must(s != AMP_OK && delivered == 0, "a render that cannot be went on");
            return;
        }
        frames_left_ -= frames + 1;
        compare(s, out, frames);
    }
    void compare(amp_status s, const std::vector<double>& out, int64_t frames) {
        std::vector<double> want(out.size());
        const amp_buffer b = rig::view(want, batches_, channels("out"), frames);
        const auto call = [frames](Runtime& r) {
            return r.note(amp_graph_runtime_execute(r.raw, frames, nullptr, nullptr, 0));
        };
        const amp_status other = plain_->note(amp_graph_runtime_execute(plain_->raw, frames, &b, nullptr, 0));
        must(other == s, "one of two equal renders stopped");
        stopped_ = s != AMP_OK;
        if (stopped_) {
            must(plain_->error.frame == subject_->error.frame && !std::strcmp(plain_->error.node, subject_->error.node),
                 "two equal renders stopped in different places");
            return;
        }
        must(same(out, want), "other samples than a plain render gives");
        log_.push_back(call);
        executed_ += frames;
    }
    void execute_wrongly() {
        std::vector<double> out(64);
        amp_buffer b = rig::view(out, 1, 1, 4);
        amp_tap t{sizeof t, 0, "nobody", nullptr, b};
        const uint32_t how = s_.below(6);
        if (how == 1) b.channels = 77;
        if (how == 2) b.batches = 1000;
        if (how == 3) t.struct_size = 1;
        if (how == 4) t.node = nullptr;
        const amp_status s = amp_graph_runtime_execute(subject_->raw, how == 0 ? -5 : 8, how < 3 ? &b : nullptr,
                                                       how == 5 ? nullptr : &t, how < 3 ? 0 : 1);
        must(checked(s) != AMP_OK, "a wrong execute was done");
    }

    void look() {
        const char* node = s_.of(graph_->nodes).name.c_str();
        amp_node_metrics m{};
        m.struct_size = s_.one_in(8) ? 0 : sizeof m;
        must((checked(amp_graph_runtime_metrics(subject_->raw, node, &m)) == AMP_OK) == (configured_ && m.struct_size),
             "metrics before configure, or none after");
        std::vector<amp_node_metrics> every(graph_->nodes.size() - s_.one_in(8), {sizeof m, 0, 0, 0, 0, 0, 0, 0});
        const bool room = every.size() == graph_->nodes.size();
        must((checked(amp_graph_runtime_all_metrics(subject_->raw, every.data(), every.size())) == AMP_OK) ==
                 (configured_ && room),
             "metrics of all nodes before configure or into too few records, or none after");
        amp_trace_event events[4];
        size_t count = 0;
        uint64_t dropped = 0;
        must(checked(amp_graph_runtime_trace(subject_->raw, events, 4, &count, &dropped)) == AMP_OK, "no trace");
        double own[4];
        checked(amp_graph_runtime_heat(subject_->raw, node, own, nullptr, own, 4, &count));
    }
    void snapshot() {
        tell("snapshot");
        const Bytes b = subject_->snapshot();
        must(b.empty() == (checked(subject_->status) != AMP_OK), "an empty snapshot");
        must(b.empty() == (!configured_ || stopped_), "a snapshot of what cannot go on, or none of what can");
        if (!b.empty()) kept_ = Kept{b, log_, batches_, flags_, position_};
    }
    // Restores a snapshot; the other runtime repeats the calls made before it. Both must agree on
    // AMP_RUN_STOP_NONFINITE.
    void restore() {
        if (!kept_ || (kept_->flags ^ flags_) & AMP_RUN_STOP_NONFINITE) return;
        tell("restore to %lld", static_cast<long long>(kept_->position));
        const bool heated = !std::isnan(graph_->budget_w) && graph_->policy == 1;
        const bool alike =
            configured_ && kept_->batches == batches_ && (heated || !((kept_->flags ^ flags_) & AMP_RUN_HEAT));
        const amp_status s = amp_graph_runtime_restore(subject_->raw, kept_->blob.data(), kept_->blob.size());
        must((s == AMP_OK) == alike, "a snapshot was taken that does not fit, or refused though it does");
        if (s == AMP_OK) position_ = kept_->position, stopped_ = false;
        if (checked(s)) return;
        fresh_plain();
        for (const Call& call : kept_->log) {
            must(call(*plain_) == AMP_OK, "a call that was accepted is refused");
            log_.push_back(call);
        }
        if (bound_) make(bound_);  // snapshots do not include bound samples: they stay bound
    }
    void restore_damaged() {
        if (!kept_) return;
        Bytes b = kept_->blob;
        b[s_.below(255) * b.size() / 255] ^= static_cast<uint8_t>(1 + s_.below(255));
        must(checked(subject_->restore(b)) != AMP_OK, "a damaged snapshot was taken");
    }

    static constexpr void (Sequence::* kCalls[])() = {&Sequence::configure,
                                                      &Sequence::execute,
                                                      &Sequence::execute,
                                                      &Sequence::set_param,
                                                      &Sequence::set_param,
                                                      &Sequence::snapshot,
                                                      &Sequence::restore,
                                                      &Sequence::bind,
                                                      &Sequence::cancel,
                                                      &Sequence::clear_params,
                                                      &Sequence::look,
                                                      &Sequence::history,
                                                      &Sequence::configure_wrongly,
                                                      &Sequence::execute_wrongly,
                                                      &Sequence::execute,
                                                      &Sequence::set_param_wrongly,
                                                      &Sequence::restore_damaged,
                                                      &Sequence::create,
                                                      &Sequence::create_from_damaged};

    Source& s_;
    const blob::Graph* graph_ = nullptr;
    std::unique_ptr<Runtime> subject_, plain_;
    std::vector<Call> log_;  // accepted calls, which the other runtime received
    std::optional<Kept> kept_;
    Call bound_;
    bool configured_ = false, stopped_ = false, cancelled_ = false;
    uint32_t batches_ = 1, flags_ = 0;
    int64_t position_ = 0, frames_left_ = kMostFrames;
    long executed_ = 0;
};

}  // namespace calls
