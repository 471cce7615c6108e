// SPDX-License-Identifier: MIT
#pragma once
// ImportState: what the operators of a TensorFlow Lite file share while they are imported.

#include <mote/io/detail/import_log.hpp>
#include <mote/io/tflite/constants.hpp>
#include <mote/layers/table.hpp>
#include <mote/model/builder.hpp>

#include <optional>

MOTE_BEGIN_NAMESPACE

struct TfliteImportOptions {
    /// What constants may take beyond the bytes that the file holds of them.
    std::size_t max_constant_bytes = std::size_t{1} << 30;
};

namespace detail::tflite_import {

using namespace tflite;
using Builder = BasicBuilder<AnyModel::layers>;
using Handle = Builder::Handle;

/// What an importer knows while it goes from operator to operator: values and constants by tensor, names, what is not
/// supported.
class ImportState : protected ImportLog {
  public:
    explicit ImportState(const TfliteFile& file, const TfliteImportOptions& options = {})
        : file_(file),
          graph_(file.subgraphs.front()),
          constants_(file, options.max_constant_bytes),
          handles_(graph_.tensors.size()),
          lost_(graph_.tensors.size()) {}

  protected:
    // ------------------------------------------------------------------------------------------------------- tensors

    static std::size_t index(std::int32_t id) { return static_cast<std::size_t>(id); }
    const TfliteTensor& tensor(std::int32_t id) const { return graph_.tensors[index(id)]; }
    bool constant(std::int32_t id) const { return constants_.known(index(id)); }

    /// The element of the model's value that stands for the tensor: unsigned bytes are shifted to signed ones, wider integers
    /// with a scale become the real numbers that they stand for.
    static std::optional<Element> supported_element(const TfliteTensor& t) {
        const std::string_view name = t.type_info().name;
        if (name == "FLOAT32" || name == "FLOAT16") return Element::f32;
        if (name == "INT8" || name == "UINT8") return Element::i8;
        if ((name == "INT16" || name == "INT32") && t.quantization.scale.size() == 1) return Element::f32;
        return std::nullopt;
    }
    /// The value's quantization; of unsigned bytes the zero point is 128 lower.
    Quantization quantization_of(std::int32_t id) const {
        const TfliteTensor& t = tensor(id);
        const std::optional<Element> element = supported_element(t);
        if (element != Element::i8) return {};
        if (t.quantization.scale.size() != 1) {
            fail("tensor '", t.name, "' has ", t.quantization.scale.size(), " scales; one is expected of ", t.type_info().name);
        }
        const auto zero = t.quantization.zero_point.empty() ? 0 : static_cast<std::int32_t>(t.quantization.zero_point[0]);
        const bool is_unsigned = std::string_view(t.type_info().name) == "UINT8";
        return QuantizationParams{t.quantization.scale[0], is_unsigned ? zero - 128 : zero};
    }
    QuantizationParams params_of(std::int32_t id) const { return quantization_of(id).params(); }

    void lose(std::int32_t id) {
        if (id >= 0) lost_[index(id)] = 1;
    }

    // ----------------------------------------------------------------------------------------------------- operators

    template <class... Part>
    [[noreturn]] void refuse(const Part&... part) const {
        fail(part...);
    }

    std::size_t inputs() const { return op_->inputs.size(); }
    std::int32_t input_id(std::size_t place) const {
        if (place >= inputs() || op_->inputs[place] < 0) refuse("input ", place, " is missing");
        return op_->inputs[place];
    }
    std::int32_t output_id(std::size_t place = 0) const {
        if (place >= op_->outputs.size() || op_->outputs[place] < 0) refuse("output ", place, " is missing");
        return op_->outputs[place];
    }
    /// The input as a value of the model; a constant becomes one.
    Handle input(std::size_t place) {
        const std::int32_t id = input_id(place);
        if (!handles_[index(id)]) {
            if (!constant(id)) refuse("input ", place, " ('", tensor(id).name, "') is made by no operator before it");
            mote::Constant layer = supported_element(tensor(id)) == Element::i8
                                       ? constant_of(constants_.bytes(index(id), quantization_of(id)))
                                       : constant_of(constants_.reals(index(id)));
            handles_[index(id)] =
                builder_.add(std::move(layer), std::initializer_list<Handle>{}, {.name = unused(tensor(id).name)});
        }
        return *handles_[index(id)];
    }
    const Shape& shape(Handle handle) const { return builder_.shape(handle); }
    std::vector<std::int64_t> integers(std::size_t place) const {
        const std::int32_t id = input_id(place);
        if (!constant(id)) refuse("input ", place, " ('", tensor(id).name, "') is computed; a constant is supported there");
        return constants_.integers(index(id));
    }

    template <class L>
    Handle add(L layer, std::initializer_list<Handle> in, Quantization q = {}) {
        NodeOptions options{unused(concat(name_, parts_ == 0 ? "" : concat("/", parts_))), std::move(q)};
        ++parts_;
        return builder_.add(std::move(layer), in, std::move(options));
    }
    /// The value is output `place` of the operator.
    void bind(Handle handle, std::size_t place = 0) {
        const std::int32_t id = output_id(place);
        const TfliteTensor& t = tensor(id);
        if (t.shape.elements() != shape(handle).elements()) {
            refuse("its output is [", to_string(shape(handle)), "] where the file states [", to_string(t.shape), "]");
        }
        handles_[index(id)] = handle;
    }
    /// The same bytes or numbers under another quantization, where it is another.
    Handle requantized(Handle handle, const Quantization& from, const Quantization& to) {
        if (from == to || !to.present()) return handle;
        return add(Convert{Element::i8}, {handle}, to);
    }
    /// An activation whose output is the operator's, and quantized as its input is.
    template <class L>
    Handle with_own_table(L layer, Handle x) {
        const Quantization q = quantization_of(output_id());
        if (q.present()) layer = with_table(std::move(layer), q.params(), q.params());
        return add(std::move(layer), {x}, q);
    }
    Handle activate(Handle x, Activation activation) {
        switch (activation) {
            case Activation::none:
                return x;
            case Activation::relu:
                return add(Relu{}, {x});
            case Activation::relu6:
                return add(Relu6{}, {x});
            case Activation::relu_n1_to_1:
                return with_own_table(Unary{UnaryFunction::clip, -1.0f, 1.0f}, x);
            case Activation::tanh:
                return with_own_table(Tanh{}, x);
            default:
                break;
        }
        refuse("its fused activation is of kind ", static_cast<int>(activation),
               "; none, RELU, RELU_N1_TO_1, RELU6 and TANH are supported");
    }

    const TfliteFile& file_;
    const TfliteSubgraph& graph_;
    Constants constants_;
    Builder builder_;
    std::vector<std::optional<Handle>> handles_;
    std::vector<char> lost_;
    const TfliteOperator* op_ = nullptr;
    std::size_t position_ = 0;
    std::string name_;
    std::size_t parts_ = 0;
};

}  // namespace detail::tflite_import

MOTE_END_NAMESPACE
