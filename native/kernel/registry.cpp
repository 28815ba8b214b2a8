#include "kernel/registry.hpp"

#include <algorithm>
#include <cmath>
#include <mutex>

#include "core/failure.hpp"

namespace amp {

namespace {

bool before(const NodeType* t, std::string_view id) { return t->contract->id < id; }

// Collects the rules that a contract breaks, one table after another.
class Rules {
public:
    explicit Rules(const amp_node_contract& c) : c_(c) {}

    std::vector<std::string> broken() {
        if (c_.struct_size != sizeof c_) says("", "struct_size is of another version");
        if (!c_.id || !*c_.id) says("", "it has no id");
        for (const char* word : {c_.group, c_.summary, c_.doc, c_.heat})
            if (!word) says("", "group, summary, doc and heat must be text, empty if there is none");
        if (c_.n_outputs == 0) says("", "it has no output");
        if (c_.revision == 0) says("", "revisions count from 1");
        if (c_.latency_frames < 0) says("", "its latency is negative");
        if (c_.oversample_max != 1) says("", text("oversample_max is reserved (got %u, allowed 1)", c_.oversample_max));
        if (c_.adjoint > AMP_ADJOINT_UNSUPPORTED) says("", "its adjoint is of no kind");
        if (table(c_.inputs, c_.n_inputs, "inputs")) ports(c_.inputs, c_.n_inputs, AMP_GATHER_FIRST);
        if (table(c_.outputs, c_.n_outputs, "outputs")) ports(c_.outputs, c_.n_outputs, AMP_SCATTER_MATRIX);
        table(c_.cases, c_.n_cases, "cases");
        if (table(c_.params, c_.n_params, "params")) {
            for (uint32_t k = 0; k < c_.n_params; ++k) parameter(c_.params[k]);
            unique(c_.params, c_.n_params);
            roles();
        }
        return std::move(found_);
    }

private:
    void says(const char* key, const std::string& what) {
        const std::string id = c_.id ? c_.id : "";
        found_.push_back((id.empty() ? "contract" : id) + (key && *key ? "." + std::string(key) : "") + ": " + what +
                         ".");
    }
    bool table(const void* first, uint32_t count, const char* name) {
        constexpr uint32_t kMost = 1024;
        if (count > kMost) says("", text("too many %s (got %u, allowed %u)", name, count, kMost));
        if (count > 0 && !first) says("", text("%s: NULL (got %u of them)", name, count));
        return count <= kMost && (count == 0 || first);
    }
    template <class T> void unique(const T* list, uint32_t n) {
        for (uint32_t k = 0; k < n; ++k) {
            if (!list[k].key || !*list[k].key) says("", "a port or parameter has no key");
            for (uint32_t j = 0; j < k; ++j)
                if (list[k].key && list[j].key && std::string_view(list[k].key) == list[j].key)
                    says(list[k].key, "is there twice");
        }
    }
    void ports(const amp_port_contract* list, uint32_t n, uint32_t most) {
        unique(list, n);
        for (uint32_t k = 0; k < n; ++k) {
            const amp_port_contract& p = list[k];
            if (p.channels > AMP_CHANNELS_ANY) says(p.key, "its channels are of no kind");
            if (p.gather > most) says(p.key, "its edges meet in no known way");
            if (p.map > AMP_MAP_FRAMES) says(p.key, "its map is of no kind");
        }
    }
    void parameter(const amp_param_contract& p) {
        if (p.kind > AMP_PARAM_MATRIX || p.scale > AMP_SCALE_LOG || p.rate > AMP_RATE_FRAME ||
            p.range > AMP_RANGE_CLAMP)
            return says(p.key, "kind, scale, rate or range is none there is");
        if (p.kind == AMP_PARAM_TEXT) return;
        if (p.kind == AMP_PARAM_ENUM && (p.n_choices == 0 || !p.choices)) return says(p.key, "it has no choices");
        if (p.kind == AMP_PARAM_ENUM && !(p.value >= 0 && p.value < p.n_choices && p.value == std::floor(p.value)))
            return says(p.key, text("its default is no choice (got %g, allowed 0 to %u)", p.value, p.n_choices - 1));
        if (p.kind == AMP_PARAM_ENUM) return;
        if (!std::isfinite(p.low) || !std::isfinite(p.high)) return says(p.key, "its range is not finite");
        if (p.high_is_fs ? !(p.high > 0 && p.high <= 0.5) : !(p.low <= p.high))
            return says(p.key, text("its range is upside down (got %g to %g)", p.low, p.high));
        if (!(p.value >= p.low) || (!p.high_is_fs && !(p.value <= p.high)))
            says(p.key, text("its default is out of range (got %g, allowed %g to %g)", p.value, p.low, p.high));
    }
    // Checks that the parameter a role names exists and is of `kind`.
    void role(uint32_t place, const char* name, uint32_t kind) {
        if (place > c_.n_params)
            says("", text("%s names no parameter (got %u, allowed 0 to %u)", name, place, c_.n_params));
        else if (place && c_.params[place - 1].kind != kind)
            says(c_.params[place - 1].key, text("%s asks for another kind of parameter", name));
    }
    void roles() {
        if (c_.io > AMP_IO_SINK) says("", text("io is of no kind (got %u, allowed 0 to 2)", c_.io));
        if (c_.io == AMP_IO_SOURCE && c_.n_inputs) says("", "samples are bound to a node without inputs only");
        role(c_.curve_param, "curve_param", AMP_PARAM_TEXT);
        role(c_.channels_param, "channels_param", AMP_PARAM_INTEGER);
        role(c_.limited_param, "limited_param", AMP_PARAM_NUMBER);
        role(c_.limit_param, "limit_param", AMP_PARAM_NUMBER);
        role(c_.bound_param, "bound_param", AMP_PARAM_NUMBER);
        if (!c_.limited_param != !c_.limit_param) says("", "limited_param and limit_param go together");
        if (c_.bound_param && !(c_.laws & AMP_LAW_BOUNDED)) says("", "bound_param without the law it bounds");
        if (c_.curve_param && c_.n_inputs) says("", "a node that plays a curve has no inputs");
        if (!c_.channels_param != !c_.has_channels) says("", "has_channels is not what channels_param says");
    }

