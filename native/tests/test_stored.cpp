// Descriptors, plans and snapshots of version 1, stored by the last library that wrote plans of that version
// (native/tests/stored): later libraries must read them.
#include <cstring>
#include <fstream>
#include <iterator>
#include <sstream>

#include "check.hpp"
#include "rig.hpp"

namespace {

using blob::Bytes;

Bytes stored(const std::string& name) {
    std::ifstream file(AMP_STORED + name, std::ios::binary);
    Bytes b{std::istreambuf_iterator<char>(file), {}};
    if (!CHECK(!b.empty())) std::fprintf(stderr, "%s%s is missing\n", AMP_STORED, name.c_str());
    return b;
}

uint32_t version_of(const Bytes& b) {
    uint32_t v = 0;
    std::memcpy(&v, b.data() + 4, sizeof v);
    return v;
}

constexpr const char* kNames[] = {"every_type", "long_loop", "routing", "two_voices", "voice"};

void plans_of_version_1_are_accepted() {
    for (const std::string name : kNames) {
        const Bytes d = stored(name + ".ampd"), old = stored(name + ".ampp");
        CHECK(version_of(d) == 1 && version_of(old) == 1);
        amp_error e = rig::empty_error();
        amp_bytes now{}, json{};
        CHECK(amp_plan_describe(d.data(), d.size(), old.data(), old.size(), &json, &e) == AMP_OK);
        if (e.code != AMP_OK) std::fprintf(stderr, "%s: %s\n", name.c_str(), e.message);
        amp_bytes_free(&json);
        CHECK(rig::Runtime(d, old).status == AMP_OK);
        CHECK(amp_plan_compile(d.data(), d.size(), &now, nullptr) == AMP_OK);
        const Bytes fresh(now.data, now.data + now.size);
        amp_bytes_free(&now);
        CHECK(version_of(fresh) == 2 && fresh != old && rig::Runtime(d, fresh).status == AMP_OK);
    }
}

// A plan of version 1 is compared with the old digests, a plan of version 2 with the new ones; the wrong version is
// AMP_E_DRIFT.
void the_plan_version_selects_the_digests() {
    for (const std::string name : kNames) {
        const Bytes d = stored(name + ".ampd");
        Bytes plan = stored(name + ".ampp");
        plan[4] = 2;
        rig::Runtime r(d, plan);
        CHECK(r.status == AMP_E_DRIFT && !std::string(r.error.node).empty());
        CHECK(std::strstr(r.error.message, "plan has ") && std::strstr(r.error.message, "contracts give "));
        plan[4] = 3;
        CHECK(rig::Runtime(d, plan).status == AMP_E_BLOB);
    }
}

void old_plans_drift_by_node() {
    Bytes plan = stored("voice.ampp");
    const size_t first = blob::kHeader + 8 + 8 + 4;  // the first node: length and text of its name, then its digest
    uint16_t length = 0;
    std::memcpy(&length, plan.data() + first, sizeof length);
    const std::string name(reinterpret_cast<const char*>(plan.data()) + first + 2, length);
    plan[first + 2 + length] ^= 1;
    blob::reseal(plan);
    rig::Runtime r(stored("voice.ampd"), plan);
    CHECK(r.status == AMP_E_DRIFT && r.error.node == name);
    CHECK(rig::Runtime(stored("routing.ampd"), stored("voice.ampp")).status == AMP_E_DRIFT);
}

// Built-in contracts that are unchanged since the files were stored still have their digests of then.
void contracts_of_that_time() {
    const Bytes text = stored("contracts.txt");
    std::istringstream lines(std::string(text.begin(), text.end()));
    std::string id, digest;
    uint32_t revision = 0, types = 0;
    while (lines >> id >> revision >> digest) {
        const amp_node_contract* c = amp_describe_node(id.c_str());
        CHECK(c && c->revision >= revision);
        ++types;
    }
    CHECK(types == 26);
}

// Both snapshots were taken after 70 frames in blocks of 32; `two_voices` with its derived schedule.
void snapshots_continue() {
    for (const std::string name : {"routing", "two_voices"}) {
        const Bytes d = stored(name + ".ampd"), cut = stored(name + ".snapshot");
        const bool follows = name == "two_voices";
        const uint32_t batches = follows ? 1 : 2;
        rig::Runtime whole(d), rest(d);
        amp_bytes schedule{};
        CHECK(amp_schedule_derive(d.data(), d.size(), &schedule, nullptr) == AMP_OK);
        for (rig::Runtime* r : {&whole, &rest}) {
            if (follows) CHECK(!r->note(amp_graph_runtime_set_schedule(r->raw, schedule.data, schedule.size)));
            CHECK(!r->configure(batches, 32));
        }
        amp_bytes_free(&schedule);
        CHECK(whole.render(70, batches).size() > 0);
        const auto want = whole.render(100, batches);
        CHECK(rest.restore(cut) == AMP_OK);
        if (rest.status) std::fprintf(stderr, "%s: %s\n", name.c_str(), rest.error.message);
        CHECK(!want.empty() && rest.render(100, batches) == want);
    }
    rig::Runtime other(graphs::chain());
    other.configure(2, 32);
    CHECK(other.restore(stored("routing.snapshot")) == AMP_E_DRIFT);
}

}  // namespace

int main() {
    plans_of_version_1_are_accepted();
    the_plan_version_selects_the_digests();
    old_plans_drift_by_node();
    contracts_of_that_time();
    snapshots_continue();
    return check::finish("stored");
}
