// SPDX-License-Identifier: MIT
#pragma once
// Import of ONNX operators on numbers of any element: arithmetic of integers and of float64, comparisons, logic, choices,
// quantization by scales that a value of the model cannot state, and products of integers.

#include <mote/io/onnx/detail/import_attention.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

class Numbers : protected Attention {
  public:
    using Attention::Attention;

  protected:
    /// A value that is computed with further.
    Item numbers_of(Form form, OnnxElement element) const {
        Item result;
        result.element = element;
        result.forms.push_back(std::move(form));
        return result;
    }
    /// One number as an element.
    Item number(OnnxElement element, double value) {
        return numbers_of({add(constant_layer(Constant::filled(element, {}, value)), {}), Layout(Dims{})}, element);
    }
    Item combined_item(BinaryFunction function, Item a, Item b) {
        const OnnxElement element = a.element;
        return numbers_of(combined(function, std::move(a), std::move(b)), element);
    }
    void give_numbers(const Item& x, std::size_t place = 0) {
        bind(x.forms.front().id, x.forms.front().layout, place, x.element);
    }
    /// Both inputs, the second as it aligns with the first.
    std::vector<Item> both() {
        if (node_->inputs.size() != 2) fail("it has ", node_->inputs.size(), " inputs; two are expected");
        Item a = plain(0), b = plain(1);
        b = reshaped(b, aligned(*node_, opset_, a.dims(), b.dims()));
        return {std::move(a), std::move(b)};
    }

    // ------------------------------------------------------------------------------------------------------ arithmetic

    template <BinaryFunction function>
    void binary_numbers() {
        if (!is_plain(0) && !is_plain(1)) return binary<function>();
        std::vector<Item> items = both();
        give_numbers(combined_item(function, std::move(items[0]), std::move(items[1])));
    }
    template <BinaryFunction function>
    void all_numbers() {
        if (!is_plain(0)) return function == BinaryFunction::add ? sum() : largest<function>();
        Item x = plain(0);
        for (std::size_t i = 1; i < node_->inputs.size(); ++i) x = combined_item(function, std::move(x), plain(i));
        give_numbers(x);
    }
    void remainder() {
        const bool fmod = integer_attribute(*node_, "fmod", 0) != 0;
        if (fmod && !is_plain(0)) return modulo();
        std::vector<Item> items = both();
        give_numbers(combined_item(fmod ? BinaryFunction::fmod : BinaryFunction::floor_mod, items[0], items[1]));
    }
    /// In the first input's element, whatever the exponent's.
    void power_of_numbers() {
        if (!is_plain(0) && !is_plain(1)) return power();
        Item x = plain(0), y = plain(1);
        const OnnxElement result = x.element;
        OnnxElement common = result == OnnxElement::float64 ? result : OnnxElement::float32;
        if (!is_float(result)) common = is_float(y.element) ? OnnxElement::float64 : OnnxElement::int64;
        x = combined_item(BinaryFunction::pow, as_element(x, common), as_element(y, common));
        give_numbers(as_element(x, result));
    }
    Item negated(const Item& x) { return combined_item(BinaryFunction::sub, number(x.element, 0), x); }
    void negative_number() {
        if (!is_plain(0)) return negative();
        give_numbers(negated(plain(0)));
    }
    void magnitude() {
        if (!is_plain(0)) return function();
        const Item x = plain(0);
        give_numbers(combined_item(BinaryFunction::max, x, negated(x)));
    }
    void sign_of_number() {
        if (!is_plain(0)) return function();
        const Item x = plain(0);
        const auto as_number = [&](Comparison comparison) {
            return as_element(numbers_of(broadcasting(Compare{comparison}, {x, number(x.element, 0)}), OnnxElement::boolean),
                              x.element);
        };
        give_numbers(combined_item(BinaryFunction::sub, as_number(Comparison::greater), as_number(Comparison::less)));
    }
    void rectified() {
        if (!is_plain(0)) return unary<Relu>();
        const Item x = plain(0);
        give_numbers(combined_item(BinaryFunction::max, x, number(x.element, 0)));
    }
    void clip_numbers() {
        if (!is_plain(0)) return clip();
        Item x = plain(0);
        if (has_input(1)) x = combined_item(BinaryFunction::max, std::move(x), plain(1));
        if (has_input(2)) x = combined_item(BinaryFunction::min, std::move(x), plain(2));
        give_numbers(x);
    }

