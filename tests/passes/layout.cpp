// SPDX-License-Identifier: MIT
// Layout: whatever is transposed, reshaped and arranged, each element stays where the file's order says.

#include <mote/core/random.hpp>
#include <mote/passes/layout.hpp>

#include <support/catch.hpp>

namespace layout_test {

using mote::Layout;
using mote::Shape;
using List = std::vector<std::size_t>;

/// An array that holds its elements' numbers in the file's order.
struct Array {
    List dims;
    std::vector<int> values;
};

Array transposed(const Array& a, const List& order) {
    Array result;
    for (const std::size_t axis : order) result.dims.push_back(a.dims[axis]);
    const Shape in = mote::make_shape(a.dims), out = mote::make_shape(result.dims);
    for (std::size_t i = 0; i < a.values.size(); ++i) {
        std::size_t from = 0;
        for (std::size_t axis = 0; axis < order.size(); ++axis) {
            from += i / out.stride(axis) % out[axis] * in.stride(order[axis]);
        }
        result.values.push_back(a.values[from]);
    }
    return result;
}

Array rearranged(Array stored, const mote::Rearrangement& way) {
    if (!way.before.empty()) stored.dims = way.before;
    if (!way.order.empty()) stored = transposed(stored, way.order);
    if (way.after) stored.dims = *way.after;
    return stored;
}

std::vector<List> groups_of(const List& order) {
    std::vector<List> groups;
    for (const std::size_t axis : order) groups.push_back({axis});
    return groups;
}

}  // namespace layout_test

TEST_CASE("layout: chains of transposes and reshapes move no element of the file's order") {
    using namespace layout_test;
    mote::Random random(7);
    std::size_t reshapes = 0;
    for (int round = 0; round < 400; ++round) {
        const std::size_t rank = 1 + random.below(4);
        Array file;
        for (std::size_t axis = 0; axis < rank; ++axis)
            file.dims.push_back(std::vector<std::size_t>{1, 2, 4, 6}[random.below(4)]);
        const std::size_t count = mote::make_shape(file.dims).elements();
        for (std::size_t i = 0; i < count; ++i) file.values.push_back(static_cast<int>(i));
        List order = Layout::in_order(rank);
        for (std::size_t axis = rank; axis > 1; --axis) std::swap(order[axis - 1], order[random.below(axis)]);
        Array stored = transposed(file, order);
        Layout layout(file.dims, order);
        for (int step = 0; step < 4; ++step) {
            REQUIRE(layout.dims() == file.dims);
            if (random.below(2) == 0) {
                List turn = Layout::in_order(file.dims.size());
                for (std::size_t axis = turn.size(); axis > 1; --axis) std::swap(turn[axis - 1], turn[random.below(axis)]);
                file = transposed(file, turn);
                layout = layout.transposed(turn);
            } else {
                List dims = file.dims;
                if (random.below(2) == 0 && dims.size() > 1) {
                    dims[0] *= dims[1];
                    dims.erase(dims.begin() + 1);
                } else if (dims[0] % 2 == 0 && dims.size() < 5) {
                    dims[0] /= 2;
                    dims.insert(dims.begin(), 2);
                }
                if (const auto next = layout.reshaped(dims)) {
                    layout = *next;
                    file.dims = dims;
                    ++reshapes;
                }
            }
        }
        const Array back =
            rearranged(stored, rearrange(layout, mote::make_shape(stored.dims), groups_of(Layout::in_order(layout.rank()))));
        CHECK(back.dims == file.dims);
        CHECK(back.values == file.values);
    }
    CHECK(reshapes > 100);
}

TEST_CASE("layout: an image needs one transpose, a channel shuffle a reshape on both sides, a vector none") {
    using namespace layout_test;
    const List image{2, 6, 5, 4};
    const List nhwc = Layout::channels_last(4);
    CHECK(nhwc == List{0, 2, 3, 1});
    const mote::Rearrangement to = rearrange(Layout(image), {2, 6, 5, 4}, groups_of(nhwc));
    CHECK(to.before.empty());
    CHECK(to.order == nhwc);
    CHECK_FALSE(to.after);

    Layout layout(image, nhwc);
    CHECK(layout.stored_as(nhwc));
    CHECK_FALSE(layout.stored_as(Layout::in_order(4)));
    layout = layout.reshaped(List{2, 2, 3, 5, 4}).value().transposed(List{0, 2, 1, 3, 4}).reshaped(image).value();
    const mote::Rearrangement shuffle = rearrange(layout, {2, 5, 4, 6}, groups_of(nhwc));
    CHECK(shuffle.before == List{2, 5, 4, 2, 3});
    CHECK(shuffle.order == List{0, 1, 2, 4, 3});
    CHECK(shuffle.after == List{2, 5, 4, 6});

    const List pooled{3, 7, 1, 1};
    const mote::Rearrangement flat =
        rearrange(Layout(pooled, nhwc).reshaped(List{3, 7}).value(), {3, 1, 1, 7}, groups_of({0, 1}));
    CHECK(flat.order.empty());
    CHECK(flat.after == List{3, 7});
}

TEST_CASE("layout: a reshape that cuts through parts is none") {
    using namespace layout_test;
    CHECK_FALSE(Layout(List{6, 4}, List{1, 0}).reshaped(List{8, 3}));
    CHECK(Layout(List{6, 4}).reshaped(List{8, 3}));
    CHECK_FALSE(Layout(List{6, 4}).reshaped(List{8, 4}));
    CHECK_FALSE(Layout(List{6, 4}).reshaped(List{24, 0}));
    CHECK_FALSE(Layout(List{6, 4}).reshaped(List{6}));
}
