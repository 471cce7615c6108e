// SPDX-License-Identifier: MIT
#pragma once
// Import of ONNX attention (Vaswani et al. 2017), rotary embedding and Einsum: products of computed matrices.

#include <mote/io/onnx/detail/import_selection.hpp>

MOTE_BEGIN_NAMESPACE

namespace detail::onnx_import {

class Attention : protected Selection {
  public:
    using Selection::Selection;

  protected:
    /// Input `place`, [batch, length, heads * size], as [batch, heads, length, size], which it may be already.
    Item by_head(std::size_t place, const char* attribute) {
        Item& x = computed(place);
        const Dims d = x.dims();
        if (d.size() == 4) return x;
        const std::int64_t heads = integer_attribute(*node_, attribute, 0);
        if (d.size() != 3 || heads < 1 || d[2] % static_cast<std::size_t>(heads) != 0)
            fail(heads, " heads of [", dims_text(d), "]; [batch, length, heads * size], or rank 4, is expected");
        const auto count = static_cast<std::size_t>(heads);
        return transposed_item(reshaped(x, {d[0], d[1], count, d[2] / count}), {0, 2, 1, 3});
    }
    /// The past's rows before the present ones.
    Item behind(std::size_t past, Item now) {
        if (!has_input(past)) return now;
        std::vector<Item> rows{computed(past), std::move(now)};
        const Dims dims = rows[0].dims();
        if (dims.size() != 4) fail("its past is [", dims_text(dims), "]; [batch, heads, length, size] is expected");
        return joined(rows, 2);
    }

    /// What is known of which keys a query sees: 0 or what a mask adds, -infinity where it does not; and by row, 0 where a
    /// query sees nothing (its bias is 0 then), else 1.
    struct Bias {
        Dims dims{};  ///< [batch, heads, queries, keys], the first two also 1
        std::vector<double> values{};
        std::vector<double> rows{};
        bool any = false, blind = false;
    };
    Bias bias_of(const Dims& scores, std::size_t past) {
        constexpr double hidden = -std::numeric_limits<double>::infinity();
        const bool causal = integer_attribute(*node_, "is_causal", 0) != 0, masked = known(3);
        const std::int64_t left = integer_attribute(*node_, "left_window_size", -1),
                           right = integer_attribute(*node_, "right_window_size", -1);
        std::vector<std::int64_t> lengths;
        if (has_input(6)) lengths = constant(6, "nonpad_kv_seqlen").integers();
        if (!lengths.empty() && lengths.size() != scores[0])
            fail("it has ", lengths.size(), " lengths of a batch of ", scores[0]);
        Bias bias;
        bias.dims = {lengths.empty() ? 1 : scores[0], 1, scores[2], scores[3]};
        bias.any = causal || masked || left >= 0 || right >= 0 || !lengths.empty();
        if (!bias.any) return bias;
        Constant mask;
        std::size_t columns = 0;
        if (masked) {
            mask = *item(3).constant;
            if (mask.dims.empty() || mask.dims.size() > 4 || mask.dims.back() > scores[3])
                fail("its mask is [", dims_text(mask.dims), "]; one that fits [", dims_text(scores), "] is expected");
            mask.dims.insert(mask.dims.begin(), 4 - mask.dims.size(), 1);
            columns = mask.dims[3];
            Dims whole = mask.dims;
            whole[3] = scores[3];
            bias.dims = broadcast_dims(bias.dims, whole);
            if (broadcast_dims(bias.dims, scores) != scores)
                fail("its mask [", dims_text(mask.dims), "] does not fit [", dims_text(scores), "]");
        }
        const std::size_t keys = scores[3], count = elements_of(bias.dims);
        if (count >= Shape::absurd / 16) fail("it becomes absurdly large");
        budget_.take(16 * count);
        for (std::size_t row = 0; row < count / keys; ++row) {
            const std::size_t i = row % scores[2], head = row / scores[2] % bias.dims[1],
                              batch = row / scores[2] / bias.dims[1];
            const std::size_t place[] = {batch, head, i};
            std::size_t at = 0;
            for (std::size_t axis = 0; masked && axis < 3; ++axis)
                at = at * mask.dims[axis] + (mask.dims[axis] == 1 ? 0 : place[axis]);
            const auto query = static_cast<std::int64_t>(i);
            const std::int64_t before = past > 0 || lengths.empty() ? static_cast<std::int64_t>(past)
                                                                    : lengths[batch] - static_cast<std::int64_t>(scores[2]);
            bool blind = true;
            for (std::size_t j = 0; j < keys; ++j) {
                const auto key = static_cast<std::int64_t>(j), distance = key - query - before;
                double value = 0.0;
                if (masked && j >= columns) {
                    value = hidden;
                } else if (masked) {
                    const double given = mask.real(at * columns + j);
                    value = mask.element != OnnxElement::boolean ? given : given != 0.0 ? 0.0 : hidden;
                }
                if ((causal && distance > 0) || (right >= 0 && distance > right) || (left >= 0 && -distance > left) ||
                    (!lengths.empty() && key >= lengths[batch])) {
                    value = hidden;
                }
                blind = blind && value == hidden;
                bias.values.push_back(value);
            }
            bias.rows.push_back(blind ? 0.0 : 1.0);
            bias.blind = bias.blind || blind;
            if (blind) std::fill(bias.values.end() - static_cast<std::ptrdiff_t>(keys), bias.values.end(), 0.0);
        }
        return bias;
    }