    // -------------------------------------------------------------------------------------------- comparisons and bits

    template <Comparison comparison>
    void compare() {
        const Form y = broadcasting(Compare{comparison}, both());
        bind(y.id, y.layout, 0, OnnxElement::boolean);
    }
    Item inverted(const Item& x) {
        const Item all = number(x.element, x.element == OnnxElement::boolean ? 1 : -1);
        return numbers_of(broadcasting(Bitwise{BitOperation::one}, {x, all}), x.element);
    }
    void invert() { give_numbers(inverted(plain(0))); }
    void is_nan() {
        const Item x = plain(0);
        give_numbers(inverted(numbers_of(broadcasting(Compare{}, {x, x}), OnnxElement::boolean)));
    }
    void is_infinite() {
        constexpr double infinity = std::numeric_limits<double>::infinity();
        const Item x = plain(0);
        Form y = broadcasting(Compare{Comparison::less}, {x, x});  // nothing
        for (const auto& [name, value] : {std::pair("detect_positive", infinity), {"detect_negative", -infinity}}) {
            if (integer_attribute(*node_, name, 1) == 0) continue;
            const Form one = broadcasting(Compare{}, {x, number(x.element, value)});
            y = broadcasting(Bitwise{BitOperation::either},
                             {numbers_of(y, OnnxElement::boolean), numbers_of(one, OnnxElement::boolean)});
        }
        give_numbers(numbers_of(y, OnnxElement::boolean));
    }
    template <BitOperation operation>
    void bits() {
        std::vector<Item> items = both();
        const OnnxElement element = items[0].element;
        give_numbers(numbers_of(broadcasting(Bitwise{operation}, std::move(items)), element));
    }
    void bit_shift() {
        const std::string direction = text_attribute(*node_, "direction", "");
        if (direction == "LEFT") return bits<BitOperation::shift_left>();
        if (direction == "RIGHT") return bits<BitOperation::shift_right>();
        fail("its direction is '", onnx::printable(direction), "'; LEFT and RIGHT are supported");
    }

    // --------------------------------------------------------------------------------------------------------- choices

