// SPDX-License-Identifier: MIT
// mote conformance: ONNX test cases, run and compared.

#include "tool.hpp"

#include <mote/engine/dispatch.hpp>
#include <mote/engine/evaluate.hpp>
#include <mote/io/onnx/conformance.hpp>
#include <mote/model/print.hpp>
#include <mote/report/progress.hpp>

namespace tool {

namespace {

struct Arguments {
    std::vector<std::string> folders;
    Output output;
};

std::vector<std::string> cases_in(const std::string& path) {
    std::vector<std::string> result = mote::conformance_cases(path);
    if (result.empty()) {
        mote::fail("'", path,
                   "': it holds no ONNX test case; folders with a model.onnx and test_data_set_0 in each, or files "
                   "NAME.onnx beside NAME_output_0.pb, are expected");
    }
    return result;
}

std::vector<mote::Constant> answers(const mote::AnyModel& model, const std::vector<mote::Constant>& inputs) {
    mote::Engine engine(model, {.kernels = &mote::best_kernels()});
    return mote::evaluate(engine, inputs);
}

void conformance(const Arguments& arguments) {
    using mote::Conformance;
    mote::ConformanceReport all;
    std::vector<std::vector<std::string>> rows{{"folder", "passed", "failed", "unsupported", "ran a layer"}};
    std::vector<Json> folders;
    mote::ProgressLine line;
    for (const std::string& folder : arguments.folders) {
        const std::vector<std::string> cases = cases_in(folder);
        mote::ConformanceReport report;
        line.start(folder);
        for (const std::string& path : cases) {
            report.cases.push_back(mote::check_conformance_case(path, answers));
            line.update(report.cases.size(), cases.size());
        }
        const std::size_t passed = report.count(Conformance::passed), failed = report.count(Conformance::failed),
                          unsupported = report.count(Conformance::unsupported);
        rows.push_back(
            {folder, mote::concat(passed), mote::concat(failed), mote::concat(unsupported), mote::concat(report.computed())});
        folders.push_back(Json()
                              .add("folder", folder)
                              .add("passed", passed)
                              .add("failed", failed)
                              .add("unsupported", unsupported)
                              .add("ran_a_layer", report.computed()));
        for (mote::ConformanceResult& result : report.cases) all.cases.push_back(std::move(result));
    }
    line.finish();
    const std::size_t passed = all.count(Conformance::passed), failed = all.count(Conformance::failed),
                      unsupported = all.count(Conformance::unsupported);
    rows.push_back(
        {"sum", mote::concat(passed), mote::concat(failed), mote::concat(unsupported), mote::concat(all.computed())});
    std::string text = mote::to_table(rows);
    std::vector<Json> reasons, failures;
    if (unsupported > 0) text += "\nunsupported, by the first thing that is missing:\n";
    for (const auto& [reason, count] : all.reasons()) {
        text += mote::concat("  ", count, " x ", reason, "\n");
        reasons.push_back(Json().add("reason", reason).add("cases", count));
    }
    if (failed > 0) text += "\nfailed:\n";
    for (const mote::ConformanceResult& result : all.cases) {
        if (result.outcome != Conformance::failed) continue;
        text += mote::concat("  ", result.name, ": ", result.reason, "\n");
        failures.push_back(Json().add("name", result.name).add("reason", result.reason));
    }
    arguments.output.print(text);
    arguments.output.write(Json()
                               .add("passed", passed)
                               .add("failed", failed)
                               .add("unsupported", unsupported)
                               .add("ran_a_layer", all.computed())
                               .add("folders", folders)
                               .add("reasons", reasons)
                               .add("failures", failures));
    if (failed > 0) mote::fail(failed, failed == 1 ? " case answers" : " cases answer", " otherwise than expected");
}

}  // namespace

void add_conformance(CLI::App& app) {
    CLI::App* command = app.add_subcommand("conformance", "Run ONNX test cases: passed, failed, unsupported and why");
    const auto arguments = std::make_shared<Arguments>();
    command->add_option("DIR", arguments->folders, "A test case (a folder or a file), or a folder of them")->required();
    arguments->output.add_options(*command);
    command->footer(
        "example: mote conformance onnx/backend/test/data/node --json node.json\nThe status is 1 where a case fails.");
    command->callback([arguments] { conformance(*arguments); });
}

}  // namespace tool