    /// softmax(cap(q k^T scale) + bias) v. Where several query heads share one of keys, that broadcasts.
    void attention() {
        Item q = by_head(0, "q_num_heads"), k = behind(4, by_head(1, "kv_num_heads")),
             v = behind(5, by_head(2, "kv_num_heads"));
        const Dims queries = q.dims(), keys = k.dims(), values = v.dims();
        const std::size_t heads = queries[1], shared = keys[1] == 0 ? 0 : heads / keys[1];
        if (queries[0] != keys[0] || keys[0] != values[0] || keys[1] != values[1] || keys[2] != values[2] ||
            queries[3] != keys[3] || shared * keys[1] != heads) {
            fail("queries [", dims_text(queries), "], keys [", dims_text(keys), "] and values [", dims_text(values),
                 "] do not fit");
        }
        set_item(1, k);
        set_item(2, v);
        const auto grouped = [&](Item& x, std::size_t each) {
            const Dims d = x.dims();
            return shared == 1 ? x : reshaped(x, {d[0], keys[1], each, d[2], d[3]});
        };
        q = grouped(q, shared);
        k = grouped(k, 1);
        v = grouped(v, 1);
        k = swapped_last(k);
        const float size = static_cast<float>(queries[3]);
        Item scores = made(scaled(product(q, k), real_attribute(*node_, "scale", 1.0f / std::sqrt(size)), 0.0f));
        scores = reshaped(scores, {queries[0], heads, queries[2], keys[2]});
        const std::int64_t mode = integer_attribute(*node_, "qk_matmul_output_mode", 0);
        const auto give = [&](std::int64_t stage) {
            if (mode == stage) set_item(3, scores);
        };
        give(0);
        if (const float cap = real_attribute(*node_, "softcap", 0.0f); cap > 0.0f) {
            const Form within = scaled(scores.forms.front(), 1.0f / cap, 0.0f);
            scores = made(scaled({add(Tanh{}, {within.id}), within.layout}, cap, 0.0f));
        }
        give(1);
        const Dims dims = scores.dims();
        const Bias bias = bias_of(dims, has_input(4) ? item(4).dims()[2] : 0);
        if (has_input(3) && !known(3)) scores = made(combined(BinaryFunction::add, scores, computed(3)));
        if (bias.any) {
            scores =
                with_known(BinaryFunction::add, scores, Constant::of(OnnxElement::float32, bias.dims, bias.values, budget_));
        }
        if (scores.dims() != dims) fail("its mask does not fit [", dims_text(dims), "]");
        give(2);
        const Form form = with_last(scores, 3);
        scores = made({add(Softmax{}, {form.id}), form.layout});
        if (bias.blind) {
            Dims rows = bias.dims;
            rows[3] = 1;
            scores = with_known(BinaryFunction::mul, scores, Constant::of(OnnxElement::float32, rows, bias.rows, budget_));
        }
        give(3);
        Item weights = grouped(scores, shared);
        Item y = made(product(weights, v));
        y = reshaped(y, {queries[0], heads, queries[2], values[3]});
        if (item(0).rank() == 3) {
            y = transposed_item(y, {0, 2, 1, 3});
            y = reshaped(y, {queries[0], queries[2], heads * values[3]});
        }
        set_item(0, y);
    }

