// Failures inside the library. They are thrown, and the ABI functions convert them to a status, an amp_error and the
// calling thread's report of violations (amp/violation.h). No exception crosses the ABI.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "amp/violation.h"
#include "core/text.hpp"

namespace amp {

// One violation. `sentence` says where and what; `cure` says what to do.
struct Violation {
    amp_status code = AMP_E_INVALID_ARG;
    std::string node, port, sentence, cure;
    std::string src;     // a link at fault that leads to `node`: the node it comes from; otherwise empty
    int64_t frames = 0;  // delay that the link lacks, in frames

    std::string line() const { return cure.empty() ? sentence : sentence + ' ' + cure; }
};

struct Failure {
    amp_status code = AMP_E_INTERNAL;
    std::string stage, node, port, message;
    int64_t batch = -1, channel = -1, frame = -1;

    Failure(amp_status code, std::string stage, std::string message, std::string node = "", std::string port = "")
        : code(code),
          stage(std::move(stage)),
          node(std::move(node)),
          port(std::move(port)),
          message(std::move(message)) {}

    // A failure with one violation, whose cure is a separate text.
    Failure(std::string stage, Violation v) : Failure(v.code, std::move(stage), v.line(), v.node, v.port) {
        violations = std::make_shared<const std::vector<Violation>>(1, std::move(v));
    }

    std::shared_ptr<const std::vector<Violation>> violations;  // NULL: the failure itself is the only violation
    size_t found = 1;  // violations found; more than `violations` has if some were not kept
};

// Collects everything that is wrong with a graph, a schedule or a history, so that a user can correct it all at once.
class Violations {
public:
    // `lines`: how many violations the text of amp_error lists; the records list all.
    explicit Violations(const char* stage = "plan", size_t lines = 20) : stage_(stage), lines_(lines) {}

    void add(std::string sentence, std::string cure, const std::string& node, const std::string& port = "",
             amp_status code = AMP_E_INVALID_ARG) {
        ++found_;
        const size_t text = sentence.size() + cure.size() + node.size() + port.size();
        if (list_.size() == AMP_MOST_VIOLATIONS || text > kMostText - text_) return;
        text_ += text;
        list_.push_back({code, node, port, std::move(sentence), std::move(cure), "", 0});
    }
    // Throws if there are violations. `message` is the text of amp_error; if it is empty, the first `lines` violations
    // are.
    void raise(std::string message = "") {
        if (found_ == 0) return;
        Failure f(list_.front().code, stage_, list_.front().line(), list_.front().node, list_.front().port);
        for (size_t i = 1; i < list_.size() && i < lines_; ++i) f.message += '\n' + list_[i].line();
        if (lines_ > 1 && found_ > lines_) f.message += text("\n... and %zu more.", found_ - lines_);
        if (!message.empty()) f.message = std::move(message);
        f.found = found_;
        f.violations = std::make_shared<const std::vector<Violation>>(std::move(list_));
        throw f;
    }

private:
    // bytes of text that are kept: a long name may occur in many sentences
    static constexpr size_t kMostText = size_t{64} << 20;

    const char* stage_;
    size_t lines_, found_ = 0, text_ = 0;
    std::vector<Violation> list_;
};

// Write the failure to `out` (may be NULL; only its struct_size bytes are written) and to the calling thread's report.
void write_error(const Failure& failure, amp_error* out);
// static text; allocates nothing
void write_error(amp_status code, const char* stage, const char* message, amp_error* out);
void clear_error(amp_error* out);

// The calling thread's report: the violations of its last call that returned a status. The library owns the records.
struct Report {
    const amp_violation* records;
    size_t count, found;
};
Report report_of_thread();

}  // namespace amp