    const amp_node_contract& c_;
    std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> violations(const amp_node_contract& contract) { return Rules(contract).broken(); }

Registry::Registry(const KernelTable* built_in) {
    if (built_in) types_.assign(built_in->types, built_in->types + built_in->n_types);
}

const NodeType* Registry::find(std::string_view id) const {
    const std::shared_lock lock(changing_);
    const auto it = std::lower_bound(types_.begin(), types_.end(), id, before);
    return it != types_.end() && (*it)->contract->id == id ? *it : nullptr;
}

const NodeType* Registry::at(size_t place) const {
    const std::shared_lock lock(changing_);
    return place < types_.size() ? types_[place] : nullptr;
}

size_t Registry::size() const {
    const std::shared_lock lock(changing_);
    return types_.size();
}

void Registry::add(const std::vector<const NodeType*>& types) {
    std::string wrong;
    for (const NodeType* t : types)
        for (const std::string& one : violations(*t->contract)) wrong += (wrong.empty() ? "" : "\n") + one;
    if (!wrong.empty()) throw Failure(AMP_E_INVALID_ARG, "register", wrong, "Correct the contract.");
    const std::unique_lock lock(changing_);
    std::vector<const NodeType*> all = types_;
    for (const NodeType* t : types) {
        const std::string_view id = t->contract->id;
        const auto it = std::lower_bound(all.begin(), all.end(), id, before);
        if (it != all.end() && (*it)->contract->id == id)
            throw Failure(AMP_E_INVALID_ARG, "register", std::string(id) + ": a type of this id is there already.",
                          "Give the type another id.", "", std::string(id));
        all.insert(it, t);
    }
    types_ = std::move(all);
}

}  // namespace amp
