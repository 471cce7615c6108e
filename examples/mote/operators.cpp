// SPDX-License-Identifier: MIT
// mote operators: what is supported, by layer and verb, and by format.

#include "tool.hpp"

#include <mote/io/onnx/import.hpp>
#include <mote/io/tflite/import.hpp>
#include <mote/model/print.hpp>
#include <mote/train/gradient/gradient.hpp>
#include <mote/transform/couple/couple.hpp>
#include <mote/transform/detail/quantizer.hpp>

namespace tool {

namespace {

struct Arguments {
    bool markdown = false;
    Output output;
};

struct Verbs {
    const char* layer;
    const char* family;
    bool run, train, prune, quantize;
};

template <class L>
constexpr Verbs verbs_of() {
    constexpr const char* families[] = {"movement", "elementwise", "reduction", "contraction", "recurrent"};
    using namespace mote::detail;
    return {L::kind,
            families[static_cast<std::size_t>(L::family)],
            Lowerable<L>,
            Differentiable<L> || CouplesBatch<L>,
            Couples<L> || L::family == mote::Family::movement,
            has_int8_kind<L>};
}

template <class List>
struct AllVerbs;
template <class... L>
struct AllVerbs<mote::LayerList<L...>> {
    static constexpr Verbs of[] = {verbs_of<L>()...};
};

std::string list(const std::vector<std::string_view>& names) {
    std::string text;
    for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
    return text;
}

std::string markdown(const std::vector<std::vector<std::string>>& rows) {
    std::string text;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        text += "|";
        for (const std::string& cell : rows[i]) text += " " + cell + " |";
        text += "\n";
        if (i > 0) continue;
        text += "|";
        for (std::size_t k = 0; k < rows[0].size(); ++k) text += "---|";
        text += "\n";
    }
    return text;
}

/// Lines of at most `width` characters, broken behind commas.
std::string wrapped(const std::string& text, std::size_t width) {
    std::string result;
    std::size_t line = 0;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t comma = text.find(", ", at);
        const std::string word = text.substr(at, comma == std::string::npos ? comma : comma + 1 - at);
        if (line > 0 && line + 1 + word.size() > width) {
            result += "\n";
            line = 0;
        }
        result += (line > 0 ? " " : "") + word;
        line += word.size() + (line > 0 ? 1 : 0);
        at += word.size() + 1;
    }
    return result;
}

void operators(const Arguments& arguments) {
    std::vector<std::vector<std::string>> rows{{"layer", "family", "f32", "int8", "trained", "pruned"}};
    std::vector<Json> layers;
    const auto mark = [](bool supported) { return std::string(supported ? "yes" : ""); };
    for (const Verbs& verbs : AllVerbs<mote::standard_layers<mote::f32, mote::wide>>::of) {
        rows.push_back(
            {verbs.layer, verbs.family, mark(verbs.run), mark(verbs.quantize), mark(verbs.train), mark(verbs.prune)});
        layers.push_back(Json()
                             .add("layer", verbs.layer)
                             .add("family", verbs.family)
                             .add("f32", verbs.run)
                             .add("int8", verbs.quantize)
                             .add("trained", verbs.train)
                             .add("pruned", verbs.prune));
    }
    const std::vector<std::string_view> onnx = mote::onnx_operators(), tflite = mote::tflite_operators();
    const auto heading = [&](const char* text) {
        return arguments.markdown ? mote::concat("**", text, "**: ") : mote::concat(text, ":\n");
    };
    arguments.output.print(mote::concat(arguments.markdown ? markdown(rows) : mote::to_table(rows), "\n",
                                        wrapped(mote::concat(heading("ONNX"), list(onnx)), 140), "\n\n",
                                        wrapped(mote::concat(heading("TensorFlow Lite"), list(tflite)), 140), "\n"));
    arguments.output.write(Json().add("layers", layers).add("onnx", list(onnx)).add("tflite", list(tflite)));
}

}  // namespace

void add_operators(CLI::App& app) {
    CLI::App* command = app.add_subcommand("operators", "What is supported: layers by verb, operators by format");
    const auto arguments = std::make_shared<Arguments>();
    command->add_flag("--markdown", arguments->markdown, "As the README shows it");
    arguments->output.add_options(*command);
    command->footer("example: mote operators --markdown");
    command->callback([arguments] { operators(*arguments); });
}

}  // namespace tool