    /// Rotates pairs of numbers by angles that depend on the position (Su et al. 2021): x cos + turned(x) sin, where turned is
    /// a dense layer that swaps each pair and changes a sign.
    void rotary_embedding() {
        Item x = computed(0).rank() == 3 ? by_head(0, "num_heads") : computed(0);
        const Dims dims = x.dims();  // [batch, heads, length, size]
        const std::int64_t stated = integer_attribute(*node_, "rotary_embedding_dim", 0);
        const std::size_t size = dims.back(), turning = stated > 0 ? static_cast<std::size_t>(stated) : size,
                          half = turning / 2;
        const bool interleaved = integer_attribute(*node_, "interleaved", 0) != 0;
        const Constant &cosine = constant(1, "cos_cache"), &sine = constant(2, "sin_cache");
        if (dims.size() != 4 || turning > size || turning % 2 != 0 || cosine.dims != sine.dims)
            fail("it turns ", turning, " of [", dims_text(dims), "]; an even part of the last axis is expected");
        std::vector<std::int64_t> rows;  // of the caches, by batch and position
        if (has_input(3)) rows = constant(3, "position_ids").integers();
        const std::size_t batch = dims[0], length = dims[2];
        if (!has_input(3)) {
            for (std::size_t i = 0; i < batch * length; ++i) rows.push_back(static_cast<std::int64_t>(i));
        }
        const std::size_t columns = cosine.dims.empty() ? 0 : cosine.dims.back();
        if (rows.size() != batch * length || columns != half || cosine.dims.size() != (has_input(3) ? 2u : 3u))
            fail("its caches are [", dims_text(cosine.dims), "] for ", rows.size(), " positions and ", half, " pairs");
        budget_.take(32 * rows.size() * size);
        std::vector<double> straight, across;
        for (const std::int64_t row : rows) {
            const std::size_t from = axis_in(row, cosine.count() / half) * half;
            for (std::size_t i = 0; i < size; ++i) {
                const std::size_t pair = interleaved ? i / 2 : i % std::max<std::size_t>(half, 1);
                straight.push_back(i < turning ? cosine.real(from + pair) : 1.0);
                across.push_back(i < turning ? sine.real(from + pair) : 0.0);
            }
        }
        budget_.take(4 * size * size);
        Tensor<f32> swap({size, size});
        for (float& w : swap.values()) w = 0.0f;
        for (std::size_t i = 0; i < turning; ++i) {
            const bool first = interleaved ? i % 2 == 0 : i < half;
            const std::size_t step = interleaved ? 1 : half, other = first ? i + step : i - step;
            swap[i * size + other] = first ? -1.0f : 1.0f;
        }
        const Dims each{batch, 1, length, size};
        const Form form = with_last(x, 3);
        Item turned = made({add(Dense<f32>{.weight = std::move(swap)}, {form.id}), form.layout});
        const auto times = [&](Item& value, const std::vector<double>& by) {
            return with_known(BinaryFunction::mul, value, Constant::of(OnnxElement::float32, each, by, budget_));
        };
        Item y = made(combined(BinaryFunction::add, times(x, straight), times(turned, across)));
        if (computed(0).rank() == 3) {
            y = transposed_item(y, {0, 2, 1, 3});
            y = reshaped(y, computed(0).dims());
        }
        set_item(0, y);
    }

    // --------------------------------------------------------------------------------------------------------- Einsum