    void choose() {
        if (known(0)) return where();
        const Item condition = plain(0), a = plain(1), b = plain(2);
        if (a.element != b.element) fail("two inputs of one type are expected behind the condition");
        give_numbers(numbers_of(broadcasting(Where{}, {condition, a, b}), a.element));
    }
    void top_k() {
        Item x = plain(0);
        const std::size_t axis = axis_in(integer_attribute(*node_, "axis", -1), x.rank());
        const double count = opset_ < 10 ? static_cast<double>(integer_attribute(*node_, "k", 0)) : constant(1, "K").number();
        if (!(count >= 0 && count <= static_cast<double>(x.dims()[axis])))
            fail("its K is ", count, " of axis ", axis, " of [", dims_text(x.dims()), "]");
        const Dims order = common_order({&x});
        TopK layer;
        layer.axis = static_cast<std::size_t>(std::find(order.begin(), order.end(), axis) - order.begin());
        layer.count = static_cast<std::size_t>(count);
        layer.largest = integer_attribute(*node_, "largest", 1) != 0;
        Dims dims = x.dims();
        dims[axis] = layer.count;
        const std::vector<ValueId> ids = add_outputs(layer, {arranged(x, order)}, 2);
        bind(ids[0], Layout(dims, order), 0, x.element);
        bind(ids[1], Layout(dims, order), 1, OnnxElement::int64);
    }
    /// Along a new axis `depth` values: the second of `values` where the index is the place, else the first.
    void one_hot() {
        const double depth = constant(1, "depth").number();
        if (!(depth >= 1 && depth <= 1 << 24)) fail("its depth is ", depth, "; 1 to 2^24 are supported");
        Item index = as_element(plain(0), OnnxElement::int64), values = plain(2);
        if (values.dims() != Dims{2}) fail("its values are [", dims_text(values.dims()), "]; [2] is expected");
        const std::size_t axis = axis_in(integer_attribute(*node_, "axis", -1), index.rank() + 1);
        const Item below =
            numbers_of(broadcasting(Compare{Comparison::less}, {index, number(index.element, 0)}), OnnxElement::boolean);
        const Item behind = combined_item(BinaryFunction::add, index, number(index.element, depth));
        Item at = numbers_of(broadcasting(Where{}, {below, behind, index}), index.element);
        Dims dims = at.dims(), line(dims.size() + 1, 1);
        dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis), 1);
        line[axis] = static_cast<std::size_t>(depth);
        std::vector<std::int64_t> places;
        for (std::size_t i = 0; i < line[axis]; ++i) places.push_back(static_cast<std::int64_t>(i));
        const Constant range = Constant::of(OnnxElement::int64, line, places, budget_);
        const Item ranged = numbers_of({add(constant_layer(range), {}), Layout(line)}, OnnxElement::int64);
        const Item hot = numbers_of(broadcasting(Compare{}, {reshaped(at, dims), ranged}), OnnxElement::boolean);
        Item off = sliced(values, {{0, 1, 1}}), on = sliced(values, {{1, 1, 1}});
        give_numbers(numbers_of(broadcasting(Where{}, {hot, on, off}), values.element));
    }

    // ---------------------------------------------------------------------------------------------------- quantization

    /// Input `place`, one number, or one an index of an axis or a block of it, as it broadcasts to the value.
    Item spread(std::size_t place, const Dims& dims, OnnxElement element) {
        Item x = as_element(plain(place), element);
        const Dims given = x.dims();
        const std::int64_t block = integer_attribute(*node_, "block_size", 0);
        if (block == 0 && elements_of(given) == 1) return reshaped(x, {});
        const std::size_t axis = axis_in(integer_attribute(*node_, "axis", 1), dims.size());
        if (block == 0) {
            if (given.size() != 1 || given[0] != dims[axis])
                fail("it has [", dims_text(given), "] scales or zero points for axis ", axis, " of [", dims_text(dims), "]");
            Dims line(dims.size(), 1);
            line[axis] = given[0];
            return reshaped(x, line);
        }
        Dims expected = dims;
        if (block < 1 || given.size() != dims.size()) fail("its blocks of ", block, " do not fit [", dims_text(given), "]");
        const auto size = static_cast<std::size_t>(block);
        expected[axis] = (dims[axis] - 1) / size + 1;
        if (dims[axis] == 0 || given != expected || size > dims[axis])
            fail("it has [", dims_text(given), "] scales or zero points for blocks of ", block, " of [", dims_text(dims), "]");
        Dims apart = given, whole = given;
        apart.insert(apart.begin() + static_cast<std::ptrdiff_t>(axis) + 1, 1);
        Dims repeats(apart.size(), 1);
        repeats[axis + 1] = size;
        whole[axis] *= size;
        x = reshaped(x, apart);
        x = repeated(x, repeats);
        x = reshaped(x, whole);
        return sliced(x, whole_ranges(dims));
    }
    /// Whether a value of the model states scale and zero point itself.
    bool states_steps(OnnxElement otherwise) {
        if (!known(1) || (has_input(2) && !known(2)) || integer_attribute(*node_, "block_size", 0) != 0) return false;
        const std::optional<Steps> s = steps_of(*node_, otherwise);
        if (!s) return false;
        const bool bytes = s->element == OnnxElement::int8 || s->element == OnnxElement::uint8;
        return known(0) ? bytes || s->element == OnnxElement::int32 : s->of_bytes();
    }
    struct Limits {
        OnnxElement element;
        double lo, hi;
    };
    static constexpr Limits limits[] = {
        {OnnxElement::int8, -128, 127},  {OnnxElement::uint8, 0, 255}, {OnnxElement::int16, -32768, 32767},
        {OnnxElement::uint16, 0, 65535}, {OnnxElement::int4, -8, 7},   {OnnxElement::uint4, 0, 15},
        {OnnxElement::int2, -2, 1},      {OnnxElement::uint2, 0, 3},
    };
    /// clamp(round(x / scale) + zero point), halves to even.
    void quantize_any() {
        const std::int64_t stated = integer_attribute(*node_, "output_dtype", 0);
        OnnxElement element = stated > 0 && stated < static_cast<std::int64_t>(onnx::element_infos.size())
                                  ? static_cast<OnnxElement>(stated)
                                  : OnnxElement::uint8;
        if (has_input(2)) element = known(2) ? item(2).constant->element : item(2).element;
        if (!is_whole(0) && states_steps(OnnxElement::uint8)) return quantize_linear();
        const Item x = is_whole(0) ? as_element(plain(0), OnnxElement::float32) : real_input(0);
        const Item scale = spread(1, x.dims(), OnnxElement::float32);
        std::optional<Item> zero;
        if (has_input(2)) zero = spread(2, x.dims(), OnnxElement::float32);
        give_numbers(quantized(x, scale, zero, element));
    }
    Item real_input(std::size_t place) {
        Item x = computed(place);
        x.element = OnnxElement::float32;
        x.bytes.clear();
        x.exact.clear();
        return x;
    }
    Item unary_item(Unary layer, const Item& x) {
        return numbers_of({add(std::move(layer), {x.forms.front().id}), x.forms.front().layout}, x.element);
    }
    Item quantized(const Item& x, const Item& scale, const std::optional<Item>& zero, OnnxElement element) {
        const auto* limit = std::ranges::find(limits, element, &Limits::element);
        if (limit == std::end(limits))
            fail("it quantizes to ", onnx_element_name(element), "; integers of 2 to 16 bits are supported");
        Item y = unary_item({UnaryFunction::round}, combined_item(BinaryFunction::div, x, scale));
        if (zero) y = combined_item(BinaryFunction::add, y, *zero);
        y = unary_item({UnaryFunction::clip, static_cast<float>(limit->lo), static_cast<float>(limit->hi)}, y);
        return as_element(y, element);
    }
    /// (x - zero point) * scale
    void dequantize_any() {
        if ((known(0) || !is_plain(0)) && states_steps(item(0).constant ? item(0).constant->element : item(0).element))
            return dequantize_linear();
        if (known(0) && block_constant()) return;
        const Dims dims = item(0).dims();
        const Item scale = spread(1, dims, OnnxElement::float32);
        Item x = plain(0);
        if (has_input(2))
            x = combined_item(BinaryFunction::sub, as_element(x, OnnxElement::int64), spread(2, dims, OnnxElement::int64));
        x = combined_item(BinaryFunction::mul, as_element(x, OnnxElement::float32), scale);
        const OnnxElement element = known(1) ? item(1).constant->element : item(1).element;
        give_numbers(as_element(x, is_float(element) ? element : OnnxElement::float32));
    }
    /// A constant with a known scale an index of an axis or a block, of integers of any width.
    bool block_constant() {
        if (!known(1) || (has_input(2) && !known(2))) return false;
        const Constant &x = *item(0).constant, &scale = constant(1, "scale");
        const std::int64_t block = integer_attribute(*node_, "block_size", 0);
        Dims places = x.dims;
        std::size_t axis = 0;
        if (scale.count() != 1) axis = axis_in(integer_attribute(*node_, "axis", 1), x.dims.size());
        if (scale.count() != 1 && block > 0 && scale.dims.size() == x.dims.size()) {
            places[axis] = x.dims[axis] == 0 ? 0 : (x.dims[axis] - 1) / static_cast<std::size_t>(block) + 1;
            if (scale.dims != places) return false;
        } else if (scale.count() != 1 && (block != 0 || scale.dims != Dims{x.dims[axis]})) {
            return false;
        }
        if (has_input(2) && constant(2, "zero point").count() != scale.count()) return false;
        budget_.take(8 * x.count());
        std::vector<double> values;
        std::size_t inner = 1;
        for (std::size_t i = axis + 1; i < x.dims.size(); ++i) inner *= x.dims[i];
        for (std::size_t i = 0; i < x.count(); ++i) {
            std::size_t at = 0;
            if (scale.count() != 1) {
                const std::size_t row = i / inner % x.dims[axis];
                at = block == 0 ? row
                                : (i / inner / x.dims[axis] * places[axis] + row / static_cast<std::size_t>(block)) * inner +
                                      i % inner;
            }
            const std::int64_t zero = has_input(2) ? item(2).constant->integer(at) : 0;
            values.push_back(static_cast<double>(x.integer(i) - zero) * scale.real(at));
        }
        set_constant(Constant::of(OnnxElement::float32, x.dims, values, budget_));
        return true;
    }
    /// To bytes from 0 to 255, by the least and the largest of the value, between which 0 lies.
    void dynamic_quantize() {
        Item x = real_input(0);
        const std::vector<char> all(x.rank(), 1);
        const auto extreme = [&](Reduction reduction, BinaryFunction function) {
            Form y = reduced(x, all, reduction);
            y.layout = without(y.layout, all);
            return combined_item(function, numbers_of(y, x.element), number(x.element, 0));
        };
        const Item most = extreme(Reduction::max, BinaryFunction::max), least = extreme(Reduction::min, BinaryFunction::min);
        const Item scale = combined_item(BinaryFunction::div, combined_item(BinaryFunction::sub, most, least),
                                         number(OnnxElement::float32, 255));
        Item zero = combined_item(BinaryFunction::div, negated(least), scale);
        zero = unary_item({UnaryFunction::round}, unary_item({UnaryFunction::clip, 0.0f, 255.0f}, zero));
        give_numbers(quantized(x, scale, zero, OnnxElement::uint8));
        if (has_output(1)) give_numbers(scale, 1);
        if (has_output(2)) give_numbers(as_element(zero, OnnxElement::uint8), 2);
    }

    // ---------------------------------------------------------------------------------------------------- contractions

    /// Input `place` less its zero point, of 32 bits; a zero point a row stands before the last axis.
    Item shifted(std::size_t place, std::size_t zero_place, bool rows) {
        Item x = as_element(plain(place), OnnxElement::int32);
        if (!has_input(zero_place)) return x;
        Item zero = as_element(plain(zero_place), OnnxElement::int32);
        if (elements_of(zero.dims()) == 1) {
            zero = reshaped(zero, {});
        } else if (rows && zero.rank() == 1) {
            zero = reshaped(zero, {zero.dims()[0], 1});
        }
        return combined_item(BinaryFunction::sub, std::move(x), std::move(zero));
    }
    void matmul_integer() { bind_product(shifted(0, 2, true), shifted(1, 3, false), OnnxElement::int32); }
    void conv_integer() {
        Item x = shifted(0, 2, false);
        const Dims dims = x.dims();
        Constant w = constant(1, "weight");
        expect_weight(w.dims, dims);
        std::vector<WindowAxis> axes = window(dims, Dims(w.dims.begin() + 2, w.dims.end()));
        const std::size_t groups = groups_of(dims), out = w.dims[0], each = w.count() / out;
        std::vector<std::int64_t> numbers = w.integers();
        if (has_input(3)) {
            const Constant& zero = constant(3, "w_zero_point");
            if (zero.count() != 1 && zero.count() != out)
                fail("it has ", zero.count(), " zero points of weights; 1 or ", out, " are expected");
            for (std::size_t i = 0; i < numbers.size(); ++i) numbers[i] -= zero.integer(zero.count() == 1 ? 0 : i / each);
        }
        w = Constant::of(OnnxElement::int32, three_axes(w.dims), numbers, budget_);
        axes.insert(axes.begin(), 3 - axes.size(), WindowAxis{});
        const DepthTaps depth = dims.size() < 5 ? DepthTaps{} : depth_taps(dims[2], axes[0]);
        ConvInteger2d layer{.stride = {axes[1].stride, axes[2].stride},
                            .dilation = {axes[1].dilation, axes[2].dilation},
                            .padding = padding_of(axes[1], axes[2]),
                            .groups = groups};
        layer.weight = Tensor<i32>(Shape{out, w.dims[3], w.dims[4], w.dims[2] * w.dims[1]});
        const Constant turned = transposed(w, {0, 3, 4, 2, 1}, budget_);
        for (std::size_t i = 0; i < turned.count(); ++i) layer.weight[i] = static_cast<std::int32_t>(turned.integer(i));
        const ValueId in = with_depth(x, depth, groups);
        const Form y = image_form(add(std::move(layer), {in}), dims.size(), dims[0]);
        bind(y.id, y.layout, 0, OnnxElement::int32);
    }
};

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
