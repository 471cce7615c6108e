// SPDX-License-Identifier: MIT
#pragma once
// Import of ONNX products of matrices: Gemm and MatMul.

#include <mote/io/onnx/detail/import_arithmetic.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

class Contraction : protected Arithmetic {
  public:
    using Arithmetic::Arithmetic;

  protected:
    /// x [..., in] with weights [out, in], and a bias [out] or none. Where x was flattened from an image, the weights' columns
    /// move instead of the image.
    Form dense(Item& x, Constant weight, Tensor<f32> bias) {
        return contracted(x, std::move(weight), [&](ValueId id, const Constant& w) {
            return add(Dense<f32>{w.reals({w.dims[0], w.dims[1]}, budget_), std::move(bias)}, {id});
        });
    }
    /// The same in bytes.
    Form dense(ByteContraction& b, Tensor<i32> bias) {
        return contracted(b.x, b.weight, [&](ValueId id, const Constant& w) {
            return add(Dense<i8>{b.tensor(w, {w.dims[0], w.dims[1]}), std::move(bias)}, {id}, b.output);
        });
    }
    template <class Finish>
    Form contracted(Item& x, Constant weight, const Finish& finish) {
        const Dims dims = x.dims();
        if (dims.empty() || weight.dims.size() != 2 || weight.dims[1] != dims.back()) {
            fail("[", dims_text(dims), "] and weights [", dims_text(weight.dims), "] do not fit");
        }
        const std::size_t out = weight.dims[0], k = dims.size() - 1;
        Dims lead = Layout::in_order(k), stored(dims.begin(), dims.end() - 1);
        if (stored.empty()) stored.push_back(1);
        std::optional<ValueId> id;
        for (const Form& form : x.forms) {
            const std::vector<std::size_t> before = form.layout.sequence(lead), parts = form.layout.parts(k);
            const bool behind =
                std::is_sorted(before.begin(), before.end()) &&
                (before.empty() || parts.empty() || before.back() < *std::min_element(parts.begin(), parts.end()));
            if (!behind || std::is_sorted(parts.begin(), parts.end())) continue;
            if (lies_as(x, Layout::in_order(dims.size()))) break;
            Dims split{out}, order{0};
            for (const std::size_t part : parts) split.push_back(form.layout.extents()[part]);
            Dims places = Layout::in_order(parts.size());
            std::sort(places.begin(), places.end(), [&](std::size_t a, std::size_t b) { return parts[a] < parts[b]; });
            for (const std::size_t place : places) order.push_back(place + 1);
            weight = transposed(weight.reshaped(split), order, budget_).reshaped({out, dims.back()});
            Dims rows = stored;
            rows.push_back(dims.back());
            id = reshape(form.id, rows);
            break;
        }
        if (!id) {
            Groups groups = each_alone(Layout::in_order(dims.size()));
            if (groups.size() == 1) groups.insert(groups.begin(), Dims());
            id = arranged(x, groups);
        }
        Dims to = dims;
        to.back() = out;
        return {finish(*id, weight), Layout(to)};
    }
    static Constant scaled_constant(const Constant& c, float by, Budget& budget) {
        if (by == 1.0f) return c;
        if (c.fill) return Constant::filled(c.element, c.dims, c.real(0) * static_cast<double>(by));
        std::vector<double> values;
        for (std::size_t i = 0; i < c.count(); ++i) values.push_back(c.real(i) * static_cast<double>(by));
        return Constant::of(c.element, c.dims, values, budget);
    }
    /// The value's matrices as they lie, and whether each lies transposed.
    std::pair<ValueId, bool> matrices(Item& x) {
        Dims order = Layout::in_order(x.rank());
        const bool straight = lies_as(x, order);
        std::swap(order[order.size() - 1], order[order.size() - 2]);
        const bool turned = !straight && lies_as(x, order);
        return {arranged(x, turned ? order : Layout::in_order(x.rank())), turned};
    }
    /// Products of computed matrices; the axes before them broadcast.
    Form product(Item& a, Item& b) {
        const auto [left, left_turned] = matrices(a);
        const auto [right, right_turned] = matrices(b);
        const ValueId id = add(MatMul{left_turned, right_turned}, {left, right});
        const Dims dims(shape(id).begin(), shape(id).end());
        return {id, Layout(dims)};
    }
    void gemm_integer() {
        Item a = plain(0), b = plain(1);
        if (a.rank() != 2 || b.rank() != 2)
            fail("[", dims_text(a.dims()), "] x [", dims_text(b.dims()), "]: matrices are expected");
        if (real_attribute(*node_, "alpha", 1.0f) != 1.0f || real_attribute(*node_, "beta", 1.0f) != 1.0f)
            fail("its alpha and beta scale integers; 1 and 1 are supported");
        if (integer_attribute(*node_, "transA", 0) != 0) a = swapped_last(a);
        if (integer_attribute(*node_, "transB", 0) != 0) b = swapped_last(b);
        if (!has_input(2)) return bind(product(a, b));
        bind(combined(BinaryFunction::add, made(product(a, b)), plain(2)));
    }
    /// The second matrix is computed too.
    void gemm_computed() {
        Item a = computed(0), b = computed(1);
        if (a.rank() != 2 || b.rank() != 2)
            fail("[", dims_text(a.dims()), "] x [", dims_text(b.dims()), "]: matrices are expected");
        if (integer_attribute(*node_, "transA", 0) != 0) a = swapped_last(a);
        if (integer_attribute(*node_, "transB", 0) != 0) b = swapped_last(b);
        Item y;
        y.forms = {product(a, b)};
        const float alpha = real_attribute(*node_, "alpha", 1.0f), beta = real_attribute(*node_, "beta", 1.0f);
        if (alpha != 1.0f) y.forms = {scaled(y.forms.front(), alpha, 0.0f)};
        if (!has_input(2)) return bind(y.forms.front());
        if (!known(2)) return plus_computed(y, beta);
        plus_known(y, scaled_constant(constant(2, "C"), beta, budget_));
    }
    void expect_addend(const Item& y, const Dims& c) const {
        if (broadcast_dims(y.dims(), c) != y.dims())
            fail("its C is [", dims_text(c), "]; one that broadcasts to [", dims_text(y.dims()), "] is expected");
    }
    void plus_computed(Item& y, float beta) {
        Item c = computed(2);
        expect_addend(y, c.dims());
        if (beta != 1.0f) c.forms = {scaled(c.forms.front(), beta, 0.0f)};
        std::vector<Item> items{y, expanded(c, y.dims())};
        std::vector<ValueId> ids;
        const Layout layout = alike(items, ids);
        bind(add(Add{}, ids), layout);
    }
    void plus_known(Item& y, const Constant& c) {
        expect_addend(y, c.dims);
        bind(with_known(BinaryFunction::add, y, c).forms.front());
    }
    void gemm() {
        if (is_whole(0)) return gemm_integer();
        if (!known(0) && !known(1)) return gemm_computed();
        Item x = computed(0);
        Constant b = constant(1, "B");
        if (x.rank() == 4 && opset_ < 7) x = reshaped(x, flattened_dims(x.dims(), 1));
        if (x.rank() != 2 || b.dims.size() != 2)
            fail("[", dims_text(x.dims()), "] x [", dims_text(b.dims), "]: matrices are expected");
        if (integer_attribute(*node_, "transA", 0) != 0) x = swapped_last(x);
        if (integer_attribute(*node_, "transB", 0) == 0) b = transposed(b, {1, 0}, budget_);
        b = scaled_constant(b, real_attribute(*node_, "alpha", 1.0f), budget_);
        const std::size_t rows = x.dims()[0], out = b.dims[0];
        if (bytes_gemm(rows, out)) return;
        if (!has_input(2)) {
            return bind(dense(x, b, {}));
        }
        if (!known(2)) {
            Item y;
            y.forms = {dense(x, b, {})};
            return plus_computed(y, real_attribute(*node_, "beta", 1.0f));
        }
        const Constant c = scaled_constant(constant(2, "C"), real_attribute(*node_, "beta", 1.0f), budget_);
        if (broadcast_dims(c.dims, {rows, out}) != Dims{rows, out})
            fail("its C is [", dims_text(c.dims), "]; one that broadcasts to [", rows, "x", out, "] is expected");
        const bool whole = c.dims.size() == 2 && c.dims[0] != 1;
        Tensor<f32> bias;
        if (!whole) bias = broadcast(c, {1, out}, budget_).reals(Shape{out}, budget_);
        const Form y = dense(x, b, std::move(bias));
        if (!whole) return bind(y);
        Item z;
        z.forms = {y};
        plus_known(z, c);
    }
    /// Gemm of dequantized matrices with a bias a column or none.
    bool bytes_gemm(std::size_t rows, std::size_t out) {
        const bool turned = integer_attribute(*node_, "transB", 0) != 0;
        if (integer_attribute(*node_, "transA", 0) != 0 || real_attribute(*node_, "alpha", 1.0f) != 1.0f) return false;
        if (has_input(2) && (!known(2) || real_attribute(*node_, "beta", 1.0f) != 1.0f)) return false;
        Tensor<f32> bias;
        if (has_input(2)) {
            const Constant& c = *item(2).constant;
            if (broadcast_dims(c.dims, {rows, out}) != Dims{rows, out} || (c.dims.size() == 2 && c.dims[0] != 1)) return false;
            bias = broadcast(c, {1, out}, budget_).reals(Shape{out}, budget_);
        }
        std::optional<ByteContraction> b = byte_contraction(turned ? 0 : 1);
        if (!b || b->x.rank() != 2) return false;
        if (!turned) b->weight = transposed(b->weight, {1, 0}, budget_);
        bind(dense(*b, byte_bias(*b, 2, bias)));
        return true;
    }
    void matmul() {
        const bool first = known(0);
        if (!first && known(1) && item(1).constant->dims.size() == 2) {
            if (std::optional<ByteContraction> b = byte_contraction(1)) {
                b->weight = transposed(b->weight, {1, 0}, budget_);
                return bind(dense(*b, {}));
            }
        }
        if (is_whole(0) || is_whole(1)) return bind_product(plain(0), plain(1));
        if (!first && !known(1)) return bind_product(computed(0), computed(1));
        Item x = computed(first ? 1 : 0);
        Constant c = *item(first ? 0 : 1).constant;
        const bool one_matrix = c.dims.size() > 2 && c.count() == c.dims.back() * c.dims[c.dims.size() - 2];
        while (one_matrix && c.dims.size() > 2 && x.rank() >= c.dims.size()) c.dims.erase(c.dims.begin());
        if (!first && c.dims.size() > 2 && matmul_each(x, c)) return;
        if (c.dims.size() > 2) return bind_product(computed(0), computed(1));
        const bool vector = c.dims.size() == 1, column = first && x.rank() == 1;
        if (c.dims.empty() || x.rank() == 0) fail("a scalar is no matrix");
        if (vector) c.dims.insert(first ? c.dims.begin() : c.dims.end(), 1);
        if (!first) c = transposed(c, {1, 0}, budget_);
        if (first && !column) x = swapped_last(x);
        Item y = made(dense(x, c, {}));
        if (first && !column) y = swapped_last(y);
        Form form = y.forms.front();
        if (vector) {
            Dims dims = y.dims();
            dims.erase(first && !column ? dims.end() - 2 : dims.end() - 1);
            form.layout = layout_of(form.layout, dims);
        }
        bind(form);
    }
    void bind_product(Item a, Item b, OnnxElement element) {
        Dims rows = a.dims(), columns = b.dims();
        if (rows.empty() || columns.empty()) fail("a scalar is no matrix");
        const bool row = rows.size() == 1, column = columns.size() == 1;
        if (row) a = reshaped(a, {1, rows[0]});
        if (column) b = reshaped(b, {columns[0], 1});
        Form y = product(a, b);
        Dims dims = y.layout.dims();
        if (column) dims.pop_back();
        if (row) dims.erase(dims.end() - (column ? 1 : 2));
        bind(y.id, layout_of(y.layout, dims), 0, element);
    }
    void bind_product(Item a, Item b) { bind_product(std::move(a), std::move(b), result_element()); }
    /// As many known matrices as computed ones: a convolution of 1 x 1 whose groups are the matrices.
    bool matmul_each(Item& x, const Constant& c) {
        const std::size_t rank = x.rank(), row = rank - 2, inner = rank - 1;
        Dims dims = x.dims();
        if (rank != c.dims.size() || !std::equal(dims.begin(), dims.end() - 2, c.dims.begin()) || c.dims[row] != dims[inner] ||
            c.count() == 0) {
            return false;
        }
        Dims order = Layout::in_order(rank), channels;
        std::swap(order[row], order[inner]);
        const std::size_t out = c.dims[inner], matrices = c.count() / (out * dims[inner]);
        const Shape shape{matrices * out, 1, 1, dims[inner]};
        Conv2d<f32> layer{.weight = transposed(c, order, budget_).reals(shape, budget_), .groups = matrices};
        for (std::size_t axis = 0; axis < rank; ++axis) {
            if (axis != row) channels.push_back(axis);
        }
        const ValueId id = add(std::move(layer), {arranged(x, Groups{{}, {row}, {}, channels})});
        dims[inner] = out;
        Dims stored{row};
        stored.insert(stored.end(), channels.begin(), channels.end());
        bind(id, dims, stored);
        return true;
    }
};

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