    /// The labels of one operand's axes; the axes of an ellipsis are labelled 0, 1, ... counted from the last.
    std::string labels_of(std::string_view text, std::size_t rank) const {
        std::string labels;
        const std::size_t dots = text.find("...");
        const std::size_t named = text.size() - (dots == std::string_view::npos ? 0 : 3);
        if (named > rank || (dots == std::string_view::npos && named != rank) || rank - named > 8)
            fail("its term '", onnx::printable(std::string(text)), "' does not fit ", rank, " axes");
        for (std::size_t i = 0; i < text.size(); ++i) {
            if (i == dots) {
                for (std::size_t e = rank - named; e-- > 0;) labels += static_cast<char>('0' + e);
                i += 2;
            } else {
                labels += text[i];
            }
        }
        for (const char label : labels) {
            if (std::count(labels.begin(), labels.end(), label) != 1)
                fail("a term names '", std::string(1, label), "' twice; once is supported");
        }
        return labels;
    }
    /// Sums over the axes whose labels are not among `kept`.
    Item summed_but(Item x, std::string& labels, const std::string& kept) {
        std::vector<char> chosen;
        std::string rest;
        for (const char label : labels) {
            chosen.push_back(kept.find(label) == std::string::npos ? 1 : 0);
            if (chosen.back() == 0) rest += label;
        }
        if (rest == labels) return x;
        labels = rest;
        const Form sum = reduced(x, chosen, Reduction::sum);
        return made({sum.id, without(sum.layout, chosen)});
    }
    /// Sums of products of one value or two, as matrix products: shared labels that stay are the axes before the matrices.
    void einsum() {
        std::string equation = text_attribute(*node_, "equation", "");
        std::erase(equation, ' ');
        const std::size_t arrow = equation.find("->");
        const std::string terms = equation.substr(0, arrow);
        const std::size_t comma = terms.find(','), inputs = node_->inputs.size();
        if (inputs < 1 || inputs > 2 || (comma == std::string::npos) != (inputs == 1))
            fail("its equation '", onnx::printable(equation), "' has not one or two terms for ", inputs, " inputs");
        Item a = computed(0), b;
        std::string left = labels_of(std::string_view(terms).substr(0, comma), a.rank()), right;
        if (inputs == 2) {
            b = computed(1);
            right = labels_of(std::string_view(terms).substr(comma + 1), b.rank());
        }
        std::string out;
        if (arrow == std::string::npos) {  // the ellipsis, then what stands once, in the alphabet's order
            for (const char label : left + right) {
                const bool once = (left + right).find(label) == (left + right).rfind(label);
                if (out.find(label) == std::string::npos && (label <= '9' || once)) out += label;
            }
            std::sort(out.begin(), out.end());
            std::reverse(out.begin(), out.begin() + std::count_if(out.begin(), out.end(), [](char c) { return c <= '9'; }));
        } else {
            const std::string stated = equation.substr(arrow + 2);
            std::size_t dots = 0;
            for (const char digit : std::string_view("01234567")) dots += (left + right).find(digit) != std::string::npos;
            const bool ellipsis = stated.find("...") != std::string::npos;
            out = labels_of(stated, stated.size() - (ellipsis ? 3 : 0) + (ellipsis ? dots : 0));
        }
        for (const char label : out) {
            if ((left + right).find(label) == std::string::npos)
                fail("its result's '", std::string(1, label), "' stands in no term");
        }
        a = summed_but(a, left, out + right);
        std::string made_labels = left;
        if (inputs == 2) {
            b = summed_but(b, right, out + left);
            std::tie(a, made_labels) = einsum_product(a, left, b, right, out);
        }
        Dims order;
        for (const char label : out) order.push_back(made_labels.find(label));
        set_item(0, transposed_item(a, order));
    }
    std::pair<Item, std::string> einsum_product(Item& a, const std::string& left, Item& b, const std::string& right,
                                                const std::string& out) {
        std::string both, rows, columns;
        Dims dims, a_rows, a_inner, b_inner, b_columns;
        Groups a_groups, b_groups;
        for (std::size_t i = 0; i < left.size(); ++i) {
            const std::size_t j = right.find(left[i]);
            if (j != std::string::npos && a.dims()[i] != b.dims()[j])
                fail("the extents of '", std::string(1, left[i]), "' differ");
            if (j == std::string::npos) {
                rows += left[i];
                a_rows.push_back(i);
            } else if (out.find(left[i]) == std::string::npos) {
                a_inner.push_back(i);
                b_inner.push_back(j);
            } else {
                both += left[i];
                a_groups.push_back({i});
                b_groups.push_back({j});
                dims.push_back(a.dims()[i]);
            }
        }
        for (std::size_t j = 0; j < right.size(); ++j) {
            if (left.find(right[j]) != std::string::npos) continue;
            columns += right[j];
            b_columns.push_back(j);
        }
        for (const std::size_t i : a_rows) dims.push_back(a.dims()[i]);
        for (const std::size_t j : b_columns) dims.push_back(b.dims()[j]);
        a_groups.insert(a_groups.end(), {a_rows, a_inner});
        b_groups.insert(b_groups.end(), {b_inner, b_columns});
        const ValueId id = add(MatMul{}, {arranged(a, a_groups), arranged(b, b_groups)});
        return {made({id, Layout(dims)}), both + rows + columns};
    }
};

}  // namespace detail::onnx_import

MOTE_END_NAMESPACE
